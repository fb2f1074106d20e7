"""`iteration:` has four kinds of gates, and a command may be a line or a list."""

from __future__ import annotations

import pytest

from loom.process.spec.iteration import (
    ArtifactRegexGate,
    CommandExitGate,
    Iteration,
    ToolMetricGate,
    VerifierFieldGate,
)
from tests.process.checking import spec_of


def loop_with(gate: str) -> Iteration:
    (phase,) = spec_of(
        "phases:\n  - id: a\n    description: A.\n    iteration:\n      enabled: true\n      max_attempts: 2\n"
        "      max_total_runner_invocations: 3\n      stop_on_no_improvement_attempts: 1\n"
        "      iteration_budget: {max_wall_clock_seconds: 1.5, max_tokens: 10, max_tool_calls: 3}\n      gates:\n"
        f"        - {{id: todo, type: artifact_regex, pattern: TODO}}\n        - {{id: own, {gate}}}\n"
    ).phases
    assert phase.iteration is not None
    return phase.iteration


def test_a_loop_is_off_and_unbounded_until_it_is_written_out() -> None:
    loop = Iteration()
    assert not loop.enabled
    assert (loop.max_attempts, loop.max_total_runner_invocations, loop.iteration_budget) == (None, None, None)
    assert (loop.strategy, loop.gates) == ("targeted_remediation", ())
    assert (loop.stop_on_no_improvement_attempts, loop.max_replans_after_exhaustion) == (0, 0)
    assert loop.replan_on_exhaustion


def test_the_kind_of_a_gate_decides_its_keys() -> None:
    metric = loop_with(
        "type: tool_metric, tool: calculator, metric_path: a.b, operator: gte, value: 0.5"
    ).gates[1]
    assert isinstance(metric, ToolMetricGate)
    assert (metric.blocking, metric.value) == (True, 0.5)
    pattern = loop_with("type: artifact_regex, pattern: a").gates[1]
    assert isinstance(pattern, ArtifactRegexGate)
    assert (pattern.target, pattern.expect_match, pattern.blocking) == ("auto", True, True)
    command = loop_with("type: command_exit, command: [pytest]").gates[1]
    assert isinstance(command, CommandExitGate)
    assert (command.operator, command.value, command.timeout_seconds) == ("eq", 0, 60)
    opinion = loop_with("type: verifier_field, field: confidence, operator: gte, value: 0.5").gates[1]
    assert isinstance(opinion, VerifierFieldGate)
    assert opinion.blocking is False


@pytest.mark.parametrize(
    ("written", "argv"),
    [
        ("[pytest, -q, tests/a b]", ("pytest", "-q", "tests/a b")),
        ("pytest -q", ("pytest", "-q")),
        ("'pytest -k \"one or two\"'", ("pytest", "-k", "one or two")),
        ("python -m pytest", ("python", "-m", "pytest")),
        ("ruff   check .", ("ruff", "check", ".")),
    ],
)
def test_a_command_is_a_list_or_a_line_that_is_cut_as_a_shell_would(
    written: str, argv: tuple[str, ...]
) -> None:
    gate = loop_with(f"type: command_exit, command: {written}").gates[1]
    assert isinstance(gate, CommandExitGate)
    assert gate.command == argv


@pytest.mark.parametrize(
    "operator", ["gte", "lte", "gt", "lt", "eq", "ne", "contains", "not_contains", "matches"]
)
def test_every_operator_is_accepted(operator: str) -> None:
    value = "a" if operator in ("contains", "not_contains", "matches") else "1"
    gate = loop_with(
        f"type: tool_metric, tool: t, metric_path: a, operator: {operator}, value: {value}"
    ).gates[1]
    assert isinstance(gate, ToolMetricGate)
    assert gate.operator == operator


@pytest.mark.parametrize(
    ("written", "value"), [("1", 1), ("-0.5", -0.5), ("true", True), ("a", "a"), ("[a, 1]", ["a", 1])]
)
def test_a_value_to_compare_with_keeps_its_type(written: str, value: object) -> None:
    gate = loop_with(f"type: tool_metric, tool: t, metric_path: a, operator: eq, value: {written}").gates[1]
    assert isinstance(gate, ToolMetricGate)
    assert gate.value == value
    assert type(gate.value) is type(value)
