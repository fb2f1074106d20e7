"""Which rows are sealed: the latest block of time, whole entities, or some of each class with all that equal them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.splits.dealing import deal

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Answers = NDArray[Any]

SEALED_MOST = 100_000
_SMALL = 1_000
_LATE = 0.3
_KIN = 0.5
_MOST = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Carved:
    """Which rows are sealed, and which are left to search by; some may be neither."""

    seal: Mask = field(repr=False)
    rest: Mask = field(repr=False)
    why: str
    notes: tuple[str, ...] = ()


def parts_of(rows: int) -> int:
    """Of how many parts one is sealed: a fifth of few rows, a seventh of many, and never more than are of use."""
    usual = 5 if rows < _SMALL else 6 if rows <= 30 * _SMALL else 7
    return max(usual, -(-rows // SEALED_MOST))


def differ(answers: Answers) -> bool:
    """Whether there are two different answers, without which no score means anything."""
    return len(answers) > 0 and bool((answers != answers[0]).any())


def latest(times: Floats, reach: float, answers: Answers, share: float | None = None) -> Carved:
    """The latest moments, whole; rows whose answer was not known when the first of them began are left out.

    Where the latest rows have one answer only, the seal begins as much earlier as it takes, at most with the middle.
    """
    rows = len(times)
    moments, counts = np.unique(times, return_counts=True)
    if len(moments) < 2:
        raise LoomError("rows cannot be sealed by time", "all rows have the same time", "leave --time out")
    later = np.cumsum(counts[::-1])[::-1]
    wanted = round(rows * (share or 1 / parts_of(rows)))
    cut = 1 + int(np.argmin(np.abs(later[1:] - wanted)))
    while not differ(answers[times >= moments[cut]]):
        cut -= 1
        if not cut or later[cut] > _MOST * rows:
            raise LoomError(
                "rows cannot be sealed by time",
                "the latest half of them has one answer only, so that nothing could be told apart on it",
                "leave --time out, or bring in later rows",
            )
    seal = times >= moments[cut]
    rest = ~seal & (times + reach < moments[cut])
    if not differ(answers[rest]):
        raise LoomError(
            "rows cannot be sealed by time",
            "before the latest of them, too few rows have an answer that was known in time",
            "a shorter --horizon, such as --horizon 0d",
        )
    purged = int((~seal & ~rest).sum())
    notes = (f"{purged:,} rows reach into the time of the seal",) if purged else ()
    return Carved(seal, rest, f"the latest {int(seal.sum()):,} rows are sealed", notes)


def latest_strangers(times: Floats, reach: float, answers: Answers, entities: Ints, seed: int) -> Carved:
    """The latest rows, of entities that no earlier row is of.

    Where entities come and go, those of the latest block are left out before it. Where they go on through time, a
    part of them is sealed in a longer block, and the others are learned from before it.
    """
    late = latest(times, reach, answers)
    kin = late.rest & np.isin(entities, np.unique(entities[late.seal]))
    if int(kin.sum()) <= (1 - _KIN) * int(late.rest.sum()) and differ(answers[late.rest & ~kin]):
        notes = (f"{int(kin.sum()):,} earlier rows are of an entity that is sealed",) if kin.any() else ()
        return Carved(late.seal, late.rest & ~kin, f"{late.why}, with their entities", (*late.notes, *notes))
    late = latest(times, reach, answers, _LATE)
    part = deal(np.zeros(len(times), np.int64), 3, np.random.default_rng(seed), entities)
    wanted = round(len(times) / 10)
    choices = [
        (abs(int(seal.sum()) - wanted), one)
        for one in range(3)
        if differ(answers[seal := late.seal & (part == one)]) and differ(answers[late.rest & (part != one)])
    ]
    if not choices:
        raise LoomError(
            "rows cannot be sealed by time and entity",
            "too few entities have later rows with different answers",
            "leave --group out, or --time",
        )
    one = min(choices)[1]
    seal, rest = late.seal & (part == one), late.rest & (part != one)
    why = f"{int(seal.sum()):,} late rows are sealed: those of a third of the entities, as these go on through time"
    lost = len(times) - int(seal.sum()) - int(rest.sum())
    return Carved(seal, rest, why, (*late.notes, f"{lost:,} rows share a time or an entity with both sides"))


def whole_sets(codes: Ints, sets: Ints | None, answers: Answers, random: np.random.Generator) -> Carved:
    """One of several parts that each have their share of every class; sets are never parted."""
    rows = len(codes)
    count = parts_of(rows)
    place = deal(codes, count, random, sets)
    classes = len(np.unique(codes))
    choices = []
    for one in range(count):
        inside = place == one
        if differ(answers[inside]) and differ(answers[~inside]):
            lacking = classes - len(np.unique(codes[inside]))
            choices.append((lacking, abs(int(inside.sum()) - rows / count), one))
    if not choices:
        raise LoomError(
            "rows cannot be sealed",
            "one entity, or one row and those that equal it, has nearly all of the answers that differ",
            "leave --group out, or name another",
        )
    seal = place == min(choices)[2]
    what = "whole sets of rows" if sets is not None else "rows of every class"
    return Carved(seal, ~seal, f"{int(seal.sum()):,} of {rows:,} rows are sealed, {what}")
