"""Every field of a rule, with a text that passes and one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from loom.verification import rules
from loom.verification.outcome import Finding, Report
from loom.verification.rules import Document, Searched, applies, check_rule
from tests.verification.attempts import rule_of


def _check(output: str = "", files: dict[str, str] | None = None, **keys: Any) -> Report:
    documents = [Document(name, text) for name, text in (files or {}).items()]
    return check_rule(rule_of(**keys), Searched([Document("output", output)], documents))


def _finding(report: Report) -> Finding:
    (found,) = report.findings
    return found


def test_a_pattern_must_not_occur() -> None:
    assert _check("all done") == Report()
    found = _finding(_check("one\ntwo TBD\n"))
    assert (found.check, found.where, found.what) == ("the-rule", "output:2", "`TBD` must not occur")


def test_the_target_is_the_output_or_the_deliverables_and_not_the_other() -> None:
    files = {"a.md": "fine", "b.md": "\n\nTBD"}
    assert _check("TBD", {"a.md": "fine"}, target="deliverables") == Report()
    assert _finding(_check("fine", files, target="deliverables")).where == "b.md:3"
    assert _check("fine", files, target="output") == Report()
    both = _check("", {"a.md": "TBD", "b.md": "TBD"}, target="deliverables")
    assert [each.where for each in both.findings] == ["a.md:1", "b.md:1"]


@pytest.mark.parametrize(
    ("keys", "severity"),
    [
        ({}, "advisory"),
        ({"severity": "warning"}, "advisory"),
        ({"severity": "error"}, "hard"),
        ({"severity": "error", "enforcement": "advisory"}, "advisory"),
        ({"severity": "error", "enforcement": "hard"}, "hard"),
        ({"severity": "warning", "enforcement": "hard"}, "hard"),
    ],
)
def test_severity_means_hard_unless_enforcement_says_otherwise(keys: dict[str, str], severity: str) -> None:
    report = _check("TBD", **keys)
    assert _finding(report).severity == severity and report.passed == (severity == "advisory")


@pytest.mark.parametrize("failure_class", ["hard_integrity", "recoverable_placeholder", "semantic"])
def test_a_finding_carries_the_class_and_the_remediation_of_its_rule(failure_class: str) -> None:
    found = _finding(_check("TBD", failure_class=failure_class, remediation_mode="queue_follow_up"))
    assert (found.failure_class, found.remediation) == (failure_class, "queue_follow_up")
    assert _finding(_check("TBD")).remediation == ""


@pytest.mark.parametrize(
    ("text", "passes"), [("", False), ("TBD", False), ("TBD TBD", True), ("TBD TBD TBD", True)]
)
def test_min_count_turns_the_rule_into_a_demand(text: str, passes: bool) -> None:
    report = _check(text, min_count=2, severity="error")
    assert report.passed is passes is (report == Report())
    if not passes:
        assert f"at least 2 times, and there are {text.count('TBD')}" in _finding(report).what


@pytest.mark.parametrize(
    ("count", "text", "said"),
    [
        (2, "TBD", "there are 1"),
        (2, "TBD TBD", ""),
        (2, "TBD TBD TBD", "there are more"),
        (0, "", ""),
        (0, "TBD", "there are more"),
    ],
)
def test_exact_cardinality_makes_the_least_number_the_only_one(count: int, text: str, said: str) -> None:
    report = _check(text, min_count=count, requires_exact_cardinality=True)
    assert bool(report.findings) == bool(said)
    if said:
        assert said in _finding(report).what and f"exactly {count}" in _finding(report).what


def test_a_demand_is_counted_over_all_deliverables_together() -> None:
    files = {"a.md": "TBD", "b.md": "TBD"}
    assert _check("", files, target="deliverables", min_count=2) == Report()
    assert _finding(_check("", files, target="deliverables", min_count=3)).where == "a.md, b.md"
    exact = _check("", files, target="deliverables", min_count=1, requires_exact_cardinality=True)
    assert "there are more" in _finding(exact).what


def test_a_rule_for_a_model_is_not_assessed_and_never_passed() -> None:
    report = _check("TBD", type="llm", severity="error")
    assert report.findings == () and [each.check for each in report.not_assessed] == ["the-rule"]
    assert "model" in report.not_assessed[0].why


def test_deliverables_that_could_not_be_read_are_not_assessed() -> None:
    searched = Searched([Document("output", "")], [Document("a.md", "fine")], ["b.md"])
    report = check_rule(rule_of(target="deliverables"), searched)
    assert [each.why for each in report.not_assessed] == ["b.md could not be read"]
    assert check_rule(rule_of(target="output"), searched) == Report()


def test_a_search_that_takes_too_long_breaks_the_rule_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SEARCH_SECONDS", 0.01)
    found = _finding(_check("a" * 40 + "!", check="(a|aa)+$", severity="error"))
    assert found.severity == "hard" and "took longer than 0.01 s" in found.what


def test_lines_and_words_of_a_pattern_are_those_of_the_text() -> None:
    assert _check("two lines\nTBD", check="^TBD$").findings
    assert _check("x TBD", check="^TBD") == Report()
    long = _finding(_check("TBD" * 100, check="(TBD)+"))
    assert len(long.what) < 120 and "…" in long.what


@pytest.mark.parametrize(
    ("keys", "scope", "phases", "does"),
    [
        ({}, "phase", ["draft"], True),
        ({}, "global", ["draft"], False),
        ({"scope": "global"}, "global", ["draft"], True),
        ({"scope": "global"}, "phase", ["draft"], False),
        ({"applies_to_phases": ["review"]}, "phase", ["draft"], False),
        ({"applies_to_phases": ["review"]}, "phase", ["review"], True),
        ({"applies_to_phases": "draft"}, "phase", ["draft"], True),
        ({"applies_to_phases": ["review", "*"]}, "phase", ["draft"], True),
        ({"applies_to_phases": ["review"], "scope": "global"}, "global", ["draft", "review"], True),
    ],
)
def test_a_rule_applies_in_its_scope_and_to_its_phases(
    keys: dict[str, Any], scope: Any, phases: list[str], does: bool
) -> None:
    assert applies(rule_of(**keys), scope, phases) is does
