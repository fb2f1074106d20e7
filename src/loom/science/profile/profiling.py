"""What a table is like: every column, the target, repeated rows, the strongest relations, and what looks odd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import polars as pl

from loom.kernel.errors import LoomError
from loom.kernel.verdict import Reason
from loom.science.columns import Source, columns_of
from loom.science.profile.correlations import Relation, Relations
from loom.science.profile.duplicates import Duplicates, RowWords
from loom.science.profile.groups import Group, possible_groups
from loom.science.profile.inspection import Inspected, inspect
from loom.science.profile.oddities import oddities
from loom.science.profile.times import Time, time_in
from loom.science.roles import Role
from loom.science.targets import Choice, Level, Target, balance_of, resolve_target, task_of

# more levels than these are codes, and a code goes together with anything
_FEW_LEVELS = 50
_LEVEL_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is, how much is missing (a share), how many values, how they lie, what was noticed.

    `approx` marks a number of values that was estimated. Quantiles and levels are those that may be shown; of more
    than 100,000 rows, quantiles come from 100,000 of them.
    """

    name: str
    dtype: str
    role: Role
    missing: float
    n_unique: int
    approx: bool
    quantiles: dict[str, float] | dict[str, str] | None
    skew: float | None
    scan: dict[str, Any]
    levels: tuple[Level, ...]

    def as_json(self) -> dict[str, Any]:
        """The column as plain data."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "role": self.role,
            "missing": self.missing,
            "n_unique": self.n_unique,
            "approx": self.approx,
            "quantiles": self.quantiles,
            "skew": self.skew,
            "scan": self.scan,
            "levels": [level.as_json() for level in self.levels],
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile of a table."""

    n_rows: int
    n_cols: int
    columns: tuple[Column, ...]
    target: Target | None
    top_correlations: tuple[Relation, ...]
    duplicates: Duplicates
    time: Time | None
    group: str | None
    possible_groups: tuple[Group, ...]
    warnings: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        """The profile as plain data, in the words of the summary of `eda`."""
        columns = None if self.time is None else self.time.columns
        return {
            "n_rows": self.n_rows,
            "n_cols": self.n_cols,
            "columns": [column.as_json() for column in self.columns],
            "target": None if self.target is None else self.target.as_json(),
            "top_correlations": [relation.as_json() for relation in self.top_correlations],
            "duplicates": self.duplicates.as_json(),
            "time_col": columns[0]
            if columns is not None and len(columns) == 1
            else columns and list(columns),
            "time_declared": self.time is not None and self.time.declared,
            "group_col": self.group,
            "possible_groups": [group.as_json() for group in self.possible_groups],
            "warnings": [warning.as_dict() for warning in self.warnings],
        }


def profile(
    source: Source,
    *,
    target: str | None = None,
    time: Sequence[str] = (),
    group: str | None = None,
    test_names: Sequence[str] | None = None,
    seed: int = 0,
) -> Profile:
    """Profile a table, a block of columns at a time: memory grows with the rows, not with the columns.

    The target is the declared one, else the one column that `test_names` lacks, else `target` or `label`.
    """
    table = columns_of(source)
    _check_declared(table.names, time, group)
    choice = resolve_target(table.names, declared=target, test_names=test_names)
    rows = RowWords(table.rows)
    relations = Relations(table.rows, len(table.names), seed=seed)
    found: list[Inspected] = []
    for block in table.blocks():
        inspected, hashes = inspect(block, len(found))
        answer_or_id = [
            one.role == "id" or (choice is not None and one.name == choice.name) for one in inspected
        ]
        rows.add(hashes, list(compress(hashes.columns, answer_or_id)))
        for one in inspected:
            _relate(relations, one)
            found.append(replace(one, values=None))
    cells = None if choice is None else table.column(choice.name)
    answer = (
        None
        if choice is None or cells is None
        else _target(cells, choice, found[table.names.index(choice.name)])
    )
    when = Time(tuple(time), declared=True) if time else time_in([(one.traits, one.role) for one in found])
    groups = (
        ()
        if group is not None
        else possible_groups(
            [(one.traits, one.role) for one in found if answer is None or one.name != answer.name]
        )
    )
    duplicates = rows.count(cells)
    return Profile(
        n_rows=table.rows,
        n_cols=len(table.names),
        columns=tuple(map(_column, found)),
        target=answer,
        top_correlations=relations.strongest(),
        duplicates=duplicates,
        time=when,
        group=group,
        possible_groups=groups,
        warnings=oddities(table.rows, found, answer, duplicates, when, groups),
    )


def _check_declared(names: Sequence[str], time: Sequence[str], group: str | None) -> None:
    for name, option in [*((each, "--time") for each in time), *([(group, "--group")] if group else [])]:
        if name not in names:
            raise LoomError(
                f"the data has no column `{name}`",
                f"its columns are {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}",
                f"name one of them with {option}",
            )


def _relate(relations: Relations, one: Inspected) -> None:
    """Offer a column to the search for relations; ids, constants and text have none that mean anything."""
    if one.values is None:
        return
    if one.role != "categorical":
        relations.add_numbers(one.name, one.values)
    elif one.traits.distinct <= max(_FEW_LEVELS, _LEVEL_SHARE * one.traits.present):
        relations.add_levels(one.name, one.values)


def _column(one: Inspected) -> Column:
    traits = one.traits
    return Column(
        name=one.name,
        dtype=one.dtype,
        role=one.role,
        missing=round(traits.missing / traits.rows, 6) if traits.rows else 0.0,
        n_unique=traits.distinct,
        approx=one.approx,
        quantiles=one.quantiles(),
        skew=one.skew(),
        scan=one.scan(),
        levels=one.levels,
    )


def _target(cells: pl.Series, choice: Choice, one: Inspected) -> Target:
    traits = (
        replace(one.traits, distinct=cells.n_unique() - bool(one.traits.missing))
        if one.approx
        else one.traits
    )
    task = task_of(traits.kind, one.role, traits.distinct, traits.least, traits.most)
    balance = None
    if task in ("binary", "multiclass"):
        balance = balance_of(cells, personal=one.personal)
    missing = round(traits.missing / traits.rows, 6) if traits.rows else 0.0
    return Target(choice.name, choice.inferred, choice.why, task, balance, missing)
