"""What two parts of a table share: rows, entities, moments. It looks at the parts, not at how they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.kernel.errors import LoomError
from loom.science.columns import Columns, Source, columns_of, spelled
from loom.science.splits.clock import Duration, clock_of
from loom.science.splits.likeness import Words, cell_hashes, feature_names, row_hashes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of the test part: the rows whose features, entity or interval of time the training part has as well.

    `groups` counts the entities, `group_rows` their rows. None: there was nothing of that kind to compare.
    """

    n_train: int
    n_test: int
    rows: int | None
    groups: int | None
    group_rows: int | None
    times: int | None

    @property
    def clean(self) -> bool:
        """Whether the parts share nothing that was compared."""
        return not (self.rows or self.groups or self.times)

    def as_json(self) -> dict[str, Any]:
        """The counts as plain data."""
        return {
            "n_train": self.n_train,
            "n_test": self.n_test,
            "rows": self.rows,
            "groups": self.groups,
            "group_rows": self.group_rows,
            "times": self.times,
            "clean": self.clean,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What rows are told apart by: a hash of their features, one of their entity, and the interval they know of."""

    features: Words | None = field(default=None, repr=False)
    entities: Words | None = field(default=None, repr=False)
    t0: Floats | None = field(default=None, repr=False)
    t1: Floats | None = field(default=None, repr=False)
    count: int = 0

    def at(self, rows: Ints) -> Marks:
        """The marks of some rows."""
        parts = {
            name: None if (known := getattr(self, name)) is None else known[rows]
            for name in ("features", "entities", "t0", "t1")
        }
        return replace(self, **parts, count=len(rows))


def marks(
    table: Source, *, target: str | None = None, time: Sequence[str] = (), group: str | None = None,
    horizon: Duration | None = None, without: Sequence[str] = (),
) -> Marks:  # fmt: skip
    """The marks of every row of a table, for the folds of a splitting: `overlap(known.at(train), known.at(test))`.

    Features are all columns but target, time, group and those named `without`, such as ids.
    """
    columns = columns_of(table)
    features = feature_names(columns, {target, group, *time, *without})
    t0 = t1 = None
    if time:
        clock = clock_of(columns.take(list(time)))
        t0, t1 = clock.times, clock.times + clock.length(horizon, "horizon")
    return Marks(
        row_hashes(columns.each(features), columns.rows) if features else None,
        None if group is None else cell_hashes(columns.column(group)),
        t0, t1, columns.rows,
    )  # fmt: skip


def overlap(train: Marks, test: Marks) -> Overlap:
    """What two sets of rows share; of each kind, only where both have it."""
    rows = groups = group_rows = times = None
    if train.features is not None and test.features is not None:
        rows = int(np.isin(test.features, train.features).sum())
    if train.entities is not None and test.entities is not None:
        shared = np.isin(test.entities, train.entities)
        groups, group_rows = len(np.unique(test.entities[shared])), int(shared.sum())
    if train.t0 is not None and train.t1 is not None and test.t0 is not None and test.t1 is not None:
        # an interval that ended before began before as well, so that the rest of those that began overlap
        began = np.searchsorted(np.sort(train.t0), test.t1, side="right")
        ended = np.searchsorted(np.sort(train.t1), test.t0, side="left")
        times = int((began > ended).sum())
    return Overlap(train.count, test.count, rows, groups, group_rows, times)


def overlaps(
    train: Source, test: Source, *, target: str | None = None, time: Sequence[str] = (), group: str | None = None,
    horizon: Duration | None = None, without: Sequence[str] = (),
) -> Overlap:  # fmt: skip
    """What two tables share, over the columns that both have; the test part is read in the types of the other."""
    left, right = columns_of(train), columns_of(test)
    for name in (*time, *([group] if group else [])):
        for table in (left, right):
            if name not in table.names:
                raise LoomError(
                    f"the parts of a split cannot be compared by `{name}`",
                    "one of them has no such column",
                    "loom validate with --time and --group as the data was ingested",
                )
    both = [name for name in left.names if name in set(right.names)]
    joined = Columns(tuple(both), left.rows + right.rows, lambda names: _joined(left, right, names))
    known = marks(joined, target=target, time=time, group=group, horizon=horizon, without=without)
    return overlap(known.at(np.arange(left.rows)), known.at(np.arange(left.rows, left.rows + right.rows)))


def _joined(left: Columns, right: Columns, names: Sequence[str]) -> pl.DataFrame:
    """Both tables, one below the other; where a type differs, as the number or the text that both can be."""
    above, below = left.take(names), right.take(names)
    pairs = [_alike(above[name], below[name]) for name in names]
    return pl.DataFrame([pl.concat(pair) for pair in pairs])


def _alike(one: pl.Series, other: pl.Series) -> list[pl.Series]:
    if one.dtype == other.dtype and one.dtype not in (pl.Categorical, pl.Enum):
        return [one, other]
    kinds = [column.dtype.is_numeric() or column.dtype in (pl.Null, pl.Boolean) for column in (one, other)]
    if all(kinds):
        return [column.cast(pl.Float64) for column in (one, other)]
    moments = [column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime) for column in (one, other)]
    if all(moments):
        return [column.cast(pl.Datetime("us")) for column in (one, other)]
    return [spelled(column).cast(pl.String) for column in (one, other)]
