"""When and in what order: whether a row's place tells its target, and whether its dates lie after its own time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from loom.core.column_names import spoken
from loom.science.binning import BINS, ROWS_PER_BIN, Coded, Floats, Ints, numbers
from loom.science.leakage.findings import Check, Status
from loom.science.leakage.scores import BIN_PRIOR, class_score, class_table
from loom.science.leakage.truth import Truth

ROW_ORDER = 0.60
FUTURE = 0.01
_STEPS = (2, 3, 4, 5, 10)
_DAY = 86_400.0


def order_check(target: Truth, rows: int, *, dated: bool = False) -> Check:
    """Cross-fitted AUC of 64 blocks of rows, and of every second, third, … row.

    A regression target is cut at its median. Null: rows in no order. It trips at 0.6, and only beyond four standard
    errors of a random AUC; where a time is declared (`dated`) that is a trend to split by, and only noted.
    """
    if target.task == "regression":
        above = (target.ranks > np.median(target.ranks)).astype(np.int64)
        support = int(min(above.sum(), len(above) - above.sum()))
        target = replace(target, task="binary", codes=above, classes=2, support=support)
    if len(target.rows) < 2 * ROWS_PER_BIN or not target.support:
        return Check.skipped("row_order", "too few rows")
    blocks = min(BINS, len(target.rows) // ROWS_PER_BIN)
    found = [_auc(target.rows * blocks // max(rows, 1), blocks, target)]
    found += [_auc(target.rows % step, step, target) for step in _STEPS]
    best = max(found)
    error = np.sqrt((1 / target.support + 1 / (len(target.rows) - target.support)) / 12)
    tripped: Status = "note" if dated else "suspect"
    status = tripped if best >= max(ROW_ORDER, 0.5 + 4 * error) else "ok"
    what = "how far a row's place in the table tells its target"
    return Check("row_order", status, best, ROW_ORDER, len(target.rows), what)


class Late:
    """Counts, date column by date column, the rows dated after their own time or after `now` (seconds since 1970).

    A hundredth of the rows makes a suspect; a single one is noted.
    """

    def __init__(self, moment: pl.Series | None, now: float | None) -> None:
        self._asked = moment is not None or now is not None
        self._limit: Floats | float = np.inf if now is None else now
        if moment is not None:
            # of a plain date the hour is not known, so all of the day counts as present
            whole_day = _DAY if moment.dtype == pl.Date else 0.0
            self._limit = np.minimum(_seconds(moment) + whole_day, self._limit)
        self._found: list[Check] = []

    def look(self, column: pl.Series) -> None:
        """Count the late dates of one column."""
        if not self._asked:
            return
        values = _seconds(column)
        late, known = int((values > self._limit).sum()), int((~np.isnan(values)).sum())
        share = late / max(known, 1)
        status: Status = "suspect" if late and share >= FUTURE else "note" if late else "ok"
        what = f"rows with `{spoken(column.name)}` after their own time"
        self._found.append(Check("future_dated", status, share, FUTURE, late, what, column.name))

    def checks(self) -> list[Check]:
        """One check per column."""
        if self._asked:
            return self._found
        return [Check.skipped("future_dated", "no time to compare dates with")]


def _auc(places: Ints, count: int, target: Truth) -> float:
    return class_score(class_table(Coded(places, count, None), target), BIN_PRIOR).value


def _seconds(column: pl.Series) -> Floats:
    return numbers(column) / 1e6
