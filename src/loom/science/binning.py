"""Columns as numbers: what kind a column is, its values as codes of bins or levels, missing ones in a bin of their own.

Everything here looks at one column at a time, so that memory is bounded by one column whatever the table's width.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Kind = Literal["empty", "constant", "numeric", "boolean", "categorical", "text", "date", "id", "nested"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 64
ROWS_PER_BIN = 20
_LOOK = 10_000
_ID_RATIO = 0.95
_ID_ROWS = 20
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ID_WORDS = {"id", "uuid", "guid", "key", "rowid", "identifier", "ids"}
_COUNTER_WORDS = _ID_WORDS | {"no", "nr", "num", "number", "index", "row", "code"}
_SPACED = 0.5
_LONG = 30.0
_WORDS = 0.05


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as whole numbers 0 … levels − 1; `missing` is the code of missing cells, if there are any."""

    codes: Ints
    levels: int
    missing: int | None


def words(name: str) -> list[str]:
    """The lower-case words of a column name, however it is written: `customerID`, `customer_id`, `Customer Id`."""
    return [part for part in re.split(r"[^a-z0-9]+", _CAMEL.sub(" ", name).lower()) if part]


def is_id_name(name: str) -> bool:
    """Whether a name says that its column identifies rows or entities."""
    parts = words(name)
    return bool(parts) and parts[-1] in _ID_WORDS


def plain(column: pl.Series) -> pl.Series:
    """The column with NaN as missing and level types as text."""
    if column.dtype.is_float():
        return column.fill_nan(None)
    if column.dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if column.dtype.is_decimal():
        return column.cast(pl.Float64)
    return column


def is_nested(column: pl.Series) -> bool:
    """Whether the cells are lists, records or raw bytes, which no statistic here can read."""
    return column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary)


def kind_of(column: pl.Series) -> Kind:
    """What a column is for, as far as its values tell; a continuous measurement is never an id."""
    if column.dtype == pl.Null or column.null_count() == len(column):
        return "empty"
    if is_nested(column):
        return "nested"
    column = plain(column)
    missing = column.null_count()
    if missing == len(column):
        return "empty"
    present = column.drop_nulls() if missing else column
    if not missing and _is_constant(present):
        return "constant"
    if column.dtype == pl.Boolean:
        return "boolean"
    if column.dtype.is_temporal():
        return "numeric" if column.dtype in (pl.Time, pl.Duration) else "date"
    if column.dtype.is_numeric():
        if column.dtype.is_integer() and (present.min(), present.max()) == (0, 1):
            return "boolean"
        return (
            "id" if column.dtype.is_integer() and _counts_rows(column.name, present, missing) else "numeric"
        )
    return _kind_of_text(present)


def _is_constant(present: pl.Series) -> bool:
    head = present.head(_LOOK)
    return head.n_unique() == 1 and bool((present == present[0]).all())


def _counts_rows(name: str, present: pl.Series, missing: int) -> bool:
    if len(present) < _ID_ROWS or _distinct_share(present) <= _ID_RATIO:
        return False
    if not missing and _strictly_ordered(present):
        return True
    parts = words(name)
    return bool(parts) and parts[-1] in _COUNTER_WORDS


def _strictly_ordered(values: pl.Series) -> bool:
    numbers = values.to_numpy()
    return bool((numbers[1:] > numbers[:-1]).all() or (numbers[1:] < numbers[:-1]).all())


def _distinct_share(present: pl.Series) -> float:
    """The share of distinct values; the beginning of the column is enough to rule a high one out."""
    head = present.head(_LOOK)
    share = head.n_unique() / len(head)
    if share <= _ID_RATIO or len(present) <= _LOOK:
        return share
    return present.n_unique() / len(present)


def _kind_of_text(present: pl.Series) -> Kind:
    head = present.head(_LOOK)
    spaced = float(head.str.contains(" ", literal=True).mean() or 0.0)  # type: ignore[arg-type]
    length = float(head.str.len_chars().mean() or 0.0)  # type: ignore[arg-type]
    share = _distinct_share(present)
    if _reads_as_numbers(head, share):
        return "numeric"
    if share > _ID_RATIO and len(present) >= _ID_ROWS and spaced < _SPACED:
        return "id"
    if share > 0.5 and len(present) >= _ID_ROWS and (spaced >= _SPACED or length >= _LONG):
        return "text"
    return "categorical"


def _reads_as_numbers(head: pl.Series, share: float) -> bool:
    """Whether text is numbers with some words among them; codes such as `00501` and long counters are not."""
    read = head.cast(pl.Float64, strict=False)
    if read.null_count() > _WORDS * len(head) or not len(head):
        return False
    padded = bool(head.str.contains(r"^\s*[+-]?0[0-9]").any())
    counted = share > _ID_RATIO and not head.str.contains(r"[.eE]").any()
    return not padded and not counted


def numbers(column: pl.Series) -> Floats:
    """The column as floats, missing cells as NaN; dates as seconds, truth values as 0 and 1."""
    column = plain(column)
    if column.dtype.is_temporal():
        if column.dtype == pl.Date:
            column = column.cast(pl.Datetime("us"))
        column = column.to_physical().cast(pl.Float64)
    values = column.cast(pl.Float64, strict=False).to_numpy()
    return values if values.dtype == np.float64 else values.astype(np.float64)


def edges_of(values: Floats, groups: Sequence[Floats] = (), bins: int = BINS) -> Floats:
    """Where to cut: quantiles of all values and of each group of them; a value that is common gets a bin of its own.

    The groups are the values of each class, so that a class of 0.1 % of the rows is looked at as closely as the
    rest. Cuts are few enough to leave about `ROWS_PER_BIN` rows of the group between two of them.
    """
    parts = [
        _quantiles(values, bins),
        *(_quantiles(group, max(4, bins // (len(groups) + 1))) for group in groups),
    ]
    cuts = np.concatenate(parts)
    common = np.concatenate([part[1:][part[1:] == part[:-1]] for part in parts])
    return np.unique(np.concatenate([cuts, np.nextafter(common, np.inf)]))


def _quantiles(values: Floats, bins: int) -> Floats:
    known = values[~np.isnan(values)]
    count = min(bins, len(known) // ROWS_PER_BIN)
    if not len(known):
        return np.zeros(0)
    places = np.linspace(0, len(known) - 1, max(count, 1) + 1).astype(np.int64)
    return np.sort(known)[places]


def bin_codes(values: Floats, edges: Floats) -> Coded:
    """Every value's bin between sorted edges; missing values get the last code."""
    codes = np.searchsorted(edges, values, side="right").astype(np.int64)
    unknown = np.isnan(values)
    levels = len(edges) + 1
    if not unknown.any():
        return Coded(codes, levels, None)
    codes[unknown] = levels
    return Coded(codes, levels + 1, levels)


def level_codes(column: pl.Series) -> Coded:
    """Every distinct value's number in order of first appearance; missing cells get the last code."""
    column = plain(column)
    if is_nested(column):
        column = column.hash()
    encoded = column.to_arrow().dictionary_encode()
    codes = encoded.indices
    levels = len(encoded.dictionary)
    if not codes.null_count:
        return Coded(codes.to_numpy(zero_copy_only=False).astype(np.int64), levels, None)
    filled = codes.fill_null(levels).to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded(filled, levels + 1, levels)


def repeats(values: Floats) -> bool:
    """Whether the same numbers come again and again, so that each can be looked at as a level."""
    known = values[~np.isnan(values)][:_LOOK]
    return len(known) > 1 and len(np.unique(known)) <= 0.5 * len(known)
