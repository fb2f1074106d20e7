"""Everything that decides whether a model may be deployed: looked up, never measured anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loom.kernel.errors import LoomError
from loom.science.serving.model import Served
from loom.tools.registry import ToolContext

from ._data import Line, changed, objects_behind
from ._floor import floor_met, floor_of
from ._gate import Gate
from ._gates import has_holdout, leak_free, passed, servable, there, unchanged
from ._validation import Found, cannot_serve, model_of, validation_of


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was looked at, and every condition."""

    found: Found
    served: Served | None
    objects: list[dict[str, Any]]
    gates: tuple[Gate, ...]

    @property
    def is_clear(self) -> bool:
        """Whether nothing stands in the way."""
        return all(gate.is_met for gate in self.gates)


def inspect(args: Mapping[str, Any], ctx: ToolContext) -> Inspection:
    """Look at everything that a deployment rests on."""
    wanted = floor_of(args.get("floor"))
    found = validation_of(args.get("validate"), args.get("solution"), ctx)
    summary = found.summary
    served, cannot, wrong = _model(summary, ctx)
    objects: list[dict[str, Any]] = []
    if found.facts is not None:
        dataset = str(summary.get("dataset_ref") or found.facts.inputs.get("dataset"))
        objects, gone = objects_behind(dataset, ctx)
        holdout = (summary.get("holdout") or {}).get("digest")
        wrong += [*gone, *changed(objects, summary.get("digests") or {}, holdout)]
    gates = (
        there(found),
        passed(found),
        leak_free(found),
        has_holdout(found),
        unchanged(found, wrong),
        servable(found, cannot),
        floor_met(found, wanted),
    )
    return Inspection(found, served, objects, gates)


def _model(summary: Mapping[str, Any], ctx: ToolContext) -> tuple[Served | None, str, list[Line]]:
    """The model, why it cannot answer, and how it differs from the one that was judged."""
    reference = summary.get("model_ref")
    if not reference:
        return None, "validate kept no model: what it judged does not define `fit` and `predict`", []
    try:
        served = model_of(str(reference), ctx)
    except LoomError as error:
        return None, f"{error.what}: {error.why}", []
    said = (summary.get("model") or {}).get("digest")
    if said is None:
        return (
            served,
            cannot_serve(served),
            [("model_unrecorded", "the validation did not write down what it was", str(reference))],
        )
    wrong = (
        []
        if said == served.digest
        else [("model_changed", "its digest is not the one that was validated", str(reference))]
    )
    return served, cannot_serve(served), wrong
