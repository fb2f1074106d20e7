"""Small models that ask one question of a table: can it be learned from at all, and does it unlearn when it should.

LightGBM on a sample of rows and columns, one thread, deterministic. Every score is out of fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loom.science.binning import Floats, Ints
from loom.science.boosting import Matrix, fitted
from loom.science.leakage.truth import Truth
from loom.science.ranking import area, spearman

ROWS = 5_000
COLUMNS = 60
FOLDS = 3
GROUP_GAP = 0.03
# models of different folds share most of their rows, so their scores scatter wider than independent ones (measured)
_SCATTER = 1.5


@dataclass(frozen=True, slots=True)
class Strength:
    """An out-of-fold score, what it is by chance, and how far chance scatters (one standard error)."""

    score: float
    chance: float
    error: float

    @property
    def ceiling(self) -> float:
        """What chance stays below in 999 of 1,000 tables."""
        return self.chance + 3.3 * self.error

    @property
    def is_chance(self) -> bool:
        """Whether nothing was learned."""
        return self.score <= self.ceiling


def sample_of(target: Truth, seed: int) -> Ints:
    """Positions among the target's rows: at most 5,000, as the classes come."""
    count = len(target.codes)
    if count <= ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, 23]).choice(count, ROWS, replace=False))


def strength(
    matrix: Matrix, target: Truth, *, seed: int, groups: Ints | None = None, shuffle: bool = False
) -> Strength:
    """Out-of-fold AUC (macro) or |Spearman| of a small model; with `shuffle`, of the target in a random order."""
    rng = np.random.default_rng([seed, 31])
    truth = target.values if target.task == "regression" else target.codes.astype(np.float64)
    if shuffle:
        truth = truth[rng.permutation(len(truth))]
    folds = _folds(len(truth), groups, rng)
    classes = 0 if target.task == "regression" else target.classes + bool(target.pooled)
    width = classes if classes > 2 else 1
    guesses = np.zeros((len(truth), width))
    for fold in range(FOLDS):
        held = folds == fold
        if held.all() or not held.any() or len(np.unique(truth[~held])) < 2:
            continue
        booster = fitted(matrix[~held], truth[~held], classes=classes, seed=seed)
        guesses[held] = np.asarray(booster.predict(matrix[held], num_threads=1)).reshape(-1, width)
    return _judge(truth, guesses, folds, target)


def _folds(rows: int, groups: Ints | None, rng: np.random.Generator) -> NDArray[np.int64]:
    if groups is None:
        return rng.permutation(np.arange(rows) % FOLDS)
    count = int(groups.max(initial=0)) + 1
    folds: NDArray[np.int64] = rng.permutation(np.arange(count) % FOLDS)[groups]
    return folds


def _judge(truth: Floats, guesses: Floats, folds: Ints, target: Truth) -> Strength:
    """The mean over folds: a model's level differs from fold to fold, and pooling would mistake that for knowledge."""
    rows = len(truth)
    if target.task == "regression":
        found = [spearman(truth[folds == fold], guesses[folds == fold, 0]) for fold in range(FOLDS)]
        return Strength(
            float(np.mean(found)), 0.8 / float(np.sqrt(rows / FOLDS)), _SCATTER * 0.6 / float(np.sqrt(rows))
        )
    classes = [1] if guesses.shape[1] == 1 else list(range(target.classes))
    areas, errors = [], []
    for place, one in enumerate(classes):
        inside = truth == one
        parts = [area(guesses[folds == fold, place], inside[folds == fold]) for fold in range(FOLDS)]
        areas.append(float(np.mean(parts)))
        wins = max(float(inside.sum()), 1.0)
        errors.append(np.sqrt((rows + 1) / (12 * wins * max(rows - wins, 1.0))))
    return Strength(float(np.mean(areas)), 0.5, _SCATTER * float(np.mean(errors)))
