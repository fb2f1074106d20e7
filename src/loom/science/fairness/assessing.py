"""How a model treats the groups of a sensitive column, and what speaks against it.

Groups of fewer than 100 rows, or fewer than 20 of either answer, are insufficient: they are shown and not compared,
which is REVIEW `insufficient_group`. REVIEW, FAIL when strict: `demographic_parity`, the interval of the ratio of
the smallest to the largest share of chosen rows lies below 0.8; `equalized_odds`, the interval of the largest gap
between groups, among yes or among no, lies above 0.1; of amounts `mean_error_gap`, the interval of the gap between
the groups' mean errors lies above 0.1 deviations of the answers. FAIL `group_auc`: the interval of a group's area
under the curve does not reach above 0.5.

Measured over 400 seeds of fair predictions, a rule trips on none of 1,000 rows in two groups and of 6,000 in four
uneven ones, on 1.5 % of 2,000 rows in eight groups, and on 2 % of 900 in six.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from loom.kernel.errors import LoomError
from loom.kernel.verdict import Reason
from loom.science.fairness.groups import Groups, groups_of
from loom.science.fairness.rates import Figures, decision_gaps, error_gaps, errors_of, rates_of
from loom.science.predictions import Estimate, Floats, Predictions, predictions_of, rounded
from loom.science.targets import Task

NOT_ASSESSED = "not assessed"
LEAST_ROWS = 100
LEAST_ANSWERS = 20
PARITY = 0.8
ODDS = 0.1
ERRORS = 0.1
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its rows, what the model does to it, and why it is not compared, if it is not."""

    name: str
    rows: int
    insufficient: str
    figures: Figures

    def as_json(self) -> dict[str, Any]:
        """The group as plain data."""
        return {
            "group": self.name,
            "n": self.rows,
            "insufficient": self.insufficient or None,
            **{name: None if each is None else each.as_json() for name, each in self.figures.items()},
        }


@dataclass(frozen=True, slots=True)
class Fairness:
    """One sensitive column: its groups, how far those that can be compared are apart, and what speaks against it.

    `positive` is the class that counts as yes, of several the worst unless one was declared; None for amounts.
    `binned` says that the groups are ranges of numbers.
    """

    column: str
    task: Task
    positive: int | None
    threshold: float | None
    binned: bool
    groups: tuple[Group, ...]
    gaps: Mapping[str, Estimate]
    findings: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        """The finding about the column as plain data."""
        return {
            "column": self.column,
            "task": self.task,
            "positive": self.positive,
            "threshold": self.threshold,
            "groups_are": "ranges" if self.binned else "levels",
            "groups": [group.as_json() for group in self.groups],
            "gaps": {name: each.as_json() for name, each in self.gaps.items()},
            "findings": [reason.as_dict() for reason in self.findings],
        }


def assess(
    y: Any,
    p: Any,
    sensitive: Any,
    *,
    threshold: float = 0.5,
    positive: int | None = None,
    task: Task | None = None,
    clusters: Any = None,
    order: Any = None,
    seed: int = 0,
    strict: bool = False,
) -> Fairness:
    """Compare the groups of one sensitive column; a column of numbers is cut at its quartiles.

    Of yes and no, a row is chosen from the threshold on; of several classes, when the declared class is the most
    likely one, and without a declared class every class is looked at, each with its share of the 5 % that an
    interval may miss, and the worst is told.
    """
    told = predictions_of(y, p, task=task, clusters=clusters, order=order)
    groups = groups_of(sensitive)
    if len(groups.codes) != told.rows:
        raise LoomError(
            f"`{groups.column}` does not go with the predictions",
            f"it has {len(groups.codes)} rows, and there are {told.rows} predictions",
            "name a column of the data with --sensitive",
        )
    random = np.random.default_rng(seed)
    if told.task == "regression":
        return _amounts(told, groups, random, strict=strict)
    classes = told.p.shape[1]
    if positive is not None and not 0 <= positive < classes:
        raise LoomError(
            f"there is no class {positive}",
            f"the model knows {classes}",
            "run `loom validate` without a positive class",
        )
    if told.task == "binary":
        at = 1 if positive is None else positive
        chosen = told.p[:, at] >= threshold
        return _classes(told, groups, at, chosen, threshold, random, _TAIL, strict=strict)
    top = told.p.argmax(axis=1)
    looked = range(classes) if positive is None else [positive]
    found = [
        _classes(told, groups, at, top == at, None, random, _TAIL / len(looked), strict=strict)
        for at in looked
    ]
    return max(found, key=_gravity)


def _classes(
    told: Predictions,
    groups: Groups,
    positive: int,
    chosen: np.ndarray,
    threshold: float | None,
    random: np.random.Generator,
    tail: float,
    *,
    strict: bool,
) -> Fairness:
    yes = told.y == positive
    p = told.p[:, positive]
    found = []
    for at, name in enumerate(groups.names):
        rows = np.flatnonzero(groups.codes == at)
        figures = rates_of(yes[rows], chosen[rows], p[rows], _within(told, rows))
        found.append(Group(name, len(rows), _insufficient(yes[rows]), figures))
    compared, codes = _comparable(groups, found)
    gaps: dict[str, Estimate] = {}
    if len(codes):
        gaps = decision_gaps(yes[compared], chosen[compared], codes, _within(told, compared), random, tail)
    findings = _against(groups.column, found, gaps, strict=strict)
    return Fairness(
        groups.column,
        told.task,
        positive,
        threshold,
        groups.binned,
        tuple(found),
        gaps,
        findings,
    )


def _amounts(told: Predictions, groups: Groups, random: np.random.Generator, *, strict: bool) -> Fairness:
    residuals: Floats = told.p - told.y
    found = []
    for at, name in enumerate(groups.names):
        rows = np.flatnonzero(groups.codes == at)
        few = f"{len(rows)} rows" if len(rows) < LEAST_ROWS else ""
        found.append(Group(name, len(rows), few, errors_of(residuals[rows], _within(told, rows))))
    compared, codes = _comparable(groups, found)
    gaps: dict[str, Estimate] = {}
    if len(codes):
        gaps = error_gaps(residuals[compared], codes, _within(told, compared), random)
    findings = _against(groups.column, found, gaps, strict=strict, unit=float(told.y.std()))
    return Fairness(groups.column, told.task, None, None, groups.binned, tuple(found), gaps, findings)


def _insufficient(yes: np.ndarray) -> str:
    hits = int(yes.sum())
    if len(yes) < LEAST_ROWS:
        return f"{len(yes)} rows"
    least, which = min((hits, "positive"), (len(yes) - hits, "negative"))
    return f"{least} {which} rows" if least < LEAST_ANSWERS else ""


def _comparable(groups: Groups, found: list[Group]) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the groups that may be compared, and their groups numbered anew; none when it is only one."""
    enough = np.array([not group.insufficient for group in found])
    if enough.sum() < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    rows = np.flatnonzero(enough[groups.codes])
    return rows, (np.cumsum(enough) - 1)[groups.codes[rows]]


def _within(told: Predictions, rows: np.ndarray) -> Any:
    if told.clusters is None:
        return None
    return np.unique(told.clusters[rows], return_inverse=True)[1]


def _against(
    column: str, groups: list[Group], gaps: Mapping[str, Estimate], *, strict: bool, unit: float = 0.0
) -> tuple[Reason, ...]:
    breach: Literal["warning", "error"] = "error" if strict else "warning"
    found = []
    for group in groups:
        auc = None if group.insufficient else group.figures.get("auc")
        if auc is not None and auc.high <= 0.5:
            what = f"among {column} {group.name} the model ranks no better than chance"
            found.append(Reason("group_auc", "error", what, rounded(auc.high), 0.5, column))
    parity, odds = gaps.get("demographic_parity_ratio"), gaps.get("equalized_odds_difference")
    if parity is not None and parity.high < PARITY:
        what = f"one group of {column} is chosen far less often than another"
        found.append(Reason("demographic_parity", breach, what, rounded(parity.value), PARITY, column))
    if odds is not None and odds.low > ODDS:
        what = f"among equal answers, groups of {column} are not chosen equally often"
        found.append(Reason("equalized_odds", breach, what, rounded(odds.value), ODDS, column))
    bias = gaps.get("mean_error_gap")
    if bias is not None and bias.low > ERRORS * unit:
        what = f"the predictions are higher, against the answers, for one group of {column} than for another"
        found.append(
            Reason("mean_error_gap", breach, what, rounded(bias.value), rounded(ERRORS * unit), column)
        )
    few = [f"{group.name} ({group.insufficient})" for group in groups if group.insufficient]
    if few:
        what = f"too few rows to compare groups of {column}: {', '.join(few[:5])}{', ...' if few[5:] else ''}"
        found.append(
            Reason("insufficient_group", "warning", what, float(len(few)), float(LEAST_ROWS), column)
        )
    return tuple(found)


def _gravity(found: Fairness) -> tuple[int, int, float]:
    """How bad a class is: findings that fail, findings at all but for small groups, then the gap itself."""
    told = [reason for reason in found.findings if reason.code != "insufficient_group"]
    odds = found.gaps.get("equalized_odds_difference")
    return sum(r.severity == "error" for r in told), len(told), odds.value if odds is not None else -1.0
