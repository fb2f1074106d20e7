"""How far predictions are from what came true, bin by bin, and how far they would be by chance alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from loom.science.predictions import Floats, Ints, rounded, summed, wilson

DRAWS = 500
LEAST_ROWS = 20
_CELLS = 50
_AT_ONCE = 8_000_000


@dataclass(frozen=True, slots=True)
class BinnedError:
    """The mean distance between prediction and outcome, and what it is for a model that errs by chance alone."""

    value: float
    floor: float
    spread: float
    p99: float

    @property
    def excess(self) -> float:
        """The error above what chance explains."""
        return self.value - self.floor

    def beyond(self, tests: int = 1) -> bool:
        """Whether chance makes an error like this less than once in 100 looks at so many figures."""
        if tests == 1:
            return self.value > self.p99
        if not self.spread:
            return self.value > self.floor
        # the tail of a few hundred draws ends early; a gamma law of the same mean and spread goes on
        shape = (self.floor / self.spread) ** 2
        return self.value > float(gammaincinv(shape, 1 - 0.01 / tests)) * self.spread**2 / self.floor


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a reliability curve: what was said, what came true, and the interval of that."""

    said: float
    true: float
    low: float
    high: float
    rows: int

    def as_json(self) -> dict[str, Any]:
        """The point as plain data."""
        numbers = {"said": self.said, "true": self.true, "low": self.low, "high": self.high}
        return {**{key: rounded(value) for key, value in numbers.items()}, "rows": self.rows}


def equal_mass(p: Floats, bins: int) -> Ints:
    """Every prediction's bin, from 0; bins hold about as many rows each, and equal predictions share one."""
    ranks = np.sort(p)
    places = np.arange(1, bins) * len(p) // bins
    edges = np.unique(ranks[places])
    codes = np.searchsorted(edges, p, side="right")
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def binned_error(
    outcome: Floats,
    p: Floats,
    clusters: Ints | None,
    *,
    bins: int,
    random: np.random.Generator,
    chances: bool,
) -> BinnedError:
    """The expected calibration error over bins of equal mass, with its noise floor from 500 draws.

    The null is that every prediction is right. Chances of rows that stand alone are drawn as they are said
    (beyond 50 rows of a bin, neighbours of nearly one prediction together); where rows belong together, and for
    amounts, every cluster keeps its own errors and its sign is drawn.
    """
    codes = equal_mass(p, bins)
    gaps = np.bincount(codes, outcome - p)
    value = float(np.abs(gaps).sum() / len(p))
    drawn = (
        _as_said(p, codes, random)
        if chances and clusters is None
        else _with_drawn_signs(outcome - p, codes, clusters, random)
    )
    errors = np.concatenate([np.abs(part).sum(1) for part in drawn]) / len(p)
    return BinnedError(value, float(errors.mean()), float(errors.std()), float(np.quantile(errors, 0.99)))


def reliability(outcome: Floats, p: Floats, *, bins: int) -> tuple[Point, ...]:
    """What came true for what was said, in bins of at least 20 rows, with the intervals of Wilson."""
    codes = at_least(equal_mass(p, bins), LEAST_ROWS)
    rows = np.bincount(codes)
    said, true = np.bincount(codes, p) / rows, np.bincount(codes, outcome) / rows
    low, high = wilson(true, rows)
    return tuple(
        Point(float(a), float(b), float(c), float(d), int(count))
        for a, b, c, d, count in zip(said, true, low, high, rows, strict=True)
    )


def at_least(codes: Ints, least: int) -> Ints:
    """Neighbouring bins taken together until each has so many rows; with too few for one, a single bin."""
    merged = np.zeros(codes.max() + 1, np.int64)
    at, held = 0, 0
    for code, rows in enumerate(np.bincount(codes)):
        if held >= least:
            at, held = at + 1, 0
        merged[code] = at
        held += rows
    if held < least and at:
        merged[merged == at] = at - 1
    return merged[codes]


def _as_said(p: Floats, codes: Ints, random: np.random.Generator) -> Iterator[Floats]:
    order = np.argsort(p, kind="stable")
    rows = np.bincount(codes)
    starts = np.concatenate([[0], np.cumsum(rows)[:-1]])
    place = np.arange(len(p)) - np.repeat(starts, rows)
    cells = np.minimum(rows, _CELLS)
    cell = np.repeat(np.cumsum(cells) - cells, rows) + place * np.repeat(cells, rows) // np.repeat(rows, rows)
    sizes = np.bincount(cell)
    chance = np.clip(np.bincount(cell, p[order]) / sizes, 0, 1)
    hits = random.binomial(sizes, chance, (DRAWS, len(sizes))) - sizes * chance
    yield np.add.reduceat(hits, np.cumsum(cells) - cells, axis=1)


def _with_drawn_signs(
    errors: Floats, codes: Ints, clusters: Ints | None, random: np.random.Generator
) -> Iterator[Floats]:
    bins = int(codes.max()) + 1
    sums = summed(np.eye(bins)[codes] * errors[:, None], clusters)
    step = max(1, _AT_ONCE // len(sums))
    for start in range(0, DRAWS, step):
        signs = random.integers(0, 2, (min(step, DRAWS - start), len(sums)), np.int8)
        yield (2.0 * signs - 1.0) @ sums
