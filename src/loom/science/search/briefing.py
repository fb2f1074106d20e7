"""What a model may be told of data that it must not see: shapes, counts and what many rows share.

Everything is shown as `loom.science.disclosure` allows: quantiles rounded and never an end of the range, levels that
many rows have, and nothing of columns that look like somebody's. The whole is bounded, whatever the table is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import polars as pl

from loom.core.column_names import is_id_name
from loom.science.columns import block_width, plain
from loom.science.disclosure import quantiles_of
from loom.science.profile.inspection import Inspected, inspect
from loom.science.profile.quantities import quantities
from loom.science.reading import EXACT_ROWS
from loom.science.targets import balance_of
from loom.science.validation.problem import Problem

ColumnKind = Literal["number", "word", "text", "date", "flag"]

MOST_COLUMNS = 100
MOST_BYTES = 16_000
_LEVELS = 12
_NAME = 100
_MOSTLY = 0.9


def kinds_of(frame: pl.DataFrame, features: Sequence[str]) -> dict[str, ColumnKind]:
    """What each feature holds for somebody who reads it with pandas: `number`, `word`, `text`, `date` or `flag`.

    Text that holds numbers is a number where nearly all of it can be cast to one, and else a word. Of a large table,
    a part of the rows is looked at.
    """
    return {found.name: _kind(found, cells) for found, cells in _looked_at(frame, features)}


def briefed(
    problem: Problem, features: Sequence[str], frame: pl.DataFrame | None = None, *,
    most_columns: int = MOST_COLUMNS, most_bytes: int = MOST_BYTES,
) -> dict[str, Any]:  # fmt: skip
    """The rows, the target, and a line on each feature, as far as they go into so many bytes; the rest is counted.

    `frame` has the features where they are not columns of the training rows.
    """
    rows = problem.train[problem.known]
    table = rows if frame is None else frame
    brief: dict[str, Any] = {"rows": rows.height, "features": len(features), "target": _target(problem, rows)}
    shown: dict[str, Any] = {}
    size, left = len(json.dumps(brief)) + 100, dict[str, int]()
    for found, cells in _looked_at(table, features):
        line = _line(found, cells)
        cost = len(json.dumps({found.name: line}))
        if len(shown) < most_columns and len(found.name) <= _NAME and size + cost <= most_bytes:
            shown[found.name] = line
            size += cost
        else:
            left[line["kind"]] = left.get(line["kind"], 0) + 1
    return brief | {"columns": shown} | ({"not_shown": left} if left else {})


def _looked_at(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[tuple[Inspected, pl.Series]]:
    """Each column with a look at it, a few at a time."""
    step = max(1, frame.height // EXACT_ROWS)
    width = block_width(min(frame.height, EXACT_ROWS))
    for start in range(0, len(names), width):
        block = plain(pl.DataFrame([frame[name].gather_every(step) for name in names[start : start + width]]))
        found, _ = inspect(block, start)
        yield from zip(found, block, strict=True)


def _kind(found: Inspected, cells: pl.Series) -> ColumnKind:
    role, kind = found.role, found.traits.kind
    if kind in ("number", "whole"):
        if role == "boolean":
            return "flag"
        return "word" if role == "categorical" else "number"
    if kind in ("boolean", "empty"):
        return "flag" if kind == "boolean" else "number"
    if role == "date":
        return "date"
    if kind == "nested" or role == "text":
        return "text"
    if role == "numeric" and cells.dtype == pl.String:
        present = len(cells) - cells.null_count()
        cast = cells.cast(pl.Float64, strict=False)
        return "number" if len(cells) - cast.null_count() >= _MOSTLY * present else "word"
    return "word"


def _line(found: Inspected, cells: pl.Series) -> dict[str, Any]:
    """What may be said of one column."""
    traits = found.traits
    line: dict[str, Any] = {"kind": _kind(found, cells), "type": found.dtype, "distinct": traits.distinct}
    if traits.missing:
        line["missing"] = round(traits.missing / max(traits.rows, 1), 3)
    if found.personal:
        return line | {"personal": True}
    if quantiles := found.quantiles():
        line["quantiles"] = quantiles
    if found.levels and not is_id_name(found.name):
        line["levels"] = {level.level: round(level.share, 3) for level in found.levels[:_LEVELS]}
    worded = traits.look is not None and found.role in ("text", "categorical", "id")
    lengths = _lengths(cells) if worded else None
    return line | ({"length": lengths} if lengths else {})


def _lengths(cells: pl.Series) -> dict[str, float] | None:
    """How long the texts of a column are, in signs."""
    sizes = cells.cast(pl.String).str.len_chars()
    quantity = quantities([sizes])[0]
    return quantiles_of(quantity.quantiles, len(sizes) - sizes.null_count())


def _target(problem: Problem, rows: pl.DataFrame) -> Mapping[str, Any]:
    """The answer: its name and its task, and how it lies."""
    cells = plain(rows.select(problem.target)).to_series()
    told: dict[str, Any] = {"name": problem.target, "task": problem.task}
    found = inspect(cells.to_frame(), 0)[0][0]
    if problem.task != "regression":
        balance = balance_of(cells, personal=found.personal)
        shares = {level.level: round(level.share, 3) for level in balance.levels[:_LEVELS]}
        return told | {"classes": balance.classes, "smallest": round(balance.smallest, 3), "shares": shares}
    quantity = None if found.personal else found.quantity
    shown = None if quantity is None else quantiles_of(quantity.quantiles, found.traits.present)
    return told | ({"quantiles": shown} if shown else {})
