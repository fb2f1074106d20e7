"""Every rule held against the measurements, and the verdict that follows from what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loom.kernel.verdict import Reason
from loom.science.judgement.reading import NotMeasuredError, Reading
from loom.science.judgement.rules import RULES, Rule

UNKNOWN = "not_measured"
_RANK = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and everything that was said, the worst first."""

    verdict: Literal["PASS", "REVIEW", "FAIL"]
    reasons: tuple[Reason, ...]
    """What decided, and notes that did not."""


def judge(
    measured: Mapping[str, Any],
    *,
    accepted: Iterable[str] = (),
    strict: bool = False,
    rules: Iterable[Rule] = RULES,
) -> Judgement:
    """FAIL if a rule fails the model, else REVIEW if one wants it looked at or could not be applied, else PASS."""
    reading = Reading(measured, frozenset(accepted), strict)
    said = [reason for rule in rules for reason in _apply(rule, reading)]
    said.sort(key=lambda reason: _RANK[reason.severity])
    worst = min((_RANK[reason.severity] for reason in said), default=2)
    return Judgement(("FAIL", "REVIEW", "PASS")[worst], tuple(said))


def _apply(rule: Rule, reading: Reading) -> list[Reason]:
    """What a rule says; one that cannot be applied says so, and that is never a pass."""
    try:
        for name in rule.needs:
            reading.of(name)
        return list(rule.check(reading))
    except NotMeasuredError as error:
        why = str(error)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        why = f"its measurements cannot be read ({type(error).__name__})"
    return [Reason(UNKNOWN, "warning", f"{rule.code} could not be judged: {why}")]
