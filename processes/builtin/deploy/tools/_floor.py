"""The score that a model must have reached on its sealed rows, and whether it did, the right way round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.kernel.errors import LoomError
from loom.science import metrics
from loom.science.metrics import Wanted

from ._gate import Gate, reason, unseen
from ._gates import has_holdout
from ._validation import Found


def floor_of(text: str | None) -> Wanted | None:
    """The floor that somebody asks for; a LoomError where it names no threshold."""
    if text is None:
        return None
    try:
        wanted = metrics.parse(text)
    except LoomError as error:
        raise LoomError(error.what, error.why, error.fix.replace("--metric", "--floor")) from None
    if wanted.threshold is None:
        sign = ">=" if wanted.metric.direction == "higher" else "<="
        example = f"--floor '{wanted.metric.name}{sign}{0.8 if wanted.metric.best == 1 else 1}'"
        raise LoomError(f"`{text}` is no floor", "it names a metric and nothing to be reached", example)
    return wanted


def floor_met(found: Found, wanted: Wanted | None) -> Gate:
    """Whether the score on the sealed rows reaches what was asked for, the right way round."""
    if wanted is None:
        return Gate("floor_met", "floor", True, "none was asked for")
    if found.facts is None or has_holdout(found).is_met is not True:
        return unseen("floor_met", "floor")
    name, score = _metric(found.summary), float(found.summary["holdout"]["score"])
    if name != wanted.metric.name:
        what = f"the floor is on {wanted.metric.name}, and the validation measured {name}"
        return Gate(
            "floor_met", "floor", False, what, (reason("floor_not_measured", what, name, wanted.text),)
        )
    says = f"{score:.4g}, asked for {wanted.text}"
    if wanted.met_by(score):
        return Gate("floor_met", "floor", True, says)
    why = (reason("below_floor", f"{name} on the sealed rows misses the floor", score, wanted.text),)
    return Gate("floor_met", "floor", False, says, why)


def _metric(summary: Mapping[str, Any]) -> str:
    told = summary.get("metric")
    named = told.get("name") if isinstance(told, Mapping) else told
    return metrics.get(str(named)).name if named else "nothing"
