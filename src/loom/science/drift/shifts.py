"""How one column differs between two samples: each kind of difference with its size and its p-value.

Population stability (PSI) is taken less its expectation without drift, (B-1)(1/n+1/m) for B cells, or a column of
a hundred levels would drift for ever. Sizes come from all rows; Kolmogorov-Smirnov and Wasserstein from at most
20,000 on a side.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.drift.significance import (
    Counts,
    Doubles,
    chi_square,
    exceedances,
    kolmogorov_smirnov,
    pooled,
    two_shares,
    unseen,
)
from loom.science.texts import counts_of

Code = Literal["distribution", "missing", "unseen_levels", "out_of_range", "target", "prediction"]
Rows = NDArray[np.int64]

_CELLS = 10
_GRID = np.linspace(0.0005, 0.9995, 1_000)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One kind of difference: how large it is, from which size on it counts and alarms, and its p-value."""

    code: Code
    value: float
    warn: float
    alert: float
    p: float


@dataclass(frozen=True, slots=True)
class Shift:
    """What differs in one column; statistics that make no sense for it are missing."""

    evidence: tuple[Evidence, ...]
    missing_delta: float
    psi: float | None = None
    ks: float | None = None
    wasserstein: float | None = None
    jensen_shannon: float | None = None
    total_variation: float | None = None
    unseen: float | None = None
    outside: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a column: its cells, and the places of the rows that stand for them all where they are too many."""

    cells: pl.Series
    sample: Rows


def shift_of_gaps(current: pl.Series, reference: pl.Series) -> Shift:
    """Only what is missing, for columns whose values are not compared."""
    evidence, delta = _gaps(current, reference)
    return Shift((evidence,), delta)


def shift_of_levels(current: Side, reference: Side) -> Shift:
    """The difference of a column of levels."""
    gaps, delta = _gaps(current.cells, reference.cells)
    here, there = _counts(current.cells, reference.cells)
    n, m = int(here.sum()), int(there.sum())
    if not n or not m:
        return Shift((gaps,), delta)
    p = chi_square(here, there)
    new = int(here[there == 0].sum())
    cells = pooled(here, there)
    psi, js = _stability(*cells)
    evidence = (
        gaps,
        Evidence("distribution", psi, 0.1, 0.25, p),
        Evidence("unseen_levels", new / n, 0.01, 0.10, unseen(here + there, new, n, m)),
    )
    return Shift(
        evidence,
        delta,
        psi=psi,
        jensen_shannon=js,
        total_variation=_variation(*cells),
        unseen=new / n,
        p=p,
    )


def shift_of_numbers(current: Side, reference: Side) -> Shift:
    """The difference of a column of numbers."""
    gaps, delta = _gaps(current.cells, reference.cells)
    x, y = _finite(current.cells), _finite(reference.cells)
    if not len(x) or not len(y):
        return Shift((gaps,), delta)
    a = np.sort(x if len(x) <= len(current.sample) else _finite(current.cells.gather(current.sample)))
    b = np.sort(y if len(y) <= len(reference.sample) else _finite(reference.cells.gather(reference.sample)))
    if not len(a) or not len(b):
        return Shift((gaps,), delta)
    edges = cells_of(b)
    here, there = _histogram(x, edges), _histogram(y, edges)
    ks, p = kolmogorov_smirnov(a, b)
    # two looks at one question: the better one, paid for twice
    p = min(1.0, 2 * min(p, chi_square(here, there)))
    psi, js = _stability(*pooled(here, there))
    outside, p_outside = _outside(x, y)
    evidence = (
        gaps,
        Evidence("distribution", psi, 0.1, 0.25, p),
        Evidence("out_of_range", outside, 0.001, 0.05, p_outside),
    )
    return Shift(
        evidence,
        delta,
        psi=psi,
        ks=ks,
        wasserstein=_wasserstein(a, b),
        jensen_shannon=js,
        total_variation=_variation(here, there),
        outside=outside,
        p=p,
    )


def cells_of(sample: Doubles) -> Doubles:
    """The inner edges of ten cells with as many sorted values each; a value that fills a cell alone gets its own."""
    deciles = np.quantile(sample, np.arange(1, _CELLS) / _CELLS, method="inverted_cdf")
    values, times = np.unique(deciles, return_counts=True)
    # a value that many have is a cell of its own: below it begins another
    heavy = values[(times > 1) | (len(values) < _CELLS - 1)]
    return np.unique(np.concatenate([values, np.nextafter(heavy, -np.inf)]))


def _gaps(current: pl.Series, reference: pl.Series) -> tuple[Evidence, float]:
    n, m = len(current), len(reference)
    a, b = current.null_count(), reference.null_count()
    delta = (a / n if n else 0.0) - (b / m if m else 0.0)
    return Evidence("missing", abs(delta), 0.05, 0.20, two_shares(a, n, b, m)), delta


def _counts(current: pl.Series, reference: pl.Series) -> tuple[Counts, Counts]:
    """How often each level occurs on either side, in one order."""
    here, there = (counts_of(cells.cast(pl.String).drop_nulls()) for cells in (current, reference))
    both = here.join(there, on="level", how="full", suffix="_there")
    counts = both.select(pl.col("count", "count_there").fill_null(0).cast(pl.Int64))
    return counts["count"].to_numpy(), counts["count_there"].to_numpy()


def _finite(cells: pl.Series) -> Doubles:
    values = cells.to_physical().cast(pl.Float64).to_numpy()
    known = np.isfinite(values)
    return values if known.all() else values[known]


def _histogram(values: Doubles, edges: Doubles) -> Counts:
    below = [0, *(int(np.count_nonzero(values <= edge)) for edge in edges), len(values)]
    return np.array([more - less for less, more in pairwise(below)], np.int64)


def _stability(here: Counts, there: Counts) -> tuple[float, float]:
    """PSI less what it would be without drift, and the Jensen-Shannon distance (0 to 1)."""
    n, m = here.sum(), there.sum()
    # half a row in every cell, so that an empty one has a logarithm
    p = (here + 0.5) / (n + len(here) / 2)
    q = (there + 0.5) / (m + len(there) / 2)
    psi = float(((p - q) * np.log(p / q)).sum()) - (len(here) - 1) * (1 / n + 1 / m)
    middle = (p + q) / 2
    divergence = float((p * np.log2(p / middle) + q * np.log2(q / middle)).sum()) / 2
    return max(0.0, psi), float(np.sqrt(max(0.0, divergence)))


def _variation(here: Counts, there: Counts) -> float:
    return float(np.abs(here / here.sum() - there / there.sum()).sum() / 2)


def _wasserstein(a: Doubles, b: Doubles) -> float | None:
    """The mean distance between equal quantiles of two sorted samples, in deviations of the second."""
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(b.std())
    if not 0 < spread < np.inf:
        return None
    places_a, places_b = _GRID * (len(a) - 1), _GRID * (len(b) - 1)
    gaps = np.interp(places_a, np.arange(len(a)), a) - np.interp(places_b, np.arange(len(b)), b)
    return float(np.abs(gaps).mean() / spread)


def _outside(current: Doubles, reference: Doubles) -> tuple[float, float]:
    """The share of current values outside the range of the reference, and its p-value."""
    above = int(np.count_nonzero(current > reference.max()))
    below = int(np.count_nonzero(current < reference.min()))
    p = min(1.0, 2 * min(exceedances(count, len(current), len(reference)) for count in (above, below)))
    return (above + below) / len(current), p
