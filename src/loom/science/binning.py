"""Columns as numbers: their values as floats, as codes of bins or of levels, missing ones in a bin of their own.

Everything here looks at one column at a time, so that memory is bounded by one column whatever the table's width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.columns import spelled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 64
ROWS_PER_BIN = 20
_LOOK = 10_000
_LARGEST = 1e30


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as whole numbers 0 … levels − 1; `missing` is the code of missing cells, if there are any."""

    codes: Ints
    levels: int
    missing: int | None


def numbers(column: pl.Series) -> Floats:
    """The column as floats, missing cells as NaN; moments as microseconds since 1970, truth values as 0 and 1."""
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        column = column.cast(pl.Datetime("us"))
    if column.dtype.is_temporal():
        column = column.to_physical()
    values = column.cast(pl.Float64, strict=False).to_numpy()
    return values if values.dtype == np.float64 else values.astype(np.float64)


def moderate(values: Floats) -> Floats:
    """The values, shrunk as one where their squares or a learner's 32 bits could not hold them."""
    size = float(np.abs(values).max(initial=0.0))
    return values / size if size > _LARGEST else values


def middle(values: Floats) -> float:
    """The middle one of the values that are known, the lower of two; 0 where nothing is known."""
    known = values[~np.isnan(values)]
    place = (len(known) - 1) // 2
    return float(np.partition(known, place)[place]) if len(known) else 0.0


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
    encoded = spelled(column).to_arrow().dictionary_encode()
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
