"""A column in groups of rows, each large enough to say something of: quantile cells with round edges, or levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.charts.answers import codes_of, counts_of, texts_of
from loom.science.charts.cells import step_of
from loom.science.charts.chart import figure, labels, may_draw
from loom.science.disclosure import LONGEST_LEVEL, may_show_level, quantiles_of
from loom.science.profile.inspection import Inspected

_CELLS = 8
_MOST_LEVELS = 8
_ROUND_CELLS = 100

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Groups:
    """Every row's group, -1 for none; the labels of the groups, and whether they have an order of their own."""

    codes: Codes
    labels: tuple[str, ...]
    ordered: bool


def groups_of(one: Inspected, cells: pl.Series) -> Groups | None:
    """The groups of a column; None where fewer than two may be shown."""
    if one.personal or one.values is None:
        return None
    if one.role == "numeric":
        found = _of_numbers(one)
    elif one.role in ("categorical", "boolean"):
        found = _of_levels(cells)
    else:
        return None
    if found is None:
        return None
    found = _with_missing(found, cells)
    return found if len(found.labels) >= 2 else None


def _of_numbers(one: Inspected) -> Groups | None:
    assert one.values is not None and one.quantity is not None
    shown = quantiles_of(one.quantity.quantiles, one.traits.present - one.quantity.infinite)
    if not shown or len(shown) < 3:
        return None
    low, high = min(shown.values()), max(shown.values())
    whole = one.traits.kind == "whole"
    numbers = one.values.to_physical().cast(pl.Float64).to_numpy()
    finite = np.isfinite(numbers)
    if not low < high or not math.isfinite(high - low):
        return None
    step = step_of(high - low, _ROUND_CELLS, whole=whole)
    cuts = np.quantile(numbers[finite], np.arange(1, _CELLS) / _CELLS, method="inverted_cdf")
    edges = np.unique(np.round(np.ceil(cuts / step - 1e-9) * step, 12))
    # below the least and above the greatest edge nobody would be
    edges = edges[(edges > low) & (edges <= high)]
    codes = np.searchsorted(edges, numbers, "right").astype(np.int64)
    codes[~finite] = -1
    edges, codes = _merged(edges, codes)
    if not len(edges):
        return None
    named = _between(edges, whole=whole)
    for at in (0, len(edges)) if whole else ():
        # a group of one value is a level that many rows have
        values = np.unique(numbers[codes == at])
        if len(values) == 1:
            named[at] = figure(float(values[0]))
    return Groups(codes, tuple(labels(named)), ordered=True)


def _merged(edges: NDArray[np.float64], codes: Codes) -> tuple[NDArray[np.float64], Codes]:
    """Neighbours put together until each has as many rows as may be shown."""
    while len(edges):
        counts = np.bincount(codes[codes >= 0], minlength=len(edges) + 1)
        few = int(np.argmin(counts))
        if may_draw(int(counts[few])):
            break
        left = few > 0 and (few == len(counts) - 1 or counts[few - 1] <= counts[few + 1])
        gone = few - 1 if left else few
        edges = np.delete(edges, gone)
        codes = np.where(codes > gone, codes - 1, codes)
    return edges, codes


def _between(edges: NDArray[np.float64], *, whole: bool) -> list[str]:
    if not whole:
        inner = [f"{figure(a)} to {figure(b)}" for a, b in pairwise(edges.tolist())]
        return [f"under {figure(edges[0])}", *inner, f"{figure(edges[-1])} or more"]
    inner = [
        f"{figure(a)}" if b == a + 1 else f"{figure(a)} to {figure(b - 1)}"
        for a, b in pairwise(edges.tolist())
    ]
    return [f"up to {figure(edges[0] - 1)}", *inner, f"{figure(edges[-1])} or more"]


def _of_levels(cells: pl.Series) -> Groups | None:
    texts = texts_of(cells.fill_nan(None) if cells.dtype.is_float() else cells)
    counts = counts_of(texts)
    named = [
        level for level, count in counts.head(_MOST_LEVELS).iter_rows() if may_show_level(count, len(texts))
    ]
    if not named:
        return None
    codes = codes_of(texts, named).astype(np.int64)
    names = labels([level[:LONGEST_LEVEL] for level in named], 26)
    others = (codes < 0) & texts.is_not_null().to_numpy()
    if may_draw(int(others.sum())):
        codes[others] = len(names)
        names.append(f"{len(counts) - len(named):,} others")
    return Groups(codes, tuple(names), ordered=False)


def _with_missing(found: Groups, cells: pl.Series) -> Groups:
    gaps = cells.is_null() | (cells.is_nan() if cells.dtype.is_float() else False)
    missing = gaps.to_numpy()
    if not may_draw(int(missing.sum())):
        return found
    codes = np.where(missing, len(found.labels), found.codes)
    return Groups(codes, (*found.labels, "(missing)"), found.ordered)
