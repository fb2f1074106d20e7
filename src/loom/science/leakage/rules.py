"""From scores to findings: what is dropped, what is only looked at again, and how sure that has to be.

A flag means that the column is dropped, so it needs both a score and enough rows to believe it. The null of a
separation is an honest strong column, AUC 0.93, in its worst form: two values, with every error in the smaller
class, so that it misses 14 % of it. Where so few errors have a chance of more than 1 in 1,000 under that null, the
column is a suspect instead; a perfect column needs 46 rows outside the largest class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import bdtr, betaincinv

from loom.science.leakage.afterwards import is_after_the_event
from loom.science.leakage.copies import COPY
from loom.science.leakage.findings import DropReason, Finding, SuspectReason
from loom.science.leakage.scores import Purity, Score
from loom.science.leakage.truth import Truth
from loom.science.reading import Use

DROP = 0.995
DROP_MISSING = 0.90
DROP_NAMED = 0.95
SUSPECT = 0.90
SUSPECT_MISSING = 0.65
GAP = 0.15
MANY_LEVELS = 50
_HONEST_MISS = 0.14
_RARE = 0.001
_REGRESSION_ROWS = 50
_MISSING_SUPPORT = 20
_MISSING_EXPLAINED = 0.25
_PURE_ERRORS = 0.02
_PURE_BOUND = 0.28
_COVERED = 0.10
_PURE_ROWS = 20
_SUSPECT_SUPPORT = 10


@dataclass(frozen=True, slots=True)
class ColumnScore:
    """What the scan found about one column."""

    column: str
    use: Use
    score: Score
    missing: tuple[float, float, float]
    levels: int
    purity: Purity | None
    copy: tuple[float, str]
    pure: tuple[float, int]


def believable(score: float, target: Truth) -> bool:
    """Whether there are rows enough to tell this score from an honest strong column's luck."""
    if target.task == "regression":
        return len(target.rows) >= _REGRESSION_ROWS
    errors = math.floor(2 * (1 - score) * target.support)
    return bool(bdtr(errors, target.support, _HONEST_MISS) <= _RARE)


def flag_of(found: ColumnScore, target: Truth, tested: int) -> Finding | None:
    """Why the column has to go, most telling reason first; None when it may stay, and for ids, which go anyway."""
    value = found.score.value
    if found.use == "id":
        return None
    reasons: dict[DropReason, tuple[float, str]] = {}
    if found.copy[0] >= COPY and believable(found.copy[0], target):
        reasons["monotone_copy"] = (found.copy[0], f"the target itself, seen by {found.copy[1]}")
    if _missing_gives_away(found, target):
        reasons["missingness"] = (found.missing[0], "whether the cell is empty tells the target")
    named = (
        value >= DROP_NAMED and is_after_the_event(found.column, target.name) and believable(value, target)
    )
    if named:
        reasons["post_event_name"] = (value, "its name speaks of the outcome, and it knows it")
    pure = found.purity is not None and is_pure(found.purity, target, tested)
    separates = value >= DROP and believable(value, target)
    if pure and found.purity is not None and (found.levels > MANY_LEVELS or not separates):
        reasons["level_purity"] = (found.purity.share, "nearly every level has one answer only")
    if separates:
        reasons["separates_target"] = (value, "alone it tells the target of rows it has not seen")
    if not reasons:
        return None
    first, *rest = reasons
    score, detail = reasons[first]
    return Finding(found.column, first, score, tuple(rest), detail)


def _missing_gives_away(found: ColumnScore, target: Truth) -> bool:
    area, p_value, explained = found.missing
    if area < DROP_MISSING or p_value > _RARE or target.support < _MISSING_SUPPORT:
        return False
    return target.task != "regression" or explained >= _MISSING_EXPLAINED


def is_pure(purity: Purity, target: Truth, tested: int) -> bool:
    """Whether levels answer beyond what the base rate explains.

    At most 2 % of the errors of "always the commonest class" are left, and the binomial upper bound (1 in 1,000
    over all columns tested) is at most 28 % of them; a regression needs a held-out R² of 0.995.
    """
    if purity.covered < _COVERED:
        return False
    if target.task == "regression":
        return purity.share >= DROP and purity.rows >= _REGRESSION_ROWS
    if not purity.base_errors or purity.errors > _PURE_ERRORS * purity.base_errors:
        return False
    bound = betaincinv(purity.errors + 1, purity.rows - purity.errors, 1 - _RARE / max(tested, 1))
    return bool(bound * purity.rows <= _PURE_BOUND * purity.base_errors)


def suspects_of(found: Sequence[ColumnScore], target: Truth, flagged: set[str]) -> list[Finding]:
    """The columns that stay but have to be looked at, each with its strongest reason first.

    With fewer than ten rows outside the largest class (30 rows of a regression) nothing is said: 0.90 is luck there.
    """
    if target.support < (_SUSPECT_SUPPORT if target.classes else 3 * _SUSPECT_SUPPORT):
        return []
    rest = [score for score in found if score.column not in flagged]
    ranked = sorted((score.score.value for score in rest), reverse=True)
    alone = len(ranked) > 1 and ranked[0] >= SUSPECT and ranked[0] - ranked[1] >= GAP
    findings = []
    for score in rest:
        reasons: dict[SuspectReason, tuple[float, str]] = {}
        value = score.score.value
        if score.use == "id" and value >= SUSPECT:
            reasons["id_knows_target"] = (value, "an id, left out of the model, orders the target")
        elif value >= SUSPECT:
            unsure = value >= DROP and not believable(value, target)
            reasons["strong_alone"] = (value, "too few rows to call it a leak" if unsure else "")
        if (
            score.score.best_class >= DROP
            and target.classes > 2
            and believable(score.score.best_class, target)
        ):
            reasons["separates_class"] = (score.score.best_class, "it gives one class away")
        area, p_value, _ = score.missing
        if area >= SUSPECT_MISSING and p_value <= 0.01 / max(len(found), 1):
            reasons["missingness_informative"] = (
                area,
                "whether the cell is empty says much about the target",
            )
        if _some_levels_pure(score):
            reasons["pure_levels"] = (score.pure[0], "some of its levels have one answer only")
        if alone and value == ranked[0]:
            reasons["stands_alone"] = (value, f"{value - ranked[1]:.2f} ahead of every other column")
        if reasons:
            first, *others = reasons
            findings.append(Finding(score.column, first, reasons[first][0], tuple(others), reasons[first][1]))
    return findings


def _some_levels_pure(score: ColumnScore) -> bool:
    share, rows = score.pure
    if rows < _PURE_ROWS or share < 0.98:
        return False
    wrong = round((1 - share) * rows)
    return bool(betaincinv(wrong + 1, rows - wrong, 1 - _RARE) <= 0.2)
