"""A column cut into pieces that can be named: levels, or eighths of its numbers, their quarters and halves.

Cuts are rounded to a hundredth of the spread before they cut, so that a name is exact and no cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.disclosure import (
    LONGEST_LEVEL,
    is_personal_name,
    looks_personal,
    may_show_level,
)
from loom.science.predictions import Floats

_BINS = 8
_FEW = 10
_SAMPLE = 50_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cells:
    """A column as codes of cells, and the pieces made of them: a row of `pieces` is 1 where a cell belongs to it."""

    column: str
    codes: NDArray[np.int16]
    count: int
    pieces: Floats
    names: tuple[str, ...]


def cells_of(column: pl.Series, least: int) -> Cells | None:
    """The column cut up; None when no two pieces of it have enough rows, as for ids and free text."""
    kind = column.dtype
    if kind.is_nested() or kind in (pl.Object, pl.Binary, pl.Null):
        return None
    if kind.is_float():
        column = column.fill_nan(None)
    if kind.is_numeric() or kind.is_temporal():
        cells = _numbers(column, least)
    else:
        cells = _levels(column.cast(pl.String), least)
    return cells if cells is not None and len(cells.names) > 1 else None


def _numbers(column: pl.Series, least: int) -> Cells | None:
    if column.n_unique() <= _FEW and not column.dtype.is_temporal():
        return _levels(column.cast(pl.String), least)
    moments = column.dtype in (pl.Date, pl.Datetime)
    if moments:
        column = column.cast(pl.Datetime("us")).to_physical() / 1_000_000
    values = column.to_physical().cast(pl.Float64).to_numpy()
    known = np.isfinite(values)
    present = values[known]
    if len(present) < 2 * least:
        return None
    edges = edges_of(present, _BINS, moments)
    codes = np.searchsorted(edges, values, side="left")
    codes[~known] = len(edges) + 1
    texts = [told(edge, moments) for edge in edges]
    secret = is_personal_name(column.name)
    pieces, names = [], []
    for first, last in _runs(len(edges) + 1):
        pieces.append((np.arange(len(edges) + 2) >= first) & (np.arange(len(edges) + 2) < last))
        names.append(
            f"{column.name} in part #{first + 1} to #{last}"
            if secret
            else between(column.name, texts, first, last)
        )
    if not known.all():
        pieces.append(np.arange(len(edges) + 2) == len(edges) + 1)
        names.append(f"{column.name} is missing")
    return Cells(
        column.name, codes.astype(np.int16), len(edges) + 2, np.array(pieces, np.float64), tuple(names)
    )


def edges_of(present: Floats, bins: int, moments: bool) -> Floats:
    """Where to cut into bins of about equal mass, in whole steps of a hundredth of the spread (hours, days)."""
    if not len(present):
        return np.zeros(0)
    sample = present if len(present) <= _SAMPLE else present[:: len(present) // _SAMPLE]
    low, high = np.quantile(sample, [0.01, 0.99])
    if moments:
        # seconds since 1970: whole days say enough, whole hours of a short time
        step = 86_400.0 if high - low >= 30 * 86_400 else 3_600.0
    else:
        spread = float(high - low) or max(abs(float(low)), 1e-300)
        step = math.pow(10, math.floor(math.log10(spread)) - 2) if 1e-290 < spread < 1e300 else 0.0
    cuts = np.quantile(sample, np.arange(1, bins) / bins, method="inverted_cdf")
    if step:
        digits = -round(math.log10(step)) if not moments else 0
        cuts = np.round(np.round(cuts / step) * step, max(digits, 0))
    edges = np.unique(cuts)
    kept: Floats = edges[(edges >= present.min()) & (edges < present.max())]
    return kept


def _runs(count: int) -> list[tuple[int, int]]:
    """Single cells, and neighbours in twos and fours, but never all of them."""
    runs = [(first, min(first + width, count)) for width in (1, 2, 4) for first in range(0, count, width)]
    return sorted({run for run in runs if run != (0, count)})


def between(name: str, edges: list[str], first: int, last: int) -> str:
    """How the numbers of the cells from `first` up to `last` are told, by the cuts around them."""
    if first == 0:
        return f"{name} ≤ {edges[last - 1]}"
    if last > len(edges):
        return f"{name} > {edges[first - 1]}"
    return f"{edges[first - 1]} < {name} ≤ {edges[last - 1]}"


def told(edge: float, moments: bool) -> str:
    """A cut as text: a number, or the date of so many seconds since 1970."""
    if not moments:
        return f"{edge:.12g}"
    moment = _EPOCH + timedelta(seconds=float(edge))
    return moment.strftime("%Y-%m-%d") if edge % 86_400 == 0 else moment.strftime("%Y-%m-%dT%H:00")


def _levels(column: pl.Series, least: int) -> Cells | None:
    counts = column.alias("level").value_counts(name="count")
    common = counts.filter(pl.col("count") >= least).sort("count", "level", descending=[True, False])
    if not len(common):
        return None
    levels = common["level"].to_list()
    rows = len(column)
    texts = [level for level in levels if level is not None]
    secret = is_personal_name(column.name) or looks_personal(texts)
    names = []
    for rank, (level, count) in enumerate(zip(levels, common["count"].to_list(), strict=True), 1):
        if level is None:
            names.append(f"{column.name} is missing")
        elif secret or not may_show_level(count, rows):
            names.append(f"{column.name} = level #{rank}")
        else:
            names.append(f"{column.name} = {level[:LONGEST_LEVEL]}")
    codes = _codes(column, levels)
    if rows - int(common["count"].sum()) >= least:
        names.append(f"{column.name} is any other level")
    count = len(levels) + 1
    return Cells(column.name, codes, count, np.eye(count)[: len(names)], tuple(names))


def _codes(column: pl.Series, levels: list[str | None]) -> NDArray[np.int16]:
    frame = pl.DataFrame({"level": column.alias("level")})
    known = pl.DataFrame({"level": pl.Series(levels, dtype=pl.String), "code": np.arange(len(levels))})
    joined = frame.join(known, on="level", how="left", nulls_equal=True, maintain_order="left")
    return joined["code"].fill_null(len(levels)).to_numpy().astype(np.int16)
