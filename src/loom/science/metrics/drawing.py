"""A metric under random weights: all draws from one look at the rows, and the ends of an interval from the draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import special

from loom.science.metrics.cases import Case, Floats
from loom.science.metrics.ranking import lists_of
from loom.science.metrics.resampling import Ids, Units, numbered
from loom.science.metrics.scoring import gains_of
from loom.science.metrics.sums import mean_of, sums_of


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """The value of a metric, and its value in each draw of weights for so many units."""

    value: float
    values: Floats = field(repr=False)
    units: int

    def against(self, other: Draws, sign: int) -> Draws:
        """The draws of the difference to another metric under the same weights."""
        return Draws(sign * (self.value - other.value), sign * (self.values - other.values), self.units)

    def ends(self, level: float) -> tuple[float, float, float]:
        """Both ends of the interval, and the standard error: percentiles, widened by what few units cannot show.

        Exponential weights give a mean of m units (m - 1) / (m + 1) of its variance, and its own spread is not known
        for sure, so that Student's t with m - 1 degrees of freedom takes the place of the normal.
        """
        small = float(np.sqrt((self.units + 1) / max(self.units - 1, 1)))
        quantile = float(special.stdtrit(max(self.units - 1, 1), (1 + level) / 2))
        wider = small * quantile / float(special.ndtri((1 + level) / 2))
        low, high = (
            float(self.value + (end - self.value) * wider)
            for end in np.quantile(self.values, [(1 - level) / 2, (1 + level) / 2])
        )
        return min(low, self.value), max(high, self.value), float(self.values.std()) * small


def drawn(read: Case, units: Units, weights: Floats, lists: Ids | None) -> Draws:
    """The draws of a metric that is not an area; the lists of ndcg are units, or all rows are one."""
    codes = units.codes
    if read.metric.name != "ndcg":
        sums = sums_of(read)
    elif lists is not None:
        sums = mean_of(gains_of(read, lists))
        codes = codes[np.unique(numbered(lists, len(read), "lists"), return_index=True)[1]]
    else:
        whole = lists_of(read.y, read.p, np.zeros(len(read), np.int64))
        values = np.array([whole.gains(one[codes] / one.mean())[0] for one in weights])
        return Draws(float(whole.gains()[0]), values, units.count)
    return Draws(sums.value(), sums.finish(weights @ sums.by(codes, units.count)), units.count)
