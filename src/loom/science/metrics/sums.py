"""Metrics that are functions of sums over rows, so that weights cost one product and never another look at the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.metrics.cases import Case

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A value per row that is summed up, apart for each code where there are codes."""

    values: Floats | None = field(default=None, repr=False)
    codes: Ints | None = field(default=None, repr=False)
    width: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What is summed up, and the metric of the sums: one per row of a matrix of them."""

    terms: tuple[Term, ...]
    finish: Callable[[Floats], Floats] = field(repr=False)
    rows: int

    def by(self, units: Ints, count: int, weights: Floats | None = None) -> Floats:
        """The sums of each unit: one row per unit."""
        parts = []
        for term in self.terms:
            cells = units if term.codes is None else units * term.width + term.codes
            values = (
                term.values if weights is None else weights * (1.0 if term.values is None else term.values)
            )
            parts.append(np.bincount(cells, values, count * term.width).reshape(count, term.width))
        return np.hstack(parts).astype(np.float64, copy=False)

    def value(self, weights: Floats | None = None) -> float:
        """The metric of all rows."""
        return float(self.finish(self.by(np.zeros(self.rows, np.int64), 1, weights))[0])


def sums_of(case: Case) -> Sums:
    """The sums of a case, for every metric but those that rank: auc, ap, ndcg."""
    name, y, p, rows = case.metric.name, case.y, case.p, len(case)
    if name in ("logloss", "brier", "accuracy", "mae", "mape"):
        return mean_of(row_losses(case))
    if name in ("rmse", "rmsle"):
        return Sums((Term(), Term(row_losses(case))), _root, rows)
    if name == "r2":
        centred = y - y.mean()  # else squares of large targets cancel
        return Sums((Term(), Term(centred), Term(centred**2), Term((y - p) ** 2)), _explained, rows)
    if name == "qwk":
        middle = y.mean()
        a, b = y - middle, p - middle
        return Sums(tuple(map(Term, (None, a, a**2, b, b**2, (a - b) ** 2))), _kappa, rows)
    truth, label = case.codes, p.astype(np.int64)
    width = case.classes
    terms = (Term((truth == label) * 1.0, truth, width), Term(None, truth, width), Term(None, label, width))
    finish = {"balanced_accuracy": _recall, "f1": _f1, "mcc": _matthews}[name]
    return Sums(terms, finish, rows)


def mean_of(values: Floats) -> Sums:
    """The plain mean of values."""
    return Sums((Term(), Term(values)), _mean, len(values))


def row_losses(case: Case) -> Floats:
    """What each row adds to a metric that is a mean over rows, or the root of one."""
    name, y, p = case.metric.name, case.y, case.p
    if name == "accuracy":
        right: Floats = np.equal(y, p).astype(np.float64)
        return right
    if name == "logloss":
        likely = np.where(y == 1, p, 1 - p) if p.ndim == 1 else p[np.arange(len(y)), case.codes]
        surprise: Floats = -np.log(np.clip(likely, _EPSILON, 1 - _EPSILON))
        return surprise
    if name == "brier":
        happened = y == 1 if p.ndim == 1 else np.arange(p.shape[1]) == y[:, None]
        squares: Floats = (p - happened) ** 2
        return squares if p.ndim == 1 else squares.sum(axis=1)
    if name == "rmsle":
        if min(y.min(), p.min()) < 0:
            raise LoomError(
                "rmsle cannot be computed", "some targets or predictions are below 0", "--metric rmse"
            )
        y, p = np.log1p(y), np.log1p(p)
    distance: Floats = np.abs(y - p)
    if name in ("rmse", "rmsle"):
        return distance**2
    return distance / np.maximum(np.abs(y), _EPSILON) if name == "mape" else distance


def _mean(sums: Floats) -> Floats:
    result: Floats = sums[:, 1] / sums[:, 0]
    return result


def _root(sums: Floats) -> Floats:
    result: Floats = np.sqrt(_mean(sums))
    return result


def _explained(sums: Floats) -> Floats:
    weight, total, squares, errors = sums.T
    result: Floats = 1 - errors / (squares - total**2 / weight)
    return result


def _kappa(sums: Floats) -> Floats:
    weight, a, aa, b, bb, apart = sums.T
    by_chance = (aa + bb) / weight - 2 * a * b / weight**2
    result: Floats = 1 - apart / weight / by_chance
    return result


def _cells(sums: Floats) -> tuple[Floats, Floats, Floats]:
    right, truth, label = np.split(sums, 3, axis=1)
    return right, truth, label


def _recall(sums: Floats) -> Floats:
    right, truth, _ = _cells(sums)
    there = truth.any(0)
    result: Floats = (right[:, there] / truth[:, there]).mean(1)
    return result


def _f1(sums: Floats) -> Floats:
    right, truth, label = _cells(sums)
    size = truth + label
    each = np.divide(2 * right, size, out=np.zeros_like(size), where=size > 0)
    if each.shape[1] == 2:
        positive: Floats = each[:, 1]
        return positive
    result: Floats = each[:, size.any(0)].mean(1)
    return result


def _matthews(sums: Floats) -> Floats:
    right, truth, label = _cells(sums)
    total = truth.sum(1)
    together = right.sum(1) * total - (truth * label).sum(1)
    spread = (total**2 - (truth**2).sum(1)) * (total**2 - (label**2).sum(1))
    some = spread > 1e-12 * total**4
    result: Floats = np.divide(together, np.sqrt(np.maximum(spread, 0)), out=np.zeros_like(total), where=some)
    return result
