"""How sure a score is: intervals of a metric, and of the difference of two models on the same rows.

Areas (auc, ap) have the variance of their rows' pulls, which for auc is DeLong's, on the scale of log(v / (1 - v)),
where they are closer to normal. All other metrics are drawn 500 times with random weights per row, entity or block of
time. Quantiles are those of Student's t, with one degree of freedom less than there are units; for areas these are
the units of the rarer class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from loom.science.metrics.cases import Case, Floats, case, undefined
from loom.science.metrics.drawing import drawn
from loom.science.metrics.ranking import Ranked, ranked
from loom.science.metrics.registry import Metric, get
from loom.science.metrics.resampling import Ids, Units, units_of
from loom.science.metrics.scoring import value_of

DRAWS = 500
LEVEL = 0.95
_FEW = 10
_NOTHING = 1e-12
_AREAS = frozenset({"auc", "ap"})


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the interval that holds the true one at this level; `how` says how it was found.

    Where ends are None they are unknown, and `how` says why. `units` are the rows, entities or blocks that vary on
    their own; `p_value`, of a difference only, is how likely one so large is between models that are equal.
    """

    value: float | None
    low: float | None
    high: float | None
    se: float | None
    how: str
    n: int
    units: int
    level: float = LEVEL
    p_value: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return self.low is not None and self.high is not None

    @property
    def half_width(self) -> float | None:
        """Half of what lies between the ends."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def as_json(self) -> dict[str, Any]:
        """The interval as plain data."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "se": self.se,
            "how": self.how,
            "n": self.n,
            "units": self.units,
            "level": self.level,
            "p_value": self.p_value,
        }


def interval(
    metric: Metric | str, y: ArrayLike, p: ArrayLike, *, clusters: Ids | None = None, order: Ids | None = None,
    level: float = LEVEL, seed: int = 0, draws: int = DRAWS, threshold: float = 0.5,
) -> Interval:  # fmt: skip
    """The metric with its interval; `clusters` are drawn whole, and so are blocks of `order`.

    Given both, the wider interval counts. The clusters of ndcg are its lists.
    """
    read = case(metric if isinstance(metric, Metric) else get(metric), y, p, threshold)
    why = undefined(read)
    if why is not None:
        return Interval(None, None, None, None, f"unknown: {why}", len(read), 0, level)
    found = []
    for units in units_of(len(read), clusters, order, _losses(read), seed):
        if units.count < 2:
            value = value_of(read, None, clusters)
            found.append(_unknown(value, f"fewer than two {units.what}", units, level, len(read)))
        elif read.metric.name in _AREAS:
            found.append(_of_area(read, units, level))
        else:
            found.append(_of_draws(read, units, level, units.weights(draws, seed), clusters))
    return _widest(found)


def difference(
    metric: Metric | str, y: ArrayLike, p: ArrayLike, q: ArrayLike, *, clusters: Ids | None = None,
    order: Ids | None = None, level: float = LEVEL, seed: int = 0, draws: int = DRAWS, threshold: float = 0.5,
) -> Interval:  # fmt: skip
    """How much better `p` is than `q` on the same rows, above 0 where it is better, whichever way the metric points."""
    which = metric if isinstance(metric, Metric) else get(metric)
    one, other = case(which, y, p, threshold), case(which, y, q, threshold)
    why = undefined(one) or undefined(other)
    if why is not None:
        return Interval(None, None, None, None, f"unknown: {why}", len(one), 0, level)
    apart = [a - b for a, b in zip(_losses(one), _losses(other), strict=True)]
    found = []
    for units in units_of(len(one), clusters, order, apart, seed):
        if which.name in _AREAS:
            a, b = ranked(one), ranked(other)
            value, pull = a.value - b.value, Ranked(a.value - b.value, a.pull - b.pull)
            se = _spread(one, pull, units)
            reach = _quantile(level, units.count) * se
            low, high, named = value - reach, value + reach, f"paired {_named(which)}"
        else:
            weights = units.weights(draws, seed)
            left, right = (drawn(each, units, weights, clusters) for each in (one, other))
            gained = left.against(right, which.sign)
            value, (low, high, se) = gained.value, gained.ends(level)
            named = f"paired bootstrap of {draws} draws"
        found.append(_compared(value, low, high, se, named, units, level, len(one)))
    return _widest(found)


def needed_rows(interval: Interval, half_width: float = 0.05) -> int | None:
    """How many rows like these would make the interval so narrow; none where it is unknown."""
    if interval.half_width is None:
        return None
    return max(2, int(np.ceil(interval.n * (interval.half_width / half_width) ** 2)))


def _of_area(read: Case, units: Units, level: float) -> Interval:
    found = ranked(read)
    value, rows, support = found.value, len(read), _support(read, units)
    if support < 2:
        return _unknown(value, f"one class has fewer than two {units.what}", units, level, rows)
    se = _spread(read, found, units)
    if not 0 < value < 1 or se <= _NOTHING:
        # as if all of so many trials had gone one way
        edge = ((1 - level) / 2) ** (1 / support)
        low, high = (min(value, edge), 1.0) if value > 0.5 else (0.0, max(value, 1 - edge))
        how = f"exact bound: no pair is out of order, of {support:,} {units.what} of the rarer class"
        return Interval(value, low, high, se, how, rows, units.real, level)
    reach = _quantile(level, support) * se / (value * (1 - value))
    low, high = (float(special.expit(special.logit(value) + step)) for step in (-reach, reach))
    return Interval(value, low, high, se, _how(_named(read.metric), units), rows, units.real, level)


def _of_draws(read: Case, units: Units, level: float, weights: Floats, lists: Ids | None) -> Interval:
    metric, rows = read.metric, len(read)
    draws = drawn(read, units, weights, lists)
    value, (low, high, se) = draws.value, draws.ends(level)
    how = _how(f"bootstrap of {len(weights)} draws", units)
    if se <= _NOTHING * max(1.0, abs(value)):
        how = f"no spread: all {units.real:,} {units.what} agree"
        if metric.needs == "label" and metric.worst is not None:
            # the largest share of units that could be otherwise while none of so many is
            unseen = 1 - ((1 - level) / 2) ** (1 / units.real)
            low, high = sorted(value + unseen * (end - value) for end in (metric.worst, metric.best))
            how = f"exact bound: all {units.real:,} {units.what} agree"
    return Interval(value, metric.clip(low), metric.clip(high), se, how, rows, units.real, level)


def _compared(
    value: float, low: float, high: float, se: float, named: str, units: Units, level: float, rows: int
) -> Interval:
    """The interval of a difference, with its p-value by Student's t."""
    if units.count < 2:
        return _unknown(value, f"fewer than two {units.what}", units, level, rows)
    if se <= _NOTHING:
        p_value = 1.0 if abs(value) <= _NOTHING else None
        how = f"no spread: all {units.real:,} {units.what} agree"
        return Interval(value, value, value, 0.0, how, rows, units.real, level, p_value)
    p_value = float(2 * special.stdtr(units.count - 1, -abs(value) / se))
    return Interval(value, low, high, se, _how(named, units), rows, units.real, level, p_value)


def _spread(read: Case, found: Ranked, units: Units) -> float:
    """The standard error of an area, or of the difference of two: for auc of two classes and single rows, DeLong's."""
    pull = found.pull / len(read)
    if not units.are_rows:
        parts: Sequence[Floats] = [np.bincount(units.codes, pull, units.count).astype(np.float64, copy=False)]
    elif read.p.ndim == 1 and read.metric.name == "auc":
        parts = [pull[read.y == 1], pull[read.y != 1]]
    else:
        parts = [pull]
    return float(np.sqrt(sum(float(part @ part) * len(part) / max(len(part) - 1, 1) for part in parts)))


def _support(read: Case, units: Units) -> int:
    """The units of the rarer of two classes; of more, of the rarest class that has two."""
    found = [
        int((np.bincount(units.codes, part, units.count) > 0).sum())
        for inside, _ in read.against_rest()
        for part in (inside, ~inside)
    ]
    return min(found) if read.p.ndim == 1 else min((one for one in found if one > 1), default=0)


def _losses(read: Case) -> tuple[Floats, Floats]:
    """How far off each row is, with its sign and without, for the length of blocks of time."""
    off: Floats = read.y - read.p if read.p.ndim == 1 else 1 - read.p[np.arange(len(read)), read.codes]
    return off, np.abs(off)


def _quantile(level: float, units: int) -> float:
    return float(special.stdtrit(max(units - 1, 1), (1 + level) / 2))


def _named(metric: Metric) -> str:
    return "DeLong" if metric.name == "auc" else "linearised"


def _how(named: str, units: Units) -> str:
    said = named if units.are_rows else f"{named}, {units.real:,} {units.what}"
    return said if units.count >= _FEW else f"{said}, which is few"


def _unknown(value: float, why: str, units: Units, level: float, rows: int) -> Interval:
    return Interval(value, None, None, None, f"unknown: {why}", rows, units.real, level)


def _widest(found: Sequence[Interval]) -> Interval:
    """The interval that claims least; an unknown one claims nothing."""
    unknown = [one for one in found if not one.known]
    if unknown or len(found) == 1:
        return (unknown or found)[0]
    widest = max(found, key=lambda one: one.half_width or 0.0)
    return replace(widest, how=f"{widest.how} (the wider of two ways)")
