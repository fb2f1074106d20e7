"""How the numbers of a column lie, for all rows or for each class of the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.core.column_names import spoken
from loom.science.charts.answers import Answer
from loom.science.charts.cells import Cell, Grid, cells_of, grid_of
from loom.science.charts.chart import Chart, figure, framed, may_draw, percent, slug
from loom.science.charts.drawing import SAID, by_class, values
from loom.science.charts.notes import beside
from loom.science.disclosure import quantiles_of
from loom.science.profile.inspection import Inspected
from loom.science.profile.quantities import quantities

_HEIGHT = 170
_CLEAR = 0.25

Floats = NDArray[np.float64]


def histogram(one: Inspected, of: str, split: Answer | None = None) -> Chart | None:
    """The histogram of a column of numbers; None where too few may be shown."""
    assert one.values is not None and one.quantity is not None
    grid = grid_of(one.quantity, one.traits.present, whole=one.traits.kind == "whole")
    if grid is None:
        return None
    numbers = one.values.to_physical().cast(pl.Float64).to_numpy()
    known = np.isfinite(numbers)
    parts = _parts(numbers, known, grid, split)
    if not parts:
        return None
    name = spoken(one.name)
    medians = (
        [_median(numbers[known & (split.codes == at)]) for at in range(len(split.classes))] if split else []
    )
    title = _title_of_numbers(name, grid, split, medians)
    rows = [row for part in parts for row in part.rows(grid)]
    unit = figure(float(grid.edges[1] - grid.edges[0]))
    note = f"share of the rows{' of each class of ' + spoken(split.name) if split else ''}"
    note += ", logarithmic scale" if grid.is_log else f" per {unit}"
    note += beside(one, grid.covered)
    middle = grid.quantiles["p50"]
    alt = f"Histogram of {name} by {spoken(split.name)}" if split else f"Histogram of {name}"
    alt += f": median {figure(middle)}"
    if "p25" in grid.quantiles and "p75" in grid.quantiles:
        alt += (
            f", half of the rows between {figure(grid.quantiles['p25'])} and {figure(grid.quantiles['p75'])}"
        )
    said = [
        f"{label} median {figure(median)}"
        for label, median in zip(split.classes if split else (), medians, strict=True)
        if median is not None
    ]
    alt += f"; {', '.join(said)}." if said else "."
    drawing = _histogram(rows, parts, split, grid)
    return framed(slug("distribution", one.name), title, alt, of, drawing, note=note)


@dataclass(frozen=True, slots=True)
class _Part:
    """The cells of the rows of one class."""

    label: str
    rows_in_all: int
    cells: list[Cell]

    def rows(self, grid: Grid) -> Iterator[dict[str, Any]]:
        """What is drawn: edges and the share per cell of the grid."""
        of = f" of {self.label}" if self.label else ""
        for cell in self.cells:
            share = cell.count / self.rows_in_all
            start, end = _edge(cell.start, grid), _edge(cell.end, grid)
            between = f"{figure(start)} to {figure(end)}"
            if grid.whole and not grid.is_log:
                low, high = int(np.ceil(start)), int(np.ceil(end)) - 1
                between = f"{low}" if low == high else f"{low} to {high}"
            yield {
                "from": start,
                "to": end,
                "share": round(share / grid.size(cell), 4),
                "class": self.label,
                "said": f"{between}: {percent(share)}{of}",
            }


def _parts(numbers: Floats, known: NDArray[np.bool_], grid: Grid, split: Answer | None) -> list[_Part]:
    if split is None:
        found = [("", numbers[known])]
    else:
        found = [(label, numbers[known & (split.codes == at)]) for at, label in enumerate(split.classes)]
    parts = [
        _Part(label, len(some), cells_of(some, grid.edges)) for label, some in found if may_draw(len(some))
    ]
    return [part for part in parts if part.cells]


def _edge(value: float, grid: Grid) -> float:
    return float(f"{value:.3g}") if grid.is_log else float(f"{value:.10g}")


def _histogram(
    rows: list[dict[str, Any]], parts: list[_Part], split: Answer | None, grid: Grid
) -> dict[str, Any]:
    scale: dict[str, Any] = {"zero": False, "nice": False}
    if grid.is_log:
        scale = {"type": "log", "nice": False}
    largest = max(abs(float(grid.edges[0])), abs(float(grid.edges[-1])))
    form = "~s" if largest >= 10_000 or largest < 0.01 else "~f"
    x = {
        "field": "from",
        "type": "quantitative",
        "title": None,
        "scale": scale,
        "axis": {
            "grid": False,
            "format": form,
            "tickCount": 6,
            **({"tickMinStep": 1} if grid.whole else {}),
        },
    }
    y = {
        "field": "share",
        "type": "quantitative",
        "title": None,
        "stack": None,
        "axis": {"format": ".0%" if max(row["share"] for row in rows) > 0.04 else ".1%", "tickCount": 3},
    }
    colour = by_class("class", split.classes, rest=split.rest) if split else {"value": "@accent"}
    several = len(parts) > 1
    bar = {
        "mark": {
            "type": "bar",
            "tooltip": True,
            "cornerRadius": 0,
            "fillOpacity": 0.85 if not several else 0.22 if len(parts) == 2 else 0.07,
            "binSpacing": 0 if several else 1,
        },
        "encoding": {"x": x, "x2": {"field": "to"}, "y": y, "y2": {"datum": 0}, "color": colour, **SAID},
    }
    drawing = {"height": _HEIGHT, "data": values(rows)}
    if not several:
        return drawing | bar
    outline = {
        "data": values([row for part in parts for row in _outline(part, grid)]),
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.8, "aria": False},
        "encoding": {"x": x, "y": y, "color": colour},
    }
    return drawing | {"layer": [bar, outline]}


def _outline(part: _Part, grid: Grid) -> list[dict[str, Any]]:
    """The tops of the bars as one line, down to nothing at both ends."""
    tops = [(row["from"], row["share"]) for row in part.rows(grid)]
    first, last = _edge(part.cells[0].start, grid), _edge(part.cells[-1].end, grid)
    points = [(first, 0.0), *tops, (last, 0.0)]
    kept = [points[0]] + [b for a, b in pairwise(points) if b[1] != a[1]]
    return [{"from": at, "share": share, "class": part.label} for at, share in kept]


def _median(some: Floats) -> float | None:
    """The median of a class, rounded as all quantiles are."""
    if not may_draw(len(some)):
        return None
    (quantity,) = quantities([pl.Series("0", some)])
    shown = quantiles_of(quantity.quantiles, len(some))
    return shown.get("p50") if shown else None


def _title_of_numbers(name: str, grid: Grid, split: Answer | None, medians: Sequence[float | None]) -> str:
    shown = grid.quantiles
    if split is None:
        if "p25" in shown and "p75" in shown and shown["p25"] < shown["p75"]:
            low, high = (round(shown[each]) if grid.whole else shown[each] for each in ("p25", "p75"))
            return f"{name}: half of the rows lie between {figure(low)} and {figure(high)}"
        return f"{name}: the middle value is {figure(shown['p50'])}"
    known = [
        (median, label)
        for median, label in zip(medians, split.classes, strict=True)
        if median is not None and label != split.rest
    ]
    spread = (shown.get("p75", shown["p50"]) - shown.get("p25", shown["p50"])) or 1.0
    if len(known) < 2:
        return f"{name} by {spoken(split.name)}"
    (low, lowest), (high, highest) = min(known), max(known)
    if high - low < _CLEAR * abs(spread):
        return f"{name}: the classes of {spoken(split.name)} have about the same median"
    return (
        f"{name}: median {figure(high)} where {spoken(split.name)} is {highest}, {figure(low)} where {lowest}"
    )
