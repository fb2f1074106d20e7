"""Answers and predictions in the form a metric needs, or a refusal that says what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loom.kernel.errors import LoomError
from loom.science.metrics.registry import Metric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SLACK = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Rows to score: the answers `y`, and `p`: a probability, label or value per row, or a probability per class.

    `classes` is how many there can be, 0 for amounts.
    """

    metric: Metric
    y: Floats
    p: Floats
    classes: int = 0

    def __len__(self) -> int:
        return len(self.y)

    @property
    def codes(self) -> Ints:
        """The answers as codes of classes."""
        return self.y.astype(np.int64)

    def at(self, rows: Bools) -> Case:
        """Some of the rows."""
        return replace(self, y=self.y[rows], p=self.p[rows])

    def against_rest(self) -> list[tuple[Bools, Floats]]:
        """Each class that both occurs and does not, as a yes or no, with its scores; of two, only the second."""
        if self.p.ndim == 1:
            return [(self.y == 1, self.p)]
        found = [(self.y == one, self.p[:, one]) for one in range(self.p.shape[1])]
        return [(inside, scores) for inside, scores in found if inside.any() and not inside.all()]


def case(metric: Metric, y: ArrayLike, p: ArrayLike, threshold: float = 0.5) -> Case:
    """The rows in the form the metric needs; probabilities become labels where it needs labels.

    Of two classes the second is predicted from the threshold on; of more, the most likely one, the first of equals.
    Labels may be given as such. Amounts that stand for ordered classes (qwk) are rounded into the range of y.
    """
    answers, found = _numbers(metric, y, "the answers"), _numbers(metric, p, "the predictions")
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if answers.ndim != 1 or found.ndim not in (1, 2) or len(answers) != len(found):
        raise LoomError(
            f"{metric.name} cannot be computed",
            f"there are answers of shape {answers.shape} and predictions of shape {found.shape}",
            "give one prediction per row, or one per row and class",
        )
    if not len(answers):
        raise LoomError(f"{metric.name} cannot be computed", "there are no rows", "give at least one row")
    if metric.needs == "value":
        return Case(metric, answers, _values(found))
    if bool((np.rint(answers) != answers).any()) or bool((answers < 0).any()):
        raise _wrong(metric, "the answers are not classes, which are whole numbers from 0 up")
    classes = found.shape[1] if found.ndim == 2 else 2
    if metric.needs == "probability":
        return Case(metric, answers, _probabilities(metric, answers, found), classes)
    labels = _labels(metric, answers, found, threshold)
    return Case(metric, answers, labels, max(classes, int(max(answers.max(), labels.max())) + 1))


def undefined(case: Case) -> str | None:
    """Why the metric has no value on these rows; none where it has one."""
    name, y = case.metric.name, case.y
    if name in ("auc", "ap"):
        if case.p.ndim == 2:
            return None if case.against_rest() else "all rows are of one class"
        if name == "auc":
            return "all rows are of one class" if bool((y == y[0]).all()) else None
        return None if bool((y == 1).any()) else "no row is of the positive class"
    if name == "r2" and bool((y == y[0]).all()):
        return "the target is the same in all rows"
    if name == "qwk" and bool((y == y[0]).all()) and bool((case.p == y[0]).all()):
        return "all rows are of one class, and so are the predictions"
    return None


def weights_of(weights: ArrayLike | None, rows: int) -> Floats | None:
    """Weights as floats; refused where some are below 0, or none is above."""
    if weights is None:
        return None
    found = np.asarray(weights, np.float64)
    if found.shape != (rows,) or not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise LoomError(
            "the rows cannot be weighted",
            "weights are finite, one per row, none below 0 and at least one above",
            "leave the weights out, or correct them",
        )
    return found


def _numbers(metric: Metric, given: ArrayLike, what: str) -> Floats:
    try:
        found = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise _wrong(metric, f"{what} are not numbers") from None
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise _wrong(metric, f"{bad:,} of {what} are missing or not finite")
    return found


def _values(found: Floats) -> Floats:
    """A value per row; of probabilities per class, the class to be expected."""
    return found if found.ndim == 1 else found @ np.arange(found.shape[1])


def _probabilities(metric: Metric, y: Floats, found: Floats) -> Floats:
    if found.min() < 0 or found.max() > 1:
        if metric.name in ("auc", "ap"):  # which look at the order alone
            return _order_of(metric, y, found)
        raise _wrong(metric, "some predictions are no probabilities, which lie between 0 and 1")
    if found.ndim == 1 or found.shape[1] == 2:
        if found.ndim == 2:
            _sum_to_one(metric, found)
        return _order_of(metric, y, found)
    _sum_to_one(metric, found)
    return _order_of(metric, y, found / found.sum(1, keepdims=True))


def _order_of(metric: Metric, y: Floats, found: Floats) -> Floats:
    classes = found.shape[1] if found.ndim == 2 else 2
    if y.max() >= classes:
        raise _wrong(
            metric, f"there are answers of class {y.max():.0f}, and predictions for {classes} classes only"
        )
    return np.ascontiguousarray(found[:, 1]) if found.ndim == 2 and classes == 2 else found


def _sum_to_one(metric: Metric, found: Floats) -> None:
    if np.abs(found.sum(1) - 1).max() > _SLACK:
        raise _wrong(metric, "the probabilities of some rows do not add up to 1")


def _labels(metric: Metric, y: Floats, found: Floats, threshold: float) -> Floats:
    if found.ndim == 2 and found.shape[1] > 2:
        likeliest: Floats = found.argmax(1).astype(np.float64)
        return likeliest
    scores = found[:, 1] if found.ndim == 2 else found
    if y.max() <= 1 and scores.min() >= 0 and scores.max() <= 1:
        return (scores >= threshold).astype(np.float64)
    if metric.name == "qwk":
        return np.clip(np.rint(scores), y.min(), y.max())
    if bool((scores != np.rint(scores)).any()) or bool((scores < 0).any()):
        raise _wrong(
            metric,
            "there are more than two classes, and the predictions are neither labels nor one per class",
        )
    return scores


def _wrong(metric: Metric, why: str) -> LoomError:
    return LoomError(f"{metric.name} cannot be computed", why, "correct the predictions of the model")
