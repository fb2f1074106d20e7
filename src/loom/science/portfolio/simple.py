"""What a model has to beat: saying the same of everybody, a straight line, the best column alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loom.science.portfolio.members import Floats, Matrix, Model, fit_member
from loom.science.targets import Task

_BINS = 32
_PRIOR = 20.0


def dummy(answers: npt.NDArray[Any], task: Task, rows: int, *, classes: int = 0) -> Floats:
    """What says the same of every row: the share of each class, or the mean."""
    if task == "regression":
        return np.full(rows, float(np.mean(answers)))
    shares = np.bincount(answers.astype(np.int64), minlength=classes) / len(answers)
    return np.full(rows, shares[1]) if task == "binary" else np.tile(shares, (rows, 1))


def linear(
    matrix: Matrix, answers: npt.NDArray[Any], task: Task, *, classes: int = 0, seed: int = 0
) -> Model:
    """The straight line through everything."""
    return fit_member("linear", matrix, answers, task, classes=classes, seed=seed)


@dataclass(frozen=True, slots=True)
class Single:
    """One column in bins, each with the answer that its rows had on average."""

    column: int
    task: Task
    edges: Floats
    answers: Floats
    """By bin; the last one is that of missing cells."""

    def predict(self, matrix: Matrix) -> Floats:
        """What the bin of each row had on average."""
        return self.answers[_bins(matrix[:, self.column], self.edges)]


def best_single(matrix: Matrix, answers: npt.NDArray[Any], task: Task, *, classes: int = 0) -> Single:
    """The column that explains most by itself, judged by the spread of its bins shrunk towards the mean."""
    truth = _truth(answers, task, classes)
    fitted = (_fit(matrix[:, place], truth) for place in range(matrix.shape[1]))
    best = max(
        ((explained, place, edges, means) for place, (explained, edges, means) in enumerate(fitted)),
        key=lambda found: (found[0], -found[1]),
    )
    _, place, edges, means = best
    return Single(
        place,
        task,
        edges,
        means[:, 1] if task == "binary" else means if task == "multiclass" else means[:, 0],
    )


def _truth(answers: npt.NDArray[Any], task: Task, classes: int) -> Floats:
    if task == "regression":
        return np.asarray(answers, np.float64)[:, None]
    return np.eye(max(classes, 2))[answers.astype(np.int64)]


def _fit(column: npt.NDArray[np.float32], truth: Floats) -> tuple[float, Floats, Floats]:
    known = column[np.isfinite(column)].astype(np.float64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(known) else known
    codes = _bins(column, edges)
    counts = np.bincount(codes, minlength=len(edges) + 2).astype(np.float64)
    overall = truth.mean(axis=0)
    sums = np.stack([np.bincount(codes, each, minlength=len(edges) + 2) for each in truth.T], axis=1)
    means = (sums + _PRIOR * overall) / (counts + _PRIOR)[:, None]
    explained = float((counts[:, None] * (means - overall) ** 2).sum())
    return explained, edges, means


def _bins(column: npt.NDArray[np.float32], edges: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    codes = np.searchsorted(edges, column, side="left")
    return np.where(np.isnan(column), len(edges) + 1, codes)
