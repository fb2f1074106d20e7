"""How strongly columns go together: every pair of numbers, and of levels with levels and numbers as far as set out.

Numbers: Pearson over all pairs, in blocks of rows and columns, and Spearman on a sample. Levels: Cramér's V with
Bergsma's correction for small tables. A level column and a number: the correlation ratio, corrected for the number
of levels (epsilon squared). The null is that two columns have nothing to do with each other; a pair is listed when
its strength is at least 0.1 and it is significant at 1 % after Bonferroni over all pairs looked at: numbers by
Fisher's z of their ranks, which one outlier does not move, levels by χ², levels and numbers by F. On independent
columns with heavy tails, 3 of 400 tables of 300 rows listed a pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from loom.science.profile.crossings import Crossing, crossings
from loom.science.ranking import ranks
from loom.science.resources import pinned

Measure = Literal["pearson", "spearman", "cramers_v", "correlation_ratio"]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LEAST = 0.1
ALPHA = 0.01
_CELLS = 64_000_000
_PRODUCTS = 50_000_000_000
_LEAST_ROWS = 2_000
_SAMPLE_ROWS = 10_000
_SAMPLE_CELLS = 16_000_000
_BLOCK_ROWS = 32_768
_BLOCK_COLUMNS = 1_024
_TOGETHER = 10


@dataclass(frozen=True, slots=True)
class Relation:
    """Two columns, how strongly they go together by which measure, and the rows that say so."""

    a: str
    b: str
    measure: Measure
    value: float
    rows: int

    def as_json(self) -> dict[str, Any]:
        """The relation as plain data."""
        return {"a": self.a, "b": self.b, "measure": self.measure, "value": self.value, "rows": self.rows}


class Relations:
    """Takes in columns one by one, then names the pairs that go together most.

    Pearson looks at all rows unless the numbers would take more than 256 MB, the rest at 10,000 rows; which rows
    these are, only the seed decides.
    """

    def __init__(self, rows: int, columns: int, *, seed: int = 0) -> None:
        width = max(columns, 1)
        kept = min(rows, _CELLS // width, max(_LEAST_ROWS, _PRODUCTS // width**2))
        sampled = min(kept, _SAMPLE_ROWS, max(1_000, _SAMPLE_CELLS // width))
        random = np.random.default_rng(seed)
        self._kept = None if kept == rows else np.sort(random.choice(rows, kept, replace=False))
        self._sample = np.sort(random.choice(kept, sampled, replace=False))
        self._numbers: list[str] = []
        self._levels: list[tuple[str, NDArray[np.int32]]] = []
        self._scores = np.empty((width, kept), np.float32)
        self._ranks = np.empty((width, sampled), np.float32)
        self._known: dict[int, Mask] = {}

    def add_numbers(self, name: str, cells: pl.Series) -> None:
        """Take in a column of numbers, truth values or moments; what is not finite counts as missing."""
        if self._kept is not None:
            cells = cells.gather(self._kept)
        cells, mean, deviation = _measured(cells.to_physical())
        if len(cells) - cells.null_count() < _TOGETHER or not deviation:
            return
        place, values = len(self._numbers), cells.to_numpy()
        # a few rows at a time: what fits the cache costs no new memory
        for start in range(0, len(values), _BLOCK_ROWS):
            part = slice(start, start + _BLOCK_ROWS)
            self._scores[place, part] = (values[part] - mean) * (1 / deviation)
        if cells.null_count():
            self._known[place] = cells.is_not_null().to_numpy()
            self._scores[place][~self._known[place]] = 0.0
        self._ranks[place] = _ranked(cells.gather(self._sample).cast(pl.Float64).to_numpy())
        self._numbers.append(name)

    def add_levels(self, name: str, cells: pl.Series) -> None:
        """Take in a column of levels."""
        if self._kept is not None:
            cells = cells.gather(self._kept)
        codes = cells.gather(self._sample).cast(pl.String).rank("dense").cast(pl.Int32)
        self._levels.append((name, codes.fill_null(0).to_numpy() - 1))

    def strongest(self, most: int = 20) -> tuple[Relation, ...]:
        """The pairs that go together most, the strongest first."""
        with pinned():
            found = [*self._among_numbers(most), *self._with_levels()]
        found.sort(key=lambda relation: (-abs(relation.value), relation.a, relation.b))
        return tuple(found[:most])

    def _among_numbers(self, most: int) -> list[Relation]:
        count = len(self._numbers)
        if count < 2:
            return []
        scores, ranks = self._scores[:count], self._ranks[:count]
        known_here = {place: known[self._sample] for place, known in self._known.items()}
        pairs = _strongest_pairs(scores, self._known, 4 * most)
        pairs |= _strongest_pairs(ranks, known_here, 4 * most)
        tests = count * (count - 1) // 2
        found = []
        for a, b in sorted(pairs):
            straight, n = _together(scores, self._known, a, b)
            ranked, few = _together(ranks, known_here, a, b, again=True)
            # ranks come from fewer rows: they must say clearly more
            by_rank = abs(ranked) > abs(straight) + 0.02
            value, rows = (ranked, few) if by_rank else (straight, n)
            # one outlier in each can make r what it is: whether it is chance, the ranks decide
            if abs(value) >= LEAST and _is_far_from_zero(ranked, few, tests):
                measure: Measure = "spearman" if by_rank else "pearson"
                found.append(
                    Relation(self._numbers[a], self._numbers[b], measure, round(float(value), 4), rows)
                )
        return found

    def _with_levels(self) -> list[Relation]:
        count = len(self._numbers)
        positions = {place: known[self._sample] for place, known in self._known.items()}
        values = np.ascontiguousarray(self._scores[:count, self._sample])
        found: list[Crossing] = crossings(self._levels, self._numbers, values, positions, ALPHA)
        return [
            Relation(one.a, one.b, one.measure, round(one.value, 4), one.rows)
            for one in found
            if one.value >= LEAST
        ]


def _measured(cells: pl.Series) -> tuple[pl.Series, float, float]:
    """The cells with missing ones for what is not finite, their mean, and their deviation; 0 for a single value."""
    if cells.dtype == pl.Boolean:
        cells = cells.cast(pl.Int8)
    if cells.dtype.is_float() and not cells.is_finite().all():
        cells = cells.set(~cells.is_finite().fill_null(True), None)
    mean, deviation = (float(one or 0.0) for one in (cells.mean(), cells.std(ddof=0)))  # type: ignore[arg-type]
    if not np.isfinite(deviation):  # their squares are no numbers; those of their shares of the largest are
        return _measured(cells / max(abs(float(one)) for one in (cells.min(), cells.max())))  # type: ignore[arg-type]
    return cells, mean, deviation if deviation > 1e-12 * (abs(mean) + deviation) else 0.0


def _ranked(values: NDArray[np.float64]) -> Floats:
    """The ranks of the finite values with mean 0 and deviation 1, 0 for the others."""
    known = np.isfinite(values)
    places = np.zeros(len(values), np.float32)
    if known.any():
        some = ranks(values[known])
        deviation = some.std()
        places[known] = (some - some.mean()) / deviation if deviation else 0.0
    return places


def _strongest_pairs(rows: Floats, known: dict[int, Mask], most: int) -> set[tuple[int, int]]:
    """The pairs of rows whose product is largest per cell that both have: a screen, exact without missing cells."""
    columns, cells = rows.shape
    best: list[tuple[float, int, int]] = []
    starts = range(0, columns, _BLOCK_COLUMNS)
    for first in starts:
        for second in starts[first // _BLOCK_COLUMNS :]:
            upper = slice(first, first + _BLOCK_COLUMNS)
            lower = slice(second, second + _BLOCK_COLUMNS)
            strength = np.abs(_products(rows[upper], rows[lower], same=first == second))
            strength /= np.maximum(_pairs_known(known, upper, lower, columns, cells), _TOGETHER)
            if first == second:
                strength[np.tril_indices(len(strength))] = 0
            flat = strength.ravel()
            top = np.argpartition(flat, -min(most, len(flat)))[-most:]
            places = zip(*np.unravel_index(top, strength.shape), strict=True)
            best += [
                (float(flat[at]), first + int(a), second + int(b))
                for at, (a, b) in zip(top, places, strict=True)
                if flat[at] > LEAST / 2
            ]
    return {(a, b) for _, a, b in sorted(best, reverse=True)[:most]}


def _products(upper: Floats, lower: Floats, *, same: bool) -> NDArray[np.float64]:
    total = np.zeros((len(upper), len(lower)))
    for start in range(0, upper.shape[1], _BLOCK_ROWS):
        one = upper[:, start : start + _BLOCK_ROWS]
        total += one @ (one if same else lower[:, start : start + _BLOCK_ROWS]).T
    return total


def _pairs_known(
    known: dict[int, Mask], upper: slice, lower: slice, columns: int, cells: int
) -> NDArray[np.float64]:
    """How many cells both of two rows have; a guess from both shares where both have gaps, for it is only a screen."""
    share = np.ones(columns)
    for place, mask in known.items():
        share[place] = mask.mean()
    return cells * np.minimum.outer(share[upper], share[lower])


def _together(
    rows: Floats, known: dict[int, Mask], a: int, b: int, *, again: bool = False
) -> tuple[float, int]:
    """Pearson's r of two rows over the cells that both have, and their number; `again` ranks those anew."""
    x, y = rows[a], rows[b]
    masks = [known[place] for place in (a, b) if place in known]
    if masks:
        both = masks[0] & masks[-1]
        x, y = x[both], y[both]
        if again and len(x) >= _TOGETHER:
            x, y = _ranked(x.astype(np.float64)), _ranked(y.astype(np.float64))
    if len(x) < _TOGETHER:
        return 0.0, len(x)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt(np.dot(x, x) * np.dot(y, y)))
    return (float(np.clip(np.dot(x, y) / scale, -1, 1)) if scale else 0.0), len(x)


def _is_far_from_zero(r: float, rows: int, tests: int) -> bool:
    """Fisher's z of a correlation of ranks, two-sided at 1 % over so many tests."""
    bound = -ndtri(ALPHA / (2 * tests)) / np.sqrt(max(rows - 3, 1))
    return rows >= _TOGETHER and bool(np.arctanh(min(abs(r), 1 - 1e-12)) > bound)
