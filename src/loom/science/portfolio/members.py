"""The members of the portfolio. Each is fitted on a matrix of features and gives probabilities or values.

Probabilities are of the second class where there are two, one column per class where there are more. Classes are
codes 0, 1, ... in the order in which the caller names them; one that a fold has not seen gets none.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from loom.science import resources
from loom.science.targets import Task

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Member = Literal["linear", "boosted"]
MEMBERS: tuple[Member, ...] = ("linear", "boosted")
_FAR = 1e30
_ROUNDS = 250
_NARROW = 8.0


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted member: what scikit-learn or LightGBM made, and what its classes are."""

    member: Member
    task: Task
    classes: int
    seen: tuple[int, ...]
    """The classes it was fitted on."""

    estimator: Any

    def predict(self, matrix: Matrix) -> Floats:
        """Probabilities of the second class, of each class, or values."""
        clean = _clean(matrix)
        with resources.pinned():
            if self.task == "regression":
                return np.asarray(self.estimator.predict(clean), np.float64)
            if len(self.seen) == 1:
                found = np.ones((len(clean), 1))
            else:
                found = np.asarray(self.estimator.predict_proba(clean), np.float64)
        every = np.zeros((len(clean), self.classes))
        every[:, list(self.seen)] = found
        return every[:, 1] if self.task == "binary" else every


def fit_member(
    member: Member, matrix: Matrix, answers: npt.NDArray[Any], task: Task, *, classes: int = 0, seed: int = 0
) -> Model:
    """A member of the portfolio, fitted; the same rows and seed give the same model."""
    seen = tuple(int(code) for code in np.unique(answers)) if task != "regression" else ()
    if task != "regression" and len(seen) == 1:
        return Model(member, task, classes, seen, None)
    estimator = _linear(task, seed) if member == "linear" else _boosted(task, len(matrix), len(seen), seed)
    with resources.pinned():
        estimator.fit(_clean(matrix), answers)
    return Model(member, task, classes, seen, estimator)


def _clean(matrix: Matrix) -> Matrix:
    """What is infinite is as large as a number can be; what is missing stays so."""
    return np.clip(matrix, -_FAR, _FAR).astype(np.float32, copy=False)


def _linear(task: Task, seed: int) -> Any:
    """A penalised linear model on filled and scaled features, its penalty as for a few hundred rows per feature."""
    pipeline = importlib.import_module("sklearn.pipeline")
    linear = importlib.import_module("sklearn.linear_model")
    prepare = importlib.import_module("sklearn.preprocessing")
    fill = importlib.import_module("sklearn.impute").SimpleImputer
    model = (
        linear.Ridge(alpha=1.0, random_state=seed)
        if task == "regression"
        else linear.LogisticRegression(C=1.0, max_iter=300)
    )
    # one cell that lies far out must not decide a linear model
    narrow = prepare.FunctionTransformer(np.clip, kw_args={"a_min": -_NARROW, "a_max": _NARROW})
    filled = fill(strategy="median", keep_empty_features=True)
    return pipeline.make_pipeline(filled, prepare.StandardScaler(), narrow, model)


def _boosted(task: Task, rows: int, classes: int, seed: int) -> Any:
    """Shallow boosted trees with a slow rate: calibrated enough on a few thousand rows, strong on many."""
    lightgbm = importlib.import_module("lightgbm")
    kind = lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier
    return kind(
        n_estimators=_ROUNDS if classes <= 2 else 120,
        learning_rate=0.04 if rows < 50_000 else 0.07,
        num_leaves=15 if rows < 50_000 else 31,
        min_child_samples=int(np.clip(rows // 100, 5, 60)),
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.8,
        reg_lambda=5.0,
        n_jobs=0,  # as many threads as are pinned: their number must not become part of the model
        random_state=seed,
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )
