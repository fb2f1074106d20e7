"""Two tables side by side, a block of columns at a time: each column compared in the way that fits it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from loom.science.boosting import Matrix
from loom.science.columns import Columns, block_width
from loom.science.drift.shifts import Shift, Side, shift_of_gaps, shift_of_levels, shift_of_numbers
from loom.science.profile.inspection import Inspected, inspect
from loom.science.roles import Kind, holds
from loom.science.texts import numbers_in

As = Literal["numbers", "levels", "lengths", "gaps", "nothing"]

SAMPLE_ROWS = 20_000
_DOMAIN_ROWS = 10_000
_DOMAIN_CELLS = 8_000_000
_FEW_VALUES = 20
_NUMERIC: frozenset[Kind] = frozenset({"whole", "number", "boolean"})


@dataclass(frozen=True, slots=True)
class Compared:
    """One column of both tables, how it was compared, and what differs; `nothing` where the types do not go together."""

    name: str
    compared_as: As
    shift: Shift


class Comparison:
    """Compares columns, and keeps of each what a model needs to tell the tables apart."""

    def __init__(
        self, current: Columns, reference: Columns, *, time: Sequence[str] = (), seed: int = 0
    ) -> None:
        self._time = frozenset(time)
        self._tables = (current, reference)
        random = np.random.default_rng(seed)
        self._samples = [
            np.sort(random.choice(table.rows, min(table.rows, SAMPLE_ROWS), replace=False))
            for table in self._tables
        ]
        width = max(len(reference.names), 1)
        rows = max(1_000, min(_DOMAIN_ROWS, _DOMAIN_CELLS // width))
        self._domain = [
            np.sort(random.choice(sample, min(len(sample), rows), replace=False)) for sample in self._samples
        ]
        self._kept: dict[str, tuple[pl.Series, pl.Series]] = {}

    def answer(self, name: str) -> Compared:
        """The comparison of a target or a prediction: few values are levels, whatever their type."""
        return next(self._compared([name], answer=True))

    def features(self, names: Sequence[str]) -> Iterator[Compared]:
        """The comparison of every column, in their order."""
        rows = max(table.rows for table in self._tables)
        width = block_width(2 * rows)
        for start in range(0, len(names), width):
            yield from self._compared(names[start : start + width])

    def domain(self) -> tuple[list[str], Matrix, Matrix]:
        """The features that have been compared, as numbers, with the same columns for both tables."""
        sides = tuple(
            np.column_stack([pair[side].cast(pl.Float32).to_numpy() for pair in self._kept.values()])
            if self._kept
            else np.empty((0, 0), np.float32)
            for side in (0, 1)
        )
        return list(self._kept), sides[0], sides[1]

    def _compared(self, names: Sequence[str], *, answer: bool = False) -> Iterator[Compared]:
        # whatever the columns are called, here they are numbered
        here, there = (
            pl.DataFrame([series.alias(str(at)) for at, series in enumerate(table.take(names))])
            for table in self._tables
        )
        inspected, _ = inspect(there[self._samples[1]], 0)
        for at, (name, known) in enumerate(zip(names, inspected, strict=True)):
            a, b = here[str(at)], there[str(at)]
            moves = name in self._time
            how = (
                "gaps"
                if moves
                else _way(known, holds(a.dtype), few=answer and known.traits.distinct <= _FEW_VALUES)
            )
            a, b = _as(how, a), _as(how, b)
            if not answer and how not in ("gaps", "nothing"):
                self._keep(name, how, a, b)
            yield Compared(name, how, self._shift(how, a, b))

    def _shift(self, how: As, current: pl.Series, reference: pl.Series) -> Shift:
        sides = Side(current, self._samples[0]), Side(reference, self._samples[1])
        if how == "levels":
            return shift_of_levels(*sides)
        if how in ("numbers", "lengths"):
            return shift_of_numbers(*sides)
        return shift_of_gaps(current, reference)

    def _keep(self, name: str, how: As, current: pl.Series, reference: pl.Series) -> None:
        a, b = current.gather(self._domain[0]), reference.gather(self._domain[1])
        if how == "levels":
            codes = pl.concat([a, b]).rank("dense")
            a, b = codes.slice(0, len(a)), codes.slice(len(a))
        self._kept[name] = (a, b)


def _way(known: Inspected, current: Kind, *, few: bool) -> As:
    """How a column is compared, by what it is in the reference and by the type it has now.

    Ids differ by nature and dates move on, so only their gaps are compared.
    """
    before = known.traits.kind
    if "empty" in (before, current):
        return "gaps"
    numeric = before in _NUMERIC and current in _NUMERIC
    if before != current and not numeric:
        return "nothing"
    if known.role in ("id", "date") or before == "nested":
        return "gaps"
    if few or known.role == "categorical":
        return "levels"
    if before == "text":
        return {"numeric": "numbers", "text": "lengths"}.get(known.role, "levels")  # type: ignore[return-value]
    return "levels" if before == current == "boolean" else "numbers"


def _as(how: As, cells: pl.Series) -> pl.Series:
    kind = holds(cells.dtype)
    if how == "lengths":
        return cells.cast(pl.String).str.len_chars()
    if how == "numbers":
        return numbers_in(cells.cast(pl.String)) if kind == "text" else cells.to_physical()
    if how == "levels":
        # 1 and 1.0 are one level
        return cells.cast(pl.Float64).cast(pl.String) if kind in _NUMERIC else cells.cast(pl.String)
    return cells
