"""Packages whose results are judged: loops, gates, rules and deliverables, each both ways."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.app.package_tests.packages import make_package, run, statuses

HERE = str(Path(sys.executable).parent)
FAILS = {"expect": {"status": "failed", "phase": "work"}}
METRIC = {"id": "enough", "type": "tool_metric", "tool": "count", "metric_path": "calls", "operator": "gte"}
OUTPUT = {"id": "said", "type": "artifact_regex", "target": "output"}
COMMAND = {"id": "runs", "type": "command_exit", "command": ["python", "-m", "pytest", "--version"]}
OPINION = {
    "id": "liked",
    "type": "verifier_field",
    "field": "score",
    "operator": "gte",
    "value": 9,
    "blocking": False,
}
ALLOWED = "[execution]\nenable_iteration_command_exit_gate = true\n"


def loop(*gates: dict[str, Any], attempts: int = 3) -> list[dict[str, Any]]:
    """A phase that is repeated until its gates pass."""
    bounds = {"max_attempts": attempts, "max_total_runner_invocations": attempts}
    budget = {"max_wall_clock_seconds": 60, "max_tokens": 1, "max_tool_calls": 99}
    iteration = {
        "enabled": True,
        **bounds,
        "stop_on_no_improvement_attempts": 3,
        "replan_on_exhaustion": False,
    }
    iteration |= {"iteration_budget": budget, "gates": list(gates)}
    return [{"id": "work", "run": {"tool": "count"}, "iteration": iteration}]


class TestLoops:
    @pytest.mark.parametrize(
        ("gate", "case"),
        [
            ({**METRIC, "value": 3}, {}),
            ({**METRIC, "value": 4}, FAILS),
            ({**OUTPUT, "pattern": "^call 2$"}, {}),
            ({**OUTPUT, "pattern": "^call 9$"}, FAILS),
            ({**OUTPUT, "pattern": "call", "expect_match": False}, FAILS),
        ],
    )
    def test_a_loop_goes_on_until_its_gate_passes_or_its_attempts_are_spent(
        self, gate: dict[str, Any], case: dict[str, Any], tmp_path: Path
    ) -> None:
        (found,) = run(make_package(tmp_path / "small", loop(gate), [{"id": "loops", **case}])).cases
        assert (found.status, found.complaints) == ("ok", ())
        assert found.coverage is not None
        assert found.coverage.missed("gates") == ()

    @pytest.mark.parametrize(("expected", "case"), [(0, {}), (5, FAILS)])
    def test_a_command_decides_where_the_workspace_of_the_tests_allows_it(
        self, expected: int, case: dict[str, Any], tmp_path: Path
    ) -> None:
        phases = loop({**COMMAND, "value": expected}, attempts=1)
        data = {"loom.toml": ALLOWED}
        package = make_package(
            tmp_path / "small", phases, [{"id": "runs", **case}], data=data, permissions={"processes": True}
        )
        path = {"PATH": f"{HERE}{os.pathsep}{os.environ['PATH']}"}
        (found,) = run(package, environ=path).cases
        assert (found.status, found.complaints) == ("ok", ())

    def test_an_opinion_does_not_hold_up_a_loop(self, tmp_path: Path) -> None:
        phases = loop({**METRIC, "value": 1}, OPINION)
        assert statuses(run(make_package(tmp_path / "small", phases, [{"id": "goes"}]))) == {"goes": "ok"}


class TestDeliverables:
    @pytest.mark.parametrize(
        ("name", "text", "case"),
        [
            ("notes.md", "fine", {}),
            ("sum.py", "print(1 + 1)\n", {}),
            ("sum.py", "print(1 +\n", FAILS),
            ("other.md", "fine", FAILS),
        ],
    )
    def test_a_deliverable_is_there_by_its_exact_name_and_can_be_read(
        self, name: str, text: str, case: dict[str, Any], tmp_path: Path
    ) -> None:
        promised = "notes.md" if name.endswith(".md") else name
        put = {"tool": "put", "args": {"path": name, "text": text}}
        phases = [{"id": "work", "run": put, "deliverables": [f"{promised} — what was found"]}]
        acceptance = {} if case else {"acceptance": {"deliverables": {"must_exist": [promised]}}}
        package = make_package(tmp_path / "small", phases, [{"id": "delivers", **case, **acceptance}])
        (found,) = run(package).cases
        assert (found.status, found.complaints) == ("ok", ())

    def test_forbidden_patterns_are_looked_for_in_what_was_delivered(self, tmp_path: Path) -> None:
        put = {"tool": "put", "args": {"path": "notes.md", "text": "so it is <later>"}}
        phases = [{"id": "work", "run": put, "deliverables": ["notes.md — what was found"]}]
        test = {"id": "clean", "acceptance": {"verification": {"forbidden_patterns": ["<later>"]}}}
        (found,) = run(make_package(tmp_path / "small", phases, [test])).cases
        assert "forbidden pattern <later> occurs in notes.md: <later>" in found.complaints


class TestRules:
    @pytest.mark.parametrize(("text", "case"), [("fine", {}), ("[TBD]", FAILS)])
    def test_a_hard_rule_rejects_what_breaks_it(
        self, text: str, case: dict[str, Any], tmp_path: Path
    ) -> None:
        rule = {"name": "no-stubs", "type": "regex", "severity": "error", "check": r"\[TBD\]"}
        phases = [{"id": "work", "run": {"tool": "say", "args": {"text": text}}}]
        package = make_package(
            tmp_path / "small", phases, [{"id": "judged", **case}], verification={"rules": [rule]}
        )
        (found,) = run(package).cases
        assert (found.status, found.complaints) == ("ok", ())
        assert found.coverage is not None
        assert found.coverage.missed("rules") == ()

    def test_an_entry_gate_that_does_not_hold_blocks(self, tmp_path: Path) -> None:
        need = {"phase": "read", "field": "data.leak", "operator": "eq", "value": False}
        phases = [
            {"id": "read", "run": {"tool": "say", "args": {"leak": True}}},
            {"id": "work", "depends_on": ["read"], "run": {"tool": "say"}, "require": [need]},
            {"id": "after", "depends_on": ["work"], "run": {"tool": "say"}},
        ]
        tests = [{"id": "blocks", "expect": {"status": "blocked", "phase": "work"}}]
        (found,) = run(make_package(tmp_path / "small", phases, tests)).cases
        assert (found.status, found.complaints) == ("ok", ())
        assert found.coverage is not None
        assert found.coverage.reached["failure paths"] == {"work"}
