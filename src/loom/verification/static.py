"""Everything about a phase's result that a machine can decide: calls, deliverables, syntax, patterns, helpers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from loom.kernel.diagnostics import suggest
from loom.process.resolve import ResolvedProcess
from loom.process.spec.phases import Phase
from loom.process.spec.verification import Policy, Scope, SemanticCheck
from loom.tools.results import ToolResult
from loom.verification.attempt import Attempt, TooLargeError, UnreadableError, content_of, is_blank, text_of
from loom.verification.calls import failed_calls
from loom.verification.outcome import FailureClass, Finding, NotAssessed, Report, Severity
from loom.verification.rules import NO_MODEL, Document, Searched, applies, check_rule
from loom.verification.syntax import check_syntax

DELIVERABLE = "deliverable"
SYNTAX = "syntax"
MAX_CHANGED = 200

_ASKED = {2: "a second model", 3: "a majority of three models"}


def verify(process: ResolvedProcess, phase: str, attempt: Attempt) -> Report:
    """What can be said about one attempt at a phase without a model."""
    verification = process.package.spec.verification
    policy = verification.policy
    deliverables = _deliverables_of(process, phase, attempt)
    report = Report(tuple(failed_calls(attempt.calls, policy.static_checks.tool_success_policy)))
    report += Report(tuple(_missing(attempt, deliverables)))
    report += _misread(attempt, deliverables, _promised(process))
    report += _check_rules(process, "phase", {phase: attempt})
    report += _check_semantics(policy, "phase", attempt.helpers)
    return report + Report(not_assessed=tuple(_opinions(process.package.phases[phase])))


def verify_run(
    process: ResolvedProcess, attempts: Mapping[str, Attempt], helpers: Mapping[str, ToolResult]
) -> Report:
    """What the rules and checks of scope `global` say about the accepted attempts of all phases, at the end."""
    report = _check_rules(process, "global", attempts)
    return report + _check_semantics(process.package.spec.verification.policy, "global", helpers)


def helper_calls(policy: Policy, scope: Scope) -> tuple[tuple[str, dict[str, Any]], ...]:
    """The semantic checks that a helper can carry out: the name of each, and the arguments of verification_helper."""
    return tuple(
        (name_of(check), {"helper": check.helper, **({"target": check.target} if check.target else {})})
        for check in policy.semantic_checks
        if check.helper is not None and check.scope == scope
    )


def name_of(check: SemanticCheck) -> str:
    """The name under which a semantic check is reported."""
    return check.name or check.id or check.helper or "check"


def _deliverables_of(process: ResolvedProcess, phase: str, attempt: Attempt) -> tuple[str, ...]:
    if attempt.deliverables is not None:
        return attempt.deliverables
    return tuple(each.name for each in process.package.phases[phase].deliverables)


def _promised(process: ResolvedProcess) -> frozenset[str]:
    """Every file that some phase delivers: a link may lead to one that is not there yet."""
    return frozenset(each.name for phase in process.phases for each in phase.deliverables)


def _missing(attempt: Attempt, deliverables: tuple[str, ...]) -> Iterator[Finding]:
    for name in deliverables:
        try:
            empty = is_blank(attempt.workspace, name)
        except UnreadableError as error:
            failure_class: FailureClass = "hard_integrity" if error.escaped else "recoverable_placeholder"
            what = f"{name} was not delivered: {error}{_instead(name, attempt, deliverables)}"
            yield Finding(DELIVERABLE, "hard", failure_class, what, name)
        else:
            if empty:
                what = f"{name} was not delivered: it is empty"
                yield Finding(DELIVERABLE, "hard", "recoverable_placeholder", what, name)


def _instead(name: str, attempt: Attempt, deliverables: tuple[str, ...]) -> str:
    """The file that was most likely meant to be the deliverable, in words; empty when there is none."""
    others = [each for each in attempt.changed_files if each not in deliverables]
    ending = PurePosixPath(name).name.lower()
    meant = next((each for each in others if each.lower().endswith(ending)), None) or suggest(name, others)
    return f"; `{meant}` was written instead" if meant else ""


def _misread(attempt: Attempt, deliverables: tuple[str, ...], promised: frozenset[str]) -> Report:
    """What cannot be read as what it is called: hard for a deliverable, advice for other files that changed."""
    others = [name for name in attempt.changed_files if name not in deliverables]
    findings, skipped = [], []
    for name in (*deliverables, *others[:MAX_CHANGED]):
        severity: Severity = "hard" if name in deliverables else "advisory"
        try:
            content = content_of(attempt.workspace, name)
        except TooLargeError as error:
            skipped.append(NotAssessed(SYNTAX, f"{name}: {error}"))
            continue
        except UnreadableError:
            continue  # a deliverable that is not there is missing, and another file may have been removed
        if content.strip():
            for wrong in check_syntax(name, content, attempt.workspace, promised):
                where = name if wrong.line is None else f"{name}:{wrong.line}"
                findings.append(Finding(SYNTAX, severity, "semantic", f"{name}: {wrong}", where))
    return Report(tuple(findings), tuple(skipped))


def _opinions(phase: Phase) -> Iterator[NotAssessed]:
    """What a phase asks for and only a model can give."""
    if phase.verification_tier in _ASKED:
        yield NotAssessed("verification_tier", f"nobody asked {_ASKED[phase.verification_tier]}")
    if phase.acceptance_criteria.strip():
        yield NotAssessed("acceptance_criteria", NO_MODEL)


def _check_rules(process: ResolvedProcess, scope: Scope, attempts: Mapping[str, Attempt]) -> Report:
    report = Report()
    for rule in process.package.spec.verification.rules:
        if applies(rule, scope, attempts):
            wanted = rule.applies_to_phases
            chosen = {name: each for name, each in attempts.items() if "*" in wanted or name in wanted}
            report += check_rule(rule, _searched(process, scope, chosen))
    return report


def _searched(process: ResolvedProcess, scope: Scope, attempts: Mapping[str, Attempt]) -> Searched:
    output, files, unread = [], {}, []
    for phase, attempt in attempts.items():
        output.append(Document("output" if scope == "phase" else f"output of {phase}", attempt.output))
        for name in _deliverables_of(process, phase, attempt):
            try:
                text = text_of(attempt.workspace, name)
            except UnreadableError:
                unread.append(name)
            else:
                files[name] = Document(name, text)
    return Searched(output, tuple(files.values()), tuple(dict.fromkeys(unread)))


def _check_semantics(policy: Policy, scope: Scope, helpers: Mapping[str, ToolResult]) -> Report:
    report = Report()
    for check in policy.semantic_checks:
        if check.scope == scope:
            report += _semantic(check, policy, helpers.get(name_of(check)))
    return report


def _semantic(check: SemanticCheck, policy: Policy, result: ToolResult | None) -> Report:
    """What came of one semantic check; one that nobody carried out is not assessed."""
    name = name_of(check)
    if result is None:
        why = NO_MODEL if check.helper is None else f"{check.helper} was not run"
        return Report(not_assessed=(NotAssessed(name, why),))
    if result.success:
        return Report()
    said, where = result.error or "it failed", check.target
    if (result.data or {}).get("outcome") != "failed":
        # the check itself could not be made, which says nothing about the product
        if _may_be_lacking(check, policy):
            return Report(not_assessed=(NotAssessed(name, said),))
        return Report((Finding(name, _severity(check), "method", said, where),))
    return Report((Finding(name, _severity(check), "semantic", said, where),))


def _severity(check: SemanticCheck) -> Severity:
    if check.enforcement is not None:
        return check.enforcement
    return "hard" if check.severity == "error" else "advisory"


def _may_be_lacking(check: SemanticCheck, policy: Policy) -> bool:
    """Whether the package can do without a check that could not be made."""
    return (
        check.optional
        or policy.static_checks.tool_success_policy == "development_balanced"
        or policy.outcome_policy.treat_verifier_infra_as_warning
        or check.capability in policy.outcome_policy.optional_capabilities
    )
