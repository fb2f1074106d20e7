"""The key figures of cleaned runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.tools.card import Block, column, table

from ._cleaning import Record


def figures(records: Sequence[Record]) -> Iterator[Block]:
    """The key figures of validations."""
    columns = [
        column("what", "figure"), column("value", "value", "score"), column("low", "from", "score"),
        column("high", "to", "score"), column("run", "run", "code"),
    ]  # fmt: skip
    told = [
        {**row, "run": record["run"]}
        for record in records
        if record.get("verb") == "validate"
        for row in _figures(record.get("summary") or {})
        if row["value"] is not None
    ]
    if told:
        yield table("Figures", columns, told)


def _figures(summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    metric = (summary.get("metric") or {}).get("name") or "score"
    holdout, cv = summary.get("holdout") or {}, summary.get("cv") or {}
    dummy = (summary.get("baselines") or {}).get("dummy") or {}
    calibration = summary.get("calibration") or {}
    low, high = [*(holdout.get("ci") or ()), None, None][:2]
    yield {"what": f"{metric} on sealed rows", "value": holdout.get("score"), "low": low, "high": high}
    yield {"what": f"{metric}, mean over folds", "value": cv.get("mean")}
    yield {"what": f"{metric} of saying the same of every row", "value": dummy.get("score")}
    yield {"what": "calibration error", "value": calibration.get("ece")}
    yield {"what": "chance of such a score by luck", "value": summary.get("permutation_p")}
