"""Answers next to what a model said about them, checked once, so that no measure has to doubt its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from loom.kernel.errors import LoomError
from loom.science.metrics.resampling import units_of
from loom.science.targets import Task

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FIX = "train the model again with `loom validate`"
_SUM = 0.01


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float | None]:
        """The figure as plain data; an end that is not known is None."""
        ends = {"low": self.low, "high": self.high}
        known = {name: rounded(end) if np.isfinite(end) else None for name, end in ends.items()}
        return {"value": rounded(self.value), **known}


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answers `y` and the predictions `p`: a share per class (two of them for yes and no), or one amount.

    `clusters` numbers the rows that belong together, from 0; None when every row stands alone.
    """

    task: Task
    y: Any
    p: Floats
    clusters: Ints | None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.p)

    @property
    def hits(self) -> Floats:
        """One column per class, 1 where it is the answer."""
        hits: Floats = np.equal(self.y[:, None], np.arange(self.p.shape[1])).astype(np.float64)
        return hits


def predictions_of(
    y: Any, p: Any, *, task: Task | None = None, clusters: Any = None, order: Any = None
) -> Predictions:
    """The answers and predictions in one shape; whatever cannot be judged is refused.

    Without a task, two columns are yes and no, more are classes, and one column is the chance of yes where the
    answers are whole numbers that are 0 or 1; else it is an amount. Rows belong together by cluster or by block of time:
    where both are given, by that which leaves fewer units.
    """
    answers, said = np.asarray(y), np.asarray(p, np.float64)
    if answers.ndim != 1 or said.ndim not in (1, 2) or len(answers) != len(said) or not len(said):
        raise LoomError(
            "predictions and answers do not go together",
            f"there are {answers.shape} answers and {said.shape} predictions",
            _FIX,
        )
    if not np.isfinite(said).all() or (answers.dtype.kind == "f" and not np.isfinite(answers).all()):
        raise LoomError("some predictions or answers are missing", "they are not finite numbers", _FIX)
    found = task or _task(answers, said)
    if found == "regression":
        if said.ndim != 1:
            raise LoomError("an amount has one prediction per row", f"there are {said.shape[1]}", _FIX)
        residuals = answers - said
        return Predictions(found, answers.astype(np.float64), said, _together(residuals, clusters, order))
    shares = _shares(said)
    codes = answers.astype(np.int64)
    if (codes != answers).any() or codes.min() < 0 or codes.max() >= shares.shape[1]:
        raise LoomError(
            "some answers are classes that the model does not know",
            f"it knows {shares.shape[1]} classes, numbered from 0",
            _FIX,
        )
    missed = 1 - shares[np.arange(len(codes)), codes]
    kind: Task = "binary" if shares.shape[1] == 2 else "multiclass"
    return Predictions(kind, codes, shares, _together(missed, clusters, order))


def summed(values: Floats, clusters: Ints | None) -> Floats:
    """The rows of a matrix, added up within each cluster."""
    if clusters is None:
        return values
    size = int(clusters.max()) + 1
    return np.column_stack([np.bincount(clusters, column, size) for column in values.T])


def around(value: float, influence: Floats, clusters: Ints | None) -> Estimate:
    """A figure with the interval that the influence of each row (they add up to 0) gives it.

    The null is asymptotic: a sum of many independent rows, or clusters, is normal; few clusters widen it by
    Student's law.
    """
    units = summed(influence[:, None], clusters)[:, 0]
    number = len(units)
    if number < 2:
        return Estimate(value, -np.inf, np.inf)
    spread = np.sqrt((units**2).sum() * number / (number - 1)) / len(influence)
    reach = float(stdtrit(number - 1, 0.975)) * float(spread)
    return Estimate(value, value - reach, value + reach)


def wilson(share: Any, rows: Any) -> tuple[Any, Any]:
    """The 95 % intervals of Wilson for shares of so many rows."""
    z2 = float(ndtri(0.975)) ** 2
    middle = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    reach = np.sqrt(z2 * share * (1 - share) / rows + z2**2 / (4 * rows**2)) / (1 + z2 / rows)
    return np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)


def rounded(value: float) -> float:
    """A figure without digits that mean nothing."""
    return float(f"{value:.5g}")


def _task(answers: NDArray[Any], said: Floats) -> Task:
    if said.ndim == 2:
        return "binary" if said.shape[1] <= 2 else "multiclass"
    whole = answers.dtype.kind in "iub" and answers.min() >= 0 and answers.max() <= 1
    return "binary" if whole and said.min() >= 0 and said.max() <= 1 else "regression"


def _shares(said: Floats) -> Floats:
    if said.ndim == 2 and said.shape[1] == 1:
        said = said[:, 0]
    if said.min() < 0 or said.max() > 1:
        raise LoomError(
            "some probabilities lie outside 0 to 1", "the model gives scores, not probabilities", _FIX
        )
    if said.ndim == 1:
        return np.column_stack([1 - said, said])
    total = said.sum(axis=1, keepdims=True)
    if np.abs(total - 1).max() > _SUM:
        raise LoomError("some rows' probabilities do not add up to 1", "the classes are incomplete", _FIX)
    shares: Floats = said / total
    return shares


def _together(losses: Floats, clusters: Any, order: Any) -> Ints | None:
    if clusters is None and order is None:
        return None
    ids, times = (None if each is None else np.asarray(each) for each in (clusters, order))
    ways = units_of(len(losses), ids, times, [losses, np.abs(losses)], 0)
    units = min(ways, key=lambda way: way.count)
    return None if units.count == len(losses) else units.codes
