"""What is drawn together: rows on their own, entities, or blocks of time, each with one random weight per draw.

Weights are exponential, which is the Bayesian bootstrap: no class and no level ever drops out of a draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.metrics.cases import Floats, Ints

Ids = NDArray[np.generic]

# more units than these are put together at random: the spread of a sum is then known to one per cent
MOST = 5_000
_BLOCKS = 8
_LAG_ROWS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The unit of each row; `count` units are weighted, made up of `real` ones, of which `what` says what they are."""

    codes: Ints = field(repr=False)
    count: int
    real: int
    what: str

    @property
    def are_rows(self) -> bool:
        """Whether every row is on its own."""
        return self.what == "rows"

    def weights(self, draws: int, seed: int) -> Floats:
        """One weight per draw and unit."""
        return np.random.default_rng(seed).standard_exponential((draws, self.count))


def units_of(
    rows: int, clusters: Ids | None, order: Ids | None, losses: Sequence[Floats], seed: int
) -> list[Units]:
    """The ways to draw: by entity and by block of time where these are given, else by row.

    Blocks hold whole moments. Their length is twice that of Carlstein for the first autocorrelation of the losses,
    averaged by moment, and at least twice the cube root of the number of moments: shorter ones cover too rarely.
    """
    found = []
    if clusters is not None:
        codes = numbered(clusters, rows, "entities")
        found.append(_gathered(codes, int(codes.max()) + 1, "entities", seed))
    if order is not None:
        moments = numbered(order, rows, "times")
        blocks = moments // _length(moments, losses)
        found.append(_gathered(blocks, int(blocks.max()) + 1, "blocks of time", seed))
    return found or [_gathered(np.arange(rows), rows, "rows", seed)]


def _gathered(codes: Ints, count: int, what: str, seed: int) -> Units:
    if count <= MOST:
        return Units(codes, count, count, what)
    buckets = np.random.default_rng([seed, count]).permutation(count) % MOST
    return Units(buckets[codes], MOST, count, what)


def _length(moments: Ints, losses: Sequence[Floats]) -> int:
    count = int(moments.max()) + 1
    sizes = np.bincount(moments)
    found = max((_lag(np.bincount(moments, loss) / sizes) for loss in losses), default=0.0)
    length = 2 * max(1.0, (2 * found / (1 - found**2)) ** (2 / 3)) * count ** (1 / 3)
    return max(1, min(int(np.ceil(length)), count // _BLOCKS))


def _lag(series: Floats) -> float:
    """The first autocorrelation, from 0 up and short of 1."""
    if len(series) < _LAG_ROWS:
        return 0.0
    series = series - series.mean()
    squares = float(series @ series)
    return min(max(float(series[1:] @ series[:-1]) / squares, 0.0), 0.95) if squares > 0 else 0.0


def numbered(ids: Ids, rows: int, what: str) -> Ints:
    """Ids as whole numbers from 0 on, in their order."""
    found = np.asarray(ids)
    if found.shape != (rows,):
        raise LoomError(
            f"there are {len(found):,} {what} for {rows:,} rows", "one is needed per row", "give one per row"
        )
    if found.dtype == object:
        found = found.astype(str)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
