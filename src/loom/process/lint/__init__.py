"""The rules: one function each, with a stable code, a reason and two examples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from loom.kernel.diagnostics import Diagnostic, dotted
from loom.process.lint import (
    advice,
    effects,
    graph,
    inputs,
    iteration,
    policy,
    publishing,
    references,
    structure,
    syntax,
    tests,
    tools,
    verb,
    verification,
)
from loom.process.lint.rule import RULES, Finding, Rule
from loom.process.package import Package

FAMILIES = (
    syntax,
    structure,
    graph,
    references,
    policy,
    iteration,
    verification,
    tools,
    verb,
    inputs,
    tests,
    advice,
    publishing,
    effects,
)

# a rule that trips a hundred times in one file has made its point
MAX_FINDINGS = 100
ADVICE = "LM9"

__all__ = ["FAMILIES", "RULES", "Finding", "Rule", "lint"]


def lint(package: Package, *, warnings: bool = True, hints: bool = True) -> Iterator[Diagnostic]:
    """Every finding of every rule about one package.

    Without warnings, of the rules that can refuse it. Without hints, not of those that advise: what is
    missing from a file cannot be told while parts of it are misspelt.
    """
    for rule in RULES.values():
        if rule.check is None or (rule.severity == "warning" and not warnings):
            continue
        if not hints and rule.code.startswith(ADVICE):
            continue
        for finding in islice(rule.check(package), MAX_FINDINGS):
            # what was left out of the models has been reported already, and so has what follows from it
            if package.validated.removed and package.is_torn(finding.path):
                continue
            yield _diagnostic(package, rule, finding)


def _diagnostic(package: Package, rule: Rule, finding: Finding) -> Diagnostic:
    span = package.key_at(finding.path) if finding.at_key else package.value_at(finding.path)
    where = dotted(package.validated.original(finding.path))
    edits = finding.edits(package, span) if finding.edits else ()
    severity = finding.severity or rule.severity
    return Diagnostic(
        rule.code, severity, rule.message, span, where, finding.detail, finding.fix or rule.fix, edits
    )
