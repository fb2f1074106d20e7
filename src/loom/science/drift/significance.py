"""Whether a difference between two samples is more than chance: small exact tests, and many of them at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, gammaln, kolmogorov, ndtr

Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]

_LEAST_EXPECTED = 5.0


def kolmogorov_smirnov(a: Doubles, b: Doubles) -> tuple[float, float]:
    """The largest gap between the distributions of two sorted samples, and its asymptotic p-value.

    The null is that both come from one continuous distribution; ties make the p-value too large, never too small.
    """
    n, m = len(a), len(b)
    both = np.concatenate([a, b])
    gap = np.abs(np.searchsorted(a, both, "right") / n - np.searchsorted(b, both, "right") / m).max()
    size = np.sqrt(n * m / (n + m))
    # Stephens' correction makes the limit good for samples of a few dozen
    return float(gap), float(kolmogorov((size + 0.12 + 0.11 / size) * gap))


def chi_square(a: Counts, b: Counts) -> float:
    """The p-value that two rows of counts share one distribution; rare cells are taken together first."""
    a, b = pooled(a, b)
    if len(a) < 2:
        return 1.0
    total = a + b
    share_a, share_b = a.sum() / total.sum(), b.sum() / total.sum()
    expected_a, expected_b = total * share_a, total * share_b
    statistic = ((a - expected_a) ** 2 / expected_a + (b - expected_b) ** 2 / expected_b).sum()
    return float(chdtrc(len(a) - 1, statistic))


def pooled(a: Counts, b: Counts) -> tuple[Counts, Counts]:
    """Two rows of counts in which every cell may expect 5 on both sides; the rest is one cell at the end.

    What is left over joins the smallest cell when together it may not expect as many either.
    """
    total = a + b
    smaller = min(a.sum(), b.sum()) / max(total.sum(), 1)
    rare = total * smaller < _LEAST_EXPECTED
    if not rare.any():
        return a, b
    rest_a, rest_b = a[rare].sum(), b[rare].sum()
    a, b = a[~rare].copy(), b[~rare].copy()
    if len(a) and (rest_a + rest_b) * smaller < _LEAST_EXPECTED:
        least = int(np.argmin(a + b))
        a[least] += rest_a
        b[least] += rest_b
        return a, b
    return np.append(a, rest_a), np.append(b, rest_b)


def two_shares(hits_a: int, a: int, hits_b: int, b: int) -> float:
    """The two-sided p-value that two shares are one, by the normal limit with a correction for continuity."""
    if not a or not b:
        return 1.0
    share = (hits_a + hits_b) / (a + b)
    spread = np.sqrt(share * (1 - share) * (1 / a + 1 / b))
    if not spread:
        return 1.0
    gap = max(0.0, abs(hits_a / a - hits_b / b) - (1 / a + 1 / b) / 2)
    return float(2 * ndtr(-gap / spread))


def exceedances(beyond: int, current: int, reference: int) -> float:
    """The exact p-value that so many current values lie beyond the largest of the reference.

    Under exchangeability the largest k of all n + m values are all current with probability
    n (n-1) ... / ((n+m) (n+m-1) ...); ties make it too large, never too small.
    """
    if beyond <= 0:
        return 1.0
    total = current + reference
    return float(
        np.exp(
            gammaln(current + 1)
            - gammaln(current - beyond + 1)
            - gammaln(total + 1)
            + gammaln(total - beyond + 1)
        )
    )


def unseen(totals: Counts, observed: int, current: int, reference: int) -> float:
    """A bound for the p-value that so many current rows have levels which the reference lacks.

    `totals` are the rows of every level in both samples. Under exchangeability a level of c rows is wholly current
    with probability at most (n/(n+m))^c, and such levels crowd each other out; Chernoff's bound adds them up.
    """
    if observed <= 0:
        return 1.0
    sizes, levels = np.unique(totals.astype(np.float64), return_counts=True)
    chance = np.exp(sizes * np.log(current / (current + reference)))
    if observed <= float((levels * chance * sizes).sum()):
        return 1.0
    tilts = np.geomspace(1e-4, 20, 60)[:, None]
    exponents = np.log1p(chance * np.expm1(np.minimum(tilts * sizes, 600)))
    return float(np.exp(min(0.0, float(((exponents * levels).sum(1) - tilts[:, 0] * observed).min()))))
