"""Numbers of many columns at once: how they lie, and nothing that would show one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.disclosure import QUANTILES


@dataclass(frozen=True, slots=True)
class Quantity:
    """How many different values there are, and moments and quantiles of the finite ones.

    `least` and `most` decide what a column is, and are never shown.
    """

    distinct: int
    infinite: int
    mean: float | None
    deviation: float | None
    skew: float | None
    least: float | None
    most: float | None
    quantiles: tuple[float | None, ...]


def quantities(numbers: Sequence[pl.Series]) -> list[Quantity]:
    """One quantity per column of numbers, without a cell that is not a number; each is sorted once."""
    if not numbers:
        return []
    ordered = [_ordered(series) for series in numbers]
    # whatever the columns are called, here they are numbered
    moments = pl.DataFrame(
        [
            pl.Series(str(place), series.set(series.is_infinite(), None) if one.infinite else series)
            for place, (series, one) in enumerate(zip(numbers, ordered, strict=True))
        ]
    ).select(_moments(pl.nth(place)).alias(str(place)) for place in range(len(numbers)))
    return [
        Quantity(
            distinct=one.distinct,
            infinite=one.infinite,
            least=one.least,
            most=one.most,
            quantiles=one.quantiles,
            **found,
        )
        for one, found in zip(ordered, moments.row(0), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Ordered:
    distinct: int
    infinite: int
    least: float | None
    most: float | None
    quantiles: tuple[float | None, ...]


def _ordered(series: pl.Series) -> _Ordered:
    """What a column in order tells."""
    values = series.drop_nulls().sort().to_numpy()
    if not len(values):
        return _Ordered(0, 0, None, None, (None,) * len(QUANTILES))
    distinct = 1 + int(np.count_nonzero(values[1:] != values[:-1]))
    infinite = 0
    if series.dtype.is_float():
        first, last = np.searchsorted(values, -np.inf, "right"), np.searchsorted(values, np.inf, "left")
        infinite = int(first) + len(values) - int(last)
        values = values[first:last]
    if not len(values):
        return _Ordered(distinct, infinite, None, None, (None,) * len(QUANTILES))
    return _Ordered(distinct, infinite, float(values[0]), float(values[-1]), _quantiles(values))


def _quantiles(values: NDArray[np.generic]) -> tuple[float, ...]:
    """The quantiles of ordered values, linear in between."""
    places = np.array(QUANTILES) * (len(values) - 1)
    low = places.astype(np.int64)
    below = values[low].astype(np.float64)
    above = values[np.minimum(low + 1, len(values) - 1)].astype(np.float64)
    share = places - low
    return tuple((below * (1 - share) + above * share).tolist())


def _moments(column: pl.Expr) -> pl.Expr:
    return pl.struct(
        column.mean().alias("mean"),
        column.std(ddof=0).alias("deviation"),
        column.skew().alias("skew"),
    )
