"""What the look at a validation answers: the conditions, the parts of the plan, and what to do where it is blocked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loom.core.commands import command
from loom.science.serving.model import Served

from ._gate import reasons_of
from ._inspection import Inspection
from ._page import blocked_page
from ._validation import VERB

_MODEL_CODES = {"floor_not_measured"}
_DATA_CODES = {"data_changed", "data_unrecorded", "holdout_changed", "model_changed", "model_unrecorded"}


def evidence_of(seen: Inspection, args: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data; every part by its digest."""
    facts, summary = seen.found.facts, seen.found.summary
    gates = [
        {"name": gate.name, "title": gate.title, "is_met": gate.is_met, "says": gate.says}
        for gate in seen.gates
    ]
    told: dict[str, Any] = {
        "verdict": None if facts is None else facts.verdict,
        **{gate.name: gate.is_met is True for gate in seen.gates},
        "validation": seen.found.reference,
        "gates": gates,
        "floor": args.get("floor"),
        "model": _model(seen.served, summary),
        "data": [{key: one[key] for key in ("pathspec", "name", "rows", "digest")} for one in seen.objects],
        "features": _features(seen),
        "source": next((one["source"] for one in seen.objects if one["source"]), None),
    }
    if seen.is_clear:
        return told
    reasons = list(reasons_of(seen.gates))
    return {
        **told,
        "reasons": reasons,
        "next": list(dict.fromkeys(_ways(seen, args, reasons))),
        "card": blocked_page(told, reasons),
    }


def _model(served: Served | None, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    if served is None:
        return None
    return {
        "ref": summary.get("model_ref"),
        "digest": served.digest,
        "source": summary.get("model_source"),
        "task": served.task,
        "target": served.target,
        "classes": list(served.classes),
        "columns": len(served.columns),
        "kind": "solution" if served.solution is not None else "portfolio",
        "weights": dict(served.weights),
    }


def _features(seen: Inspection) -> dict[str, Any] | None:
    """The transformer inside the model: what it makes, and the digest of how."""
    found = None if seen.served is None else seen.served.transformer
    if found is None:
        return None
    return {"fingerprint": found.fingerprint, "recipe": found.recipe, "count": len(found.features)}


def _ways(seen: Inspection, args: Mapping[str, Any], reasons: list[dict[str, Any]]) -> Iterator[str]:
    """The commands that lead on from what stands in the way."""
    facts, codes = seen.found.facts, {each["code"] for each in reasons}
    if facts is None:
        yield "loom runs"
        return
    asked = {name: facts.inputs.get(name) for name in ("dataset", "target", "solution")}
    again = {name: value for name, value in asked.items() if isinstance(value, str)}
    if codes & _MODEL_CODES:
        yield command(VERB, **again, metric=args.get("floor"))
    elif codes & _DATA_CODES and again.get("dataset"):
        yield command(VERB, **again)
    yield f"loom show {seen.found.reference}"
