"""Every rule held against the measurements, and the verdict that follows from what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loom.kernel.verdict import Reason
from loom.science.judgement.reading import NotMeasuredError, Reading
from loom.science.judgement.rules import RULES, Rule
from loom.science.judgement.shown import value_of

UNKNOWN = "not_measured"
Outcome = Literal["FAIL", "REVIEW", "UNKNOWN", "NOTE", "PASS"]
_RANK = {"error": 0, "warning": 1, "info": 2}
_OUTCOMES: tuple[Outcome, ...] = ("FAIL", "REVIEW", "UNKNOWN", "NOTE", "PASS")


@dataclass(frozen=True, slots=True)
class Ruled:
    """One rule as it was applied: what it saw, what it said, and what that comes to."""

    rule: Rule
    outcome: Outcome
    """UNKNOWN where it could not be applied, NOTE where it has something to say and nothing against."""

    value: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and everything that was said, the worst first."""

    verdict: Literal["PASS", "REVIEW", "FAIL"]
    reasons: tuple[Reason, ...]
    """What decided, and notes that did not."""

    ruled: tuple[Ruled, ...] = ()
    """Every rule, those that speak against the model first."""


def judge(
    measured: Mapping[str, Any],
    *,
    accepted: Iterable[str] = (),
    strict: bool = False,
    rules: Iterable[Rule] = RULES,
) -> Judgement:
    """FAIL if a rule fails the model, else REVIEW if one wants it looked at or could not be applied, else PASS."""
    reading = Reading(measured, frozenset(accepted), strict)
    ruled = sorted((_apply(rule, reading) for rule in rules), key=lambda each: _OUTCOMES.index(each.outcome))
    said = sorted(
        (reason for each in ruled for reason in each.reasons), key=lambda reason: _RANK[reason.severity]
    )
    worst = min((_RANK[reason.severity] for reason in said), default=2)
    return Judgement(("FAIL", "REVIEW", "PASS")[worst], tuple(said), tuple(ruled))


def _apply(rule: Rule, reading: Reading) -> Ruled:
    """What a rule says; one that cannot be applied says so, and that is never a pass."""
    try:
        for name in rule.needs:
            reading.of(name)
        found = tuple(rule.check(reading))
    except NotMeasuredError as error:
        return _unknown(rule, str(error))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return _unknown(rule, f"its measurements cannot be read ({type(error).__name__})")
    worst = min((_RANK[reason.severity] for reason in found), default=3)
    outcomes: tuple[Outcome, ...] = ("FAIL", "REVIEW", "NOTE", "PASS")
    return Ruled(rule, outcomes[worst], value_of(rule.code, reading), found)


def _unknown(rule: Rule, why: str) -> Ruled:
    reason = Reason(UNKNOWN, "warning", f"{rule.code} could not be judged: {why}")
    return Ruled(rule, "UNKNOWN", "", (reason,))
