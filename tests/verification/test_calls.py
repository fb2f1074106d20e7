from __future__ import annotations

from typing import Any, get_args

import pytest

from loom.process.spec.verification import ToolSuccessPolicy
from loom.verification.attempt import Call
from loom.verification.calls import failed_calls
from tests.verification.attempts import broke, worked

POLICIES = get_args(ToolSuccessPolicy)


def _found(policy: Any, *calls: Call) -> list[tuple[str, str, str]]:
    return [(each.where, each.severity, each.failure_class) for each in failed_calls(calls, policy)]


@pytest.mark.parametrize("policy", POLICIES)
def test_calls_that_worked_are_no_finding(policy: str) -> None:
    assert _found(policy, worked(), worked("web_fetch")) == [] == _found(policy)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_touches_safety_is_hard_whatever_the_policy_and_whatever_came_after(policy: str) -> None:
    found = _found(policy, worked(), broke("write_file", kind="safety"), worked("write_file"))
    assert found == [("write_file", "hard", "hard_integrity")]


def test_method_resilient_is_hard_only_when_nothing_worked_at_all() -> None:
    assert _found("method_resilient", broke("web_fetch"), worked()) == [("web_fetch", "advisory", "method")]
    assert _found("method_resilient", worked(), broke("web_fetch", kind="io")) == [
        ("web_fetch", "advisory", "method")
    ]
    nothing = _found("method_resilient", broke("web_fetch"), broke("read_file", kind="timeout"))
    assert nothing == [("web_fetch", "hard", "method"), ("read_file", "hard", "method")]


@pytest.mark.parametrize("call", [broke(), broke("shell_execute", {"exit_code": 1}), broke(kind="contract")])
def test_safety_integrity_only_takes_all_else_as_advice(call: Call) -> None:
    assert [severity for _, severity, _ in _found("safety_integrity_only", call)] == ["advisory"]


def test_all_tools_hard_forgives_nothing() -> None:
    found = _found("all_tools_hard", broke("web_fetch"), worked("web_fetch"), worked())
    assert found == [("web_fetch", "hard", "method")]


@pytest.mark.parametrize(
    ("data", "kind", "severity"),
    [
        ({"exit_code": 1}, "tool", "hard"),
        ({"outcome": "failed"}, "tool", "hard"),
        ({"outcome": "failed", "exit_code": 1}, "tool", "hard"),
        ({"outcome": "unavailable"}, "tool", "advisory"),
        ({"outcome": "unavailable", "exit_code": 1}, "tool", "advisory"),
        ({"outcome": "failed", "timed_out": True}, "tool", "advisory"),
        ({"exit_code": 1}, "timeout", "advisory"),
        ({"exit_code": None}, "timeout", "advisory"),
        (None, "tool", "advisory"),
        ({}, "io", "advisory"),
    ],
)
def test_development_balanced_is_hard_about_the_product_and_not_about_the_harness(
    data: dict[str, Any] | None, kind: str, severity: str
) -> None:
    found = _found("development_balanced", worked(), broke("some_tool", data, kind=kind))
    failure_class = (
        "semantic" if data and data.get("outcome", "failed") == "failed" and severity == "hard" else "method"
    )
    assert found == [("some_tool", severity, failure_class)]


def test_development_balanced_forgives_a_build_that_was_mended_by_the_same_call_only() -> None:
    failed = broke("shell_execute", {"exit_code": 2}, command="make")
    for after, severity in (
        (worked("shell_execute", command="make"), "advisory"),
        (worked("shell_execute", command="true"), "hard"),
        (worked("other", command="make"), "hard"),
        (broke("shell_execute", command="make"), "hard"),
    ):
        assert _found("development_balanced", failed, after)[0][1] == severity
    before = _found("development_balanced", worked("shell_execute", command="make"), failed)
    assert before[0][1] == "hard"


def test_a_failure_is_told_in_its_own_words() -> None:
    assert [each.what for each in failed_calls([broke()], "all_tools_hard")] == ["it broke"]
