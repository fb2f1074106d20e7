"""What a rule is, and the register of all of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loom.kernel.diagnostics import Edit, KeyPath, Severity, Span

if TYPE_CHECKING:
    from loom.process.package import Package

Edits = Callable[["Package", Span], tuple[Edit, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found at one place."""

    path: KeyPath
    detail: str
    fix: str = ""
    at_key: bool = False
    severity: Severity | None = None
    edits: Edits | None = None


Check = Callable[["Package"], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the reference page and `loom explain` show it."""

    code: str
    message: str
    severity: Severity
    why: str
    fix: str
    failing: str
    passing: str
    check: Check | None = None


RULES: dict[str, Rule] = {}


def declare(rule: Rule) -> None:
    """Register a rule under its code, once."""
    if rule.code in RULES:
        raise ValueError(f"{rule.code} is declared twice")
    RULES[rule.code] = rule


def rule(
    code: str, message: str, *, fix: str, failing: str, passing: str, severity: Severity = "error"
) -> Callable[[Check], Check]:
    """Register the function below as a rule; its docstring is the reason people read.

    The examples are fragments: keys they do not mention come from a small sound package.
    """

    def register(check: Check) -> Check:
        why = inspect.cleandoc(check.__doc__ or "")
        declare(Rule(code, message, severity, why, fix, failing.strip("\n"), passing.strip("\n"), check))
        return check

    return register
