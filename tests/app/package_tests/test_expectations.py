"""Every kind of expectation, met and not met."""

from __future__ import annotations

from typing import Any

import pytest

from loom.app.package_tests.ending import ending_of
from loom.app.package_tests.expectations import broken
from loom.app.package_tests.place import Seen
from loom.process.spec.tests import Case
from tests.app.package_tests.seen import package_of, phase, seen

PACKAGE = package_of("""
output_coordination: {strategy: fan_in}
phases:
  - {id: a, description: A., deliverables: [a.md], run: {tool: calculator, args: {expression: "1"}}}
  - {id: b, description: B., depends_on: [a], run: {tool: calculator, args: {expression: "1"}}}
""")


def complaints(run: Seen, **case: Any) -> tuple[str, ...]:
    """What a case says about a run."""
    assert run.envelope is not None
    declared = {"id": "it", "mode": "deterministic", "goal": "See.", **case}
    return broken(Case.model_validate(declared), PACKAGE, run, ending_of(PACKAGE, run.envelope))


GOOD = seen(
    phase("a", deliverables=("a.md",), output="fine", data={"note": "[TBD]"}),
    phase("b"),
    texts={"a.md": "text"},
)
BAD = seen(
    phase("a", "rejected", "rule"), phase("b", "blocked", "dependency"), ended="failed", verdict="ERROR"
)
POOR = seen(phase("a"), phase("b"), verdict="FAIL")


@pytest.mark.parametrize(
    ("run", "case"),
    [
        (GOOD, {}),
        (GOOD, {"expect": {"status": "ok", "verdict": "OK"}}),
        (POOR, {"expect": {"status": "ok", "verdict": "FAIL"}}),
        (BAD, {"expect": {"status": "failed", "verdict": "ERROR", "phase": "a", "reason_code": "rule"}}),
        (BAD, {"expect": {"status": "failed", "phase": "a__finalize_output"}}),
        (GOOD, {"acceptance": {"phases": {"must_include": ["a", "a__finalize_output", "b"]}}}),
        (GOOD, {"acceptance": {"deliverables": {"must_exist": ["a.md"]}}}),
        (GOOD, {"acceptance": {"verification": {"forbidden_patterns": ["deliverable .* not found"]}}}),
    ],
)
def test_what_came_about_is_no_complaint(run: Seen, case: dict[str, Any]) -> None:
    assert complaints(run, **case) == ()


@pytest.mark.parametrize(
    ("run", "case", "said"),
    [
        (BAD, {}, "expected the run to end ok; it ended failed with verdict ERROR in a"),
        (
            GOOD,
            {"expect": {"status": "blocked"}},
            "expected the run to end blocked; it ended ok with verdict OK",
        ),
        (POOR, {}, "expected an acceptable verdict; it is FAIL"),
        (POOR, {"expect": {"status": "ok", "verdict": "OK"}}, "expected verdict OK; it is FAIL"),
        (BAD, {"expect": {"status": "failed", "phase": "b"}}, "expected b to decide; it was a"),
        (
            BAD,
            {"expect": {"status": "failed", "reason_code": "gate"}},
            "expected reason gate; the reasons are rule",
        ),
        (
            BAD,
            {"expect": {"status": "failed"}, "acceptance": {"phases": {"must_include": ["b"]}}},
            "expected phase b to run; it was blocked",
        ),
        (
            POOR,
            {"expect": {"verdict": "FAIL"}, "acceptance": {"deliverables": {"must_exist": ["a.md"]}}},
            "expected `a.md`; nothing was delivered",
        ),
        (
            GOOD,
            {"acceptance": {"verification": {"forbidden_patterns": [r"\[TBD\]"]}}},
            r"forbidden pattern \[TBD\] occurs in the result of a: [TBD]",
        ),
        (
            GOOD,
            {"acceptance": {"verification": {"forbidden_patterns": ["^te.t$"]}}},
            "forbidden pattern ^te.t$ occurs in a.md: text",
        ),
        (
            GOOD,
            {"faults": [{"tool": "calculator", "phase": "a"}]},
            "the fault in calculator never came about: a did not call it",
        ),
        (
            GOOD,
            {"faults": [{"tool": "calculator"}]},
            "the fault in calculator never came about: nothing called it",
        ),
    ],
)
def test_what_did_not_come_about_is_said_in_one_line(run: Seen, case: dict[str, Any], said: str) -> None:
    assert said in complaints(run, **case)


def test_patterns_are_searched_in_messages_too() -> None:
    case = {
        "expect": {"status": "failed"},
        "acceptance": {"verification": {"forbidden_patterns": ["not good"]}},
    }
    assert complaints(BAD, **case) == ("forbidden pattern not good occurs in the messages of a: not good",)


def test_a_pattern_that_never_comes_to_an_end_is_cut_short_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loom.process.patterns.search.__defaults__", (0.01,))
    run = seen(phase("a", output="a" * 5000 + "!"), phase("b"))
    said = complaints(run, acceptance={"verification": {"forbidden_patterns": ["(a|a|aa)+$"]}})
    assert len(said) == 1
    assert said[0].startswith("the result of a: the pattern '(a|a|aa)+$' took longer than")


def test_a_live_case_has_no_faults() -> None:
    assert complaints(GOOD, mode="live", faults=[{"tool": "calculator"}]) == ()
