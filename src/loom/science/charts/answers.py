"""The target as charts see it: classes that may be named, or amounts, one for each row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.charts.chart import labels, may_draw
from loom.science.columns import Columns, plain
from loom.science.disclosure import LONGEST_LEVEL, may_show_level
from loom.science.profile.inspection import inspect
from loom.science.targets import Task, task_of

Floats = NDArray[np.float64]

_MOST_CLASSES = 6
_YES = frozenset({"yes", "y", "true", "t", "1"})
REST = "other"


@dataclass(frozen=True, slots=True)
class Answer:
    """The target of every row: `codes` number `classes`, -1 where there is none; `values` are those of a regression.

    `event` is the class whose rate is told: the one that says yes, else the rarer one.
    """

    name: str
    task: Task
    classes: tuple[str, ...]
    codes: NDArray[np.int16]
    values: Floats | None
    event: int

    @property
    def rest(self) -> str | None:
        """The class that holds all that are too small or too many to be named."""
        return REST if self.classes and self.classes[-1] == REST else None

    def at(self, rows: NDArray[np.int64]) -> Answer:
        """The target of some rows."""
        values = None if self.values is None else self.values[rows]
        return replace(self, codes=self.codes[rows], values=values)


def answer_of(table: Columns, name: str) -> Answer | None:
    """The target, or None where nothing of it may be shown: it never changes, or it names people or rows."""
    frame = plain(table.read([name]))
    (seen,), _ = inspect(frame, 0)
    traits = seen.traits
    task = task_of(traits.kind, seen.role, traits.distinct, traits.least, traits.most)
    if task is None or seen.personal or traits.kind in ("moment", "nested") or seen.role in ("id", "date"):
        return None
    cells = frame.to_series()
    cells = cells.fill_nan(None) if cells.dtype.is_float() else cells
    if task == "regression":
        if seen.values is None or not may_draw(traits.present):
            return None
        values = seen.values.to_physical().cast(pl.Float64).to_numpy()
        values = np.where(np.isfinite(values), values, np.nan)
        return Answer(name, task, (), np.full(len(cells), -1, np.int16), values, 0)
    return _classes(name, task, cells)


def _classes(name: str, task: Task, cells: pl.Series) -> Answer | None:
    texts = texts_of(cells)
    counts = counts_of(texts)
    rows = int(counts["count"].sum())
    named = [level for level, count in counts.iter_rows() if may_show_level(count, rows)][:_MOST_CLASSES]
    if not named:
        return None
    codes = codes_of(texts, named)
    classes = labels([level[:LONGEST_LEVEL] for level in named], 20)
    rest = rows - int((codes >= 0).sum())
    if may_draw(rest):
        codes[(codes < 0) & texts.is_not_null().to_numpy()] = len(classes)
        classes.append(REST)
    if len(classes) < 2:
        return None
    said_yes = [at for at, level in enumerate(named) if level.strip().casefold() in _YES]
    event = said_yes[0] if len(said_yes) == 1 else len(classes) - 1
    return Answer(name, task, tuple(classes), codes, None, event)


def texts_of(cells: pl.Series) -> pl.Series:
    """Levels as text, whatever their type: truth values in small letters, whole numbers without a point."""
    if cells.dtype == pl.Boolean:
        return cells.cast(pl.String).str.to_lowercase()
    if cells.dtype.is_float() and bool((cells == cells.round(0)).all()):
        return cells.cast(pl.Int64, strict=False).cast(pl.String)
    return cells.cast(pl.String)


def counts_of(texts: pl.Series) -> pl.DataFrame:
    """How often each `level` occurs (`count`), the most frequent first; missing cells are left out."""
    counts = texts.alias("level").drop_nulls().value_counts(name="count")
    return counts.sort("count", "level", descending=[True, False])


def codes_of(texts: pl.Series, named: list[str]) -> NDArray[np.int16]:
    """The place of every cell among some levels; -1 for all others."""
    known = pl.DataFrame({"level": named, "code": np.arange(len(named), dtype=np.int16)})
    found = texts.alias("level").to_frame().join(known, on="level", how="left", maintain_order="left")
    return found["code"].fill_null(-1).to_numpy().astype(np.int16)
