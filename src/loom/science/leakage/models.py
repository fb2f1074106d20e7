"""What a small model says of the columns that stay: what they know together, and whether it was learned honestly.

- `together`: out-of-fold score on all columns; near-perfect where no single column is means a leak in company.
- `canary`: the same model with the target shuffled. Null: nothing to learn; the ceiling (3.3 standard errors) is passed by about 1
  in 1,000 honest tables, so passing it means that rows or folds are not what they seem.
- `entity_on_both_sides`: a random split scores better than one that keeps entities apart, by more than 0.03 and by
  more than two standard errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import polars as pl

from loom.science.binning import level_codes
from loom.science.boosting import matrix_of
from loom.science.leakage import permutation
from loom.science.leakage.findings import Check, CheckCode
from loom.science.leakage.rules import believable
from loom.science.leakage.truth import Truth

TOGETHER = 0.995
_LEAST_ROWS = 60


def model_checks(
    read: Callable[[Sequence[str]], Iterator[pl.Series]], target: Truth, usable: Sequence[str], scores: Mapping[str, float], entities: Sequence[str],
    seed: int,
) -> list[Check]:  # fmt: skip
    """The three looks, on at most 60 columns (those that know most) and 5,000 rows."""
    chosen = sorted(sorted(usable, key=lambda name: -scores.get(name, 0.0))[: permutation.COLUMNS])
    places = permutation.sample_of(target, seed)
    rows = target.rows[places]
    if not chosen or len(rows) < _LEAST_ROWS or target.support < 2 * permutation.FOLDS:
        codes: tuple[CheckCode, ...] = ("together", "canary")
        return [Check.skipped(code, "too few rows, or no columns") for code in codes]
    part = target.at(places)
    matrix = matrix_of(column.gather(rows) for column in read(chosen))
    honest = permutation.strength(matrix, part, seed=seed)
    shuffled = permutation.strength(matrix, part, seed=seed, shuffle=True)
    checks = [
        Check(
            "together", "suspect" if honest.score >= TOGETHER and believable(honest.score, part) else "ok", honest.score, TOGETHER, len(rows),
            "a small model's score on the columns that stay, out of fold",
        ),
        Check(
            "canary", "ok" if shuffled.is_chance else "suspect", shuffled.score, shuffled.ceiling, len(rows),
            "the same model's score when the target is shuffled",
        ),
    ]  # fmt: skip
    for name in entities:
        groups = level_codes(next(read([name])).gather(rows)).codes
        apart = permutation.strength(matrix, part, seed=seed, groups=groups)
        gap, least = honest.score - apart.score, max(permutation.GROUP_GAP, 2 * apart.error)
        checks.append(
            Check(
                "entity_on_both_sides", "suspect" if gap > least else "ok", gap, least, len(rows),
                f"how much better a split scores that lets `{name}` stand on both sides",
            )
        )  # fmt: skip
    return checks
