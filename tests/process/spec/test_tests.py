"""`tests:` carry a script, faults and what must come out."""

from __future__ import annotations

import pytest

from loom.process.spec.tests import Case, Claim, ToolCall
from tests.process.checking import spec_of


def case_with(keys: str) -> Case:
    return spec_of(
        "phases: [{id: work, description: Work., deliverables: [a.md]}]\n"
        f"tests: [{{id: smoke, mode: deterministic, goal: Go., {keys}}}]\n"
    ).tests[0]


def test_an_id_a_mode_and_a_goal_are_enough() -> None:
    case = Case.model_validate({"id": "a", "mode": "live", "goal": "Go."})
    assert (case.timeout_seconds, case.requires_network, case.requires_tools) == (900, False, ())
    assert (case.inputs, case.script, case.claims, case.faults, case.expect) == ({}, {}, (), (), None)
    assert case.acceptance.model_dump() == {
        "phases": {"must_include": ()},
        "deliverables": {"must_exist": ()},
        "verification": {"forbidden_patterns": ()},
    }


def test_a_script_says_what_the_model_does_in_each_attempt() -> None:
    case = case_with(
        "script: {work: [{write: {a.md: Text}, output: Done., calls: [{tool: t, args: {b: [1]}}],"
        " claims: [{id: c, type: date, text: In May, status: pruned}], verifier: {passed: false}}, {}]}"
    )
    first, second = case.script["work"]
    assert (first.write, first.output, first.verifier) == ({"a.md": "Text"}, "Done.", {"passed": False})
    assert first.calls == (ToolCall(tool="t", args={"b": [1]}),)
    assert first.claims == (Claim(id="c", type="date", text="In May", status="pruned"),)
    assert second.write == {}


def test_a_fault_happens_once_unless_it_is_said_otherwise() -> None:
    once, always = case_with(
        "faults: [{tool: t}, {tool: t, phase: work, attempt: 0, error: timeout, message: late}]"
    ).faults
    assert (once.phase, once.attempt, once.error) == (None, 1, "error")
    assert (always.phase, always.attempt, always.error) == ("work", 0, "timeout")


@pytest.mark.parametrize("status", ["ok", "failed", "blocked", "refused", "error"])
def test_every_end_can_be_expected(status: str) -> None:
    expect = case_with(f"expect: {{status: {status}, phase: work, reason_code: because}}").expect
    assert expect is not None
    assert (expect.status, expect.verdict) == (status, None)


def test_inputs_keep_their_types() -> None:
    assert case_with("inputs: {a: 1, b: [x, null], c: true}").inputs == {"a": 1, "b": ["x", None], "c": True}


def test_acceptance_names_phases_files_and_patterns() -> None:
    acceptance = case_with(
        "acceptance: {phases: {must_include: [work]}, deliverables: {must_exist: [./a.md]}, verification: {forbidden_patterns: ['TBD']}}"
    ).acceptance
    assert acceptance.phases.must_include == ("work",)
    assert acceptance.deliverables.must_exist == ("./a.md",)
    assert acceptance.verification.forbidden_patterns == ("TBD",)
