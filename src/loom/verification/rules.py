"""`verification.rules` that a pattern decides; what a model has to judge is left to it, and said so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loom.process.patterns import SEARCH_SECONDS, PatternError, compile_pattern
from loom.process.spec.verification import Rule, Scope
from loom.verification.outcome import Finding, NotAssessed, Report, Severity

MAX_SHOWN = 80
NO_MODEL = "it takes a model to judge this"


@dataclass(frozen=True, slots=True)
class Document:
    """A text to search, and where it is."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Searched:
    """Everything the rules of one scope can look at."""

    output: Sequence[Document] = ()
    """What the phases said."""

    deliverables: Sequence[Document] = ()
    """The files they delivered, as far as they could be read."""

    unread: Sequence[str] = ()
    """The names of the deliverables that could not be read."""


def applies(rule: Rule, scope: Scope, phases: Iterable[str]) -> bool:
    """Whether a rule has a say at this point, about any of these phases."""
    return rule.scope == scope and (
        "*" in rule.applies_to_phases or not set(rule.applies_to_phases).isdisjoint(phases)
    )


def check_rule(rule: Rule, searched: Searched) -> Report:
    """What one rule finds."""
    if rule.type == "llm":
        return Report(not_assessed=(NotAssessed(rule.name, NO_MODEL),))
    documents = searched.output if rule.target == "output" else searched.deliverables
    try:
        found = _broken(rule, documents)
    except (PatternError, TimeoutError) as error:
        why = (
            error.why
            if isinstance(error, PatternError)
            else f"the search took longer than {SEARCH_SECONDS:g} s"
        )
        found = [_finding(rule, f"the rule could not be decided: {why}")]
    unread = searched.unread if rule.target == "deliverables" else ()
    missed = tuple(NotAssessed(rule.name, f"{name} could not be read") for name in unread)
    return Report(tuple(found), missed)


def _broken(rule: Rule, documents: Sequence[Document]) -> list[Finding]:
    demanded = rule.min_count > 0 or rule.requires_exact_cardinality
    if not demanded:
        return [_forbidden(rule, document) for document in documents if _count(rule, document, 1)]
    # one more than is wanted is enough to know that there are too many
    enough = rule.min_count + rule.requires_exact_cardinality
    count = 0
    for document in documents:
        count += _count(rule, document, enough - count)
    if count == rule.min_count or (count > rule.min_count and not rule.requires_exact_cardinality):
        return []
    wanted = f"exactly {rule.min_count}" if rule.requires_exact_cardinality else f"at least {rule.min_count}"
    seen = "more" if count > rule.min_count else str(count)
    where = "output" if rule.target == "output" else ", ".join(document.where for document in documents)
    return [_finding(rule, f"`{_short(rule.check)}` must occur {wanted} times, and there are {seen}", where)]


def _count(rule: Rule, document: Document, enough: int) -> int:
    """How often the pattern occurs, counted up to a number."""
    if enough <= 0:
        return 0
    matches = compile_pattern(rule.check).finditer(document.text, timeout=SEARCH_SECONDS)
    return sum(1 for _ in zip(range(enough), matches, strict=False))


def _forbidden(rule: Rule, document: Document) -> Finding:
    match = compile_pattern(rule.check).search(document.text, timeout=SEARCH_SECONDS)
    at = match.start() if match is not None else 0
    line = document.text.count("\n", 0, at) + 1
    shown = _short(match[0]) if match is not None else ""
    return _finding(rule, f"`{shown}` must not occur", f"{document.where}:{line}")


def _finding(rule: Rule, what: str, where: str = "") -> Finding:
    severity: Severity = "hard" if rule.hard else "advisory"
    return Finding(rule.name, severity, rule.failure_class, what, where, rule.remediation_mode or "")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else f"{line[: MAX_SHOWN - 1]}…"
