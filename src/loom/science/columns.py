"""A table that is read a few columns at a time, so that its size never decides how much memory a look at it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa

BLOCK_CELLS = 8_000_000
_BLOCK_COLUMNS = 512


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns, the number of rows, and how to read some of the columns."""

    names: tuple[str, ...]
    rows: int
    read: Callable[[Sequence[str]], pl.DataFrame]

    def blocks(self, names: Sequence[str] | None = None, cells: int = BLOCK_CELLS) -> Iterator[pl.DataFrame]:
        """The columns in their order, as many at once as make so many cells, and at least one."""
        wanted = self.names if names is None else names
        width = max(1, min(_BLOCK_COLUMNS, cells // max(self.rows, 1)))
        for start in range(0, len(wanted), width):
            yield plain(self.read(wanted[start : start + width]))


# an Arrow table, or its batches, are the `Iterable`: pyarrow has no types to name
Source: TypeAlias = Columns | pl.DataFrame | Iterable[Any]


def columns_of(source: Source) -> Columns:
    """Any source as columns; a frame or a table is not copied, batches are gathered."""
    if isinstance(source, Columns):
        return source
    if isinstance(source, pl.DataFrame):
        frame = source
    else:
        table = source if isinstance(source, pa.Table) else pa.Table.from_batches(list(source))
        # two columns may carry one name in Arrow, and none of them may be lost
        renamed = table.rename_columns(distinct_names(table.column_names))
        frame = pl.DataFrame(pl.from_arrow(renamed))
    return Columns(tuple(frame.columns), frame.height, lambda names: frame[list(names)])


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names with a number behind each that was there before."""
    taken: set[str] = set(names)
    seen: set[str] = set()
    result = []
    for name in names:
        fresh, number = name, 2
        while fresh in seen or (fresh != name and fresh in taken):
            fresh, number = f"{name}_{number}", number + 1
        seen.add(fresh)
        result.append(fresh)
    return result


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame in types that can be counted and hashed: objects of Python become text, decimals numbers."""
    changed = [
        pl.Series(series.name, [None if cell is None else str(cell) for cell in series], pl.String)
        if series.dtype == pl.Object
        else series.cast(pl.Float64)
        for series in frame
        if series.dtype == pl.Object or series.dtype.is_decimal()
    ]
    return frame.with_columns(changed) if changed else frame
