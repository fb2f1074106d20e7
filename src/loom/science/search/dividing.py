"""Which rows a search learns from, which it is steered by, and which are sealed until its end.

The seal is carved first, as the holdout of a data set is: the latest block of time, whole entities, or rows with all
that equal them. What is left is cut into folds by `loom.science.splits`, so that a search is judged in the way in
which its champion is validated later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.columns import Columns, columns_of
from loom.science.search.sealing import (
    SEALED_MOST,
    Carved,
    differ,
    latest,
    latest_strangers,
    whole_sets,
)
from loom.science.splits import Fold, Splitting, choose, clock_of
from loom.science.splits.clock import Duration
from loom.science.splits.dealing import strata, support
from loom.science.splits.likeness import cell_hashes, feature_names, numbered, row_hashes
from loom.science.splits.splitting import Kind
from loom.science.validation.problem import Problem

Ints = NDArray[np.int64]

FIVE_UP_TO = 5_000
THREE_UP_TO = 30_000
_LEAST_ROWS = 20
_MOSTLY = 0.95
_CROWDED = 20


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Row numbers of the training table: the sealed ones, and folds of others. No fold has a sealed row.

    `why` says by what rule, and `notes` where less was possible than was wanted. `left_out` rows are in neither, so
    that the two share no time and no entity.
    """

    seal: Ints = field(repr=False)
    folds: tuple[Fold, ...]
    kind: Kind
    why: str
    notes: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def searched(self) -> Ints:
        """The rows that some fold tests, in order."""
        return np.unique(np.concatenate([fold.test for fold in self.folds]))

    def as_json(self) -> dict[str, Any]:
        """All but the row numbers, as plain data."""
        return {
            "kind": self.kind,
            "why": self.why,
            "seal": len(self.seal),
            "folds": [fold.as_json() for fold in self.folds],
            "left_out": self.left_out,
            "notes": list(self.notes),
        }


def divide(
    problem: Problem, *, horizon: Duration | None = None, seed: int = 0, five_up_to: int = FIVE_UP_TO,
    three_up_to: int = THREE_UP_TO,
) -> Division:  # fmt: skip
    """The seal and the folds of a problem: five folds of a small table, three of a larger one, one part of a large one.

    About a sixth of the rows with a known answer is sealed. Classes too rare to be in every part are learned from and
    never tested. The same seed gives the same rows.
    """
    rows = problem.settled(horizon)
    if len(rows) < _LEAST_ROWS:
        raise LoomError(
            f"{len(rows)} rows are too few to search by",
            f"at least {_LEAST_ROWS} with a known answer are needed, to learn from some and test on others",
            "bring in more rows: loom ingest --source FILE",
        )
    folds = 5 if len(rows) <= five_up_to else 3 if len(rows) <= three_up_to else 1
    notes: tuple[str, ...] = ()
    if len(rows) < problem.train.height:
        notes = (
            f"{problem.train.height - len(rows):,} rows have no answer, or none in time, and are left out",
        )
    if problem.time:
        return _by_time(problem, rows, horizon, folds, seed, notes)
    return _shuffled(problem, rows, folds, seed, notes)


def _by_time(
    problem: Problem, rows: Ints, horizon: Duration | None, folds: int, seed: int, notes: tuple[str, ...]
) -> Division:
    """The latest rows are sealed, and nothing that reaches into their time is learned from."""
    clock = clock_of(problem.train.select(problem.time))
    times, reach = clock.times[rows], clock.length(horizon, "horizon")
    answers = problem.answers_of(problem.train[rows])
    kind: Kind = "time"
    if problem.group is None:
        carved = latest(times, reach, answers)
    else:
        kind = "time+group"
        entities = _entities(problem, problem.group, rows)
        carved = latest_strangers(times, reach, answers, entities, seed)
    rest = rows[carved.rest]
    # where the rows before the seal are all of one time, they have no order to keep to
    ordered = len(np.unique(times[carved.rest])) > 1
    splitting = _split(problem, rest, folds, seed, horizon, problem.time if ordered else ())
    if not ordered:
        notes = (*notes, "the rows before the seal are all of one time, and are shuffled")
    return _divided(problem, rows, carved, rest, splitting, folds, kind, notes)


def _shuffled(problem: Problem, rows: Ints, folds: int, seed: int, notes: tuple[str, ...]) -> Division:
    """Entities, or rows that equal each other, are sealed together; classes are shared out evenly."""
    sets, crowded = _together(problem, rows, folds)
    answers = problem.answers_of(problem.train[rows])
    classes = strata(answers.astype(np.float64), max(folds, 2)) if problem.task == "regression" else answers
    codes = np.zeros(len(rows), np.int64) if classes is None else classes.astype(np.int64)
    common = np.ones(len(rows), bool)
    if problem.task != "regression":
        folds, common = _testable(codes, sets, folds)
    kept = rows[common]
    carved = whole_sets(
        codes[common], None if sets is None else sets[common], answers[common], np.random.default_rng(seed)
    )
    rest = kept[carved.rest]
    splitting = _split(problem, rest, folds, seed, None, ())
    kind: Kind = splitting.kind
    found = _divided(problem, kept, carved, rest, splitting, folds, kind, notes)
    if crowded:
        found = _noted(
            found, "most rows equal another in their features: some are sealed whose equals are learned from"
        )
    return found if common.all() else _with_rare(problem, found, rows, sets, common)


def _split(
    problem: Problem, rest: Ints, folds: int, seed: int, horizon: Duration | None, time: Sequence[str]
) -> Splitting:
    """The folds of what is not sealed, in numbers of their own."""
    # one part is one of as many as make it no larger than the seal may be
    count = folds if folds > 1 else max(5, -(-len(rest) // SEALED_MOST))
    whole = columns_of(problem.train)
    part = Columns(whole.names, len(rest), lambda names: problem.train.select(names)[rest])
    return choose(
        part, target=problem.target, task=problem.task, time=time, group=problem.group,
        horizon=horizon if time else None, folds=count, seed=seed, without=problem.ids,
    )  # fmt: skip


def _divided(
    problem: Problem, rows: Ints, carved: Carved, rest: Ints, splitting: Splitting, folds: int, kind: Kind,
    notes: tuple[str, ...],
) -> Division:  # fmt: skip
    """The division, without folds that nothing could be scored on."""
    answers = problem.answers_of(problem.train[rest])
    usable = [fold for fold in splitting.folds if differ(answers[fold.test]) and differ(answers[fold.train])]
    if len(usable) < len(splitting.folds):
        dropped = len(splitting.folds) - len(usable)
        notes = (*notes, f"{dropped} of {len(splitting.folds)} folds hold one answer only, and are left out")
    if not usable:
        raise LoomError(
            "the rows cannot be searched", "no part of them holds different answers", "name another --target"
        )
    # of time, the last block is the one that is learned by the past alone
    taken = usable if folds > 1 else usable[-1:]
    made = tuple(
        Fold(rest[fold.train], rest[fold.test], fold.purged, fold.embargoed, fold.kin) for fold in taken
    )
    why = f"{carved.why}; of the rest, {splitting.why}"
    left = len(rows) - int(carved.seal.sum()) - len(rest)
    return Division(rows[carved.seal], made, kind, why, (*notes, *carved.notes, *splitting.notes), left)


def _entities(problem: Problem, group: str, rows: Ints) -> Ints:
    return numbered(cell_hashes(columns_of(problem.train).column(group))[rows])


def _together(problem: Problem, rows: Ints, folds: int) -> tuple[Ints | None, bool]:
    """What must not be parted: entities, else rows with equal features; and whether there are too many of the latter."""
    if problem.group is not None:
        return _entities(problem, problem.group, rows), False
    columns = columns_of(problem.train)
    names = feature_names(columns, {problem.target, *problem.ids})
    if not names:
        return None, False
    sets = numbered(row_hashes(columns.each(names), columns.rows)[rows])
    sizes = np.bincount(sets)
    parts = max(folds, 5)
    crowded = 2 * (len(sets) - len(sizes)) > len(sets) and bool(
        len(sizes) < _CROWDED * parts or sizes.max() > len(sets) / parts
    )
    return (None if crowded or len(sizes) == len(sets) else sets), crowded


def _testable(codes: Ints, sets: Ints | None, folds: int) -> tuple[int, NDArray[np.bool_]]:
    """How many folds there can be, and which rows are of a class that can be in all of them and in the seal."""
    members = support(codes, sets)
    there = members > 0
    for count in range(max(folds, 5) if folds == 1 else folds, 1, -1):
        common = members >= count + 2
        kept = common[codes]
        if int(common.sum()) < 2 or (int(there.sum()) == 2 and not kept.all()):
            continue
        if kept.mean() >= _MOSTLY or count == 2:
            return (1 if folds == 1 else count), kept
    what = "rows that differ" if sets is not None else "rows"
    raise LoomError(
        "the classes are too rare to search by",
        f"fewer than two of {int(there.sum())} classes have 4 {what}, of which some are learned from and some tested",
        "bring in more rows, or put rare classes together",
    )


def _with_rare(
    problem: Problem, found: Division, rows: Ints, sets: Ints | None, common: NDArray[np.bool_]
) -> Division:
    """Rows of rare classes, learned from wherever they share nothing with what is tested or sealed."""
    rare = rows[~common]
    own = np.full(problem.train.height, -1, np.int64)
    own[rows] = np.arange(len(rows)) if sets is None else sets
    made = []
    for fold in found.folds:
        shown = own[np.concatenate([fold.test, found.seal])]
        free = rare[~np.isin(own[rare], shown)]
        made.append(Fold(np.sort(np.concatenate([fold.train, free])), fold.test, kin=len(rare) - len(free)))
    said = f"{len(rare):,} rows are of classes too rare to be tested; they are learned from only"
    return _noted(Division(found.seal, tuple(made), found.kind, found.why, found.notes, found.left_out), said)


def _noted(found: Division, note: str) -> Division:
    return Division(found.seal, found.folds, found.kind, found.why, (*found.notes, note), found.left_out)
