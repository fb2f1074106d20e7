"""How a column is used: what it is for, and whether its text is read as the numbers or the dates it holds.

The look at a single column; `profile` takes the same look at many at once and comes to the same roles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from loom.core.column_names import is_counter_name
from loom.science.columns import spelled
from loom.science.dates import moments_in
from loom.science.roles import Role, Traits, holds, role_of
from loom.science.texts import Look, look_at, numbers_in

Use: TypeAlias = Role | Literal["empty", "nested"]

EXACT_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a column is of use for; text may be read as numbers, or as dates written in these ways."""

    use: Use
    numbers: bool = False
    ways: tuple[str, ...] = ()

    def of(self, column: pl.Series) -> pl.Series:
        """The column as it is read; one that holds no text is what it is, its levels by their names."""
        column = spelled(column)
        if column.dtype != pl.String:
            return column
        if self.ways:
            return moments_in(column, self.ways)
        return numbers_in(column) if self.numbers else column


def reading_of(column: pl.Series) -> Reading:
    """How to use a column, whose cells are `plain`."""
    traits = traits_of(column)
    if not traits.present:
        return Reading("empty")
    if traits.kind == "nested":
        return Reading("nested")
    role = role_of(traits)
    look = traits.look
    if look is None:
        return Reading(role)
    return Reading(role, numbers=role == "numeric", ways=look.ways if role == "date" else ())


def traits_of(column: pl.Series) -> Traits:
    """What decides the role of one column; of a large one, no more is counted than the role depends on."""
    # a name such as `^a$` would be taken for a pattern of names
    name, column = column.name, column.alias("cells")
    kind, rows, missing = holds(column.dtype), len(column), column.null_count()
    look: Look | None = None
    least = most = None
    ordered = False
    if missing == rows:
        return Traits(name, "empty", rows, missing, 0)
    if kind in ("whole", "number", "moment", "boolean"):
        ends = column.to_physical().min(), column.to_physical().max()
        least, most = (float(one) for one in ends)  # type: ignore[arg-type]
        ordered = kind == "whole" and not missing and is_ordered(column)
        distinct = rows if ordered else 1 if ends[0] == ends[1] else 2
        if kind == "whole" and distinct == 2 and is_counter_name(name):
            distinct = column.n_unique() - bool(missing)
    elif kind == "text":
        text = column.cast(pl.String)
        distinct = distinct_in(text)
        look, counts = look_at(text, distinct)
        distinct = distinct if counts is None else len(counts) - bool(missing)
    else:
        distinct = 2
    return Traits(name, kind, rows, missing, distinct, least, most, ordered, look)


def distinct_in(column: pl.Series) -> int:
    """How many values there are, missing ones left out: counted in a small column, else estimated."""
    rows, missing = len(column), column.null_count()
    count = int(column.approx_n_unique()) if rows > EXACT_ROWS else column.n_unique()  # type: ignore[arg-type]
    return max(0, min(count - bool(missing), rows - missing))


def is_ordered(column: pl.Series) -> bool:
    """Whether every whole number is above the one before, or every one below."""
    values = column.to_numpy()
    if len(values) < 2 or values[0] == values[1]:
        return False
    up = values[0] < values[1]
    # most columns are out of order from the start
    for part in (values[:100], values):
        if not bool(np.all(part[1:] > part[:-1] if up else part[1:] < part[:-1])):
            return False
    return True
