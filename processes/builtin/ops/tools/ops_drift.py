"""Whether today's data still looks like the data a model was made for."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator
from typing import Any, ClassVar

from loom.core.column_names import spoken
from loom.science.drift import ColumnDrift, Drift, drift
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._drift_page import drift_page
from ._finding import finding
from ._sides import Sides, opened, shapes

_SHAPES = 12


class OpsDrift(Tool):
    """Compares the training part of two data objects; what was sealed away stays sealed."""

    name = "ops_drift"
    description = (
        "Compare two data objects column by column and as a whole, target and predictions first. A column counts "
        "where an effect and its significance agree."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "dataset": {"type": ["string", "null"], "description": "Today's data, such as IngestDataset/9."},
            "reference": {"type": ["string", "null"], "description": "What it is compared with."},
            "prediction": {
                "type": ["string", "null"],
                "description": "The column of both that holds what a model predicted.",
            },
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 900.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """What has drifted, the worst first; nothing where no data was named."""
        dataset, reference, prediction = (args.get(key) for key in ("dataset", "reference", "prediction"))
        if dataset is None and reference is None and prediction is None:
            return ToolResult.ok("not asked for", {"drift": None})
        return await asyncio.to_thread(_compared, ctx.services["catalogue"], dataset, reference, prediction)


def _compared(
    catalogue: Any, dataset: str | None, reference: str | None, prediction: str | None
) -> ToolResult:
    sides = opened(catalogue, dataset, reference, prediction)
    found = drift(sides.current, sides.reference, target=sides.target, prediction=prediction, time=sides.time)
    answers = [one for one in (found.target, found.prediction) if one is not None]
    drifted = [one.name for one in (*answers, *found.columns) if one.reasons]
    plain = found.as_json()
    told = {
        **{key: value for key, value in plain.items() if key not in ("verdict", "reasons")},
        "target": found.target and _told(found.target),
        "prediction": found.prediction and _told(found.prediction),
        "columns": [_told(column) for column in found.columns],
        "drifted": drifted,
        "about": sides.about,
    }
    worst = [one.name for one in (*answers, *found.columns)][:_SHAPES]
    data = {
        "verdict": str(found.verdict),
        "drift": told,
        "reasons": [*plain["reasons"], *_notes(sides, found)],
        "next": list(_next(sides, found)),
        "page": drift_page(told, found, shapes(sides, worst)),
    }
    columns = f"{len(found.columns)} columns compared, {len(drifted)} not quiet"
    return ToolResult.ok(f"{columns}; {found.rows[0]:,} rows against {found.rows[1]:,}", data)


def _told(column: ColumnDrift) -> dict[str, Any]:
    """A column with the one difference that is furthest beyond its threshold: of those that count, if any does."""
    counted = {reason.code for reason in column.reasons}
    evidence = [one for one in column.shift.evidence if not counted or one.code in counted]
    worst = max(evidence, key=lambda one: one.value / one.alert, default=None)
    told = column.as_json()
    head: dict[str, Any] = {"name": told.pop("name"), "verdict": told.pop("verdict")}
    if worst is None:
        head |= {"effect": "type" if "type" in counted else None, "size": None, "threshold": None}
    else:
        threshold = worst.alert if worst.value >= worst.alert else worst.warn
        head |= {"effect": worst.code, "size": float(f"{worst.value:.4g}"), "threshold": threshold}
    return {**head, "q": told.pop("q"), **told}


def _notes(sides: Sides, found: Drift) -> Iterator[dict[str, Any]]:
    about = sides.about
    if about["dataset"]["pathspec"] == about["reference"]["pathspec"]:
        yield finding("same_object", "info", "the data object was compared with itself")
    if sides.target is not None and found.target is None:
        what = (
            f"{about['dataset']['pathspec']} has no `{spoken(sides.target)}`, so the target was not compared"
        )
        yield finding("no_target", "info", what)


def _next(sides: Sides, found: Drift) -> Iterator[str]:
    if not found.reasons:
        return
    dataset = shlex.quote(sides.about["dataset"]["pathspec"])
    target = f" --target {shlex.quote(sides.target)}" if sides.target in sides.current.names else ""
    yield f"loom eda --dataset {dataset}{target}"
    codes = {reason.code for reason in found.reasons}
    if codes & {"removed_column", "type"} and sides.source:
        yield f"loom ingest --source {shlex.quote(sides.source)}{target}"
    if str(found.verdict) == "DRIFT" and target:
        # what was learnt from the reference no longer holds: begin anew from today's data
        yield f"loom features --dataset {dataset}{target}"
