"""What a package needs before others can use it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loom.process.lint.publishing import SETTING
from tests.process.lint.example import findings

GATED = """
phases:
  - id: build
    description: Build.
    iteration:
      enabled: true
      max_attempts: 2
      max_total_runner_invocations: 2
      iteration_budget: {max_wall_clock_seconds: 60, max_tokens: 1000, max_tool_calls: 5}
      gates: [{id: tested, type: command_exit, command: [pytest]}]
"""
OFF = GATED.replace("enabled: true", "enabled: false")


@pytest.mark.parametrize(
    "version", ["1.0", "1.10", "0.1.0", "2026.1.31", "1.0.0-rc.1", "1.0rc1", "1.0.0+build.5"]
)
def test_numbers_joined_by_dots_are_a_version(version: str) -> None:
    assert not findings(f'version: "{version}"', "LM914")


@pytest.mark.parametrize("version", ["1", "v1.0", "latest", "1.", "1.0 beta", "1.x"])
def test_anything_that_cannot_be_compared_is_not_a_version(version: str) -> None:
    assert findings(f'version: "{version}"', "LM914")


def test_a_malformed_dependency_is_not_also_called_unpinned() -> None:
    assert [found.path for found in findings("dependencies: [a b, c]", "LM912")] == ["dependencies[1]"]


def test_a_readme_is_asked_for_only_where_a_folder_is_known(tmp_path: Path) -> None:
    assert not findings("tags: [a]", "LM913")
    assert findings("tags: [a]", "LM913", tmp_path)
    (tmp_path / "README.md").symlink_to("README.md")
    assert findings("tags: [a]", "LM913", tmp_path)


def test_a_package_without_tests_and_one_without_a_failing_test_hear_different_things() -> None:
    (none,) = findings("tests: []", "LM915")
    (fine,) = findings("tests: [{id: a, mode: live, goal: Try., expect: {status: ok}}]", "LM915")
    assert none.detail == "there are no tests"
    assert fine.detail == "every case must end well"


def test_an_unacceptable_verdict_is_a_failure_path_as_well() -> None:
    verb = (
        "verb: {command: c, tier: read-only, verdict: {from: phases.work.data.v, values: [A, B], ok: [A]}}\n"
    )
    case = "tests: [{id: a, mode: live, goal: Try., expect: {verdict: %s}}]"
    assert findings(verb + case % "A", "LM915")
    assert not findings(verb + case % "B", "LM915")


def test_software_is_recognised_by_its_policy_or_by_a_command_gate() -> None:
    policy = "verification: {policy: {mode: %s, semantic_checks: [{name: t, capability: command_execution}]}}"
    assert findings(policy % "static_first", "LM917")
    assert not findings(policy % "llm_first", "LM917")
    assert not findings("verification: {policy: {mode: static_first}}", "LM917")
    assert findings(GATED, "LM917")
    assert not findings(OFF, "LM917")
    assert not findings("tools: {required: [verification_helper]}" + GATED, "LM917")


@pytest.mark.parametrize(("count", "found"), [(0, 0), (2, 1), (3, 0), (6, 0), (7, 1)])
def test_three_to_six_kinds_of_memory_are_usual(count: int, found: int) -> None:
    types = ", ".join(f"{{type: kind_{index}}}" for index in range(count))
    assert len(findings(f"memory: {{extract_types: [{types}]}}", "LM918")) == found


def test_a_command_gate_is_mentioned_in_the_readme(tmp_path: Path) -> None:
    assert not findings(GATED, "LM919")
    assert findings(GATED, "LM919", tmp_path)
    (tmp_path / "README.md").write_text("Builds.", encoding="utf-8")
    assert [found.path for found in findings(GATED, "LM919", tmp_path)] == [
        "phases[0].iteration.gates[0].command"
    ]
    assert not findings(OFF, "LM919", tmp_path)
    (tmp_path / "README.md").write_text(f"Set {SETTING}.", encoding="utf-8")
    assert not findings(GATED, "LM919", tmp_path)


def test_a_readme_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "README.md")
    assert findings(GATED, "LM919", tmp_path)
    assert findings(GATED, "LM913", tmp_path)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("is_mutating = True\n    parameters = {'properties': {'out': {}}}", 1),
        ("is_mutating = True\n    parameters = {}", 1),
        ("is_mutating = True\n    parameters = {'properties': {'path': {}}}", 0),
        (
            "is_mutating = True\n    parameters = {'properties': {'out': {}}}\n    mutation_target_arg_keys = ('out',)",
            0,
        ),
        (
            "is_mutating = True\n    parameters = {'properties': {'out': {}}}\n    mutation_target_arg_keys = keys()",
            0,
        ),
        ("is_mutating = True\n    parameters = make()", 0),
        ("parameters = {'properties': {'out': {}}}", 0),
    ],
)
def test_a_writing_tool_says_where_it_writes(tmp_path: Path, body: str, found: int) -> None:
    tool = f"# file: tools/t.py\nclass T(Tool):\n    name = 't'\n    {body}\n"
    assert len(findings(tool, "LM920", tmp_path)) == found
