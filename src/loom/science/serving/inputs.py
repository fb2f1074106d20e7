"""Rows for a model that has been deployed: read as what its training rows were, or refused by row and column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from loom.kernel.errors import LoomError
from loom.science import dates

_NOTHING = ("", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "NULL", "Null", "null", "None", "none", "<NA>")
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_NUMBERS: dict[str, pl.DataType] = {
    **{f"int{bits}": pl.Int64() for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": pl.UInt64() for bits in (8, 16, 32, 64)},
    "float32": pl.Float64(),
    "float64": pl.Float64(),
}
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class InputColumn:
    """A column that the model reads, and the type it had where the model was fitted."""

    name: str
    dtype: str

    def as_json(self) -> dict[str, str]:
        """The column as plain data."""
        return {"name": self.name, "dtype": self.dtype}


def input_columns(schema: Iterable[dict[str, Any]], reads: Sequence[str]) -> tuple[InputColumn, ...]:
    """The columns of a data object that a model reads, in the order of the object."""
    wanted = set(reads)
    return tuple(InputColumn(each["name"], each["dtype"]) for each in schema if each["name"] in wanted)


def read_rows(path: Path, columns: Sequence[InputColumn]) -> pl.DataFrame:
    """The rows of a CSV or Parquet file, each column as the model knows it; further columns are left out."""
    try:
        if path.suffix.lower() == ".parquet":
            frame = pl.read_parquet(path)
        else:
            separator = "\t" if path.suffix.lower() == ".tsv" else ","
            frame = pl.read_csv(path, infer_schema=False, separator=separator)
    except FileNotFoundError:
        raise LoomError(f"{path} is not there", "no such file", f"ls {path.parent}") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LoomError(f"{path} cannot be read as a table", why, f"head -3 {path}") from None
    return conform(frame, columns)


def conform(frame: pl.DataFrame, columns: Sequence[InputColumn]) -> pl.DataFrame:
    """The columns that the model reads, in their types; a LoomError where one is missing or holds something else."""
    missing = [each.name for each in columns if each.name not in frame.columns]
    if missing:
        named = ", ".join(f"`{name}`" for name in missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
        count = "a column" if len(missing) == 1 else f"{len(missing)} columns"
        raise LoomError(
            f"the table lacks {count} the model reads", named, "see input_schema.json for all of them"
        )
    return pl.DataFrame([_as(frame.get_column(each.name), each.dtype) for each in columns])


def _as(column: pl.Series, dtype: str) -> pl.Series:
    if column.dtype != pl.String:
        return _typed(column, dtype)
    if dtype in ("text", "category"):
        return column.set(column == "", None)
    cells = column.str.strip_chars()
    present = cells.is_not_null() & ~cells.is_in(_NOTHING)
    cells = cells.zip_with(present, pl.Series(cells.name, [None] * len(cells), pl.String))
    read = _read(cells, dtype)
    _refuse(column, present & read.is_null(), dtype)
    return read


def _read(cells: pl.Series, dtype: str) -> pl.Series:
    if dtype in _NUMBERS:
        # a whole number may come as 3.0 from a spreadsheet
        found = cells.cast(pl.Float64, strict=False)
        target = _NUMBERS[dtype]
        if not target.is_integer():
            return found
        whole = cells.cast(target, strict=False)
        return whole.zip_with(
            whole.is_not_null(), found.set(found != found.round(), None).cast(target, strict=False)
        )
    if dtype == "boolean":
        words = cells.str.to_lowercase()
        known = words.is_in([*_TRUE, *_FALSE])
        return words.is_in(_TRUE).set(~known, None).set(words.is_null(), None)
    if dtype == "date" or dtype.startswith("datetime"):
        return _moments(cells, dtype)
    if dtype.startswith("decimal"):
        return cells.cast(pl.Float64, strict=False)
    return cells


def _moments(cells: pl.Series, dtype: str) -> pl.Series:
    known = cells.drop_nulls()
    ways = dates.ways_in(known) if len(known) else ()
    if ways and dates.are_ambiguous(ways, known):
        raise LoomError(
            f"`{cells.name}` does not say which is the day and which the month",
            "every one of its dates can be read both ways",
            "write them as YYYY-MM-DD",
        )
    moments = dates.moments_in(cells, ways)
    return moments.cast(pl.Date) if dtype == "date" else moments


def _typed(column: pl.Series, dtype: str) -> pl.Series:
    """A column that comes with a type of its own."""
    try:
        if dtype in ("text", "category"):
            return column.cast(pl.String)
        if not _is_alike(column.dtype, dtype):
            raise pl.exceptions.InvalidOperationError
        if dtype in _NUMBERS or dtype.startswith("decimal"):
            target = _NUMBERS.get(dtype, pl.Float64())
            whole = column if column.dtype.is_integer() else column.cast(pl.Float64, strict=False)
            # a fraction is no whole number, and is not cut to one
            fits = whole == whole.round() if whole.dtype == pl.Float64 and target.is_integer() else None
            read = column.cast(target, strict=False)
            read = read if fits is None else read.set(~fits.fill_null(True), None)
        elif dtype == "date":
            read = column.cast(pl.Date, strict=False)
        elif dtype.startswith("datetime"):
            zoned = isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone
            plain = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zoned else column
            read = plain.cast(pl.Datetime("us"))
        else:
            read = column
    except pl.exceptions.PolarsError:
        raise LoomError(
            f"`{column.name}` is not {dtype}", f"its type is {column.dtype}", "see input_schema.json"
        ) from None
    _refuse(column.cast(pl.String, strict=False), column.is_not_null() & read.is_null(), dtype)
    return read


def _is_alike(found: pl.DataType, dtype: str) -> bool:
    """Whether a type may stand for another one without guessing."""
    if found == pl.Null:
        return True
    if dtype == "boolean":
        return found == pl.Boolean
    if dtype in _NUMBERS or dtype.startswith("decimal"):
        return found.is_numeric()
    return not (dtype == "date" or dtype.startswith("datetime")) or found in (pl.Date, pl.Datetime)


def _refuse(column: pl.Series, wrong: pl.Series, dtype: str) -> None:
    if wrong.any():
        row = int(wrong.arg_true()[0])
        cell = str(column[row])
        shown = cell if len(cell) <= 40 else cell[:39] + "…"
        more = int(wrong.sum()) - 1
        rest = f", and {more:,} more" if more else ""
        raise LoomError(
            f"row {row + 1}, column `{column.name}`: {shown!r} is not {dtype}",
            f"the model was fitted on a column of that type{rest}",
            "mend the cell, or leave it empty",
        )
