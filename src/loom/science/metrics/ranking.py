"""Metrics of order: areas under curves and discounted gains, with what each row contributes to them.

Equal scores are one place: half of a pair counts for the area (DeLong's midranks), a curve has one step for them, a
list's gains are shared among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loom.science.metrics.cases import Bools, Case, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The value of a metric and how much each row moves it: `pull` is its derivative by the row's weight, times n.

    To first order, the metric of other weights is the value plus the mean of weight × pull.
    """

    value: float
    pull: Floats = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Rows in order of their scores: who is where, and the runs of equal scores."""

    order: Ints
    starts: Ints
    sizes: Ints

    def totals(self, values: Floats) -> Floats:
        """The sum of each run, of values in the order of the rows."""
        result: Floats = np.add.reduceat(values[self.order], self.starts)
        return result

    def back(self, values: Floats) -> Floats:
        """A value per run, given to its rows."""
        result = np.empty(len(self.order))
        result[self.order] = np.repeat(values, self.sizes)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class _Ranking:
    """Rows in the order of their lists and scores, with where lists start and how long they are, and where runs do."""

    order: Ints
    gains: Floats
    lists: Ints
    starts: Ints
    sizes: Ints
    runs: Ints

    def discounted(self, weights: Floats | None) -> Floats:
        """The discounted gain of each list."""
        weigh = np.ones(len(self.order)) if weights is None else weights[self.order]
        reached = np.cumsum(weigh) - weigh
        place = reached - np.repeat(reached[self.starts], self.sizes) + (weigh + 1) / 2
        discount = np.add.reduceat(weigh / np.log2(1 + place), self.runs)
        heavy = np.add.reduceat(weigh, self.runs)
        total = np.add.reduceat(weigh * self.gains, self.runs)
        mean = np.divide(total, heavy, out=np.zeros_like(heavy), where=heavy > 0)
        return np.bincount(self.lists, mean * discount).astype(np.float64, copy=False)


def ranked(case: Case) -> Ranked:
    """The area of a case (auc or ap) with the pull of every row; of several classes, the mean over them.

    Of the area under the ROC curve, the pulls are DeLong's structural components, centred, over the class's share.
    """
    one = _area if case.metric.name == "auc" else _precision
    found = [one(inside, scores) for inside, scores in case.against_rest()]
    if len(found) == 1:
        return found[0]
    return Ranked(
        float(np.mean([each.value for each in found])), np.mean([each.pull for each in found], axis=0)
    )


def area_value(case: Case, weights: Floats | None) -> float:
    """The weighted value of auc or ap."""
    weigh = np.ones(len(case)) if weights is None else weights
    one = _weighted_area if case.metric.name == "auc" else _weighted_precision
    return float(np.mean([one(inside, scores, weigh) for inside, scores in case.against_rest()]))


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Rankings to be discounted: linear gains, by log2(1 + place), as a share of the best ranking of the same rows.

    A row of weight w takes w places, and is discounted as in their middle.
    """

    ranking: _Ranking
    best: _Ranking

    def gains(self, weights: Floats | None = None) -> Floats:
        """NDCG of every list; one without any gain scores 0."""
        found, best = self.ranking.discounted(weights), self.best.discounted(weights)
        return np.divide(found, best, out=np.zeros_like(best), where=best > 0)


def lists_of(gains: Floats, scores: Floats, lists: Ints) -> Lists:
    """The lists, ranked by their scores and, for the best there is, by their gains."""
    return Lists(_ranking(gains, scores, lists), _ranking(gains, gains, lists))


def _area(inside: Bools, scores: Floats) -> Ranked:
    """The area under the ROC curve, by one sort of the scores."""
    places = _places(scores)
    wins = places.totals(inside.astype(np.float64))
    losses = places.sizes.astype(np.float64) - wins
    beaten = places.back(np.cumsum(losses) - losses / 2)
    beating = places.back(wins.sum() - np.cumsum(wins) + wins / 2)
    count, rest = wins.sum(), losses.sum()
    value = float((wins * (np.cumsum(losses) - losses / 2)).sum() / (count * rest))
    pull = np.where(inside, (beaten / rest - value) / count, (beating / count - value) / rest)
    return Ranked(value, pull * len(scores))


def _weighted_area(inside: Bools, scores: Floats, weights: Floats) -> float:
    places = _places(scores)
    wins, losses = places.totals(weights * inside), places.totals(weights * ~inside)
    return float((wins * (np.cumsum(losses) - losses / 2)).sum() / (wins.sum() * losses.sum()))


def _precision(inside: Bools, scores: Floats) -> Ranked:
    """Average precision; its derivative by a row's weight is its own precision and what it does to lower places."""
    places = _places(-scores)
    wins = places.totals(inside.astype(np.float64))
    above, found = np.cumsum(places.sizes), np.cumsum(wins)
    precision, count = found / above, wins.sum()
    value = float((wins * precision).sum() / count)
    below = np.cumsum((wins / above)[::-1])[::-1]
    lost = np.cumsum((wins * precision / above)[::-1])[::-1]
    own = places.back(precision) - value
    pull = np.where(inside, own + places.back(below), 0.0) - places.back(lost)
    return Ranked(value, pull * len(scores) / count)


def _weighted_precision(inside: Bools, scores: Floats, weights: Floats) -> float:
    places = _places(-scores)
    wins, every = places.totals(weights * inside), places.totals(weights)
    above = np.cumsum(every)
    precision = np.divide(np.cumsum(wins), above, out=np.zeros_like(above), where=above > 0)
    return float((wins * precision).sum() / wins.sum())


def _places(scores: Floats) -> _Places:
    order = np.argsort(scores)
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return _Places(order, starts, np.diff(np.r_[starts, len(scores)]))


def _ranking(gains: Floats, scores: Floats, lists: Ints) -> _Ranking:
    order = np.lexsort((-scores, lists))
    scores, lists = scores[order], lists[order]
    first = np.r_[True, lists[1:] != lists[:-1]]
    starts = np.flatnonzero(first)
    runs = np.flatnonzero(first | np.r_[True, scores[1:] != scores[:-1]])
    return _Ranking(order, gains[order], lists[runs], starts, np.diff(np.r_[starts, len(lists)]), runs)
