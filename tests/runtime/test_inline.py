"""A run in one process: in order, side by side where nothing forbids it, and once, however it ends."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.process.plan import Plan
from loom.runtime import inline as module
from loom.runtime.dispatch import Dispatched, PreparedRun
from loom.runtime.driver import Execution, PhaseDriver, PhaseTask
from loom.runtime.inline import InlineDispatcher
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.phases import Phases
from loom.runtime.run_machine import NoteEvent
from loom.runtime.state import Reason
from loom.runtime.tasks import TaskFolder
from tests.fakes.execution import Bench, Log, failed, succeeded
from tests.runtime.plans import phase, planned, prepared

WAIT = 30.0
CRITICAL = ", is_critical_path: true"
DIAMOND = planned(phase("a") + phase("b", "a") + phase("c", "a") + phase("d", "b", "c") + phase("e"))

Does = Callable[[PhaseTask], Execution]


@dataclass
class Site:
    """A run whose phases do what a test says, each under its name."""

    plan: Plan
    folder: Path
    does: Mapping[str, Does | Execution] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    calls: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def execute(self, task: PhaseTask) -> Execution:
        """Carry out an attempt."""
        self.calls.append(task.step.id)
        self.threads.add(threading.get_ident())
        does = self.does.get(task.step.id, succeeded({"by": task.step.id}))
        return does if isinstance(does, Execution) else does(task)

    def dispatch(self, workers: int = 2) -> Dispatched:
        """Carry the run out."""

        def driver_of(run: PreparedRun, where: str | None, emit: Any) -> PhaseDriver:
            return replace(Bench().driver(), executor=self, emit=emit)

        def phases_of(run: PreparedRun, emit: Any) -> Phases:
            return Phases(run, driver_of, lambda task, kind, body: emit(kind, body))

        return InlineDispatcher(phases_of, workers).dispatch(prepared(self.plan, self.folder), self.log)

    def statuses(self, workers: int = 2) -> dict[str, str]:
        """How each phase ended."""
        return {name: outcome.status for name, outcome in self.dispatch(workers).outcomes.items()}


BROKEN = failed("broke", retryable=False)


class TestOrder:
    @pytest.mark.parametrize("workers", [1, 2, 5])
    def test_every_phase_has_its_turn_after_those_it_depends_on(self, tmp_path: Path, workers: int) -> None:
        site = Site(DIAMOND, tmp_path)
        assert site.statuses(workers) == dict.fromkeys("abcde", "accepted")
        assert sorted(site.calls) == list("abcde")
        place = {name: number for number, name in enumerate(site.calls)}
        assert place["a"] < min(place["b"], place["c"]) and max(place["b"], place["c"]) < place["d"]

    def test_what_does_not_depend_on_each_other_goes_on_at_once(self, tmp_path: Path) -> None:
        together = threading.Barrier(2, timeout=WAIT)

        def meet(task: PhaseTask) -> Execution:
            together.wait()
            return succeeded()

        site = Site(DIAMOND, tmp_path, {"b": meet, "c": meet})
        assert site.statuses(2)["d"] == "accepted"

    def test_nothing_waits_for_a_barrier_that_its_dependencies_do_not_demand(self, tmp_path: Path) -> None:
        done = threading.Event()

        def slow(task: PhaseTask) -> Execution:
            assert done.wait(WAIT)
            return succeeded()

        def last(task: PhaseTask) -> Execution:
            done.set()
            return succeeded()

        # `e` belongs to the first wave and ends only once the last wave has run
        assert set(Site(DIAMOND, tmp_path, {"e": slow, "d": last}).statuses(2).values()) == {"accepted"}

    def test_with_one_worker_one_phase_goes_on_at_a_time(self, tmp_path: Path) -> None:
        busy = threading.Lock()

        def alone(task: PhaseTask) -> Execution:
            assert busy.acquire(blocking=False)
            busy.release()
            return succeeded()

        site = Site(DIAMOND, tmp_path, dict.fromkeys("abcde", alone))
        assert set(site.statuses(1).values()) == {"accepted"}

    def test_a_phase_that_is_alone_needs_no_thread(self, tmp_path: Path) -> None:
        site = Site(planned(phase("a") + phase("b", "a")), tmp_path)
        site.dispatch(4)
        assert site.threads == {threading.get_ident()}

    def test_a_phase_sees_what_came_before_it_and_nothing_else(self, tmp_path: Path) -> None:
        seen: dict[str, set[str]] = {}
        site = Site(DIAMOND, tmp_path)
        real = Phases.carry_out

        def watched(self: Phases, name: str, outcomes: Mapping[str, PhaseOutcome]) -> PhaseOutcome:
            seen[name] = set(outcomes)
            return real(self, name, outcomes)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Phases, "carry_out", watched)
            site.dispatch(1)
        assert seen == {"a": set(), "b": {"a"}, "c": {"a"}, "d": {"a", "b", "c"}, "e": set()}


class TestWhatDoesNotEndWell:
    def test_what_depends_on_it_is_blocked_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        site = Site(DIAMOND, tmp_path, {"b": BROKEN})
        done = site.dispatch()
        assert {name: outcome.status for name, outcome in done.outcomes.items()} == {
            "a": "accepted",
            "b": "rejected",
            "c": "accepted",
            "d": "blocked",
            "e": "accepted",
        }
        assert done.outcomes["d"].reasons == (Reason("dependency", "b did not end well"),)
        assert not done.interrupted and done.failure == ""

    def test_every_phase_is_told_to_end_once_and_its_outcome_is_kept(self, tmp_path: Path) -> None:
        site = Site(DIAMOND, tmp_path, {"a": BROKEN})
        done = site.dispatch()
        ends = site.log.of("phase_finished")
        assert sorted(end["phase"] for end in ends) == list("abcde")
        assert dict(TaskFolder(tmp_path / "run" / "tasks").outcomes()) == dict(done.outcomes)

    def test_a_critical_phase_stops_what_has_not_begun(self, tmp_path: Path) -> None:
        plan = planned(phase("a", extra=CRITICAL) + phase("b") + phase("c") + phase("d", "c"))
        by = queue.SimpleQueue[threading.Thread]()

        def breaks(task: PhaseTask) -> Execution:
            by.put(threading.current_thread())
            return BROKEN

        def waits(task: PhaseTask) -> Execution:
            by.get(timeout=WAIT).join(WAIT)
            return succeeded()

        site = Site(plan, tmp_path, {"a": breaks, "b": waits})
        done = site.dispatch(2)
        assert {name: outcome.status for name, outcome in done.outcomes.items()} == {
            "a": "rejected",
            "b": "accepted",
            "c": "cancelled",
            "d": "blocked",
        }

    def test_a_phase_that_was_waiting_for_room_does_not_begin_once_the_run_is_stopped(
        self, tmp_path: Path
    ) -> None:
        plan = planned(phase("a", extra=CRITICAL) + "".join(phase(f"p{n}") for n in range(5)))
        site = Site(plan, tmp_path, {"a": BROKEN})
        done = site.dispatch(1)
        assert site.calls == ["a"]
        stopped = [outcome for outcome in done.outcomes.values() if outcome.status == "cancelled"]
        assert len(stopped) == 5
        assert {outcome.reasons for outcome in stopped} == {(Reason("stopped", "a did not end well"),)}
        assert sorted(end["phase"] for end in site.log.of("phase_finished")) == sorted(plan.order)

    def test_a_bug_is_not_an_outcome(self, tmp_path: Path) -> None:
        def fails(task: PhaseTask) -> Execution:
            raise ZeroDivisionError

        for number, workers in enumerate((1, 3)):
            with pytest.raises(ZeroDivisionError):
                Site(DIAMOND, tmp_path / str(number), {"b": fails}).dispatch(workers)


class TestInterrupting:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_what_had_ended_is_known_and_the_rest_is_cancelled(self, tmp_path: Path, workers: int) -> None:
        def interrupt(task: PhaseTask) -> Execution:
            raise KeyboardInterrupt

        plan = planned(phase("a") + phase("b", "a") + phase("c", "b"))
        site = Site(plan, tmp_path, {"b": interrupt})
        done = site.dispatch(workers)
        assert done.interrupted
        assert {name: outcome.status for name, outcome in done.outcomes.items()} == {
            "a": "accepted",
            "b": "cancelled",
            "c": "blocked",
        }

    def test_the_run_can_go_on_and_does_only_the_rest(self, tmp_path: Path) -> None:
        def interrupt(task: PhaseTask) -> Execution:
            raise KeyboardInterrupt

        first = Site(DIAMOND, tmp_path, {"d": interrupt})
        assert first.dispatch().interrupted
        second = Site(DIAMOND, tmp_path)
        assert set(second.statuses().values()) == {"accepted"}
        assert set(second.calls) <= {"d", "e"} and "d" in second.calls

    def test_an_interrupt_in_a_thread_is_one_of_the_run(self, tmp_path: Path) -> None:
        begun = threading.Event()

        def interrupt(task: PhaseTask) -> Execution:
            assert begun.wait(WAIT)
            raise KeyboardInterrupt

        forever = threading.Event()

        def hangs(task: PhaseTask) -> Execution:
            begun.set()
            forever.wait(WAIT)
            return succeeded()

        plan = planned(phase("a") + phase("b") + phase("c", "a"))
        done = Site(plan, tmp_path, {"a": interrupt, "b": hangs}).dispatch(2)
        forever.set()
        assert done.interrupted
        assert {name: outcome.status for name, outcome in done.outcomes.items()} == {
            "a": "cancelled",
            "b": "cancelled",
            "c": "blocked",
        }


class TestGoingOn:
    @settings(max_examples=25, deadline=None)
    @given(st.integers(1, 8), st.integers(0, 2**16), st.integers(1, 3))
    def test_a_run_that_goes_on_carries_out_exactly_what_had_not_ended_well(
        self, count: int, seed: int, workers: int
    ) -> None:
        dice = random.Random(seed)
        after = {f"p{i}": [f"p{j}" for j in range(i) if dice.random() < 0.4] for i in range(count)}
        plan = planned("".join(phase(name, *before) for name, before in after.items()))
        broken = {name for name in after if dice.random() < 0.3}
        with TemporaryDirectory() as folder:
            first = Site(plan, Path(folder), dict.fromkeys(broken, BROKEN))
            statuses = first.statuses(workers)
            for name in after:
                blocked = any(statuses[each] != "accepted" for each in after[name])
                assert statuses[name] == (
                    "blocked" if blocked else "rejected" if name in broken else "accepted"
                )
            second = Site(plan, Path(folder))
            assert set(second.statuses(workers).values()) == {"accepted"}
            assert sorted(second.calls) == sorted(name for name in after if statuses[name] != "accepted")
            assert len(second.log.of("phase_reused")) == count - len(second.calls)


def test_what_the_machine_does_not_expect_is_told_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.step

    def with_notes(state: Any, event: Any) -> Any:
        after, actions = real(state, event)
        return after, (NoteEvent("odd"), *actions)

    monkeypatch.setattr(module, "step", with_notes)
    site = Site(planned(phase("a")), tmp_path)
    site.dispatch()
    assert site.log.of("note") == [{"text": "odd", "count": 1}, {"text": "odd", "count": 2}]
