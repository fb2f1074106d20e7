"""Which rows are equal in their features, or of one entity, by 64-bit hashes that are only compared, never ordered."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.columns import Columns, spelled

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


def cell_hashes(column: pl.Series) -> Words:
    """One hash per cell; equal cells of one name and type have equal ones, and missing is a value like others."""
    return spelled(column).hash(seed=zlib.crc32(column.name.encode("utf-8", "surrogatepass"))).to_numpy()


def row_hashes(columns: Iterable[pl.Series], rows: int) -> Words:
    """One hash per row: the sum of those of its cells, so that it grows column by column."""
    total = np.zeros(rows, np.uint64)
    for column in columns:
        total += cell_hashes(column)
    return total


def feature_names(table: Columns, without: Collection[str | None]) -> list[str]:
    """The columns that make rows equal: all but those named."""
    return [name for name in table.names if name not in without]


def numbered(words: Words) -> Ints:
    """Equal hashes as equal whole numbers from 0 on, in the order they first occur on every machine."""
    _, first, place = np.unique(words, return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    result: Ints = order[place]
    return result
