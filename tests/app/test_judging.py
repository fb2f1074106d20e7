"""The judge of a package: what the room of verification finds, as reasons and events of a run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from loom.app.judging import PackageJudge
from loom.kernel.errors import LoomError
from loom.process.plan import plan
from loom.process.resolve import ResolvedProcess
from loom.runtime.driver import Execution, PhaseTask
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.state import Reason
from loom.tools.context import Permissions, ToolContext
from loom.tools.registry import Tool, ToolRegistry
from loom.tools.results import ToolResult
from loom.verification.gates import ENABLED, PREFIXES
from tests.app.package_tests.packages import make_package, run
from tests.fakes.execution import Log, ScriptedExecutor, succeeded
from tests.verification.attempts import process_of

WORK = {"id": "work", "description": "Work.", "run": {"tool": "calculator", "args": {"expression": "1"}}}
NO_STUBS = {"name": "no-stubs", "type": "regex", "check": "TBD", "severity": "error"}
TESTS = {"name": "tests", "capability": "command_execution", "helper": "run_test_suite"}
LOOP = {
    "enabled": True,
    "max_attempts": 3,
    "max_total_runner_invocations": 4,
    "stop_on_no_improvement_attempts": 2,
    "iteration_budget": {"max_wall_clock_seconds": 60, "max_tokens": 1000, "max_tool_calls": 5},
}


def following(*names: str, after: str = "work", **keys: Any) -> list[dict[str, Any]]:
    """Phases that each follow the same one."""
    return [{**WORK, "id": name, "depends_on": [after], **keys} for name in names]


class Bench:
    """A judge over one process, with everything it talks to in memory."""

    def __init__(
        self,
        workspace: Path,
        phases: list[dict[str, Any]] | None = None,
        script: list[Any] | None = None,
        verification: dict[str, Any] | None = None,
        **about: Any,
    ) -> None:
        # no two phases may share a part, which YAML would write as an alias
        written = json.loads(json.dumps(phases or [WORK]))
        self.process: ResolvedProcess = process_of(verification, written)
        self.executor = ScriptedExecutor(script or [succeeded()])
        self.log = Log()
        self.judge = PackageJudge(self.process, workspace, self.executor, tell=self.log, **about)
        self.plan = plan(self.process.package)

    def task(self, phase: str = "work", **about: Any) -> PhaseTask:
        """An attempt at a phase."""
        return PhaseTask(self.plan.step(phase), **{"args": {"expression": "1"}, "attempt": 1, **about})

    def verify(self, output: str = "done", phase: str = "work", **about: Any) -> tuple[Reason, ...]:
        """What is wrong with a result that says this."""
        return self.judge.verify(self.task(phase, **about), Execution(ToolResult.ok(output)))

    def codes(self, output: str = "done", phase: str = "work", **about: Any) -> list[str]:
        """The codes of what is wrong."""
        return [reason.code for reason in self.verify(output, phase, **about)]


def needing(**keys: Any) -> list[dict[str, Any]]:
    need = {"phase": "work", "field": "data.rows", "operator": "gt", "value": 5, **keys}
    return [WORK, *following("late", require=[need])]


class TestEntryGates:
    def unmet(self, tmp_path: Path, outcomes: Mapping[str, PhaseOutcome], **keys: Any) -> tuple[Reason, ...]:
        bench = Bench(tmp_path, needing(**keys))
        return bench.judge.unmet(bench.plan.step("late"), outcomes)

    @pytest.mark.parametrize(("rows", "holds"), [(6, True), (5, False)])
    def test_a_phase_begins_only_where_its_requirement_holds(
        self, tmp_path: Path, rows: int, holds: bool
    ) -> None:
        found = self.unmet(tmp_path, {"work": PhaseOutcome("work", "accepted", data={"rows": rows})})
        assert (found == ()) is holds
        if not holds:
            assert found == (Reason("require", "work.data.rows: it is 5; wanted is gt 5"),)

    def test_a_phase_without_a_verdict_does_not_pass_for_one_that_did_not_fail(self, tmp_path: Path) -> None:
        outcome = PhaseOutcome("work", "accepted", data={"rows": 9})
        asked = {"field": "verdict", "operator": "ne", "value": "FAIL"}
        (found,) = self.unmet(tmp_path, {"work": outcome}, **asked)
        assert "no `verdict`" in found.what
        assert self.unmet(tmp_path, {"work": replace(outcome, verdict="PASS")}, **asked) == ()

    @pytest.mark.parametrize(
        ("field", "value"),
        [("summary.rows", 7), ("pathspec", "F/1"), ("deliverables[0]", "a.md"), ("status", "accepted")],
    )
    def test_every_field_of_an_outcome_can_be_asked_for(self, tmp_path: Path, field: str, value: Any) -> None:
        outcome = PhaseOutcome(
            "work", "accepted", summary={"rows": 7}, pathspec="F/1", deliverables=("a.md",)
        )
        assert self.unmet(tmp_path, {"work": outcome}, field=field, operator="eq", value=value) == ()

    def test_a_secret_is_not_told(self, tmp_path: Path) -> None:
        outcome = PhaseOutcome("work", "accepted", data={"rows": "postgresql://me:hunter2@db/x"})
        (found,) = self.unmet(tmp_path, {"work": outcome}, operator="eq", value="none")
        assert "hunter2" not in found.what and "REDACTED" in found.what


class TestResults:
    def test_a_result_that_lacks_nothing_has_no_reasons_and_nothing_is_told(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path)
        assert bench.verify() == () and bench.log.events == []

    def test_what_breaks_a_hard_rule_is_a_reason_that_says_what_and_where(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, verification={"rules": [NO_STUBS]})
        found = bench.verify("fine\nTBD")
        assert found == (Reason("verification_no-stubs", "`TBD` must not occur (output:2)", True),)
        assert bench.verify("fine") == ()

    @pytest.mark.parametrize(
        ("keys", "retryable"),
        [
            ({}, True),
            ({"failure_class": "recoverable_placeholder"}, True),
            ({"failure_class": "hard_integrity"}, False),
            ({"remediation_mode": "none"}, False),
            ({"remediation_mode": "remediate_and_retry"}, True),
        ],
    )
    def test_another_attempt_is_worth_it_unless_integrity_is_broken_or_the_author_says_so(
        self, tmp_path: Path, keys: dict[str, str], retryable: bool
    ) -> None:
        (found,) = Bench(tmp_path, verification={"rules": [{**NO_STUBS, **keys}]}).verify("TBD")
        assert found.retryable is retryable

    def test_advice_is_told_and_rejects_nothing(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, verification={"rules": [{**NO_STUBS, "severity": "warning"}]})
        assert bench.verify("TBD", item=2) == ()
        assert bench.log.of("note") == [
            {"phase": "work", "item": 2, "text": "no-stubs: `TBD` must not occur (output:1)"}
        ]

    def test_what_takes_a_model_is_told_as_not_assessed(self, tmp_path: Path) -> None:
        phase = {**WORK, "verification_tier": 2, "acceptance_criteria": "It is right."}
        bench = Bench(tmp_path, [phase], verification={"rules": [{"name": "good", "check": "Is it good?"}]})
        assert bench.verify() == ()
        (told,) = bench.log.of("not_assessed")
        assert [each["check"] for each in told["checks"]] == [
            "good",
            "verification_tier",
            "acceptance_criteria",
        ]

    def test_a_deliverable_is_missed_by_its_exact_name(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, [{**WORK, "deliverables": ["report.md"]}])
        (found,) = bench.verify()
        assert found == Reason(
            "verification_deliverable", "report.md was not delivered: it does not exist", True
        )
        (tmp_path / "report.md").write_text("# Report\n")
        assert bench.verify() == ()

    def test_a_deliverable_that_leads_out_of_the_workspace_is_not_worth_another_attempt(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "work").mkdir()
        (tmp_path / "outside.md").write_text("x")
        (tmp_path / "work" / "report.md").symlink_to(tmp_path / "outside.md")
        bench = Bench(tmp_path / "work", [{**WORK, "deliverables": ["report.md"]}])
        (found,) = bench.verify()
        assert (found.code, found.retryable) == ("verification_deliverable", False)

    def test_a_failed_call_counts_as_the_policy_says(self, tmp_path: Path) -> None:
        failed = Execution(ToolResult.fail("it broke"))
        for policy, codes in (
            ("method_resilient", ["verification_tool-success"]),
            ("all_tools_hard", ["verification_tool-success"]),
            ("safety_integrity_only", []),
        ):
            strict = {"policy": {"static_checks": {"tool_success_policy": policy}}}
            bench = Bench(tmp_path, verification=strict)
            assert [each.code for each in bench.judge.verify(bench.task(), failed)] == codes


def outcome_of(state: str, **data: Any) -> Execution:
    """What the helper answers."""
    said = {"outcome": state, "helper": "run_test_suite", "summary": f"they {state}", **data}
    result = ToolResult.ok("", said) if state == "passed" else ToolResult.fail(f"tests: {state}", said)
    return Execution(result)


class TestHelpers:
    def bench(self, tmp_path: Path, *answers: Execution, **keys: Any) -> Bench:
        (tmp_path / "a.md").write_text("x\n")
        checks = {"policy": {"semantic_checks": [{**TESTS, **keys}]}, "rules": [NO_STUBS]}
        phase = {**WORK, "deliverables": ["a.md"]}
        return Bench(tmp_path, [phase], list(answers), checks)

    def test_a_check_is_really_carried_out_with_the_deliverables_sealed(self, tmp_path: Path) -> None:
        bench = self.bench(tmp_path, outcome_of("passed"), target="src")
        assert bench.verify(sealed=("earlier.md",)) == ()
        (task,) = bench.executor.tasks
        assert task.step.phase.run is not None and task.step.phase.run.tool == "verification_helper"
        assert task.args == {"helper": "run_test_suite", "target": "src"}
        assert set(task.sealed) == {"earlier.md", "a.md"}

    def test_a_check_that_failed_rejects(self, tmp_path: Path) -> None:
        (found,) = self.bench(tmp_path, outcome_of("failed")).verify()
        assert found == Reason("verification_tests", "tests: failed", True)

    def test_a_check_that_could_not_be_made_is_not_assessed_where_it_is_optional(
        self, tmp_path: Path
    ) -> None:
        bench = self.bench(tmp_path, outcome_of("unavailable"), optional=True)
        assert bench.verify() == ()
        assert bench.log.of("not_assessed")[0]["checks"] == [{"check": "tests", "why": "tests: unavailable"}]
        assert self.bench(tmp_path, outcome_of("unavailable")).codes() == ["verification_tests"]

    def test_a_result_that_is_rejected_anyway_is_not_tried_out(self, tmp_path: Path) -> None:
        bench = self.bench(tmp_path, outcome_of("passed"))
        assert bench.codes("TBD") == ["verification_no-stubs"] and bench.executor.tasks == []

    def test_a_report_of_the_checks_is_given_their_results(self, tmp_path: Path) -> None:
        page = {
            "name": "page",
            "capability": "report_rendering",
            "helper": "render_verification_report",
            "target": "checks.md",
        }
        again = {**TESTS, "name": "again", "enforcement": "advisory"}
        checks = {"policy": {"semantic_checks": [TESTS, again, page]}}
        script = [outcome_of("passed"), Execution(ToolResult.fail("it crashed")), succeeded()]
        bench = Bench(tmp_path, script=script, verification=checks)
        assert bench.verify() == ()
        asked = bench.executor.tasks[2].args
        assert (asked["helper"], asked["output_path"]) == ("render_verification_report", "checks.md")
        passed = {"helper": "run_test_suite", "passed": True, "outcome": "passed", "summary": "they passed"}
        crashed = {"helper": "", "passed": False, "outcome": "unavailable", "summary": "it crashed"}
        assert asked["results"] == [{"name": "tests", **passed}, {"name": "again", **crashed}]

    def test_a_check_that_only_says_that_it_worked_has_passed(self, tmp_path: Path) -> None:
        page = {"name": "page", "capability": "report_rendering", "helper": "render_verification_report"}
        checks = {"policy": {"semantic_checks": [TESTS, page]}}
        bench = Bench(tmp_path, script=[succeeded()], verification=checks)
        assert bench.verify() == ()
        asked = bench.executor.tasks[1].args
        assert "output_path" not in asked and asked["results"][0]["outcome"] == "passed"


COUNT = {**NO_STUBS, "name": "two", "check": "SEEN", "min_count": 2, "scope": "global"}


class TestTheWholeRun:
    def bench(
        self, tmp_path: Path, phases: list[dict[str, Any]], *rules: dict[str, Any], **policy: Any
    ) -> Bench:
        return Bench(tmp_path, phases, verification={"rules": list(rules), "policy": policy})

    def end(self, bench: Bench, phase: str, before: str, output: str = "SEEN", **about: Any) -> list[str]:
        outcome = PhaseOutcome("work", "accepted", output=before)
        bench.judge.unmet(bench.plan.step(phase), {"work": outcome})
        return bench.codes(output, phase, **about)

    @pytest.mark.parametrize(("before", "codes"), [("SEEN", []), ("no", ["verification_two"])])
    def test_matches_are_counted_over_all_phases_where_the_run_ends(
        self, tmp_path: Path, before: str, codes: list[str]
    ) -> None:
        bench = self.bench(tmp_path, [WORK, *following("last")], COUNT)
        assert bench.codes("no") == []
        assert self.end(bench, "last", before) == codes

    def test_what_must_not_occur_anywhere_is_looked_for_at_every_end(self, tmp_path: Path) -> None:
        forbids = {**NO_STUBS, "scope": "global"}
        bench = self.bench(tmp_path, [WORK, *following("left", "right")], forbids)
        assert bench.codes("TBD") == []
        assert self.end(bench, "left", "TBD", "fine") == ["verification_no-stubs"]
        assert self.end(bench, "right", "fine", "TBD") == ["verification_no-stubs"]

    @pytest.mark.parametrize("count", [1, 2])
    def test_with_several_ends_nothing_is_counted_and_that_is_said(self, tmp_path: Path, count: int) -> None:
        rule = {**COUNT, "min_count": count}
        bench = self.bench(tmp_path, [WORK, *following("left", "right")], rule)
        assert self.end(bench, "right", "none", "none") == []
        (told,) = bench.log.of("not_assessed")
        assert [each["check"] for each in told["checks"]] == ["two"]

    def test_an_item_is_not_the_whole(self, tmp_path: Path) -> None:
        bench = self.bench(tmp_path, [WORK, *following("last")], COUNT)
        assert self.end(bench, "last", "none", "none", item=0) == []

    @pytest.mark.parametrize(
        ("length", "target", "says"),
        [(4000, "output", True), (3999, "output", False), (4000, "deliverables", False)],
    )
    def test_a_text_that_was_cut_is_not_said_to_have_been_searched(
        self, tmp_path: Path, length: int, target: str, says: bool
    ) -> None:
        rule = {**NO_STUBS, "scope": "global", "target": target}
        bench = self.bench(tmp_path, [WORK, *following("last")], rule)
        self.end(bench, "last", "x" * length)
        told = [each["why"] for body in bench.log.of("not_assessed") for each in body["checks"]]
        assert told == (["of work only the first 4,000 characters were searched"] if says else [])

    def test_checks_of_the_whole_are_carried_out_once_at_the_last_end(self, tmp_path: Path) -> None:
        checks = [{**TESTS, "scope": "global"}]
        bench = self.bench(tmp_path, [WORK, *following("left", "right")], semantic_checks=checks)
        bench.executor.script = [outcome_of("failed")]
        assert bench.codes("fine") == [] and self.end(bench, "left", "fine") == []
        assert bench.executor.tasks == [] and bench.log.of("not_assessed") == []
        assert self.end(bench, "right", "fine") == ["verification_tests"]

    def test_a_result_that_is_rejected_anyway_is_not_the_end_of_a_run(self, tmp_path: Path) -> None:
        policy = {"semantic_checks": [{**TESTS, "scope": "global"}]}
        bench = self.bench(tmp_path, [WORK], NO_STUBS, **policy)
        assert bench.codes("TBD") == ["verification_no-stubs"] and bench.executor.tasks == []

    def test_deliverables_of_phases_before_are_searched_too(self, tmp_path: Path) -> None:
        forbids = {**NO_STUBS, "scope": "global", "target": "deliverables"}
        (tmp_path / "a.md").write_text("TBD\n")
        bench = self.bench(tmp_path, [WORK, *following("last")], forbids)
        before = PhaseOutcome("work", "accepted", deliverables=("a.md",))
        bench.judge.unmet(bench.plan.step("last"), {"work": before})
        assert bench.codes("fine", "last") == ["verification_no-stubs"]


def metric(tool: str = "calculator", **keys: Any) -> dict[str, Any]:
    gate = {"id": "enough", "type": "tool_metric", "tool": tool, "metric_path": "score", "operator": "gte"}
    return {**gate, "value": 80, **keys}


class Probe(Tool):
    """A tool that knows only some of what the phase was given."""

    name = "spreadsheet"
    description = "Scores."
    parameters: ClassVar[dict[str, Any]] = {"type": "object", "properties": {"expression": {}}}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        raise NotImplementedError


COMMAND = {"id": "runs", "type": "command_exit", "command": ["make", "test"]}


class TestLoops:
    def bench(self, tmp_path: Path, *gates: dict[str, Any], **about: Any) -> Bench:
        return Bench(tmp_path, [{**WORK, "iteration": {**LOOP, "gates": list(gates)}}], **about)

    def look(self, bench: Bench, data: dict[str, Any] | None = None, output: str = "", **about: Any) -> Any:
        return bench.judge.gates(bench.task(**about), Execution(ToolResult.ok(output, data)))

    def test_a_phase_without_a_loop_has_no_gates(self, tmp_path: Path) -> None:
        found = self.look(Bench(tmp_path))
        assert (found.failed, found.score) == ((), None)

    @pytest.mark.parametrize(("score", "failed"), [(80, 0), (79, 1)])
    def test_the_result_of_the_phase_itself_is_what_a_gate_of_its_tool_reads(
        self, tmp_path: Path, score: int, failed: int
    ) -> None:
        bench = self.bench(tmp_path, metric())
        found = self.look(bench, {"score": score})
        assert (len(found.failed), found.score, bench.executor.tasks) == (failed, score, [])
        if failed:
            what = "gate enough: it is 79; wanted is gte 80"
            assert found.failed == (Reason("gate_enough", what, True),)

    def test_another_tool_is_called_once_with_what_it_knows_and_cannot_change_the_deliverables(
        self, tmp_path: Path
    ) -> None:
        gates = (metric("spreadsheet"), metric("spreadsheet", id="more", value=95))
        answer = succeeded({"score": 90}, tokens=7)
        bench = self.bench(tmp_path, *gates, script=[answer], tools=ToolRegistry([Probe()]))
        found = self.look(bench, {"score": 1}, args={"expression": "1", "other": 2}, sealed=("a.md",))
        (task,) = bench.executor.tasks
        assert task.step.phase.run is not None and task.step.phase.run.tool == "spreadsheet"
        assert dict(task.args) == {"expression": "1"} and task.sealed == ("a.md",)
        assert [each.code for each in found.failed] == ["gate_more"]
        assert (found.usage.tool_calls, found.usage.tokens) == (1, 7)

    def test_a_tool_that_fails_fails_its_gate_and_says_so(self, tmp_path: Path) -> None:
        bench = self.bench(tmp_path, metric("spreadsheet"), script=[Execution(ToolResult.fail("no luck"))])
        found = self.look(bench)
        assert "spreadsheet failed: no luck" in found.failed[0].what and found.score is None

    def test_every_gate_is_told_and_only_blocking_ones_hold_the_phase_up(self, tmp_path: Path) -> None:
        stubs = {"id": "stubs", "type": "artifact_regex", "pattern": "TBD", "expect_match": False}
        bench = self.bench(tmp_path, metric(blocking=False), stubs)
        found = self.look(bench, {"score": 1}, "fine", item=3)
        assert found.failed == ()
        keys = ("phase", "gate", "passed", "blocking", "item")
        told = [tuple(each[key] for key in keys) for each in bench.log.of("gate_evaluated")]
        assert told == [("work", "enough", False, False, 3), ("work", "stubs", True, True, 3)]
        assert bench.log.of("gate_evaluated")[0]["what"] == "it is 1; wanted is gte 80"

    def test_the_summary_is_that_of_the_process_or_of_the_result(self, tmp_path: Path) -> None:
        gate = {"id": "says", "type": "artifact_regex", "target": "summary", "pattern": "no rows|größe"}
        bench = self.bench(tmp_path, gate)
        assert self.look(bench, {"summary": "no rows"}).failed == ()
        nested = Execution(ToolResult.ok(""), summary={"größe": "rows"})
        assert bench.judge.gates(bench.task(), nested).failed == ()
        assert "there is no summary" in self.look(bench).failed[0].what

    def test_commands_are_off_until_somebody_turns_them_on(self, tmp_path: Path) -> None:
        found = self.look(self.bench(tmp_path, COMMAND))
        assert ENABLED in found.failed[0].what

    @pytest.mark.parametrize(("code", "failed"), [(0, 0), (3, 1)])
    def test_a_command_really_runs_in_the_workspace(self, tmp_path: Path, code: int, failed: int) -> None:
        (tmp_path / "Makefile").write_text(f"test:\n\t@touch ran; exit {code}\n")
        settings = {ENABLED: True, PREFIXES: ("make test",)}
        bench = self.bench(tmp_path, COMMAND, settings=settings, context=ToolContext(tmp_path))
        assert len(self.look(bench).failed) == failed
        assert (tmp_path / "ran").exists()

    def test_a_run_that_may_start_no_programs_starts_none(self, tmp_path: Path) -> None:
        context = ToolContext(tmp_path, permissions=Permissions(processes=False))
        for given in (None, context):
            bench = self.bench(tmp_path, COMMAND, settings={ENABLED: True}, context=given)
            assert "may not start programs" in self.look(bench).failed[0].what

    def test_a_sandbox_that_is_too_weak_fails_the_gate(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refuse(*args: Any, **more: Any) -> None:
            raise LoomError("no sandbox", "this machine has none", "loom doctor")

        monkeypatch.setattr("loom.verification.commands.run_program", refuse)
        bench = self.bench(tmp_path, COMMAND, settings={ENABLED: True}, context=ToolContext(tmp_path))
        assert "no sandbox: this machine has none" in self.look(bench).failed[0].what

    @pytest.mark.parametrize(("left", "given"), [(None, 60.0), (20.0, 20.0), (0.2, 1.0), (500.0, 60.0)])
    def test_a_command_has_no_more_time_than_the_phase(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: float | None, given: float
    ) -> None:
        asked = []

        async def note(argv: Any, cwd: Any, ctx: Any, seconds: float) -> None:
            asked.append(seconds)
            raise LoomError("a", "b", "c")

        monkeypatch.setattr("loom.verification.commands.run_program", note)
        bench = self.bench(tmp_path, COMMAND, settings={ENABLED: True}, context=ToolContext(tmp_path))
        self.look(bench, seconds_left=left)
        assert asked == [given]


class TestPublishing:
    def publish(self, bench: Bench, changed: tuple[str, ...] = (), **about: Any) -> tuple[str, ...]:
        execution = Execution(ToolResult.ok("", files_changed=changed))
        return bench.judge.published(bench.task(**about), execution)

    def bench(self, tmp_path: Path, *names: str, single: bool = True) -> Bench:
        phases = [{**WORK, "deliverables": list(names)}, *following("last", deliverables=["last.md"])]
        bench = Bench(tmp_path, phases)
        if not single:
            spec = bench.process.package.spec
            loose = spec.output_coordination.model_copy(update={"enforce_single_writer": False})
            bench.process.package.spec = spec.model_copy(update={"output_coordination": loose})
        return bench

    def test_deliverables_are_named_once_they_are_on_the_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced = []
        monkeypatch.setattr("os.fsync", synced.append)
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a.md").write_text("x")
        bench = self.bench(tmp_path, "sub/a.md")
        assert self.publish(bench, ("sub/a.md", "beside.txt")) == ("sub/a.md",)
        assert len(synced) == 2

    def test_what_is_not_there_or_leads_away_is_not_published(self, tmp_path: Path) -> None:
        bench = self.bench(tmp_path / "work", "a.md")
        (tmp_path / "work").mkdir()
        with pytest.raises(FileNotFoundError):
            self.publish(bench)
        (tmp_path / "work" / "a.md").symlink_to(tmp_path)
        with pytest.raises(LoomError, match="cannot be published"):
            self.publish(bench)

    @pytest.mark.parametrize("about", [{"sealed": ("a.md",)}, {"changed": ("last.md",)}])
    def test_a_file_of_another_phase_is_refused(self, tmp_path: Path, about: dict[str, Any]) -> None:
        (tmp_path / "a.md").write_text("x")
        with pytest.raises(LoomError, match="a file has one writer"):
            self.publish(self.bench(tmp_path, "a.md"), **about)
        assert self.publish(self.bench(tmp_path, "a.md", single=False), **about) == ("a.md",)


class TestForReal:
    @pytest.mark.parametrize("scope", ["phase", "global"])
    @pytest.mark.parametrize(("claim", "passes"), [("1 == 1", True), ("1 == 2", False)])
    def test_the_tests_that_a_phase_delivers_are_run_before_it_is_accepted(
        self, tmp_path: Path, claim: str, passes: bool, scope: str
    ) -> None:
        text = f"def test_it():\n    assert {claim}\n"
        put = {"tool": "put", "args": {"path": "test_it.py", "text": text}}
        phases = [{"id": "work", "run": put, "deliverables": ["test_it.py"]}]
        phases.append({"id": "last", "depends_on": ["work"], "run": {"tool": "say"}})
        policy = {"semantic_checks": [{**TESTS, "scope": scope}]}
        ends = {"status": "failed", "phase": "work" if scope == "phase" else "last"}
        case = {"id": "checked", "expect": {"status": "ok"} if passes else ends}
        package = make_package(
            tmp_path / "small",
            phases,
            [case],
            verification={"policy": policy},
            permissions={"processes": True},
            tools={"required": ["verification_helper"]},
        )
        # with another home, a manager of Python versions would not find its own
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        (found,) = run(package, environ={"PATH": path}).cases
        assert (found.status, found.complaints) == ("ok", ())
        assert found.ending is not None
        assert ("1 failed" in "".join(found.ending.reasons)) is not passes
