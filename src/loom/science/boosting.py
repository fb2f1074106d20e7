"""Small boosted trees that answer a question about a table: deterministic, and on as many threads as they are given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.binning import Floats, level_codes, numbers

Matrix = NDArray[np.float32]
Numbers = NDArray[np.float32]

_ROUNDS = 20
_FEW_CLASSES = 5
_LEVELS = 255
_LARGEST = 1e30


def parameters(seed: int, *, threads: int = 1, **more: Any) -> dict[str, Any]:
    """What every small model is fitted with."""
    return {
        "num_leaves": 15, "max_bin": 63, "verbosity": -1, "seed": seed, "deterministic": True,
        "force_row_wise": True, "feature_pre_filter": False, "num_threads": threads, **more,
    }  # fmt: skip


def matrix_of(columns: Iterable[pl.Series]) -> Matrix:
    """Columns as numbers side by side; levels by how common they are, the rarest together."""
    found = [as_numbers(column) for column in columns]
    return np.column_stack(found) if found else np.zeros((0, 0), np.float32)


def as_numbers(column: pl.Series) -> Numbers:
    """One column as a learner takes it."""
    return np.clip(_as_floats(column), -_LARGEST, _LARGEST).astype(np.float32)


def fitted(matrix: Matrix, truth: Floats, *, classes: int, seed: int) -> lgb.Booster:
    """Trees for so many classes, or for amounts where there are none."""
    objective: dict[str, Any] = {"objective": "regression"}
    if classes:
        objective = (
            {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
        )
    given = parameters(seed, learning_rate=0.15, min_data_in_leaf=10, **objective)
    data = lgb.Dataset(matrix, truth, params=given)
    return lgb.train(given, data, num_boost_round=_ROUNDS if classes <= _FEW_CLASSES else _ROUNDS // 3)


def gains(matrix: Matrix, truth: Floats, *, classes: int, seed: int) -> Floats:
    """How much each column helped, as shares of the whole."""
    booster = fitted(matrix, truth, classes=classes, seed=seed)
    found = np.asarray(booster.feature_importance("gain"), np.float64)
    return found / found.sum() if found.sum() > 0 else found


def _as_floats(column: pl.Series) -> Floats:
    """One column as floats; words become the rank of their frequency, which says nothing of the target."""
    if column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype == pl.Boolean:
        return numbers(column)
    coded = level_codes(column)
    order = np.argsort(-np.bincount(coded.codes, minlength=coded.levels), kind="stable")
    rank = np.empty(coded.levels, np.float64)
    rank[order] = np.minimum(np.arange(coded.levels), _LEVELS)
    return rank[coded.codes]
