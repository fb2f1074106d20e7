"""Numbers of many columns at once: how they lie, and nothing that would show one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.disclosure import QUANTILES
from loom.science.reading import EXACT_ROWS, distinct_in


@dataclass(frozen=True, slots=True)
class Quantity:
    """How many different values there are (`approx` where estimated), and moments and quantiles of the finite ones.

    `least` and `most` decide what a column is, and are never shown.
    """

    distinct: int
    approx: bool
    infinite: int
    mean: float | None
    deviation: float | None
    skew: float | None
    least: float | None
    most: float | None
    quantiles: tuple[float | None, ...]


def quantities(numbers: Sequence[pl.Series]) -> list[Quantity]:
    """One quantity per column of numbers, without a cell that is not a number."""
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
            approx=one.approx,
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
    approx: bool
    infinite: int
    least: float | None
    most: float | None
    quantiles: tuple[float | None, ...]


def _ordered(series: pl.Series) -> _Ordered:
    """What a column in order tells; of a large one a part is put in order, and the rest looked over."""
    whole = len(series) <= EXACT_ROWS
    part = (series if whole else series.gather(_some_of(len(series)))).drop_nulls().sort().to_numpy()
    finite = part[np.isfinite(part)] if series.dtype.is_float() else part
    quantiles = _quantiles(finite)
    if whole:
        distinct = int(np.count_nonzero(part[1:] != part[:-1])) + bool(len(part))
        least, most = (float(finite[0]), float(finite[-1])) if len(finite) else (None, None)
        return _Ordered(distinct, False, len(part) - len(finite), least, most, quantiles)
    infinite = _infinite(series)
    rest = series.set(series.is_infinite(), None) if infinite else series
    counted = _in_range(series)
    distinct = distinct_in(series) if counted is None else counted
    return _Ordered(distinct, counted is None, infinite, _number(rest.min()), _number(rest.max()), quantiles)


def _infinite(series: pl.Series) -> int:
    """How many cells are infinite; only where an end is, they have to be counted."""
    ends = (_number(series.min()), _number(series.max()))
    return int(series.is_infinite().sum()) if any(end is not None and np.isinf(end) for end in ends) else 0


@lru_cache(maxsize=2)
def _some_of(rows: int) -> NDArray[np.int64]:
    """Places of a hundred thousand rows: their quantiles lie within a fifth of a percent of the rows from those of all."""
    return np.sort(np.random.default_rng(0).integers(0, rows, EXACT_ROWS))


def _in_range(series: pl.Series) -> int | None:
    """How many different whole numbers there are, counted where they lie close together."""
    least, most = series.min(), series.max()
    if not isinstance(least, int) or not isinstance(most, int) or most - least > EXACT_ROWS:
        return None
    present = series.drop_nulls() if series.null_count() else series
    return int(np.count_nonzero(np.bincount((present - least).cast(pl.Int64).to_numpy())))


def _number(end: Any) -> float | None:
    return None if end is None else float(end)


def _quantiles(values: NDArray[np.generic]) -> tuple[float | None, ...]:
    """The quantiles of ordered values, linear in between."""
    if not len(values):
        return (None,) * len(QUANTILES)
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
