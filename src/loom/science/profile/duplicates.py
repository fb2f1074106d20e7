"""Rows that repeat: whole rows, and rows that agree in all features but not in the answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from loom.science.twins import Words, conflicting


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


class RowWords:
    """Adds up one hash per cell to one word per row, a few columns at a time."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._all: Words = np.zeros(rows, np.uint64)
        self._left_out: Words = np.zeros(rows, np.uint64)
        self._features = 0

    def add(self, hashes: pl.DataFrame, left_out: Collection[str]) -> None:
        """Take in some columns, each hashed with a seed of its own, else equal cells could change places."""
        self._all += _total(hashes)
        without = [name for name in hashes.columns if name in left_out]
        self._left_out += _total(hashes.select(without))
        self._features += hashes.width - len(without)

    def count(self, answers: pl.Series | None) -> Duplicates:
        """How many rows repeat; the answers are the cells of the target, which is among the columns left out."""
        if not self._rows:
            return Duplicates(0, 0.0, 0, 0)
        rows = self._rows - pl.Series(self._all).n_unique()
        share = round(rows / self._rows, 6)
        if not self._features:
            return Duplicates(rows, share, 0, 0)
        features = self._all - self._left_out
        same = self._rows - pl.Series(features).n_unique()
        against = conflicting(features, answers) if same and answers is not None else 0
        return Duplicates(rows, share, same, against)


def _total(hashes: pl.DataFrame) -> Words:
    """The sum of the hashes of every row, of which what is beyond 64 bits is lost."""
    if not hashes.width:
        return np.zeros(1, np.uint64)
    return hashes.select(pl.sum_horizontal(pl.all())).to_series().to_numpy()
