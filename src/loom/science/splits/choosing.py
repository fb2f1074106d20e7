"""The splitting that fits a table: by time, by entity, by both, else shuffled with equal rows kept together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.core.column_names import spoken
from loom.kernel.errors import LoomError
from loom.science.columns import Columns, columns_of
from loom.science.splits.clock import Clock, Duration, clock_of
from loom.science.splits.dealing import deal, strata, support
from loom.science.splits.likeness import cell_hashes, feature_names, numbered, row_hashes
from loom.science.splits.purging import crossed, kfold
from loom.science.splits.splitting import Fold, Splitting
from loom.science.targets import Task

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EMBARGO = 0.01
_KIN = 0.5
_CROWDED = 20


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The rows that have a target, what it is in each, and how they are to be dealt."""

    at: Ints
    classes: Ints | None
    folds: int
    seed: int
    notes: tuple[str, ...]

    @property
    def strata(self) -> Ints:
        """The class of each row; one class where amounts are too few to be cut."""
        return np.zeros(len(self.at), np.int64) if self.classes is None else self.classes


def choose(
    table: Columns | pl.DataFrame, *, target: str, task: Task, time: Sequence[str] = (), group: str | None = None,
    horizon: Duration | None = None, embargo: Duration | None = None, look_back: Duration | None = None,
    folds: int = 5, seed: int = 0, without: Sequence[str] = (),
) -> Splitting:  # fmt: skip
    """Folds that let a model be tested as it will be used, with the reason for their kind.

    A declared time makes blocks of time, purged and embargoed; a group keeps entities whole; both do both. Without
    either, rows are dealt class by class (amounts: by tenths), and rows with equal features stay together; `without`
    are columns that are no features, such as ids. Unless declared, the embargo is 1 % of the span of time, or the
    `look_back` of the features where that is longer; the horizon is then taken to be 0, and `horizon_assumed` says
    so. Rows without a target are in no fold. Fewer folds than asked for are made where a class, or entities, are too
    few, and it is noted.
    """
    columns = columns_of(table)
    for name in (target, *time, *([group] if group else [])):
        if name not in columns.names:
            raise LoomError(
                f"rows cannot be split: there is no column `{spoken(name)}`",
                "it was named as target, time or group",
                "name a column that the data has",
            )
    rows = _rows_of(columns.column(target), task, folds, seed)
    if time:
        clock = clock_of(columns.take(list(time)))
        clock = Clock(clock.times[rows.at], clock.unit)
        entities = None if group is None else _entities(columns, group, rows)
        found = _by_time(rows, clock, tuple(time), group, entities, horizon, embargo, look_back)
    elif group is not None:
        found = _by_group(rows, _entities(columns, group, rows), group)
    else:
        names = feature_names(columns, {target, *without})
        sets = numbered(row_hashes(columns.each(names), columns.rows)[rows.at]) if names else None
        found = _shuffled(rows, sets)
    back = tuple(replace(fold, train=rows.at[fold.train], test=rows.at[fold.test]) for fold in found.folds)
    return replace(found, folds=back)


def _rows_of(answers: pl.Series, task: Task, folds: int, seed: int) -> _Rows:
    if folds < 2:
        raise LoomError(
            f"{folds} fold is no cross-validation", "one part is tested by the others", "ask for 5 folds"
        )
    notes: tuple[str, ...] = ()
    if task == "regression":
        values = answers.cast(pl.Float64, strict=False).to_numpy()
        known = np.isfinite(values)
    else:
        known = answers.is_not_null().to_numpy()
    at = np.flatnonzero(known)
    if len(at) < len(answers):
        notes = (f"{len(answers) - len(at):,} rows without a target are in no fold",)
    if len(at) < 2:
        raise LoomError(
            "rows cannot be split", f"{len(at)} of them have a target", "bring in more rows, or name another --target"
        )  # fmt: skip
    if task == "regression":
        return _Rows(at, strata(values[at], folds), folds, seed, notes)
    return _Rows(at, numbered(cell_hashes(answers.gather(at))), folds, seed, notes)


def _entities(columns: Columns, group: str, rows: _Rows) -> Ints:
    """The entity of each row; missing ones are one entity."""
    return numbered(cell_hashes(columns.column(group))[rows.at])


def _by_time(
    rows: _Rows, clock: Clock, time: tuple[str, ...], group: str | None, entities: Ints | None,
    horizon: Duration | None, embargo: Duration | None, look_back: Duration | None,
) -> Splitting:  # fmt: skip
    t0 = clock.times
    reach = clock.length(horizon, "horizon")
    gap = (
        clock.length(embargo, "embargo")
        if embargo is not None
        else max(EMBARGO * float(np.ptp(t0)), clock.length(look_back, "look-back"))
    )
    t1, moments = t0 + reach, len(np.unique(t0))
    if moments < 2:
        raise LoomError(
            f"rows cannot be split by {_said(time)}", "all rows have the same time", "leave --time out"
        )
    kept_whole = f", and all rows of an entity of `{spoken(group or '')}` on one side"
    why = f"{_said(time)} orders the rows: a block of time is tested by models of the others, without the rows next to it"

    def make(count: int) -> tuple[tuple[Fold, ...], str]:
        if entities is None:
            return kfold(t0, t1, folds=count, embargo=gap), why
        whole = kfold(t0, t1, folds=count, embargo=gap, entities=entities)
        if all(len(fold.train) >= _KIN * (len(fold.train) + fold.kin) for fold in whole):
            return whole, why + kept_whole
        parts = deal(rows.strata, count, np.random.default_rng(rows.seed), entities)
        cells = crossed(t0, t1, entities, parts, folds=count, embargo=gap)
        said = f"; as entities go on through time, each block is tested on one of {count} parts of them"
        return cells or (), why + kept_whole + said

    most = min(rows.folds, moments)
    made, reason, count = _with_all_classes(rows, most, make, "time")
    notes = (*rows.notes, *_fewer(rows.folds, count, "time"), *_one_class(rows, made))
    return Splitting(
        "time" if entities is None else "time+group", reason, made, clock.spoken(reach), horizon is None,
        clock.spoken(gap), notes=notes,
    )  # fmt: skip


def _with_all_classes(
    rows: _Rows, most: int, make: Callable[[int], tuple[tuple[Fold, ...], str]], by: str
) -> tuple[tuple[Fold, ...], str, int]:
    """The most folds that can each be learned with every class and tested with two; else that can be learned."""
    classes = rows.strata
    needed, least = len(np.unique(classes)), min(2, len(np.unique(classes)))
    usable: tuple[tuple[Fold, ...], str, int] | None = None
    for count in range(most, 1, -1):
        made, reason = make(count)
        learned = [len(np.unique(classes[fold.train])) for fold in made]
        tested = [len(np.unique(classes[fold.test])) for fold in made]
        if made and min(learned) >= needed and min(tested) >= least:
            return made, reason, count
        if made and usable is None and min(learned) >= max(least, 1):
            usable = made, reason, count
    if usable is None:
        raise LoomError(
            f"rows cannot be split by {by}",
            "too few rows are left to learn from, or they are all of one class: horizon and embargo take the rest",
            "a shorter --horizon or --embargo, such as --embargo 0d",
        )
    return usable


def _by_group(rows: _Rows, entities: Ints, group: str) -> Splitting:
    name = spoken(group)
    count = _possible(rows, entities, f"entities of `{name}`")
    folds = _dealt(rows, count, entities)
    notes = (*rows.notes, *_fewer(rows.folds, count, f"entities of `{name}`"))
    largest = int(np.bincount(entities).max())
    if largest > 1.5 * len(entities) / count:
        notes = (
            *notes,
            f"one entity has {largest:,} of {len(entities):,} rows, so that folds differ in size",
        )
    why = f"rows of one entity of `{name}` are alike, so that all of them are on one side; classes are shared out evenly"
    return Splitting("group", why, folds, notes=notes)


def _shuffled(rows: _Rows, sets: Ints | None) -> Splitting:
    repeats, crowded = 0, False
    if sets is not None:
        sizes = np.bincount(sets)
        repeats = len(sets) - len(sizes)
        crowded = 2 * repeats > len(sets) and bool(
            len(sizes) < _CROWDED * rows.folds or sizes.max() > len(sets) / rows.folds
        )
    notes = rows.notes
    if crowded:
        notes = (
            *notes,
            f"the features take only {len(sizes):,} different combinations: equal rows are on both sides",
        )
    if crowded or not repeats:
        sets = None
    what = "rows" if sets is None else "rows that differ in their features"
    count = _possible(rows, sets, what)
    kind: Literal["kfold", "stratified"] = "kfold" if rows.classes is None else "stratified"
    why = "neither time nor a group was declared, so that rows are shuffled"
    if kind == "stratified":
        why += ", with the target shared out evenly"
    if sets is not None:
        why += f"; {repeats:,} rows have the features of another and stay with it"
    return Splitting(
        kind, why, _dealt(rows, count, sets), crowded=crowded, notes=(*notes, *_fewer(rows.folds, count, what))
    )  # fmt: skip


def _possible(rows: _Rows, sets: Ints | None, what: str) -> int:
    """How many folds can each have every class, or at least a row to test."""
    members = support(rows.strata, sets)
    least = int(members.min())
    if least < 2:
        raise LoomError(
            "rows cannot be split",
            f"{int((members < 2).sum())} of {len(members)} classes have fewer than two {what}, which cannot be both learned and tested"
            if len(members) > 1
            else f"there are fewer than two {what}",
            "leave the rare classes out, or put them together"
            if len(members) > 1
            else "leave --group out, or name another",
        )
    return min(rows.folds, least)


def _dealt(rows: _Rows, count: int, sets: Ints | None) -> tuple[Fold, ...]:
    place = deal(rows.strata, count, np.random.default_rng(rows.seed), sets)
    return tuple(Fold(np.flatnonzero(place != one), np.flatnonzero(place == one)) for one in range(count))


def _fewer(wanted: int, made: int, what: str) -> tuple[str, ...]:
    return () if made == wanted else (f"{made} folds instead of {wanted}: a class has too few {what}",)


def _one_class(rows: _Rows, folds: Sequence[Fold]) -> tuple[str, ...]:
    single = sum(len(np.unique(rows.strata[fold.test])) < 2 for fold in folds)
    if rows.classes is None or not single:
        return ()
    return (f"{single} of {len(folds)} test blocks hold one class only",)


def _said(time: Sequence[str]) -> str:
    return ", ".join(f"`{spoken(name)}`" for name in time)
