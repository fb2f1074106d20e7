"""Folds along time that share no moment: purging and an embargo, as López de Prado defines them.

A row knows something about all of [t0, t1]. A test block is the rows of some moments t0, and covers [T0, T1]. Of the
other rows, those with t0 ≤ T1 and t1 ≥ T0 are purged, and those with T1 < t0 ≤ T1 + embargo are left out too. All of
it is counted in time, so that ties are never parted and a panel's rows of one moment are one moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.splits.splitting import Fold

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Combinatorial:
    """Every choice of test blocks, and the paths through all blocks that the tests make up.

    `paths[p, b]` is the fold whose test of block `b` belongs to path `p`; `blocks` is the block of each row.
    """

    folds: tuple[Fold, ...]
    paths: Ints = field(repr=False)
    blocks: Ints = field(repr=False)


def blocks_of(t0: Floats, count: int) -> Ints:
    """The block of each row: the different moments, in order, cut into equally many each."""
    moments, place = np.unique(t0, return_inverse=True)
    if len(moments) < count:
        raise LoomError(
            f"rows cannot be cut into {count} blocks of time",
            f"they have {len(moments)} different times",
            "ask for fewer folds, or leave --time out",
        )
    sizes = [len(part) for part in np.array_split(moments, count)]
    result: Ints = np.repeat(np.arange(count), sizes)[place]
    return result


def purged(
    t0: Floats, t1: Floats, tested: Sequence[Mask], *, embargo: float = 0.0, entities: Ints | None = None
) -> Fold:
    """The fold that tests some blocks of rows and learns from what shares no moment, and no entity, with them."""
    test = np.logical_or.reduce(tested)
    reach, late = np.zeros(len(t0), bool), np.zeros(len(t0), bool)
    for block in tested:
        if not block.any():
            continue
        first, last = t0[block].min(), t1[block].max()
        reach |= (t0 <= last) & (t1 >= first)
        late |= (t0 > last) & (t0 <= last + embargo)
    reach &= ~test
    late &= ~test & ~reach
    kin = np.zeros(len(t0), bool)
    if entities is not None:
        kin = np.isin(entities, np.unique(entities[test])) & ~(test | reach | late)
    train = np.flatnonzero(~(test | reach | late | kin))
    return Fold(train, np.flatnonzero(test), int(reach.sum()), int(late.sum()), int(kin.sum()))


def kfold(
    t0: Floats,
    t1: Floats | None = None,
    *,
    folds: int = 5,
    embargo: float = 0.0,
    entities: Ints | None = None,
) -> tuple[Fold, ...]:
    """Purged, embargoed K-fold: every block of time is tested once; rows of tested entities are left out."""
    blocks = blocks_of(t0, folds)
    t1 = _ends(t0, t1)
    return tuple(purged(t0, t1, [blocks == one], embargo=embargo, entities=entities) for one in range(folds))


def crossed(
    t0: Floats, t1: Floats, entities: Ints, parts: Ints, *, folds: int, embargo: float = 0.0
) -> tuple[Fold, ...] | None:
    """Folds that test one part of the entities in one block of time each, for entities that live on through time.

    Each block meets the part, shifted by as much as makes the smallest test largest; none where a test stays empty.
    """
    blocks = blocks_of(t0, folds)
    sizes = np.bincount(blocks * folds + parts, minlength=folds * folds).reshape(folds, folds)
    at = np.arange(folds)
    smallest = [int(sizes[at, (at + shift) % folds].min()) for shift in range(folds)]
    shift = int(np.argmax(smallest))
    if not smallest[shift]:
        return None
    return tuple(
        purged(
            t0, t1, [(blocks == one) & (parts == (one + shift) % folds)], embargo=embargo, entities=entities
        )
        for one in range(folds)
    )


def walk_forward(
    t0: Floats,
    t1: Floats | None = None,
    *,
    folds: int = 5,
    embargo: float = 0.0,
    entities: Ints | None = None,
) -> tuple[Fold, ...]:
    """Folds that learn from the past alone: every block but the first is tested by all that ended before it.

    With an embargo, learning stops so long before the block begins. Rows of tested entities are left out.
    """
    blocks = blocks_of(t0, folds + 1)
    t1 = _ends(t0, t1)
    found = []
    for one in range(1, folds + 1):
        test = blocks == one
        first = t0[test].min()
        past = blocks < one
        reach = past & (t1 >= first)
        late = past & ~reach & (t1 >= first - embargo) if embargo else np.zeros(len(t0), bool)
        rest = past & ~reach & ~late
        kin = np.zeros(len(t0), bool)
        if entities is not None:
            kin = rest & np.isin(entities, np.unique(entities[test]))
        found.append(
            Fold(
                np.flatnonzero(rest & ~kin),
                np.flatnonzero(test),
                int(reach.sum()),
                int(late.sum()),
                int(kin.sum()),
            )
        )
    return tuple(found)


def combinatorial(
    t0: Floats, t1: Floats | None = None, *, blocks: int = 6, tested: int = 2, embargo: float = 0.0
) -> Combinatorial:
    """Combinatorial purged cross-validation: all C(N, k) choices of k test blocks out of N.

    Each block is tested C(N-1, k-1) times, so that the tests make up as many paths through all of time; a block's
    first test belongs to the first path, and so on.
    """
    if not 0 < tested < blocks:
        raise LoomError(
            f"{tested} of {blocks} blocks cannot be tested",
            "at least one is tested and at least one is learned from",
            "combinatorial(t0, blocks=6, tested=2)",
        )
    place = blocks_of(t0, blocks)
    t1 = _ends(t0, t1)
    masks = [place == one for one in range(blocks)]
    choices = list(combinations(range(blocks), tested))
    folds = tuple(purged(t0, t1, [masks[one] for one in choice], embargo=embargo) for choice in choices)
    paths = [[at for at, choice in enumerate(choices) if one in choice] for one in range(blocks)]
    return Combinatorial(folds, np.array(paths, np.int64).T.copy(), place)


def _ends(t0: Floats, t1: Floats | None) -> Floats:
    if t1 is None:
        return t0
    if len(t1) != len(t0) or not bool((t1 >= t0).all()):
        raise LoomError(
            "intervals of rows are not in order", "some end before they begin", "give a t1 for every t0"
        )
    return t1
