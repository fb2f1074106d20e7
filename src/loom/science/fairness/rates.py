"""What a decision does to one group, and how far the groups are apart, with intervals for both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy.special import stdtrit

from loom.science.metrics import interval
from loom.science.predictions import Estimate, Floats, Ints, around, summed, wilson

DRAWS = 2_000
_AT_ONCE = 8_000_000
# the four outcomes of a decision: chosen and yes, chosen and no, left and yes, left and no
_OUTCOMES = 4
Bools = np.ndarray
Figures = Mapping[str, Estimate | None]


def rates_of(yes: Bools, chosen: Bools, p: Floats, clusters: Ints | None) -> Figures:
    """The rates of one group: shares with the intervals of Wilson, or of sums over clusters; the area with DeLong's.

    `calibration` is the mean prediction less the share of yes. A rate among no rows at all is None.
    """
    everyone = np.ones(len(yes), np.bool_)
    gap = p - yes
    return {
        "base_rate": _share(yes, everyone, clusters),
        "selection_rate": _share(chosen, everyone, clusters),
        "tpr": _share(chosen & yes, yes, clusters),
        "fpr": _share(chosen & ~yes, ~yes, clusters),
        "precision": _share(chosen & yes, chosen, clusters),
        "auc": _area(yes, p, clusters),
        "calibration": around(float(gap.mean()), gap - gap.mean(), clusters),
    }


def errors_of(residuals: Floats, clusters: Ints | None) -> Figures:
    """The mean error (prediction less answer) and the mean absolute error of one group."""
    return {
        name: around(float(values.mean()), values - values.mean(), clusters)
        for name, values in (("mean_error", residuals), ("mae", np.abs(residuals)))
    }


def _area(yes: Bools, p: Floats, clusters: Ints | None) -> Estimate | None:
    found = interval("auc", yes, p, clusters=clusters)
    if found.value is None or found.low is None or found.high is None:
        return None
    return Estimate(found.value, found.low, found.high)


def decision_gaps(
    yes: Bools, chosen: Bools, groups: Ints, clusters: Ints | None, random: np.random.Generator, tail: float
) -> dict[str, Estimate]:
    """How far the shares of chosen rows are apart, and the shares among yes and among no, with their intervals."""
    outcome = np.where(chosen, 0, 2) + ~yes
    counts = np.bincount(groups * _OUTCOMES + outcome, minlength=(groups.max() + 1) * _OUTCOMES)
    seen = _apart(counts.reshape(1, -1, _OUTCOMES).astype(np.float64))
    drawn = _drawn_counts(counts.reshape(-1, _OUTCOMES), groups, outcome, clusters, random)
    parts = [_apart(part) for part in drawn]
    return {
        name: _around(float(values[0]), np.concatenate([part[name] for part in parts]), tail, most=1.0)
        for name, values in seen.items()
    }


def error_gaps(
    residuals: Floats, groups: Ints, clusters: Ints | None, random: np.random.Generator
) -> dict[str, Estimate]:
    """How far the mean errors and the mean absolute errors of the groups are apart, with their intervals.

    A mean of a hundred rows and more is as good as normal, so the means are drawn and not the rows.
    """
    found = {}
    for name, values in (("mean_error_gap", residuals), ("mae_gap", np.abs(residuals))):
        means, spreads = [], []
        for at in range(int(groups.max()) + 1):
            part = values[groups == at]
            ids = None if clusters is None else np.unique(clusters[groups == at], return_inverse=True)[1]
            bounds = around(float(part.mean()), part - part.mean(), ids)
            means.append(bounds.value)
            units = len(part) if ids is None else int(ids.max()) + 1
            spreads.append((bounds.high - bounds.value) / float(stdtrit(max(units - 1, 1), 0.975)))
        drawn = np.array(means) + np.minimum(spreads, 1e150) * random.standard_normal((DRAWS, len(means)))
        found[name] = _around(float(np.ptp(means)), np.ptp(drawn, axis=1), 0.025, most=np.inf)
    return found


def _share(part: Bools, among: Bools, clusters: Ints | None) -> Estimate | None:
    rows = int(among.sum())
    if not rows:
        return None
    share = float(part[among].mean())
    if clusters is None:
        return Estimate(share, *map(float, wilson(share, rows)))
    found = around(share, (part & among) / among.mean() - share * among / among.mean(), clusters)
    return Estimate(share, max(0.0, found.low), min(1.0, found.high))


def _apart(counts: Floats) -> dict[str, Floats]:
    """The measures of every table of counts (draws, groups, outcomes); no rows of a kind make a rate of 0."""
    a, b, c, d = np.moveaxis(counts, 2, 0)
    chosen = (a + b) / np.maximum(a + b + c + d, 1)
    true, false = a / np.maximum(a + c, 1), b / np.maximum(b + d, 1)
    most = chosen.max(axis=1)
    ratio = np.divide(chosen.min(axis=1), most, out=np.ones_like(most), where=most > 0)
    return {
        "demographic_parity_ratio": ratio,
        "demographic_parity_difference": np.ptp(chosen, axis=1),
        "equalized_odds_difference": np.maximum(np.ptp(true, axis=1), np.ptp(false, axis=1)),
    }


def _drawn_counts(
    counts: Ints, groups: Ints, outcome: Ints, clusters: Ints | None, random: np.random.Generator
) -> Iterator[Floats]:
    """Counts as they would be of other rows, or other clusters, of the same groups."""
    if clusters is None:
        rows = counts.sum(axis=1)
        yield np.stack(
            [random.multinomial(rows[at], counts[at] / rows[at], DRAWS) for at in range(len(rows))], axis=1
        ).astype(np.float64)
        return
    ids = np.unique(clusters, return_inverse=True)[1]
    sums = summed(np.eye(counts.size)[groups * _OUTCOMES + outcome], ids)
    # a cluster with rows of several groups is drawn with those of the group it has most rows of
    home = sums.reshape(len(sums), -1, _OUTCOMES).sum(axis=2).argmax(axis=1)
    step = max(1, _AT_ONCE // len(sums))
    for start in range(0, DRAWS // 4, step):
        draws = min(step, DRAWS // 4 - start)
        total = np.zeros((draws, counts.size))
        for at in np.unique(home):
            own = sums[home == at]
            total += random.multinomial(len(own), np.full(len(own), 1 / len(own)), draws) @ own
        yield total.reshape(draws, -1, _OUTCOMES)


def _around(value: float, drawn: Floats, tail: float, *, most: float) -> Estimate:
    """The interval that holds the quantiles of the draws, and those that mirror them at the value.

    The largest gap of several groups is too large by chance, and larger still when it is drawn again; mirroring
    takes that off where plain quantiles alone would add it once more.
    """
    low, high = np.quantile(drawn, [tail, 1 - tail])
    ends = (value, float(low), float(high), 2 * value - float(low), 2 * value - float(high))
    return Estimate(value, max(0.0, min(ends)), min(most, max(ends)))
