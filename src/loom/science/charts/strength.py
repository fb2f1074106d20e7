"""How strongly a column goes together with the target, in one number that ranks columns of every kind."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.charts.answers import Answer

_BINS = 16
_LEVELS = 30
# standard deviations of the share where both have nothing to do with each other
_SURE = 2.33

Codes = NDArray[np.int64]
Doubles = NDArray[np.float64]


def strength_of(values: pl.Series, answer: Answer) -> float:
    """The root of the share of the target's variance that lies between the values of a column, from 0 to 1.

    Numbers are taken in up to 16 cells with as many rows each, of levels the 30 most frequent; missing cells are a
    level. The share is corrected for their number, so that many of them say no more by chance (epsilon squared); of
    classes it is the share of all of them together. What chance makes is 0.
    """
    known = answer.codes >= 0 if answer.values is None else np.isfinite(answer.values)
    groups = _groups(values)[known]
    if len(groups) < 2:
        return 0.0
    told = _told(answer, known)
    counts = np.bincount(groups)
    some = np.flatnonzero(counts)
    total = float(((told - told.mean(axis=0)) ** 2).sum())
    if len(some) < 2 or len(groups) <= len(some) or total <= 0:
        return 0.0
    within = total
    for column in told.T:
        sums = np.bincount(groups, weights=column)[some]
        within -= float((sums**2 / counts[some]).sum() - column.sum() ** 2 / len(column))
    share = 1 - within / total * (len(groups) - 1) / (len(groups) - len(some))
    by_chance = _SURE * math.sqrt(2 * (len(some) - 1)) / len(groups)
    return math.sqrt(min(1.0, share)) if share > by_chance else 0.0


def _told(answer: Answer, known: NDArray[np.bool_]) -> Doubles:
    """One column per class, or that of the amounts, moved to the middle so that squares stay exact."""
    if answer.values is not None:
        values = answer.values[known]
        spread = float(values.std())
        told: Doubles = ((values - values.mean()) / (spread or 1.0))[:, None]
        return told
    is_one: Doubles = (answer.codes[known][:, None] == np.arange(len(answer.classes))).astype(np.float64)
    return is_one


def _groups(values: pl.Series) -> Codes:
    """Which cell or level every row is in."""
    if values.dtype.is_numeric() or values.dtype == pl.Boolean or values.dtype.is_temporal():
        numbers = values.to_physical().cast(pl.Float64).to_numpy()
        finite = np.isfinite(numbers)
        if not finite.any():
            return np.zeros(len(numbers), np.int64)
        cuts = np.unique(np.quantile(numbers[finite], np.arange(1, _BINS) / _BINS, method="inverted_cdf"))
        codes = np.searchsorted(cuts, numbers, "right")
        return np.where(finite, codes, len(cuts) + 1).astype(np.int64)
    codes = values.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    order = np.argsort(-np.bincount(codes), kind="stable")
    place = np.full(len(order), _LEVELS, np.int64)
    place[order[:_LEVELS]] = np.arange(min(_LEVELS, len(order)))
    return place[codes]
