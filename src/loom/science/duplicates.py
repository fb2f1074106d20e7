"""Rows that repeat: whole rows, and rows that agree in all features but not in the answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl


@dataclass(frozen=True, slots=True)
class Duplicates:
    """`rows` repeat an earlier row in every cell, `same_features` in every feature (ids and target left out);
    `conflicting` rows share their features with a row that has another target."""

    rows: int
    share: float
    same_features: int
    conflicting: int

    def as_json(self) -> dict[str, Any]:
        """The counts as plain data."""
        return {
            "rows": self.rows,
            "share": self.share,
            "same_features": self.same_features,
            "conflicting": self.conflicting,
        }


class RowHashes:
    """Adds up one hash per cell to one per row, a few columns at a time."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._all = np.zeros(rows, np.uint64)
        self._left_out: np.ndarray[tuple[int], np.dtype[np.uint64]] | None = None
        self._target: pl.Series | None = None
        self._features = 0

    def add(self, hashes: pl.DataFrame, ids: Collection[str], target: str | None) -> None:
        """Take in some columns, each hashed with a seed of its own, else equal cells could change places."""
        self._all += _total(hashes)
        without = [name for name in hashes.columns if name in ids or name == target]
        self._features += hashes.width - len(without)
        if without:
            part = _total(hashes.select(without))
            self._left_out = part if self._left_out is None else self._left_out + part
        if target is not None and target in hashes.columns:
            self._target = hashes[target]

    def count(self) -> Duplicates:
        """How many rows repeat."""
        if not self._rows:
            return Duplicates(0, 0.0, 0, 0)
        repeated = self._rows - pl.Series(self._all).n_unique()
        share = round(repeated / self._rows, 6)
        if not self._features:
            return Duplicates(repeated, share, 0, 0)
        if self._left_out is None:
            return Duplicates(repeated, share, repeated, 0)
        features = pl.Series("x", self._all - self._left_out)
        same = self._rows - features.n_unique()
        conflicting = 0
        if same and self._target is not None:
            pairs = pl.DataFrame({"x": features, "y": self._target}).filter(features.is_duplicated())
            groups = pairs.group_by("x").agg(pl.len().alias("rows"), pl.col("y").n_unique().alias("answers"))
            conflicting = int(groups.filter(pl.col("answers") > 1)["rows"].sum())
        return Duplicates(repeated, share, same, conflicting)


def _total(hashes: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """The sum of the hashes of every row, of which what is beyond 64 bits is lost."""
    if not hashes.width:
        return np.zeros(hashes.height, np.uint64)
    return hashes.select(pl.sum_horizontal(pl.all())).to_series().to_numpy()
