"""Numbers and moments in cells that may be shown: round edges within the quantiles, nobody alone in any of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loom.science.charts.chart import may_draw
from loom.science.disclosure import QUANTILE_NAMES, quantiles_of
from loom.science.profile.quantities import Quantity

Doubles = NDArray[np.float64]

_CELLS = 28
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_ROUND_WHOLE = (1.0, 2.0, 3.0, 4.0, 5.0, 10.0)
# so many whole numbers have a bar each
_SINGLE = 40
_FAR = 6
_LOG_FROM = 100.0


@dataclass(frozen=True, slots=True)
class Cell:
    """So many rows from one edge to another; the first edge is in it."""

    start: float
    end: float
    count: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a column is cut: round edges, the shown quantiles it lies within, and whether its scale is logarithmic."""

    edges: Doubles
    quantiles: dict[str, float]
    is_log: bool
    whole: bool

    @property
    def covered(self) -> str:
        """Which rows lie in it, in words."""
        low, *_, high = self.quantiles
        return f"{low} to {high}"

    def size(self, cell: Cell) -> float:
        """How many cells of the grid a cell is wide."""
        edges = np.log10(self.edges) if self.is_log else self.edges
        start, end = (math.log10(cell.start), math.log10(cell.end)) if self.is_log else (cell.start, cell.end)
        return max((end - start) / float(edges[1] - edges[0]), 1e-9)


def grid_of(quantity: Quantity, present: int, *, whole: bool) -> Grid | None:
    """The grid of a column; None where too few rows, or a middle that never changes, leave nothing to draw."""
    shown = quantiles_of(quantity.quantiles, present - quantity.infinite)
    if not shown or len(shown) < 3:
        return None
    shown = {name: shown[name] for name in QUANTILE_NAMES if name in shown}
    ordered = _without_far_ends(shown)
    low, high, middle = ordered[next(iter(ordered))], ordered[next(reversed(ordered))], ordered["p50"]
    if not low < high or not math.isfinite(high - low):
        return None
    exact = dict(zip(QUANTILE_NAMES, quantity.quantiles, strict=True))
    least, most = exact[next(iter(shown))] or 0.0, exact[next(reversed(shown))] or 0.0
    # the edges are powers of ten and parts of them, whatever the values are
    if least > 0 and most / least >= _LOG_FROM and high - middle > 4 * (middle - low):
        return Grid(_log_edges(least, most), shown, is_log=True, whole=whole)
    return Grid(_edges(low, high, whole=whole), ordered, is_log=False, whole=whole)


def _without_far_ends(shown: dict[str, float]) -> dict[str, float]:
    """The quantiles without p1 or p99 where these lie so far out that the rest would be one bar."""
    if not {"p1", "p5", "p25", "p75", "p95", "p99"} <= set(shown) or shown["p5"] >= shown["p95"]:
        return shown
    kept = dict(shown)
    if shown["p99"] - shown["p50"] > _FAR * (shown["p75"] - shown["p50"]) and shown["p95"] > shown["p50"]:
        del kept["p99"]
    if shown["p50"] - shown["p1"] > _FAR * (shown["p50"] - shown["p25"]) and shown["p5"] < shown["p50"]:
        del kept["p1"]
    return kept


def step_of(span: float, most: int, *, whole: bool) -> float:
    """The smallest round step that makes at most so many cells of a span."""
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    round_ones = _ROUND_WHOLE if whole else _ROUND
    step = next(power * each for each in round_ones if power * each >= raw * (1 - 1e-9))
    return max(1.0, step) if whole else step


def _edges(low: float, high: float, *, whole: bool) -> Doubles:
    most = _SINGLE if whole and high - low <= _SINGLE else _CELLS
    step = step_of(high - low, most, whole=whole)
    # the last edge is beyond the last value, for what lies on it is not in the cell
    first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9) + 1
    edges = np.arange(first, last + 1) * step
    # whole numbers stand in the middle of their bars
    edges = edges - 0.5 if whole and step == 1 else edges
    digits = max(0, 12 - math.floor(math.log10(max(abs(low), abs(high), 1e-300))))
    rounded: Doubles = np.round(edges, digits).astype(np.float64)
    return rounded


def _log_edges(low: float, high: float) -> Doubles:
    span = math.log10(high) - math.log10(low)
    step = next(each for each in (0.05, 0.1, 0.125, 0.2, 0.25, 0.5, 1.0, 10.0) if span / each <= _CELLS)
    first, last = math.floor(math.log10(low) / step), math.ceil(math.log10(high) / step)
    edges: Doubles = np.power(10.0, np.arange(first, last + 1) * step)
    return edges


def cells_of(values: Doubles, edges: Doubles) -> list[Cell]:
    """The values in cells, each with as many rows as may be shown, or none; those beyond the edges are left out."""
    inside = values[(values >= edges[0]) & (values < edges[-1])]
    counts = np.bincount(np.searchsorted(edges, inside, "right") - 1, minlength=len(edges) - 1)
    found = [Cell(float(a), float(b), int(n)) for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]
    return merged(found)


def merged(found: Sequence[Cell]) -> list[Cell]:
    """Neighbours put together until none holds a few rows only; what is left over is not shown."""
    cells = list(found)
    while True:
        few = [at for at, cell in enumerate(cells) if cell.count and not may_draw(cell.count)]
        if not few:
            return cells if any(cell.count for cell in cells) else []
        if len(cells) == 1:
            return []
        at = min(few, key=lambda each: cells[each].count)
        other = _neighbour(cells, at)
        a, b = sorted((at, other))
        cells[a : b + 1] = [Cell(cells[a].start, cells[b].end, sum(cell.count for cell in cells[a : b + 1]))]


def _neighbour(cells: Sequence[Cell], at: int) -> int:
    """The nearest cell with rows in it, the smaller of two that are as near; any where no other has some."""
    others = [place for place, cell in enumerate(cells) if cell.count and place != at]
    if not others:
        return at - 1 if at else at + 1
    return min(others, key=lambda place: (abs(place - at), cells[place].count))
