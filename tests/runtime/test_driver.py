"""The driver does what the machine asks for, tells it what happened, and writes down every step before it takes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loom.kernel.errors import LoomError
from loom.runtime import driver as module
from loom.runtime.actions import Note
from loom.runtime.driver import Execution
from loom.runtime.events import GatesEvaluated, Usage
from loom.runtime.lookup import Scope
from loom.runtime.machine import backoff
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.state import AttemptState, Limits, Reason
from loom.tools.results import ToolResult
from tests.fakes.execution import (
    Bench,
    Publisher,
    ScriptedExecutor,
    ScriptedJudge,
    failed,
    reasons,
    scored,
    succeeded,
)
from tests.runtime.plans import LOOP, only_step

FILES = "    deliverables: [a.md — the text, b.csv — the table]\n"
RETRIES = "    retries: 2\n"
SCOPE = Scope({"rows": 5})


def carried_out(bench: Bench, rest: str = "", scope: Scope = SCOPE, item: int | None = None) -> PhaseOutcome:
    return bench.driver().carry_out(only_step(rest), scope, item)


def codes(outcome: PhaseOutcome) -> list[str]:
    return [reason.code for reason in outcome.reasons]


class TestTheWayThatGoesWell:
    def test_an_attempt_that_passes_is_accepted_with_all_it_gave(self) -> None:
        done = succeeded(
            {"n": 1, "data_object": "sha256:1"},
            seconds=1.23456,
            verdict="OK",
            summary={"s": 1},
            pathspec="EdaFlow/1",
            sandbox="isolated",
        )
        bench = Bench(ScriptedExecutor([done]))
        assert carried_out(bench, FILES) == PhaseOutcome(
            "work",
            "accepted",
            data={"n": 1, "data_object": "sha256:1"},
            verdict="OK",
            summary={"s": 1},
            pathspec="EdaFlow/1",
            deliverables=("a.md", "b.csv"),
            attempts=1,
            seconds=1.2346,
            data_objects=("sha256:1",),
            sandbox="isolated",
            output="done",
        )
        assert bench.publisher.published == [("a.md", "b.csv")]

    def test_every_step_is_written_down_before_it_is_taken(self) -> None:
        bench = Bench()
        bench.judge.found = list(scored(1.0))
        told_when: list[tuple[str, int]] = []
        executor, judge, publisher = bench.executor, bench.judge, bench.publisher
        real = (executor.execute, judge.verify, judge.gates, publisher.__call__)

        def seen(name: str, call: Any) -> Any:
            def wrapped(*args: Any) -> Any:
                told_when.append((name, len(bench.log.events)))
                return call(*args)

            return wrapped

        executor.execute, judge.verify, judge.gates = (  # type: ignore[method-assign]
            seen(name, call) for name, call in zip(("execute", "verify", "gates"), real, strict=False)
        )
        driver = replace(bench.driver(), publish=seen("publish", publisher))
        driver.carry_out(only_step(FILES + LOOP), SCOPE)
        before = {"execute": "phase_started", "verify": "phase_verifying", "gates": "gates_evaluating"}
        before |= {"publish": "phase_publishing"}
        assert [name for name, _ in told_when] == ["execute", "verify", "gates"] * 2 + ["publish"]
        for name, count in told_when:
            assert bench.log.kinds[count - 1] == before[name]

    def test_what_is_told_names_the_phase_the_attempt_and_the_tool(self) -> None:
        bench = Bench(ScriptedExecutor([succeeded(seconds=0.123456)]))
        carried_out(bench)
        assert bench.log.events == [
            ("phase_started", {"phase": "work", "attempt": 1}),
            (
                "tool_finished",
                {"phase": "work", "tool": "t", "success": True, "seconds": 0.1235, "error": None},
            ),
            ("phase_verifying", {"phase": "work", "attempt": 1}),
        ]

    def test_an_item_is_named_in_all_that_is_told(self) -> None:
        bench = Bench(ScriptedExecutor([failed(), succeeded()]))
        carried_out(bench, RETRIES + FILES, item=0)
        assert bench.executor.tasks[0].item == 0
        assert {body["item"] for _, body in bench.log.events} == {0}

    def test_a_phase_without_gates_is_not_asked_for_any(self) -> None:
        bench = Bench()
        carried_out(bench)
        assert bench.judge.asked == ["unmet", "verify"]


class TestEntry:
    def test_gates_that_do_not_hold_block_before_anything_is_carried_out(self) -> None:
        bench = Bench(judge=ScriptedJudge(entry=reasons("require")))
        outcome = carried_out(bench)
        assert outcome == PhaseOutcome("work", "blocked", reasons=reasons("require"))
        assert (bench.executor.tasks, bench.log.events) == ([], [])

    def test_an_argument_that_leads_nowhere_blocks_and_is_named(self) -> None:
        step = only_step()
        assert step.phase.run is not None
        run = step.phase.run.model_copy(update={"args": {"n": "${phases.gone.data}"}})
        step = replace(step, phase=step.phase.model_copy(update={"run": run}))
        bench = Bench()
        outcome = bench.driver().carry_out(step, SCOPE)
        assert (outcome.status, codes(outcome)) == ("blocked", ["reference"])
        assert outcome.reasons[0].what == "`phases.gone.data`: gone has not run"
        assert bench.executor.tasks == []

    def test_arguments_are_filled_in_and_files_of_earlier_phases_are_sealed(self) -> None:
        step = only_step()
        assert step.phase.run is not None
        run = step.phase.run.model_copy(
            update={"args": {"n": "${inputs.rows}", "text": "${inputs.rows} rows"}}
        )
        step = replace(step, phase=step.phase.model_copy(update={"run": run}))
        before = {
            "a": PhaseOutcome("a", "accepted", deliverables=("a.md",)),
            "b": PhaseOutcome("b", "accepted", deliverables=("b.md", "c.md")),
        }
        bench = Bench()
        bench.driver().carry_out(step, Scope({"rows": 5}, before))
        (task,) = bench.executor.tasks
        assert (task.args, task.sealed) == ({"n": 5, "text": "5 rows"}, ("a.md", "b.md", "c.md"))


class TestFailures:
    def test_a_failure_is_retried_after_a_pause_that_is_told(self) -> None:
        bench = Bench(ScriptedExecutor([failed("no answer", "io"), succeeded(seconds=1.0)]))
        outcome = carried_out(bench, RETRIES)
        assert (outcome.status, outcome.attempts, len(bench.executor.tasks)) == ("accepted", 1, 2)
        (pause,) = bench.clock.pauses
        assert bench.log.of("phase_waiting") == [{"phase": "work", "seconds": pause, "why": "no answer"}]
        assert bench.log.kinds[:4] == ["phase_started", "tool_finished", "phase_waiting", "phase_started"]

    def test_phases_and_items_that_fail_together_do_not_come_back_together(self) -> None:
        pauses = set()
        for item in (None, 0, 1):
            for seed in (0, 1):
                bench = Bench(ScriptedExecutor([failed(), succeeded()]), seed=seed)
                carried_out(bench, RETRIES, item=item)
                pauses |= set(bench.clock.pauses)
        assert len(pauses) == 6

    def test_the_same_run_pauses_alike_every_time(self) -> None:
        pauses = []
        for _ in range(2):
            bench = Bench(ScriptedExecutor([failed()]), seed=3)
            carried_out(bench, RETRIES)
            pauses.append(bench.clock.pauses)
        assert pauses[0] == pauses[1] and len(pauses[0]) == 2
        seed = module._seed(3, {"phase": "work"})
        assert pauses[0] == [backoff(Limits(seed=seed), 1, retry) for retry in (1, 2)]

    def test_when_retries_are_used_up_the_reasons_say_what_to_do(self) -> None:
        outcome = carried_out(Bench(ScriptedExecutor([failed("no answer", "timeout", seconds=2.0)])), RETRIES)
        assert (outcome.status, codes(outcome), outcome.seconds) == (
            "exhausted",
            ["timeout_failure", "retries"],
            6.0,
        )

    @pytest.mark.parametrize("kind", ["model", "tool", "io", "timeout", "contract", "safety"])
    def test_a_failure_keeps_its_kind(self, kind: str) -> None:
        outcome = carried_out(Bench(ScriptedExecutor([failed("broke", kind, retryable=False)])))
        assert (outcome.status, outcome.reasons) == ("rejected", (Reason(f"{kind}_failure", "broke", False),))

    def test_a_failure_that_says_nothing_of_itself_is_one_of_the_tool(self) -> None:
        outcome = carried_out(Bench(ScriptedExecutor([Execution(ToolResult(success=False))])))
        assert outcome.reasons == (Reason("tool_failure", "it failed", False),)

    def test_what_a_failed_attempt_gave_can_be_read_but_makes_no_data_object(self) -> None:
        broke = Execution(ToolResult.fail("broke", {"data_object": "sha256:1", "error": {"what": "w"}}))
        outcome = carried_out(Bench(ScriptedExecutor([broke])), FILES)
        assert outcome.data == {"data_object": "sha256:1", "error": {"what": "w"}}
        assert (outcome.data_objects, outcome.deliverables) == ((), ())

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug")])
    def test_what_is_no_outcome_is_not_swallowed(self, error: BaseException) -> None:
        with pytest.raises(type(error)):
            carried_out(Bench(ScriptedExecutor([error])), RETRIES)


class TestLoops:
    def test_an_attempt_is_told_what_was_wrong_with_the_one_before(self) -> None:
        wrong = (Reason("rule", "a rule is broken", retryable=True),)
        bench = Bench(judge=ScriptedJudge(wrong=[wrong], found=list(scored(1.0))))
        outcome = carried_out(bench, LOOP)
        assert (outcome.status, outcome.attempts) == ("accepted", 3)
        assert [task.reasons for task in bench.executor.tasks] == [(), wrong, reasons("gate")]
        assert [task.attempt for task in bench.executor.tasks] == [1, 2, 3]
        assert bench.log.of("phase_remediating") == [
            {"phase": "work", "attempt": 2, "reasons": ["a rule is broken"]},
            {"phase": "work", "attempt": 3, "reasons": ["because of gate"]},
        ]
        assert bench.log.of("gates_evaluating") == [{"phase": "work", "attempt": n} for n in (2, 3)]

    def test_a_full_rerun_does_not_hear_of_the_attempt_before(self) -> None:
        bench = Bench(judge=ScriptedJudge(found=list(scored(1.0, 2.0))))
        carried_out(bench, LOOP + "      strategy: full_rerun\n")
        assert [task.reasons for task in bench.executor.tasks] == [(), (), ()]

    def test_a_retry_of_a_repair_still_hears_of_it(self) -> None:
        bench = Bench(ScriptedExecutor([succeeded(), failed(), succeeded()]))
        bench.judge.found = list(scored(1.0))
        carried_out(bench, RETRIES + LOOP)
        assert [task.reasons for task in bench.executor.tasks] == [(), reasons("gate"), reasons("gate")]
        assert [task.attempt for task in bench.executor.tasks] == [1, 2, 2]

    def test_checking_takes_time_that_counts(self) -> None:
        bench = Bench(ScriptedExecutor([succeeded(seconds=10.0)]))
        bench.judge.takes_seconds = 25.0
        bench.judge.found = list(scored(1.0, 2.0, 3.0))
        outcome = carried_out(bench, LOOP)
        assert (outcome.status, outcome.attempts, codes(outcome)) == ("exhausted", 1, ["gate", "budget"])
        assert outcome.reasons[1].what == "60 of 60 seconds are used: raise max_wall_clock_seconds"

    def test_an_attempt_is_told_how_much_time_is_left(self) -> None:
        bench = Bench(ScriptedExecutor([succeeded(seconds=10.0)]))
        bench.judge.takes_seconds = 5.0
        bench.judge.found = list(scored(1.0))
        carried_out(bench, LOOP)
        assert [task.seconds_left for task in bench.executor.tasks] == [60, 40.0]

    def test_what_gates_spend_beside_time_counts_too(self) -> None:
        bench = Bench(ScriptedExecutor([succeeded(tokens=400, tool_calls=1)]))
        bench.judge.found = [GatesEvaluated(reasons("gate"), 1.0, Usage(99.0, 600, 0))]
        outcome = carried_out(bench, LOOP)
        assert codes(outcome) == ["gate", "budget"]
        assert "1,000 of 1,000 tokens" in outcome.reasons[1].what

    def test_without_a_planner_no_other_plan_is_found(self) -> None:
        bench = Bench()
        bench.judge.found = list(scored(1.0, 2.0, 3.0))
        outcome = carried_out(bench, LOOP + "      max_replans_after_exhaustion: 2\n")
        assert (outcome.status, codes(outcome)) == ("exhausted", ["gate", "attempts", "no_other_plan"])

    def test_settings_can_switch_loops_off(self) -> None:
        bench = Bench(settings={"execution.enable_process_iteration_loops": False})
        bench.judge.found = list(scored(1.0))
        outcome = carried_out(bench, LOOP)
        assert (outcome.status, codes(outcome), outcome.attempts) == ("rejected", ["gate"], 1)


class TestPublishing:
    @pytest.mark.parametrize(
        ("error", "why"),
        [
            (
                LoomError("a.md cannot be written", "no space left", "df -h"),
                "a.md cannot be written: no space left",
            ),
            (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        ],
    )
    def test_deliverables_that_cannot_be_published_are_an_outcome(self, error: Exception, why: str) -> None:
        outcome = carried_out(Bench(publisher=Publisher(error)), FILES)
        assert (outcome.status, outcome.deliverables) == ("rejected", ())
        assert outcome.reasons == (Reason("publish_failure", why),)

    def test_nothing_is_published_of_an_attempt_that_did_not_pass(self) -> None:
        bench = Bench(judge=ScriptedJudge(wrong=[reasons("rule")]))
        assert carried_out(bench, FILES).status == "rejected"
        assert bench.publisher.published == []
        assert "phase_publishing" not in bench.log.kinds


def test_what_the_machine_does_not_expect_is_told_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.advance

    def with_notes(state: AttemptState, event: Any) -> Any:
        after, wanted = real(state, event)
        return after, (Note("odd"), *wanted)

    monkeypatch.setattr(module, "advance", with_notes)
    bench = Bench()
    assert carried_out(bench).status == "accepted"
    assert bench.log.of("note") == [{"phase": "work", "text": "odd", "count": n} for n in range(1, 6)]


def test_of_a_long_output_the_beginning_is_kept() -> None:
    said = Execution(ToolResult.ok("x" * 5000))
    assert carried_out(Bench(ScriptedExecutor([said]))).output == "x" * 4000
