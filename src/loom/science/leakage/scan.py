"""Leaks: columns that know the answer, rows that are on both sides, and whether a model unlearns a shuffled target.

Two tiers. A flag is dropped by `features`; a suspect stays and is reviewed by `validate`. Ids are left out of
modelling without being called leaks. Columns are read a block at a time; of a large table 200,000 rows are scanned,
in even shares of the classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from loom.core.column_names import is_id_name
from loom.kernel.errors import LoomError
from loom.science.columns import Columns, Source, columns_of, spelled
from loom.science.leakage.findings import Check, Finding
from loom.science.leakage.models import Sample
from loom.science.leakage.order import Late, order_check
from loom.science.leakage.rows import RowWords, duplicate_checks, overlap_check
from loom.science.leakage.rules import ColumnScore, flag_of, suspects_of
from loom.science.leakage.scoring import Against
from loom.science.leakage.truth import Truth, prepare
from loom.science.reading import Reading, Use, reading_of
from loom.science.resources import pinned
from loom.science.targets import Task, task_in
from loom.science.twins import Mask, repeated

_ENTITIES = 3
_FEWEST_ENTITIES = 50
_UNUSED: tuple[Use, ...] = ("id", "empty", "constant", "nested")


@dataclass(frozen=True, slots=True)
class Leakage:
    """What was found: columns to drop, columns to look at, columns left out, and the looks at the table as a whole."""

    target: str
    task: Task | None
    flags: tuple[Finding, ...]
    suspects: tuple[Finding, ...]
    excluded: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]
    scores: Mapping[str, float]
    blocking: bool
    rows: int
    scanned: int

    def as_json(self) -> dict[str, Any]:
        """The findings as plain data, under the keys of `eda`'s summary."""
        return {
            "leakage_flags": [found.as_json() for found in self.flags],
            "leakage_suspects": [found.as_json() for found in self.suspects],
            "leakage_blocking": self.blocking,
            "leakage_excluded": [{"column": name, "reason": why} for name, why in self.excluded],
            "leakage_checks": [check.as_json() for check in self.checks],
            "leakage_scores": {name: round(score, 4) for name, score in self.scores.items()},
            "leakage_task": self.task,
            "leakage_rows": {"all": self.rows, "scanned": self.scanned},
        }


def leakage(
    frame: Source,
    target: str,
    *,
    task: Task | None = None,
    time: Sequence[str] = (),
    group: str | None = None,
    test: Source | None = None,
    seed: int = 0,
    now: datetime | None = None,
) -> Leakage:
    """Every column's knowledge of the target, and the table's: what has to go, and what has to be looked at."""
    table = columns_of(frame)
    for name in (target, *time, *([group] if group else [])):
        if name not in table.names:
            raise LoomError(
                f"the data has no column `{name}`",
                "the leak tests were asked about it",
                "name one of its columns",
            )
    scan = _Scan(table, target, tuple(time), group, seed)
    late = Late(scan.moment(), None if now is None else now.timestamp())
    with pinned(1):  # the products are many and short: more threads would wait for each other
        scan.look(late)
        return scan.conclude(task, columns_of(test) if test is not None else None, late.checks())


class _Scan:
    """Two passes over a table: how columns are read and which rows are equal first, then every column against the target."""

    def __init__(
        self, table: Columns, target: str, time: tuple[str, ...], group: str | None, seed: int
    ) -> None:
        self.table, self.target, self.time, self.group, self.seed = table, target, time, group, seed
        self.readings: dict[str, Reading] = {}
        self.types: dict[str, pl.DataType] = {}
        self.row_words = RowWords(table.rows)

    def look(self, late: Late) -> None:
        """The first pass: what each column is, what makes rows equal, and which dates come too late."""
        for column in self.table.each([name for name in self.table.names if name != self.target]):
            reading = reading_of(column)
            self.readings[column.name], self.types[column.name] = reading, column.dtype
            if reading.use != "id":
                self.row_words.add(column)
            if reading.use == "date" and column.name not in self.time:
                late.look(reading.of(column))

    def conclude(self, task: Task | None, test: Columns | None, late: Sequence[Check]) -> Leakage:
        """The second pass, and what follows from both."""
        answers = self.table.column(self.target)
        answers = spelled(reading_of(answers).of(answers))
        checks = duplicate_checks(self.row_words, answers)
        if test is not None:
            checks.append(self._overlap(test))
        checks += late
        task = task or task_in(answers)
        prepared = None
        if task is not None:
            group = self.table.column(self.group) if self.group else None
            keep = self._first_of_each(answers)
            prepared = prepare(answers, task, keep=keep, group=group, seed=self.seed)
        if prepared is None:
            checks.append(Check.skipped("target", "the target has fewer than two values"))
            return self._result(task, [], [], checks, [], 0)
        return self._scan(prepared, checks)

    def _scan(self, target: Truth, checks: list[Check]) -> Leakage:
        entities = self._entities()
        apart = self._apart(target, entities)
        all_rows, kept_apart = Against(target), Against(apart)
        sample, usable = Sample(target, self.seed), set(self._usable())
        found: list[ColumnScore] = []
        for column in self._read(self._asked()):
            against = all_rows if column.name in entities else kept_apart
            found.append(against.score(column, self._use(column.name)))
            if column.name in usable:
                sample.keep(column)
        flags = [flag for score in found if (flag := flag_of(score, target, len(found)))]
        dropped = {flag.column for flag in flags if flag.column}
        scores = {score.column: score.score.value for score in found}
        checks.append(order_check(target, self.table.rows, dated=bool(self.time)))
        checks += sample.checks(sorted(usable - dropped), scores, list(map(self.table.column, entities)))
        suspects = suspects_of(found, target, dropped)
        suspects += [check.as_finding() for check in checks if check.status == "suspect"]
        return self._result(target.task, flags, suspects, checks, found, len(target.rows))

    def _result(
        self, task: Task | None, flags: list[Finding], suspects: list[Finding], checks: list[Check],
        found: list[ColumnScore], scanned: int,
    ) -> Leakage:  # fmt: skip
        dropped = {flag.column for flag in flags}
        return Leakage(
            target=self.target, task=task, flags=_sorted(flags), suspects=_sorted(suspects),
            excluded=self._excluded(), checks=tuple(checks),
            scores={score.column: score.score.value for score in found},
            blocking=not found or all(name in dropped for name in self._usable()),
            rows=self.table.rows, scanned=scanned,
        )  # fmt: skip

    def _read(self, names: Sequence[str]) -> Iterator[pl.Series]:
        for column in self.table.each(names):
            yield self.readings[column.name].of(column)

    def _use(self, name: str) -> Use:
        return self.readings[name].use

    def _first_of_each(self, answers: pl.Series) -> Mask:
        """Rows without their repetitions, unless most rows are repetitions: those are what the table is made of."""
        again = repeated(self.row_words.exact ^ answers.alias("cells").hash(seed=1).to_numpy())
        return ~again if 2 * again.sum() <= len(again) else np.ones(len(again), bool)

    def _asked(self) -> list[str]:
        """The columns that are held against the target: all that hold something and have no other part to play."""
        parts = {*self.time, self.group}
        return [
            name
            for name, reading in self.readings.items()
            if reading.use not in ("empty", "constant") and name not in parts
        ]

    def _usable(self) -> list[str]:
        return [name for name in self._asked() if self._use(name) not in ("id", "nested")]

    def _excluded(self) -> tuple[tuple[str, str], ...]:
        found = {name: str(reading.use) for name, reading in self.readings.items() if reading.use in _UNUSED}
        found |= dict.fromkeys(self.time, "time")
        return tuple((found | ({self.group: "group"} if self.group else {})).items())

    def _entities(self) -> list[str]:
        """The declared entity; else columns whose name says id and whose values come again."""
        if self.group:
            return [self.group]
        named = [name for name in self._usable() if is_id_name(name)]
        return [name for name in named if self._use(name) in ("numeric", "categorical")][:_ENTITIES]

    def _apart(self, target: Truth, entities: Sequence[str]) -> Truth:
        """The target with folds that keep entities whole, though nobody declared them.

        What is the same in all rows of a customer would else look like a leak where the answer is the customer's too.
        """
        if self.group:
            return target
        for name in entities:
            column = self.table.column(name)
            if _FEWEST_ENTITIES <= column.n_unique() <= 0.5 * len(column):
                return target.apart(column, self.seed)
        return target

    def moment(self) -> pl.Series | None:
        """The rows' own times, where one column of dates was declared to hold them."""
        if len(self.time) != 1:
            return None
        column = self.table.column(self.time[0])
        reading = reading_of(column)
        return reading.of(column) if reading.use == "date" else None

    def _overlap(self, test: Columns) -> Check:
        """Rows of the test part against those of train, over the columns that both have."""
        compared = [name for name, reading in self.readings.items() if reading.use != "id"]
        shared = [name for name in compared if name in test.names]
        train, other = self.row_words, RowWords(test.rows)
        if shared != compared:
            train = RowWords(self.table.rows)
            for column in self.table.each(shared):
                train.add(column)
        for column in test.each(shared):
            other.add(column, like=self.types[column.name])
        return overlap_check(train, other)


def _sorted(found: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda each: (-each.score, each.column or "")))
