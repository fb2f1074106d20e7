"""What a small model says of the columns that stay: what they know together, and whether it was learned honestly.

- `together`: out-of-fold score on all columns; near-perfect where no single column is means a leak in company.
- `canary`: the same model with the target shuffled. Null: nothing to learn; the ceiling (3.3 standard errors) is passed by about 1
  in 1,000 honest tables, so passing it means that rows or folds are not what they seem.
- `entity_on_both_sides`: a random split scores better than one that keeps entities apart, by more than 0.03 and by
  more than two standard errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from loom.core.column_names import spoken
from loom.science.binning import level_codes
from loom.science.boosting import Matrix, Numbers, as_numbers
from loom.science.leakage import permutation
from loom.science.leakage.findings import Check, CheckCode, Status
from loom.science.leakage.rules import believable
from loom.science.leakage.truth import Truth

TOGETHER = 0.995
_LEAST_ROWS = 60


class Sample:
    """Some rows of every column that goes by, for models that look at several together."""

    def __init__(self, target: Truth, seed: int) -> None:
        places = permutation.sample_of(target, seed)
        self._target, self._seed, self._rows = target.at(places), seed, target.rows[places]
        self._enough = len(self._rows) >= _LEAST_ROWS and target.support >= 2 * permutation.FOLDS
        self._columns: dict[str, Numbers] = {}

    def keep(self, column: pl.Series) -> None:
        """Keep the sampled rows of a column, as a model takes them."""
        if self._enough:
            self._columns[column.name] = as_numbers(column.alias("cells").gather(self._rows))

    def checks(
        self, usable: Sequence[str], scores: Mapping[str, float], entities: Sequence[pl.Series]
    ) -> list[Check]:
        """The three looks, on at most 60 of the usable columns: those that know most."""
        chosen = sorted(sorted(usable, key=lambda name: -scores.get(name, 0.0))[: permutation.COLUMNS])
        if not chosen or not self._enough:
            codes: tuple[CheckCode, ...] = ("together", "canary")
            return [Check.skipped(code, "too few rows, or no columns") for code in codes]
        rows = len(self._rows)
        matrix = np.column_stack([self._columns[name] for name in chosen])
        honest = permutation.strength(matrix, self._target, seed=self._seed)
        shuffled = permutation.strength(matrix, self._target, seed=self._seed, shuffle=True)
        leaks = honest.score >= TOGETHER and believable(honest.score, self._target)
        checks = [
            Check(
                "together", "suspect" if leaks else "ok", honest.score, TOGETHER, rows,
                "a small model's score on the columns that stay, out of fold",
            ),
            Check(
                "canary", "ok" if shuffled.is_chance else "suspect", shuffled.score, shuffled.ceiling, rows,
                "the same model's score when the target is shuffled",
            ),
        ]  # fmt: skip
        return [*checks, *(self._apart(matrix, honest.score, entity) for entity in entities)]

    def _apart(self, matrix: Matrix, honest: float, entity: pl.Series) -> Check:
        groups = level_codes(entity.gather(self._rows)).codes
        apart = permutation.strength(matrix, self._target, seed=self._seed, groups=groups)
        gap, least = honest - apart.score, max(permutation.GROUP_GAP, 2 * apart.error)
        what = f"how much better a split scores that lets `{spoken(entity.name)}` stand on both sides"
        status: Status = "suspect" if gap > least else "ok"
        return Check("entity_on_both_sides", status, gap, least, len(self._rows), what)
