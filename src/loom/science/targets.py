"""The column to predict: which one it is, what kind of task it makes, and how its values are shared out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from loom.kernel.errors import LoomError
from loom.science.disclosure import LONGEST_LEVEL, may_show_level
from loom.science.reading import traits_of
from loom.science.roles import Kind, Role, role_of
from loom.science.texts import counts_of

Task = Literal["binary", "multiclass", "regression"]

_USUAL = ("target", "label")
_MOST_CODES = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """A column to predict, and why it is that one."""

    name: str
    inferred: bool
    why: str


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a column, with the rows that have it."""

    level: str
    count: int
    share: float

    def as_json(self) -> dict[str, Any]:
        """The level as plain data."""
        return {"level": self.level, "count": self.count, "share": self.share}


@dataclass(frozen=True, slots=True)
class Balance:
    """How the rows fall into classes: how many classes, the share of the smallest, and those that may be named."""

    classes: int
    smallest: float
    levels: tuple[Level, ...]

    def as_json(self) -> dict[str, Any]:
        """The balance as plain data."""
        return {
            "classes": self.classes,
            "smallest": self.smallest,
            "levels": [level.as_json() for level in self.levels],
        }


@dataclass(frozen=True, slots=True)
class Target:
    """The target with its task (none when it never changes), its balance (of classes) and its missing share."""

    name: str
    inferred: bool
    why: str
    task: Task | None
    balance: Balance | None
    missing: float

    def as_json(self) -> dict[str, Any]:
        """The target as plain data."""
        return {
            "name": self.name,
            "inferred": self.inferred,
            "why": self.why,
            "task": self.task,
            "balance": None if self.balance is None else self.balance.as_json(),
            "missing": self.missing,
        }


def resolve_target(
    names: Sequence[str], *, declared: str | None = None, test_names: Sequence[str] | None = None
) -> Choice | None:
    """The declared column; else the one that only the train part has; else `target` or `label`; else none."""
    if declared is not None:
        if declared not in names:
            raise LoomError(
                f"the data has no column `{declared}` to predict",
                f"its columns are {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}",
                "name one of them with --target",
            )
        return Choice(declared, False, "declared")
    if test_names is not None:
        only = [name for name in names if name not in set(test_names)]
        if len(only) == 1:
            return Choice(only[0], True, "the one column that is in train and not in test")
    for usual in _USUAL:
        found = [name for name in names if name.strip().casefold() == usual]
        if len(found) == 1:
            return Choice(found[0], True, f"it is called `{found[0]}`")
    return None


def task_of(kind: Kind, role: Role, distinct: int, least: float | None, most: float | None) -> Task | None:
    """The task a target makes.

    Two values are classes. More are classes when they are words, or whole numbers that count up from 0 or 1
    without a gap and are at most 20; other numbers are amounts, so a score from 3 to 9 is a regression.
    """
    if distinct < 2:
        return None
    if distinct == 2:
        return "binary"
    if role == "numeric" and kind != "whole":
        return "regression"
    if kind == "whole" and role != "categorical":
        coded = least in (0, 1) and most is not None and most - (least or 0) + 1 == distinct <= _MOST_CODES
        return "multiclass" if coded else "regression"
    return "regression" if kind == "moment" else "multiclass"


def task_in(cells: pl.Series) -> Task | None:
    """The task that a column makes as a target."""
    traits = traits_of(cells)
    if traits.kind == "nested":
        return "multiclass"
    if traits.kind in ("whole", "number", "moment"):
        traits = replace(traits, distinct=cells.n_unique() - bool(traits.missing))
    return task_of(traits.kind, role_of(traits), traits.distinct, traits.least, traits.most)


def levels_of(counts: pl.DataFrame, rows: int, most: int = 20) -> tuple[Level, ...]:
    """The levels that may be named, most frequent first, of a frame with the columns `level` and `count`."""
    shown = (
        counts.drop_nulls("level")
        .filter(pl.col("count") > 0)
        .sort("count", "level", descending=[True, False])
    )
    return tuple(
        Level(_text(level)[:LONGEST_LEVEL], count, round(count / rows, 6))
        for level, count in shown.select("level", "count").head(most).iter_rows()
        if may_show_level(count, rows)
    )


def balance_of(cells: pl.Series, *, personal: bool = False) -> Balance:
    """The balance of a column of classes; missing cells are left out."""
    counts = counts_of(cells.alias("cells").drop_nulls())
    rows = max(int(counts["count"].sum()), 1)
    smallest = min(counts["count"], default=0)
    return Balance(len(counts), round(smallest / rows, 6), () if personal else levels_of(counts, rows))


def _text(level: object) -> str:
    if isinstance(level, bool):
        return str(level).lower()
    return f"{level:g}" if isinstance(level, float) else str(level)
