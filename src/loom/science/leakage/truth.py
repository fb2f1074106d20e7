"""The truth that leaks are held against: the target as classes or ranks, on the rows that are scanned, in two folds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.binning import Floats, Ints, level_codes, moderate, numbers
from loom.science.ranking import ranks
from loom.science.targets import Task

CLASS_ROWS = 20
_CLASSES = 30
_SAMPLE = 200_000
_FEW = 40_000


@dataclass(frozen=True, slots=True)
class Truth:
    """The target on the rows that are scanned.

    `codes` numbers the scored classes 0 … n_classes − 1; rows of classes too small to score share the next code.
    `support` is how many rows stand against the largest class: what a separation can be doubted with. `few` are
    places among the rows, as many of each class, for statistics that have to sort.
    """

    name: str
    task: Task
    rows: Ints
    folds: NDArray[np.int8]
    codes: Ints
    classes: int
    pooled: int
    values: Floats
    ranks: Floats
    support: int
    few: Ints

    def classes_of(self, values: Floats) -> list[Floats]:
        """Those of the values at `few` that are of each scored class; none for a regression."""
        codes = self.codes[self.few]
        return [values[codes == code] for code in range(self.classes)]

    def apart(self, entities: pl.Series, seed: int) -> Truth:
        """The target with folds that keep the rows of an entity together."""
        rng = np.random.default_rng([seed, 13])
        return replace(self, folds=_folds(self.rows, self.codes, entities, rng))

    def at(self, places: Ints) -> Truth:
        """The target on some of its rows."""
        return replace(
            self, rows=self.rows[places], folds=self.folds[places], codes=self.codes[places],
            values=self.values[places] if len(self.values) else self.values,
            ranks=self.ranks[places] if len(self.ranks) else self.ranks, few=np.arange(len(places)),
        )  # fmt: skip


def prepare(
    column: pl.Series, task: Task, *, keep: NDArray[np.bool_], group: pl.Series | None, seed: int
) -> Truth | None:
    """The target ready for the scan, or None where there is nothing to predict: no rows, or one class only."""
    column = column.alias("cells")
    known = column.is_not_null().to_numpy() & keep
    rng = np.random.default_rng([seed, 11])
    if task == "regression":
        values = numbers(column)
        rows = _some(np.flatnonzero(known & np.isfinite(values)), _SAMPLE, rng)
        values = moderate(values[rows])
        if len(rows) < 2 or values.min() == values.max():
            return None
        codes, classes, pooled, support = np.zeros(len(rows), np.int64), 0, 0, len(rows)
        ranks = _ranks(values)
    else:
        coded = level_codes(column.fill_null(column.drop_nulls()[0]) if known.any() else column)
        counts = np.bincount(coded.codes[known], minlength=coded.levels)
        if (counts > 0).sum() < 2:
            return None
        scored = _scored(counts)
        rows = _by_class(coded.codes, known, rng)
        table = np.full(coded.levels, len(scored), np.int64)
        table[scored] = np.arange(len(scored))
        codes = table[coded.codes[rows]]
        classes = len(scored)
        pooled = int((counts > 0).sum()) - classes
        support = int(len(rows) - np.bincount(codes).max())
        values = np.zeros(0)
        if column.dtype.is_numeric():
            ranks = _ranks(numbers(column)[rows])
        else:
            ranks = codes.astype(np.float64) if task == "binary" else values
    return Truth(
        name=column.name, task=task, rows=rows, folds=_folds(rows, codes, group, rng), codes=codes,
        classes=classes, pooled=pooled, values=values, ranks=ranks, support=support,
        few=_even(codes, rng),
    )  # fmt: skip


def _scored(counts: Ints) -> list[int]:
    """The two largest classes, and up to 30 that are large enough to say something of."""
    order = [int(code) for code in np.argsort(-counts, kind="stable")[:_CLASSES] if counts[code]]
    return order[:2] + [code for code in order[2:] if counts[code] >= CLASS_ROWS]


def _some(rows: Ints, most: int, rng: np.random.Generator) -> Ints:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _by_class(codes: Ints, known: NDArray[np.bool_], rng: np.random.Generator) -> Ints:
    """All rows of a small table; of a large one, as many of each class: AUC does not depend on the shares."""
    rows = np.flatnonzero(known)
    if len(rows) <= _SAMPLE:
        return rows
    return rows[_each(codes[rows], _SAMPLE, rng)]


def _even(codes: Ints, rng: np.random.Generator) -> Ints:
    return np.arange(len(codes)) if len(codes) <= _FEW else _each(codes, _FEW, rng)


def _each(codes: Ints, most: int, rng: np.random.Generator) -> Ints:
    """Places of as many rows of each class as make so many in all; of many classes at least 2,000 each."""
    present = np.unique(codes)
    share = max(most // len(present), 2_000)
    return np.sort(np.concatenate([_some(np.flatnonzero(codes == code), share, rng) for code in present]))


def _folds(rows: Ints, codes: Ints, group: pl.Series | None, rng: np.random.Generator) -> NDArray[np.int8]:
    """Two folds, each class halved; entities stay whole where they are known."""
    if group is not None:
        entities = level_codes(group.gather(rows))
        return rng.integers(0, 2, entities.levels).astype(np.int8)[entities.codes]
    folds = np.empty(len(rows), np.int8)
    for code in range(int(codes.max(initial=0)) + 1):
        members = np.flatnonzero(codes == code)
        folds[rng.permutation(members)] = np.arange(len(members)) % 2
    return folds


def _ranks(values: Floats) -> Floats:
    return (ranks(values) - 1) / max(len(values) - 1, 1)
