"""Small models that ask one question of a table: can it be learned from at all, and does it unlearn when it should.

LightGBM on a sample of rows and columns, one thread, deterministic. Every score is out of fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.binning import Floats, Ints, is_nested, level_codes, numbers, plain
from loom.science.leakage_copies import spearman
from loom.science.leakage_scores import auc
from loom.science.leakage_target import Target

Matrix = NDArray[np.float32]

ROWS = 5_000
COLUMNS = 60
FOLDS = 3
GROUP_GAP = 0.03
_ROUNDS = 20
# models of different folds share most of their rows, so their scores scatter wider than independent ones (measured)
_SCATTER = 1.5
_LEVELS = 255
_LARGEST = 1e30
_PARAMETERS: Mapping[str, Any] = {
    "num_leaves": 15, "learning_rate": 0.15, "min_data_in_leaf": 10, "max_bin": 63, "verbosity": -1,
    "num_threads": 1, "deterministic": True, "force_row_wise": True, "feature_pre_filter": False,
}  # fmt: skip


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


def sample_of(target: Target, seed: int) -> Ints:
    """Positions among the target's rows: at most 5,000, as the classes come."""
    count = len(target.codes)
    if count <= ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, 23]).choice(count, ROWS, replace=False))


def matrix_of(columns: Sequence[pl.Series]) -> Matrix:
    """Columns as numbers side by side; levels by how common they are, the rarest together."""
    if not columns:
        return np.zeros((0, 0), np.float32)
    return np.column_stack(
        [np.clip(as_numbers(column), -_LARGEST, _LARGEST).astype(np.float32) for column in columns]
    )


def as_numbers(column: pl.Series) -> Floats:
    """One column as floats; words become the rank of their frequency, which says nothing of the target."""
    if column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype == pl.Boolean:
        return numbers(column)
    coded = level_codes(column if is_nested(column) else plain(column))
    order = np.argsort(-np.bincount(coded.codes, minlength=coded.levels), kind="stable")
    rank = np.empty(coded.levels, np.float64)
    rank[order] = np.minimum(np.arange(coded.levels), _LEVELS)
    return rank[coded.codes]


def strength(
    matrix: Matrix, target: Target, *, seed: int, groups: Ints | None = None, shuffle: bool = False
) -> Strength:
    """Out-of-fold AUC (macro) or |Spearman| of a small model; with `shuffle`, of the target in a random order."""
    rng = np.random.default_rng([seed, 31])
    truth = target.values if target.task == "regression" else target.codes.astype(np.float64)
    if shuffle:
        truth = truth[rng.permutation(len(truth))]
    folds = _folds(len(truth), groups, rng)
    width = target.classes + bool(target.pooled) if target.task != "regression" else 1
    width = 1 if width == 2 else width
    guesses = np.zeros((len(truth), width))
    for fold in range(FOLDS):
        held = folds == fold
        if held.all() or not held.any() or len(np.unique(truth[~held])) < 2:
            continue
        booster = _fit(matrix[~held], truth[~held], target, width, seed)
        guesses[held] = np.asarray(booster.predict(matrix[held])).reshape(-1, width)
    return _judge(truth, guesses, folds, target)


def gains(matrix: Matrix, truth: Floats, *, classes: int, seed: int) -> Floats:
    """How much each column helped a small model, as shares of the whole."""
    target = {"objective": "regression"} if not classes else _objective(classes)
    booster = _train(matrix, truth, target, seed)
    found = np.asarray(booster.feature_importance("gain"), np.float64)
    return found / found.sum() if found.sum() > 0 else found


def _folds(rows: int, groups: Ints | None, rng: np.random.Generator) -> NDArray[np.int64]:
    if groups is None:
        return rng.permutation(np.arange(rows) % FOLDS)
    count = int(groups.max(initial=0)) + 1
    folds: NDArray[np.int64] = rng.permutation(np.arange(count) % FOLDS)[groups]
    return folds


def _objective(classes: int) -> dict[str, Any]:
    return {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}


def _fit(matrix: Matrix, truth: Floats, target: Target, width: int, seed: int) -> lgb.Booster:
    if target.task == "regression":
        return _train(matrix, truth, {"objective": "regression"}, seed)
    return _train(matrix, truth, _objective(2 if width == 1 else width), seed)


def _train(matrix: Matrix, truth: Floats, objective: Mapping[str, Any], seed: int) -> lgb.Booster:
    data = lgb.Dataset(matrix, truth, params={"verbosity": -1, "max_bin": 63, "feature_pre_filter": False})
    rounds = _ROUNDS if objective.get("num_class", 2) <= 5 else _ROUNDS // 3
    return lgb.train({**_PARAMETERS, **objective, "seed": seed}, data, num_boost_round=rounds)


def _judge(truth: Floats, guesses: Floats, folds: Ints, target: Target) -> Strength:
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
        parts = [
            auc(
                inside[folds == fold].astype(float),
                (~inside)[folds == fold].astype(float),
                guesses[folds == fold, place],
            )
            for fold in range(FOLDS)
        ]
        areas.append(float(np.mean(parts)))
        wins = max(float(inside.sum()), 1.0)
        errors.append(np.sqrt((rows + 1) / (12 * wins * max(rows - wins, 1.0))))
    return Strength(float(np.mean(areas)), 0.5, _SCATTER * float(np.mean(errors)))
