"""What rows tell as rows: repeated ones, ones that contradict each other, ones that are in the test part as well.

Rows are compared by 64-bit hashes of their cells, added up column by column. Equal rows are reported where they are
at least 1 % of all and ten times more than chance makes equal: the probability that two rows agree, multiplied over
the columns as if they were independent, for every other row.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from loom.core.row_hashes import salt_of
from loom.science.columns import spelled
from loom.science.leakage.findings import Check, Status
from loom.science.twins import Words, conflicting, twins

OVERLAP = 0.01
_TIMES_CHANCE = 10.0
_LOOK = 5_000
# of the 52 bits behind a number's first, eight are kept: one part in 256 to 512
_TAIL = np.uint64(44)
_HALF = np.uint64(1 << 43)


class RowWords:
    """Rows as one word each that grows column by column: an exact one, and one of rounded cells."""

    def __init__(self, rows: int) -> None:
        self.exact: Words = np.zeros(rows, np.uint64)
        self.near: Words = np.zeros(rows, np.uint64)
        self._chance = 0.0
        self._near_chance = 0.0

    def add(self, column: pl.Series, *, like: pl.DataType | None = None) -> None:
        """Take in a column, read in the type it is compared in."""
        column = column if like is None or column.dtype == like else column.cast(like, strict=False)
        column = spelled(column)
        salt = int(salt_of(column.name))
        column = column.alias("cells")
        words, chance = column.hash(seed=salt).to_numpy(), _twin_chance(column)
        self.exact += words
        self._chance += chance
        rough = _rough(column)
        self.near += words if rough is column else rough.hash(seed=salt).to_numpy()
        self._near_chance += chance if rough is column else _twin_chance(rough)

    def chance(self, *, near: bool = False) -> float:
        """How likely a row is equal to some row of this table if columns are independent."""
        per_pair = np.exp(self._near_chance if near else self._chance)
        return float(-np.expm1(len(self.exact) * np.log1p(-min(per_pair, 1 - 1e-12))))


def duplicate_checks(table: RowWords, answers: pl.Series) -> list[Check]:
    """Repeated rows, equal rows with different answers, and rows that are nearly equal."""
    rows = len(table.exact)
    if rows < 2:
        return [Check.skipped("duplicates", "too few rows")]
    equal = twins(table.exact)
    count = int(equal.sum())
    checks = [
        Check(
            "duplicates", "note" if _beyond(count / rows, table.chance()) else "ok", count / rows, OVERLAP, count,
            "rows whose features are equal to another row's; a random split puts them on both sides",
        )
    ]  # fmt: skip
    differing = conflicting(table.exact, answers)
    status: Status = "note" if differing else "ok"
    what = "rows with equal features and different targets"
    checks.append(Check("conflicts", status, differing / rows, None, differing, what))
    near = int((twins(table.near) & ~equal).sum())
    status = "note" if _beyond(near / rows, table.chance(near=True)) else "ok"
    what = "rows that differ from another by less than one part in 256, or in spelling"
    return [*checks, Check("near_duplicates", status, near / rows, OVERLAP, near, what)]


def overlap_check(train: RowWords, test: RowWords) -> Check:
    """Test rows whose features are those of a training row."""
    rows = len(test.exact)
    if not rows or not len(train.exact):
        return Check.skipped("train_test_overlap", "one side has no rows")
    shared = int(np.isin(test.exact, train.exact).sum())
    status: Status = "suspect" if _beyond(shared / rows, train.chance()) else "ok"
    what = "rows of the test part that are in the training part as well"
    return Check("train_test_overlap", status, shared / rows, OVERLAP, shared, what)


def _beyond(share: float, chance: float) -> bool:
    return share >= OVERLAP and share > _TIMES_CHANCE * chance


def _rough(column: pl.Series) -> pl.Series:
    """Numbers with three digits, texts without case and outer spaces."""
    if column.dtype.is_float():
        bits = column.cast(pl.Float64).to_numpy().view(np.uint64) + _HALF
        bits >>= _TAIL
        return pl.Series(column.name, bits)
    if column.dtype == pl.String:
        return column.str.strip_chars().str.to_lowercase()
    return column


def _twin_chance(column: pl.Series) -> float:
    """The logarithm of the probability that two rows agree in this column, from up to 5,000 rows."""
    rows = len(column)
    if rows < 2:
        return 0.0
    sample = column if rows <= _LOOK else column.gather(np.linspace(0, rows - 1, _LOOK).astype(np.int64))
    counts = np.unique(sample.hash(seed=0).to_numpy(), return_counts=True)[1].astype(np.float64)
    pairs = (counts * (counts - 1)).sum() / (len(sample) * (len(sample) - 1))
    return float(np.log(max(pairs, 1e-300)))
