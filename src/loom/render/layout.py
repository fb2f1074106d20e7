"""Where boxes go: one column per wave, few crossings, straight arrows; bounded for large graphs."""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

MAX_THREADS = 6_000
MAX_COUNTED = 4_000
ORDER_PASSES = 12
ALIGN_PASSES = 8

Edge = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spacing:
    """The distances of a drawing."""

    between: float
    """Between two boxes of a column."""
    gap: float
    """Between two columns, at least."""
    thread: float
    """What an arrow that passes a column takes of its height."""
    gutter: float
    """Between two bands of columns."""
    width: float
    """A drawing that is wider is cut into bands, one below the other."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A box, or the place where an arrow passes a column."""

    band: int
    left: float
    right: float
    y: float


@dataclass(frozen=True, slots=True)
class Band:
    """Some columns side by side."""

    top: float
    bottom: float
    columns: tuple[tuple[int, float, float], ...]
    """The number of each column, its left edge and its width."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The finished arrangement; the first stops are the boxes, in their own order."""

    stops: list[Stop]
    routes: list[list[int]]
    bands: list[Band]
    width: float
    height: float


@dataclass(slots=True)
class _Grid:
    """Boxes and threads in columns; a thread is an arrow's place in a column that it only passes."""

    columns: list[list[int]]
    column_of: list[int]
    heights: list[float]
    before: list[list[int]]
    after: list[list[int]]
    routes: list[list[int]]
    boxes: int
    threaded: bool


def arrange(
    waves: Sequence[Sequence[int]],
    edges: Sequence[Edge],
    widths: Sequence[float],
    heights: Sequence[float],
    spacing: Spacing,
) -> Layout:
    """Place boxes, given in waves by number, and the arrows between them; every arrow leads to a later wave."""
    grid = _grid(waves, edges, heights, spacing)
    _order(grid)
    ys = _align(grid, spacing)
    return _place(grid, ys, widths, spacing)


def _grid(
    waves: Sequence[Sequence[int]], edges: Sequence[Edge], heights: Sequence[float], spacing: Spacing
) -> _Grid:
    boxes = len(heights)
    column_of = [0] * boxes
    for at, wave in enumerate(waves):
        for box in wave:
            column_of[box] = at
    # threads cost one place per column passed: past a bound, arrows run straight behind the boxes
    threaded = sum(column_of[t] - column_of[s] - 1 for s, t in edges) <= MAX_THREADS
    grid = _Grid(
        [list(wave) for wave in waves],
        column_of,
        list(heights),
        [[] for _ in range(boxes)],
        [[] for _ in range(boxes)],
        [],
        boxes,
        threaded,
    )
    threads: dict[tuple[int, int], int] = {}
    for source, target in edges:
        route = [source]
        for at in range(column_of[source] + 1, column_of[target] if threaded else 0):
            # arrows out of one box share a thread until they part
            if (source, at) not in threads:
                threads[source, at] = _add_thread(grid, at, route[-1], spacing.thread)
            route.append(threads[source, at])
        grid.after[route[-1]].append(target)
        grid.before[target].append(route[-1])
        grid.routes.append([*route, target])
    return grid


def _add_thread(grid: _Grid, at: int, behind: int, height: float) -> int:
    thread = len(grid.column_of)
    grid.column_of.append(at)
    grid.heights.append(height)
    grid.before.append([behind])
    grid.after.append([])
    grid.after[behind].append(thread)
    grid.columns[at].append(thread)
    return thread


def _order(grid: _Grid) -> None:
    """Sort each column by where its neighbours are, to and fro; the order with the fewest crossings is kept."""
    counted = grid.threaded and sum(map(len, grid.after)) <= MAX_COUNTED
    rank = [0.0] * len(grid.column_of)
    for column in grid.columns:
        _rank(column, rank)
    best, fewest = [list(column) for column in grid.columns], _crossings(grid, rank) if counted else -1
    for turn in range(ORDER_PASSES):
        forward = turn % 2 == 0
        near = grid.before if forward else grid.after
        for column in grid.columns[1:] if forward else reversed(grid.columns[:-1]):
            middle = {
                box: sum(rank[x] for x in near[box]) / len(near[box]) if near[box] else rank[box]
                for box in column
            }
            column.sort(key=middle.__getitem__)
            _rank(column, rank)
        crossings = _crossings(grid, rank) if counted else fewest - 1
        if crossings < fewest:
            best, fewest = [list(column) for column in grid.columns], crossings
        if fewest == 0:
            break
    grid.columns = best


def _rank(column: Sequence[int], rank: list[float]) -> None:
    for at, box in enumerate(column):
        # counted from the middle, because columns of different length are drawn around one axis
        rank[box] = at - (len(column) - 1) / 2


def _crossings(grid: _Grid, rank: Sequence[float]) -> int:
    total = 0
    for column in grid.columns:
        pairs = sorted((rank[box], rank[target]) for box in column for target in grid.after[box])
        seen: list[float] = []
        for _, target in pairs:
            total += len(seen) - bisect_right(seen, target)
            insort(seen, target)
    return total


def _align(grid: _Grid, spacing: Spacing) -> list[float]:
    """The height at which each box is centred: near its neighbours, never closer than allowed to the next."""
    ys = [0.0] * len(grid.column_of)
    for column in grid.columns:
        offsets = _offsets(grid, column, spacing)
        for box, offset in zip(column, offsets, strict=True):
            ys[box] = offset - offsets[-1] / 2
    for turn in range(ALIGN_PASSES):
        both = turn >= ALIGN_PASSES - 2
        for column in grid.columns if turn % 2 == 0 else reversed(grid.columns):
            wanted, weights = [], []
            for box in column:
                near = grid.before[box] if turn % 2 == 0 else grid.after[box]
                near = [*grid.before[box], *grid.after[box]] if both else near
                # threads pull hardest: a long arrow should run straight
                pulls = [4.0 if box >= grid.boxes and other >= grid.boxes else 1.0 for other in near]
                pulled = sum(pull * ys[other] for pull, other in zip(pulls, near, strict=True))
                wanted.append(pulled / sum(pulls) if near else ys[box])
                weights.append(4.0 if box >= grid.boxes else 1.0 + 0.25 * len(near))
            offsets = _offsets(grid, column, spacing)
            settled = _isotonic(
                [want - offset for want, offset in zip(wanted, offsets, strict=True)], weights
            )
            for box, base, offset in zip(column, settled, offsets, strict=True):
                ys[box] = base + offset
    return ys


def _offsets(grid: _Grid, column: Sequence[int], spacing: Spacing) -> list[float]:
    """How far below the first box of the column each one is when all stand as close as they may."""
    offsets, below = [0.0], 0.0
    for upper, lower in itertools.pairwise(column):
        between = spacing.between if max(upper, lower) < grid.boxes else spacing.between * 0.6
        below += (grid.heights[upper] + grid.heights[lower]) / 2 + between
        offsets.append(below)
    return offsets


def _isotonic(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The rising values nearest to those wanted, by pooling neighbours that are out of order."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        size = 1
        while pools and pools[-1][0] >= value:
            before, heavy, many = pools.pop()
            value = (before * heavy + value * weight) / (heavy + weight)
            weight, size = weight + heavy, size + many
        pools.append((value, weight, size))
    return [value for value, _, size in pools for _ in range(size)]


def _place(grid: _Grid, ys: Sequence[float], widths: Sequence[float], spacing: Spacing) -> Layout:
    wide = [max(widths[box] for box in column if box < grid.boxes) for column in grid.columns]
    tall = max(
        ys[column[-1]] - ys[column[0]] + (grid.heights[column[0]] + grid.heights[column[-1]]) / 2
        for column in grid.columns
    )
    per_band = _per_band(sum(wide) + spacing.gap * len(wide), tall + spacing.gutter, len(wide), spacing)
    # the columns of all bands stand on one grid, so that arrows between bands find a free way down
    grid_wide = [max(wide[slot::per_band]) for slot in range(per_band)]
    lefts, x = [], 0.0
    for slot in range(per_band):
        lefts.append(x)
        x += grid_wide[slot] + _gap(grid, ys, range(slot, len(wide), per_band), spacing)
    stops: list[Stop] = [Stop(0, 0, 0, 0)] * len(grid.column_of)
    bands: list[Band] = []
    top = 0.0
    for first in range(0, len(wide), per_band):
        numbers = range(first, min(first + per_band, len(wide)))
        members = [box for number in numbers for box in grid.columns[number]]
        highest = min(ys[box] - grid.heights[box] / 2 for box in members)
        lowest = max(ys[box] + grid.heights[box] / 2 for box in members)
        for number in numbers:
            left, width = lefts[number - first], grid_wide[number - first]
            for box in grid.columns[number]:
                stops[box] = Stop(len(bands), left, left + width, ys[box] - highest + top)
        spans = tuple((number, lefts[number - first], grid_wide[number - first]) for number in numbers)
        bands.append(Band(top, top + lowest - highest, spans))
        top += lowest - highest + spacing.gutter
    return Layout(stops, grid.routes, bands, lefts[-1] + grid_wide[-1], top - spacing.gutter)


def _per_band(wide: float, tall: float, columns: int, spacing: Spacing) -> int:
    """How many columns stand side by side: all, unless that is too wide; then about as many as a page likes."""
    if wide <= spacing.width:
        return columns
    bands = max(1, round((wide / (1.7 * tall)) ** 0.5))
    return int(-(-columns // bands))


def _gap(grid: _Grid, ys: Sequence[float], numbers: range, spacing: Spacing) -> float:
    """The room after a column: more where arrows have far to climb."""
    climbs = [
        abs(ys[target] - ys[box])
        for number in numbers
        for box in grid.columns[number]
        for target in grid.after[box]
    ]
    return min(spacing.gap * 2, max(spacing.gap, max(climbs, default=0.0) * 0.22))
