"""Rows dealt to folds so that every fold has its share of every class, and what belongs together stays together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_BINS = 10


def deal(classes: Ints, folds: int, random: np.random.Generator, sets: Ints | None = None) -> Ints:
    """The fold of each row; rows of one set share a fold.

    Sets of several rows are placed first, the largest first, each where its classes are scarcest: that keeps the
    sum over folds and classes of (rows in the fold / rows of the class)² as small as one step can. Rows on their
    own then fill up what is missing, class by class.
    """
    result = np.empty(len(classes), np.int64)
    width = int(classes.max(initial=0)) + 1
    loads = np.zeros((folds, width))
    alone = np.ones(len(classes), bool)
    if sets is not None:
        alone = np.bincount(sets)[sets] == 1
        placed, loads = _place(classes, sets, ~alone, folds, random)
        result[~alone] = placed[sets[~alone]]
    for one in np.unique(classes[alone]):
        rows = random.permutation(np.flatnonzero(alone & (classes == one)))
        added = _fill(loads[:, one], loads.sum(1), len(rows))
        result[rows] = np.repeat(np.arange(folds), added)
        loads[:, one] += added
    return result


def strata(values: Floats, folds: int) -> Ints | None:
    """Amounts as up to ten classes of equal size; none where rows are too few or values do not differ."""
    bins = min(_BINS, len(values) // (2 * folds))
    if bins < 2:
        return None
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    codes = np.unique(np.searchsorted(edges, values), return_inverse=True)[1].astype(np.int64)
    return codes if codes.any() else None


def support(classes: Ints, sets: Ints | None = None) -> Ints:
    """In how many sets each class occurs; rows on their own are sets."""
    if sets is None:
        return np.bincount(classes).astype(np.int64)
    width = int(classes.max(initial=0)) + 1
    pairs = np.sort(sets * width + classes)
    pairs = pairs[np.r_[True, pairs[1:] != pairs[:-1]]]
    return np.bincount(pairs % width, minlength=width).astype(np.int64)


def _place(
    classes: Ints, sets: Ints, rows: NDArray[np.bool_], folds: int, random: np.random.Generator
) -> tuple[Ints, Floats]:
    """The fold of each set that has some of the rows, and what the folds then hold."""
    width = int(classes.max(initial=0)) + 1
    count = int(sets.max(initial=0)) + 1
    pairs, numbers = np.unique(sets[rows] * width + classes[rows], return_counts=True)
    owners, kinds = pairs // width, pairs % width
    weights = numbers / np.bincount(classes, minlength=width)[kinds] ** 2
    starts = np.searchsorted(owners, np.arange(count + 1))
    sizes = np.bincount(sets[rows], minlength=count)
    order = random.permutation(count)
    order = order[np.argsort(-sizes[order], kind="stable")]
    result = np.full(count, -1, np.int64)
    # plain lists: there may be as many sets as half of the rows, each of a few rows
    loads = [[0] * width for _ in range(folds)]
    totals = [0] * folds
    parts = list(zip(kinds.tolist(), weights.tolist(), numbers.tolist(), strict=True))
    bounds = starts.tolist()
    for one in order[: int((sizes > 0).sum())].tolist():
        members = parts[bounds[one] : bounds[one + 1]]
        costs = [(sum(load[kind] * weight for kind, weight, _ in members), total) for load, total in zip(loads, totals, strict=True)]  # fmt: skip
        best = costs.index(min(costs))
        result[one] = best
        for kind, _, number in members:
            loads[best][kind] += number
            totals[best] += number
    return result, np.array(loads, np.float64).reshape(folds, width)


def _fill(load: Floats, totals: Floats, rows: int) -> Ints:
    """How many rows each fold gets, so that their loads become as even as they can; odd ones go to small folds."""
    order = np.argsort(load, kind="stable")
    level = 0.0
    for taken in range(len(load), 0, -1):
        level = (load[order[:taken]].sum() + rows) / taken
        if level >= load[order[taken - 1]]:
            break
    room = np.maximum(level - load, 0)
    added = np.floor(room + 1e-9).astype(np.int64)
    left = rows - int(added.sum())
    open_ = np.flatnonzero(room > 0) if left else np.zeros(0, np.int64)
    small = open_[np.argsort((totals + added)[open_], kind="stable")]
    added[small[:left]] += 1
    return added
