"""A table that is read a few columns at a time, so that its size never decides how much memory a look at it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa

_BLOCK_CELLS = 8_000_000
_BLOCK_COLUMNS = 512


def block_width(rows: int) -> int:
    """How many columns of so many rows are read at once."""
    return max(1, min(_BLOCK_COLUMNS, _BLOCK_CELLS // max(rows, 1)))


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns, the number of rows, and how to read some of the columns."""

    names: tuple[str, ...]
    rows: int
    read: Callable[[Sequence[str]], pl.DataFrame]

    def blocks(self, names: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The columns in their order, as many at once as make eight million cells, and at least one."""
        wanted = self.names if names is None else names
        width = block_width(self.rows)
        for start in range(0, len(wanted), width):
            yield self.take(wanted[start : start + width])

    def each(self, names: Sequence[str] | None = None) -> Iterator[pl.Series]:
        """The columns in their order, one by one."""
        for block in self.blocks(names):
            yield from block

    def take(self, names: Sequence[str]) -> pl.DataFrame:
        """Some of the columns at once, in plain types."""
        return plain(self.read(names))

    def column(self, name: str) -> pl.Series:
        """One of the columns, in a plain type."""
        return self.take([name]).get_column(name)


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
    """The frame in types that can be counted and hashed, with missing cells for what is not a number.

    Objects of Python become text, decimals and the widest whole numbers become floats.
    """
    changed = {series.name: _plain(series) for series in frame if _is_foreign(series.dtype)}
    floats = [changed.get(series.name, series) for series in frame if _holds_floats(series.dtype)]
    # whatever the columns are called, here they are numbered
    numbered = pl.DataFrame([series.alias(str(at)) for at, series in enumerate(floats)])
    found = numbered.select(pl.all().is_nan().any()).row(0) if floats else ()
    changed |= {
        series.name: series.fill_nan(None) for series, some in zip(floats, found, strict=True) if some
    }
    return frame.with_columns(list(changed.values())) if changed else frame


def spelled(column: pl.Series) -> pl.Series:
    """The column in a type whose values are what they look like: categories as text, nested cells as JSON."""
    dtype = column.dtype
    if dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    if not dtype.is_nested():
        return column
    missing = column.is_null()
    if "Binary" in str(dtype):  # which JSON cannot hold
        return pl.Series(column.name, [None if cell is None else str(cell) for cell in column], pl.String)
    text = pl.DataFrame([column.alias("x")]).select(pl.struct("x").struct.json_encode()).to_series()
    return text.set(missing, None).alias(column.name)


def _is_foreign(dtype: pl.DataType) -> bool:
    return dtype == pl.Object or dtype.is_decimal() or dtype in (pl.Int128, pl.UInt128)


def _holds_floats(dtype: pl.DataType) -> bool:
    return dtype.is_float() or (_is_foreign(dtype) and dtype != pl.Object)


def _plain(series: pl.Series) -> pl.Series:
    if series.dtype != pl.Object:
        return series.cast(pl.Float64)
    return pl.Series(series.name, [None if cell is None else str(cell) for cell in series], pl.String)
