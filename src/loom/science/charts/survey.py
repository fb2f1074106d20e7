"""A first look at a table, for choosing what to draw: gaps from all rows, all else from a sample of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.charts.answers import Answer, answer_of
from loom.science.charts.strength import strength_of
from loom.science.columns import Columns, Source, columns_of
from loom.science.profile.correlations import Relation, Relations
from loom.science.profile.inspection import Inspected, inspect
from loom.science.roles import Role

_SAMPLE_ROWS = 20_000
_SAMPLE_CELLS = 20_000_000
_LEAST_ROWS = 2_000
_FEW_LEVELS = 50
_LEVEL_SHARE = 0.05
_PAIRS = 60

WEAK = 0.05
"""A strength below which a column has nothing to do with the target."""

_DRAWN: frozenset[Role] = frozenset({"numeric", "categorical", "boolean", "date"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One column: its role, whether its values may be drawn, its missing cells, and how well it tells the target.

    `strength` is how far the target differs between its values, from 0 to 1.
    """

    name: str
    role: Role
    may_be_drawn: bool
    missing: int
    strength: float | None


@dataclass(frozen=True, slots=True)
class Survey:
    """The table with what a first look found, and the target where there is one."""

    table: Columns
    columns: tuple[Seen, ...]
    target: str | None
    answer: Answer | None
    relations: tuple[Relation, ...]
    seed: int

    def drawable(self) -> list[Seen]:
        """The columns whose values may be drawn, without the target: what tells most of it first."""
        found = [each for each in self.columns if each.may_be_drawn and each.name != self.target]
        return sorted(found, key=lambda each: -(each.strength or 0.0))


def survey(source: Source, *, target: str | None = None, seed: int = 0) -> Survey:
    """Look at every column once, a block at a time."""
    table = columns_of(source)
    if target is not None and target not in table.names:
        raise LoomError(
            f"the data has no column `{target}`",
            f"its columns are {', '.join(table.names[:20])}{', ...' if len(table.names) > 20 else ''}",
            "name one of them with --target",
        )
    answer = answer_of(table, target) if target is not None and table.rows else None
    sample = _sample(table, seed)
    relations = Relations(len(sample), len(table.names), seed=seed)
    told = None if answer is None else answer.at(sample)
    seen: list[Seen] = []
    for block in table.blocks():
        few = block[sample] if len(sample) < block.height else block
        inspected, _ = inspect(few, len(seen))
        for one, cells in zip(inspected, block, strict=True):
            _relate(relations, one)
            drawn = one.role in _DRAWN and not one.personal
            strength = None
            if drawn and told is not None and one.name != target and one.values is not None:
                strength = strength_of(one.values, told)
            missing = cells.null_count()
            if cells.dtype.is_float():
                missing += int(cells.is_nan().sum())
            seen.append(Seen(one.name, one.role, drawn, missing, strength))
    return Survey(table, tuple(seen), target, answer, relations.strongest(_PAIRS), seed)


def _sample(table: Columns, seed: int) -> NDArray[np.int64]:
    most = max(_LEAST_ROWS, min(_SAMPLE_ROWS, _SAMPLE_CELLS // max(len(table.names), 1)))
    if table.rows <= most:
        return np.arange(table.rows)
    return np.sort(np.random.default_rng(seed).choice(table.rows, most, replace=False))


def _relate(relations: Relations, one: Inspected) -> None:
    if one.values is None or one.personal:
        return
    if one.role != "categorical":
        relations.add_numbers(one.name, one.values)
    elif one.traits.distinct <= max(_FEW_LEVELS, _LEVEL_SHARE * one.traits.present):
        relations.add_levels(one.name, one.values)
