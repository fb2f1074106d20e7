"""Judges a run as a whole: what rules and checks of scope `global` say, where the run ends.

A run ends where no other phase follows. With one such phase everything is together there; with several, each
sees only what came before it, so that nothing can be counted over the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loom.process.package import Package
from loom.process.resolve import ResolvedProcess
from loom.process.spec.verification import Rule
from loom.runtime.outcome import PhaseOutcome
from loom.tools.results import ToolResult
from loom.verification.attempt import Attempt
from loom.verification.outcome import NotAssessed, Report
from loom.verification.static import name_of, verify_run

# how much of what a phase said its outcome keeps
KEPT_OUTPUT = 4000


@dataclass(frozen=True, slots=True)
class End:
    """A phase that nothing follows."""

    phase: str
    is_whole: bool
    """Whether all other phases come before it."""

    is_last: bool
    """Whether it is the one, among several, where checks of the whole run belong."""

    one_of_many: bool = False
    """Whether only an item of a `for_each` ends here, which never sees the others."""

    @property
    def decides(self) -> bool:
        """Whether checks of the whole run are carried out here."""
        return self.is_last and not self.one_of_many


def end_of(package: Package, phase: str, *, one_of_many: bool = False) -> End | None:
    """The end that a phase is, if it is one and anything is to be said about the whole run."""
    verification = package.spec.verification
    scopes = {each.scope for each in verification.rules}
    scopes |= {each.scope for each in verification.policy.semantic_checks}
    if "global" not in scopes:
        return None
    needed = {name for before in package.dependencies.values() for name in before}
    if phase in needed:
        return None
    last = [name for name in package.graph.order if name not in needed][-1]
    is_whole = package.ancestors(phase) | {phase} == set(package.phases)
    return End(phase, is_whole and not one_of_many, phase == last, one_of_many)


def judge_run(
    process: ResolvedProcess,
    end: End,
    before: Mapping[str, PhaseOutcome],
    attempt: Attempt,
    helpers: Mapping[str, ToolResult],
) -> Report:
    """What is said about everything that came before an end, and about the end itself."""
    rules = [rule for rule in process.package.spec.verification.rules if rule.scope == "global"]
    attempts = {name: _attempt(outcome, attempt) for name, outcome in before.items()} | {end.phase: attempt}
    report = verify_run(process, attempts, helpers)
    uncountable = {rule.name for rule in rules if _counts(rule) and not end.is_whole}
    findings = tuple(each for each in report.findings if each.check not in uncountable)
    elsewhere = (
        set()
        if end.is_last
        else {name_of(each) for each in process.package.spec.verification.policy.semantic_checks}
    )
    left = [each for each in report.not_assessed if each.check not in elsewhere]
    left += [
        NotAssessed(name, "no phase sees all others, so nothing is counted") for name in sorted(uncountable)
    ]
    cut = [name for name, outcome in before.items() if len(outcome.output) >= KEPT_OUTPUT]
    searched = [rule.name for rule in rules if rule.type == "regex" and rule.target == "output"]
    if cut:
        why = f"of {', '.join(cut)} only the first {KEPT_OUTPUT:,} characters were searched"
        left += [NotAssessed(name, why) for name in searched]
    return Report(findings, tuple(left))


def _attempt(outcome: PhaseOutcome, like: Attempt) -> Attempt:
    said = [item.output for item in outcome.items or ()]
    return Attempt(like.workspace, (), "\n".join((outcome.output, *said)), outcome.deliverables)


def _counts(rule: Rule) -> bool:
    return rule.min_count > 0
