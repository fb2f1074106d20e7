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
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.binning import Kind, is_id_name, is_nested, kind_of, plain
from loom.science.columns import Columns, Source, columns_of
from loom.science.leakage_columns import score_column
from loom.science.leakage_findings import Check, Finding
from loom.science.leakage_models import model_checks
from loom.science.leakage_order import future_checks, order_check
from loom.science.leakage_rows import RowHashes, duplicate_checks, overlap_check, repeated
from loom.science.leakage_rules import ColumnScore, flag_of, suspects_of
from loom.science.leakage_target import Target, Task, prepare, task_of

_ENTITIES = 3
_FEWEST_ENTITIES = 50
_UNUSED: tuple[Kind, ...] = ("id", "empty", "constant", "nested")


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
    scan.look()
    return scan.conclude(task, columns_of(test) if test is not None else None, now)


class _Scan:
    """Two passes over a table: kinds and row hashes first, then every column against the target."""

    def __init__(
        self, table: Columns, target: str, time: tuple[str, ...], group: str | None, seed: int
    ) -> None:
        self.table, self.target, self.time, self.group, self.seed = table, target, time, group, seed
        self.kinds: dict[str, Kind] = {}
        self.types: dict[str, pl.DataType] = {}
        self.hashes = RowHashes(table.rows)
        self.dates: list[pl.Series] = []

    def look(self) -> None:
        """The first pass: what each column is, and what makes rows equal."""
        for column in self._columns([name for name in self.table.names if name != self.target]):
            kind = kind_of(column)
            self.kinds[column.name], self.types[column.name] = kind, column.dtype
            if kind != "id":
                self.hashes.add(column)
            if kind == "date" and column.name not in self.time:
                self.dates.append(column)

    def conclude(self, task: Task | None, test: Columns | None, now: datetime | None) -> Leakage:
        """The second pass, and what follows from both."""
        answers = self._one(self.target)
        answers = answers.hash() if is_nested(answers) else plain(answers)
        whole = not answers.null_count()
        checks = duplicate_checks(self.hashes, answers.hash().to_numpy() if whole else None)
        if test is not None:
            checks.append(self._overlap(test))
        checks += future_checks(self.dates, self._moment(), None if now is None else now.timestamp())
        prepared = None
        if answers.null_count() < len(answers):
            task = task or task_of(answers)
            group = self._one(self.group) if self.group else None
            keep = self._first_of_each(answers)
            prepared = prepare(answers, task, keep=keep, group=group, seed=self.seed)
        if prepared is None:
            checks.append(Check.skipped("target", "the target has fewer than two values"))
            return self._result(task, [], [], checks, [], 0)
        return self._scan(prepared, checks)

    def _scan(self, target: Target, checks: list[Check]) -> Leakage:
        entities = self._entities()
        apart = self._apart(target, entities)
        found = [
            score_column(column, self.kinds[column.name], target if column.name in entities else apart)
            for column in self._columns(self._asked())
        ]
        flags = [flag for score in found if (flag := flag_of(score, target, len(found)))]
        dropped = {flag.column for flag in flags if flag.column}
        usable = [name for name in self._usable() if name not in dropped]
        scores = {score.column: score.score.value for score in found}
        checks.append(order_check(target, self.table.rows, dated=bool(self.time)))
        checks += model_checks(self.table, target, usable, scores, entities, self.seed)
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

    def _columns(self, names: Sequence[str]) -> Iterator[pl.Series]:
        for block in self.table.blocks(names):
            yield from block

    def _one(self, name: str) -> pl.Series:
        return next(self._columns([name]))

    def _first_of_each(self, answers: pl.Series) -> NDArray[np.bool_]:
        """Rows without their repetitions, unless most rows are repetitions: those are what the table is made of."""
        again = repeated(self.hashes.exact ^ answers.hash(seed=1).to_numpy())
        return ~again if again.mean() <= 0.5 else np.ones(len(again), bool)

    def _asked(self) -> list[str]:
        """The columns that are held against the target: all that hold something and have no other part to play."""
        parts = {*self.time, self.group}
        return [
            name
            for name, kind in self.kinds.items()
            if kind not in ("empty", "constant") and name not in parts
        ]

    def _usable(self) -> list[str]:
        return [name for name in self._asked() if self.kinds[name] not in ("id", "nested")]

    def _excluded(self) -> tuple[tuple[str, str], ...]:
        found = {name: str(kind) for name, kind in self.kinds.items() if kind in _UNUSED}
        found |= dict.fromkeys(self.time, "time")
        return tuple((found | ({self.group: "group"} if self.group else {})).items())

    def _entities(self) -> list[str]:
        """The declared entity; else columns whose name says id and whose values come again."""
        if self.group:
            return [self.group]
        kinds = ("numeric", "categorical")
        return [name for name in self._usable() if is_id_name(name) and self.kinds[name] in kinds][:_ENTITIES]

    def _apart(self, target: Target, entities: Sequence[str]) -> Target:
        """The target with folds that keep entities whole, though nobody declared them.

        What is the same in all rows of a customer would else look like a leak where the answer is the customer's too.
        """
        if self.group:
            return target
        for name in entities:
            column = self._one(name)
            if _FEWEST_ENTITIES <= column.n_unique() <= 0.5 * len(column):
                return target.apart(column, self.seed)
        return target

    def _moment(self) -> pl.Series | None:
        if len(self.time) != 1:
            return None
        column = self._one(self.time[0])
        return column if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime) else None

    def _overlap(self, test: Columns) -> Check:
        """Rows of the test part against those of train, over the columns that both have."""
        compared = [name for name, kind in self.kinds.items() if kind != "id"]
        shared = [name for name in compared if name in test.names]
        train, other = self.hashes, RowHashes(test.rows)
        if shared != compared:
            train = RowHashes(self.table.rows)
            for column in self._columns(shared):
                train.add(column)
        for block in test.blocks(shared):
            for column in block:
                other.add(column, like=self.types[column.name])
        return overlap_check(train, other)


def _sorted(found: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda each: (-each.score, each.column or "")))
