from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from loom.process.spec.iteration import Gate
from loom.process.spec.phases import Phase
from loom.tools.context import NotPermittedError, ToolContext
from loom.tools.results import ToolResult
from loom.verification.attempt import Attempt, Call
from loom.verification.commands import command_runner
from loom.verification.gates import (
    ENABLED,
    PREFIXES,
    Evidence,
    GateReport,
    GateResult,
    RunCommand,
    evaluate_gates,
    require_unmet,
)
from tests.verification.attempts import broke, worked

GATE: TypeAdapter[Gate] = TypeAdapter(Gate)


def _gate(**keys: Any) -> Gate:
    return GATE.validate_python({"id": "the-gate", **keys})


async def _no_command(argv: Sequence[str], seconds: float) -> Any:
    raise AssertionError("no command was to be run")


def _evidence(workspace: Path, *calls: Call, output: str = "", **more: Any) -> Evidence:
    return Evidence(Attempt(workspace, calls, output), **more)


def _look(gate: Gate, evidence: Evidence, run: RunCommand = _no_command, **more: Any) -> GateResult:
    (result,) = asyncio.run(evaluate_gates([gate], evidence, run_command=run, **more)).results
    return result


def _metric(**keys: Any) -> Gate:
    return _gate(
        type="tool_metric",
        **({"tool": "score", "metric_path": "report.score", "operator": "gte", "value": 80} | keys),
    )


class TestToolMetric:
    @pytest.mark.parametrize(("score", "passed"), [(79.9, False), (80, True), (81, True)])
    def test_the_number_is_compared_and_shown(self, tmp_path: Path, score: float, passed: bool) -> None:
        result = _look(_metric(), _evidence(tmp_path, worked("score", {"report": {"score": score}})))
        assert (result.passed, result.score, result.blocking) == (passed, score, True)
        assert result.why == f"it is {score}; wanted is gte 80"

    def test_the_latest_result_counts(self, tmp_path: Path) -> None:
        calls = [worked("score", {"report": {"score": n}}) for n in (90, 70)]
        assert _look(_metric(), _evidence(tmp_path, *calls, worked("other"))).score == 70

    @pytest.mark.parametrize(
        ("operator", "score"),
        [("gte", 5.0), ("gt", 5.0), ("lte", -5.0), ("lt", -5.0), ("eq", None), ("ne", None)],
    )
    def test_higher_is_better_in_every_score(
        self, tmp_path: Path, operator: str, score: float | None
    ) -> None:
        found = _look(
            _metric(operator=operator), _evidence(tmp_path, worked("score", {"report": {"score": 5}}))
        )
        assert found.score == score

    @pytest.mark.parametrize(
        ("calls", "why"),
        [
            ([], "score was not called"),
            ([worked("other")], "score was not called"),
            ([worked("score")], "`report.score` leads nowhere"),
            ([worked("score", {"report": {"score": "high"}})], "gte compares numbers"),
            ([worked("score", {"report": {"score": None}})], "not null"),
            ([broke("score")], "score failed: it broke"),
        ],
    )
    def test_what_cannot_be_decided_has_failed_and_says_why(
        self, tmp_path: Path, calls: list[Call], why: str
    ) -> None:
        result = _look(_metric(), _evidence(tmp_path, *calls))
        assert (result.passed, result.score) == (False, None) and why in result.why

    def test_a_failed_call_that_measured_something_is_still_compared(self, tmp_path: Path) -> None:
        assert _look(_metric(), _evidence(tmp_path, broke("score", {"report": {"score": 85}}))).passed

    def test_a_tool_that_was_not_called_may_be_called_now(self, tmp_path: Path) -> None:
        asked = []

        async def call_tool(name: str) -> ToolResult | None:
            asked.append(name)
            return ToolResult.ok("", {"report": {"score": 99}})

        assert _look(_metric(), _evidence(tmp_path), call_tool=call_tool).passed and asked == ["score"]
        called = worked("score", {"report": {"score": 1}})
        assert not _look(_metric(), _evidence(tmp_path, called), call_tool=call_tool).passed and asked == [
            "score"
        ]


def _regex(**keys: Any) -> Gate:
    return _gate(type="artifact_regex", **({"pattern": "TBD", "expect_match": False} | keys))


class TestArtifactRegex:
    @pytest.mark.parametrize(
        ("text", "expect", "passed"),
        [("TBD", True, True), ("TBD", False, False), ("", True, False), ("x", False, True)],
    )
    def test_a_match_passes_or_fails_as_expected(
        self, tmp_path: Path, text: str, expect: bool, passed: bool
    ) -> None:
        result = _look(_regex(expect_match=expect, target="output"), _evidence(tmp_path, output=text))
        assert result.passed is passed and ("wanted is the opposite" in result.why) is not passed

    @pytest.mark.parametrize("target", ["auto", "deliverables", "changed_files", "summary", "output"])
    def test_only_the_target_is_searched(self, tmp_path: Path, target: str) -> None:
        for name in ("deliverables", "changed_files"):
            (tmp_path / name).write_text(
                "TBD" if (target in (name, "auto") and name != "changed_files") or target == name else "x"
            )
        changed = Call("write_file", ToolResult.ok("", files_changed=["changed_files"]))
        evidence = _evidence(
            tmp_path,
            changed,
            output="TBD" if target == "output" else "x",
            deliverables=("deliverables",),
            summary="TBD" if target == "summary" else "x",
        )
        result = _look(_regex(target=target), evidence)
        assert (
            not result.passed and f"found in {'deliverables' if target == 'auto' else target}" in result.why
        )

    def test_auto_takes_the_output_where_nothing_is_delivered(self, tmp_path: Path) -> None:
        assert not _look(_regex(), _evidence(tmp_path, output="TBD")).passed
        assert _look(_regex(), _evidence(tmp_path, output="x")).passed

    def test_every_file_is_searched(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).write_text("TBD" if name == "b" else "x")
        assert "found in b" in _look(_regex(), _evidence(tmp_path, deliverables=("a", "b"))).why

    @pytest.mark.parametrize("expect", [True, False])
    @pytest.mark.parametrize(
        ("keys", "why"),
        [
            ({"target": "deliverables"}, "there are no deliverables to search"),
            ({"target": "changed_files"}, "there are no changed files to search"),
            ({"target": "summary"}, "there is no summary to search"),
            ({"pattern": "("}, "the pattern cannot be read"),
        ],
    )
    def test_where_there_is_nothing_to_search_it_has_failed(
        self, tmp_path: Path, keys: dict[str, str], why: str, expect: bool
    ) -> None:
        result = _look(_regex(expect_match=expect, **keys), _evidence(tmp_path, output="TBD"))
        assert not result.passed and why in result.why

    def test_a_file_that_was_changed_by_being_removed_is_passed_over(self, tmp_path: Path) -> None:
        changed = Call("shell_execute", ToolResult.ok("", files_changed=["gone", "there"]))
        (tmp_path / "there").write_text("x")
        assert _look(_regex(target="changed_files"), _evidence(tmp_path, changed)).passed
        (tmp_path / "there").unlink()
        found = _look(_regex(target="changed_files"), _evidence(tmp_path, changed))
        assert not found.passed and found.why == "no changed file is left to search"

    def test_a_file_that_is_missing_or_lies_outside_fails_it(self, tmp_path: Path) -> None:
        (tmp_path / "ws").mkdir()
        (tmp_path / "secret").write_text("x")
        (tmp_path / "ws/link").symlink_to("../secret")
        for name, why in (("gone", "gone: it does not exist"), ("link", "outside the workspace")):
            result = _look(_regex(), _evidence(tmp_path / "ws", deliverables=(name,)))
            assert not result.passed and why in result.why


def _command(**keys: Any) -> Gate:
    return _gate(type="command_exit", **({"command": ["make", "test"]} | keys))


class TestCommandExit:
    def _run(self, tmp_path: Path, gate: Gate, settings: dict[str, Any] | None = None) -> GateResult:
        evidence = _evidence(tmp_path, settings={ENABLED: True, **(settings or {})})
        return _look(gate, evidence, command_runner(ToolContext(tmp_path), tmp_path))

    def test_it_is_off_until_the_setting_is_on(self, tmp_path: Path) -> None:
        for settings in ({}, {ENABLED: False}):
            result = _look(_command(), _evidence(tmp_path, settings=settings))
            assert not result.passed and f"{ENABLED} is not set" in result.why

    def test_only_an_allowlisted_command_is_run_and_the_setting_replaces_the_list(
        self, tmp_path: Path
    ) -> None:
        result = _look(_command(command=["rm", "-rf", "."]), _evidence(tmp_path, settings={ENABLED: True}))
        assert not result.passed and PREFIXES in result.why
        result = _look(_command(), _evidence(tmp_path, settings={ENABLED: True, PREFIXES: ("true",)}))
        assert not result.passed and PREFIXES in result.why
        assert self._run(tmp_path, _command(command=["true"]), {PREFIXES: ("true",)}).passed

    @pytest.mark.parametrize(
        ("code", "keys", "passed"),
        [
            (0, {}, True),
            (3, {}, False),
            (3, {"value": 3}, True),
            (3, {"operator": "lte", "value": 3}, True),
            (3, {"operator": "ne"}, True),
        ],
    )
    def test_the_exit_code_is_compared(
        self, tmp_path: Path, code: int, keys: dict[str, Any], passed: bool
    ) -> None:
        gate = _command(command=["sh", "-c", f"exit {code}"], **keys)
        result = self._run(tmp_path, gate, {PREFIXES: ("sh",)})
        assert result.passed is passed and result.why.startswith(f"it is {code};") and result.score is None

    def test_a_command_that_does_not_end_or_is_not_there_has_failed(self, tmp_path: Path) -> None:
        allowed = {PREFIXES: ("sleep", "surely-not-installed")}
        for operator in ("eq", "ne"):
            late = self._run(
                tmp_path, _command(command=["sleep", "60"], timeout_seconds=0.05, operator=operator), allowed
            )
            assert not late.passed and "stopped after" in late.why
            absent = self._run(
                tmp_path, _command(command=["surely-not-installed"], operator=operator), allowed
            )
            assert not absent.passed and absent.why == "surely-not-installed is not installed"

    def test_a_run_that_may_start_no_programs_fails_it(self, tmp_path: Path) -> None:
        async def refuse(argv: Sequence[str], seconds: float) -> Any:
            assert (argv, seconds) == (("make", "test"), 60)
            raise NotPermittedError("this run may not start programs")

        result = _look(_command(), _evidence(tmp_path, settings={ENABLED: True}), refuse)
        assert not result.passed and result.why == "this run may not start programs"


class TestVerifierField:
    GATE = _gate(type="verifier_field", field="metadata.confidence", operator="gte", value=0.8)

    @pytest.mark.parametrize(("confidence", "passed"), [(0.9, True), (0.7, False)])
    def test_it_advises(self, tmp_path: Path, confidence: float, passed: bool) -> None:
        evidence = _evidence(tmp_path, verifier={"metadata": {"confidence": confidence}})
        result = _look(self.GATE, evidence)
        assert (result.passed, result.blocking, result.score) == (passed, False, None)

    def test_without_an_answer_it_has_failed(self, tmp_path: Path) -> None:
        assert _look(self.GATE, _evidence(tmp_path)).why == "no verifier has answered"
        assert "leads nowhere" in _look(self.GATE, _evidence(tmp_path, verifier={})).why


class TestReport:
    def test_only_a_blocking_gate_keeps_a_loop_going(self) -> None:
        fails, advises = GateResult("a", "t", False, True, ""), GateResult("b", "t", False, False, "")
        assert GateReport().passed and GateReport((advises,)).passed
        report = GateReport((advises, fails))
        assert not report.passed and report.failed == (fails,)
        assert json.loads(json.dumps(report.as_json()))["results"][1]["gate"] == "a"

    def test_the_score_is_that_of_the_first_gate_that_has_one(self, tmp_path: Path) -> None:
        gates = [_regex(), _metric(id="a", operator="lte"), _metric(id="b")]
        evidence = _evidence(tmp_path, worked("score", {"report": {"score": 7}}))
        report = asyncio.run(evaluate_gates(gates, evidence, run_command=_no_command))
        assert [each.gate for each in report.results] == ["the-gate", "a", "b"] and report.score == -7
        assert GateReport().score is None
        silent = asyncio.run(
            evaluate_gates(
                [_metric(id="a", metric_path="gone"), _metric(id="b")], evidence, run_command=_no_command
            )
        )
        assert silent.results[1].score == 7 and silent.score is None
        order = asyncio.run(
            evaluate_gates(
                [_metric(id="a", metric_path="gone", operator="eq"), _metric(id="b")],
                evidence,
                run_command=_no_command,
            )
        )
        assert order.score == 7
        zero = GateResult("z", "t", True, True, "", 0.0)
        assert GateReport((zero, GateResult("y", "t", True, True, "", 1.0))).score == 0.0


def _phase(*required: dict[str, Any]) -> Phase:
    return Phase.model_validate({"id": "build", "description": "Build.", "require": list(required)})


BLOCKING = {"phase": "profile", "field": "data.leakage_blocking", "operator": "eq", "value": False}


class TestRequire:
    def test_a_phase_begins_when_all_it_requires_holds(self) -> None:
        profile = {"data": {"leakage_blocking": False}, "verdict": "OK"}
        verdict = {"phase": "profile", "field": "verdict", "operator": "matches", "value": "^(OK|FLAGGED)$"}
        assert require_unmet(_phase(), {}) == ()
        assert require_unmet(_phase(BLOCKING, verdict), {"profile": profile}) == ()

    @pytest.mark.parametrize(
        ("outcomes", "why"),
        [
            ({}, "profile has no result"),
            (
                {"profile": {"data": {"leakage_blocking": True}}},
                "profile.data.leakage_blocking: it is true; wanted is eq false",
            ),
            (
                {"profile": {"data": {"leakage_blocking": 0}}},
                "profile.data.leakage_blocking: it is 0; wanted is eq false",
            ),
            ({"profile": {"data": {}}}, "no `leakage_blocking` in an empty mapping"),
            ({"profile": {"data": None}}, "no `leakage_blocking` in null"),
        ],
    )
    def test_what_does_not_hold_is_said(self, outcomes: dict[str, Any], why: str) -> None:
        (unmet,) = require_unmet(_phase(BLOCKING), outcomes)
        assert why in unmet

    def test_each_requirement_is_looked_at(self) -> None:
        rows = {"phase": "profile", "field": "summary.n_rows", "operator": "gte", "value": 10}
        unmet = require_unmet(
            _phase(BLOCKING, rows),
            {"profile": {"data": {"leakage_blocking": True}, "summary": {"n_rows": 9}}},
        )
        assert len(unmet) == 2 and "n_rows: it is 9" in unmet[1]
