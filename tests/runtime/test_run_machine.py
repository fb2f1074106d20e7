"""The life of a run: which phases start, which are blocked, what stops it, and that every phase ends once."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.runtime.outcome import GOOD, PhaseStatus
from loom.runtime.run_machine import (
    ASKS_FOR,
    LEADS_TO,
    TABLE,
    Conclude,
    EndPhase,
    Interrupted,
    NoteEvent,
    PhaseEnds,
    RunAction,
    RunBegins,
    RunEvent,
    RunStage,
    RunState,
    StartPhase,
    StopPhases,
    blocked_by,
    step,
)

After = dict[str, tuple[str, ...]]

# a: two branches that meet, and one phase that waits for nobody
DIAMOND: After = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()}


def after(state: RunState, *events: RunEvent) -> tuple[RunState, tuple[RunAction, ...]]:
    actions: tuple[RunAction, ...] = ()
    for event in events:
        state, actions = step(state, event)
    return state, actions


class TestOrder:
    def test_what_waits_for_nobody_starts_at_once_in_the_order_of_the_plan(self) -> None:
        state, actions = step(RunState(DIAMOND), RunBegins())
        assert actions == (StartPhase("a"), StartPhase("e"))
        assert (state.stage, state.running) == (RunStage.RUNNING, frozenset({"a", "e"}))

    def test_a_phase_starts_once_all_it_depends_on_has_ended_well(self) -> None:
        state, actions = after(RunState(DIAMOND), RunBegins(), PhaseEnds("a", "accepted"))
        assert actions == (StartPhase("b"), StartPhase("c"))
        state, actions = step(state, PhaseEnds("c", "skipped"))
        assert actions == ()
        _, actions = step(state, PhaseEnds("b", "accepted"))
        assert actions == (StartPhase("d"),)

    def test_the_run_is_over_when_the_last_phase_has_ended(self) -> None:
        state, actions = after(
            RunState(DIAMOND), RunBegins(), *(PhaseEnds(each, "accepted") for each in "aebcd")
        )
        assert actions == (Conclude(),)
        assert (state.stage, state.running) == (RunStage.FINISHED, frozenset())
        assert (state.interrupted, state.stopped_by) == (False, "")
        assert state.ended == dict.fromkeys("aebcd", "accepted")

    def test_a_run_without_phases_is_over_at_once(self) -> None:
        state, actions = step(RunState({}), RunBegins())
        assert (state.stage, actions) == (RunStage.FINISHED, (Conclude(),))


class TestBlocking:
    @pytest.mark.parametrize("status", [each for each in get_args(PhaseStatus) if each not in GOOD])
    def test_what_depends_on_a_phase_that_broke_is_blocked_all_the_way_down(
        self, status: PhaseStatus
    ) -> None:
        state, actions = after(RunState(DIAMOND), RunBegins(), PhaseEnds("a", status))
        assert actions == (
            EndPhase("b", "blocked", "a"),
            EndPhase("c", "blocked", "a"),
            EndPhase("d", "blocked", "b"),
        )
        assert (state.stage, state.running) == (RunStage.RUNNING, frozenset({"e"}))

    def test_other_branches_go_on(self) -> None:
        state, _ = after(
            RunState(DIAMOND), RunBegins(), PhaseEnds("a", "accepted"), PhaseEnds("b", "rejected")
        )
        assert state.running == {"c", "e"}
        assert step(state, PhaseEnds("c", "accepted"))[1] == (EndPhase("d", "blocked", "b"),)

    def test_of_two_dependencies_that_broke_the_one_that_is_declared_first_is_named(self) -> None:
        begun, _ = after(RunState(DIAMOND), RunBegins(), PhaseEnds("a", "accepted"))
        for first, second in ("bc", "cb"):
            ends = (PhaseEnds(first, "rejected"), PhaseEnds(second, "rejected"))
            assert after(begun, ends[0])[1] == ()
            assert after(begun, *ends)[1] == (EndPhase("d", "blocked", "b"),)

    def test_the_first_dependency_that_broke_is_named(self) -> None:
        assert blocked_by(("a", "b"), {"b": "rejected", "a": "exhausted"}) == "a"
        assert blocked_by(("a", "b"), {"a": "accepted", "b": "blocked"}) == "b"
        assert blocked_by(("a", "b"), {"a": "skipped"}) is None
        assert blocked_by((), {"a": "rejected"}) is None


class TestCriticalPhases:
    def test_a_critical_phase_that_breaks_stops_what_has_not_started(self) -> None:
        state = RunState({"a": (), "b": (), "c": ("b",), "d": ("c",)}, frozenset({"a"}))
        state, actions = after(state, RunBegins(), PhaseEnds("a", "rejected"))
        assert (state.stage, state.stopped_by, actions) == (RunStage.STOPPING, "a", ())
        state, actions = step(state, PhaseEnds("b", "accepted"))
        assert actions == (EndPhase("c", "cancelled", "a"), EndPhase("d", "blocked", "c"), Conclude())
        assert state.stage is RunStage.FINISHED

    def test_phases_that_are_under_way_may_end(self) -> None:
        state = RunState({"a": (), "b": ()}, frozenset({"a"}))
        state, actions = after(state, RunBegins(), PhaseEnds("a", "rejected"), PhaseEnds("b", "accepted"))
        assert (state.ended, actions) == ({"a": "rejected", "b": "accepted"}, (Conclude(),))

    def test_what_waits_for_a_phase_that_breaks_later_is_blocked_not_cancelled(self) -> None:
        state = RunState({"a": (), "b": (), "c": ("b",)}, frozenset({"a"}))
        state, actions = after(state, RunBegins(), PhaseEnds("a", "rejected"), PhaseEnds("b", "rejected"))
        assert actions == (EndPhase("c", "blocked", "b"), Conclude())

    def test_a_critical_phase_that_ends_well_stops_nothing(self) -> None:
        state = RunState({"a": (), "b": ("a",)}, frozenset({"a"}))
        _, actions = after(state, RunBegins(), PhaseEnds("a", "skipped"))
        assert actions == (StartPhase("b"),)

    def test_a_critical_phase_that_cannot_start_stops_the_run_as_well(self) -> None:
        state = RunState({"a": (), "b": (), "c": ("a",), "d": ("b",)}, frozenset({"c"}))
        state, actions = after(state, RunBegins(), PhaseEnds("a", "rejected"))
        assert (actions, state.stage, state.stopped_by) == (
            (EndPhase("c", "blocked", "a"),),
            RunStage.STOPPING,
            "c",
        )
        assert step(state, PhaseEnds("b", "accepted"))[1] == (EndPhase("d", "cancelled", "c"), Conclude())

    def test_the_critical_phase_that_broke_first_is_the_one_that_is_named(self) -> None:
        names = [f"p{number}" for number in range(20)]
        state = RunState({**dict.fromkeys(names, ()), "slow": (), "last": ("slow",)}, frozenset(names))
        broken = reversed(names)
        state, _ = after(state, RunBegins(), *(PhaseEnds(name, "rejected") for name in broken))
        assert step(state, PhaseEnds("slow", "accepted"))[1][0] == EndPhase("last", "cancelled", "p19")


class TestInterrupting:
    def test_phases_under_way_are_asked_to_stop_and_no_other_starts(self) -> None:
        state, actions = after(RunState(DIAMOND), RunBegins(), Interrupted())
        assert (state.stage, state.interrupted, actions) == (RunStage.STOPPING, True, (StopPhases(),))
        state, actions = after(state, PhaseEnds("e", "cancelled"), PhaseEnds("a", "accepted"))
        assert actions == (
            EndPhase("b", "cancelled", ""),
            EndPhase("c", "cancelled", ""),
            EndPhase("d", "blocked", "b"),
            Conclude(),
        )

    def test_a_run_that_is_stopping_can_still_be_interrupted(self) -> None:
        state = RunState({"a": (), "b": ()}, frozenset({"a"}))
        state, actions = after(state, RunBegins(), PhaseEnds("a", "rejected"), Interrupted())
        assert (state.interrupted, state.running, actions) == (True, {"b"}, (StopPhases(),))
        assert after(state, Interrupted())[1] == (StopPhases(),)

    def test_a_critical_phase_that_was_cancelled_is_not_what_stopped_the_run(self) -> None:
        state = RunState({"a": (), "b": (), "c": ("b",)}, frozenset({"a"}))
        state, _ = after(state, RunBegins(), Interrupted(), PhaseEnds("a", "cancelled"))
        assert step(state, PhaseEnds("b", "accepted"))[1][0] == EndPhase("c", "cancelled", "")


class TestGoingOn:
    def test_what_had_ended_well_is_not_started_again(self) -> None:
        state, actions = step(RunState(DIAMOND), RunBegins({"a": "accepted", "b": "skipped"}))
        assert actions == (StartPhase("c"), StartPhase("e"))
        assert state.ended == {"a": "accepted", "b": "skipped"}

    @pytest.mark.parametrize("status", [each for each in get_args(PhaseStatus) if each not in GOOD])
    def test_what_had_not_ended_well_gets_another_turn(self, status: PhaseStatus) -> None:
        _, actions = step(RunState(DIAMOND), RunBegins({"a": status, "e": "accepted"}))
        assert actions == (StartPhase("a"),)

    def test_phases_that_the_plan_does_not_know_are_left_out(self) -> None:
        state, _ = step(RunState(DIAMOND), RunBegins({"gone": "accepted"}))
        assert state.ended == {}

    def test_a_run_with_nothing_left_is_over_at_once(self) -> None:
        state, actions = step(RunState(DIAMOND), RunBegins(dict.fromkeys(DIAMOND, "accepted")))
        assert (state.stage, actions) == (RunStage.FINISHED, (Conclude(),))


class TestEventsThatDoNotBelong:
    @pytest.mark.parametrize(
        ("stage", "event"),
        [
            (stage, event)
            for stage in RunStage
            for event in (RunBegins(), PhaseEnds("a", "accepted"), Interrupted())
            if (stage, type(event)) not in TABLE
        ],
    )
    def test_they_change_nothing_and_are_noted(self, stage: RunStage, event: RunEvent) -> None:
        before = RunState(DIAMOND, stage=stage, running=frozenset({"a"}))
        state, actions = step(before, event)
        assert state is before
        assert actions == (NoteEvent(f"{type(event).__name__} does not belong to {stage}"),)

    def test_the_end_of_a_phase_that_does_not_run_changes_nothing(self) -> None:
        before, _ = step(RunState(DIAMOND), RunBegins())
        state, actions = step(before, PhaseEnds("d", "accepted"))
        assert state is before
        assert actions == (NoteEvent("d ended but was not running"),)

    def test_a_phase_does_not_end_twice(self) -> None:
        before, _ = after(RunState(DIAMOND), RunBegins(), PhaseEnds("e", "accepted"))
        assert step(before, PhaseEnds("e", "rejected"))[0] is before


@dataclass
class Walked:
    """A run walked to its end, phase by phase."""

    state: RunState
    starts: list[str] = field(default_factory=list)
    ends: list[tuple[str, PhaseStatus, str]] = field(default_factory=list)
    conclusions: int = 0


def walk(
    state: RunState,
    status_of: Callable[[str], PhaseStatus],
    dice: random.Random,
    begins: RunBegins | None = None,
    interrupt_after: int | None = None,
) -> Walked:
    """Carry a run out: phases end in any order, each as it is told."""
    walked = Walked(state)
    running: list[str] = []

    def advance(event: RunEvent) -> None:
        walked.state, actions = step(walked.state, event)
        for action in actions:
            if isinstance(action, StartPhase):
                walked.starts.append(action.phase)
                running.append(action.phase)
            elif isinstance(action, EndPhase):
                walked.ends.append((action.phase, action.status, action.because))
            elif isinstance(action, Conclude):
                walked.conclusions += 1
            assert not isinstance(action, NoteEvent)
        assert set(running) == walked.state.running

    advance(begins or RunBegins())
    while running:
        assert walked.conclusions == 0
        if interrupt_after is not None and len(walked.starts) >= interrupt_after:
            interrupt_after = None
            advance(Interrupted())
            continue
        phase = running.pop(dice.randrange(len(running)))
        # all it depends on has ended well before it was started
        assert blocked_by(tuple(walked.state.after[phase]), walked.state.ended) is None
        assert set(walked.state.after[phase]) <= walked.state.ended.keys()
        advance(PhaseEnds(phase, status_of(phase)))
    return walked


@st.composite
def graphs(draw: st.DrawFn, most: int = 12) -> After:
    count = draw(st.integers(0, most))
    return {
        f"p{i}": tuple(f"p{j}" for j in draw(st.sets(st.integers(0, i - 1), max_size=3)) if i) if i else ()
        for i in range(count)
    }


def ancestors(graph: Mapping[str, tuple[str, ...]], phase: str) -> set[str]:
    found: set[str] = set()
    pending = list(graph[phase])
    while pending:
        each = pending.pop()
        if each not in found:
            found.add(each)
            pending += graph[each]
    return found


class TestRandomRuns:
    @given(graphs(), st.data())
    def test_every_phase_ends_once_and_is_blocked_exactly_when_an_ancestor_broke(
        self, graph: After, data: st.DataObject
    ) -> None:
        own = {phase: data.draw(st.sampled_from(get_args(PhaseStatus))) for phase in graph}
        walked = walk(RunState(graph), own.__getitem__, data.draw(st.randoms(use_true_random=False)))
        assert (walked.state.stage, walked.conclusions) == (RunStage.FINISHED, 1)
        ended = [phase for phase, _, _ in walked.ends]
        assert sorted(walked.starts + ended) == sorted(graph)
        broke = {phase for phase in walked.starts if own[phase] not in GOOD}
        for phase in graph:
            assert (phase in ended) == bool(ancestors(graph, phase) & broke)
        for phase, status, because in walked.ends:
            assert status == "blocked"
            assert because in graph[phase] and walked.state.ended[because] not in GOOD
        assert walked.state.ended == {**dict.fromkeys(ended, "blocked"), **{p: own[p] for p in walked.starts}}

    @given(graphs(), st.data())
    def test_the_end_does_not_depend_on_who_is_faster(self, graph: After, data: st.DataObject) -> None:
        own = {phase: data.draw(st.sampled_from(get_args(PhaseStatus))) for phase in graph}
        ends = [walk(RunState(graph), own.__getitem__, random.Random(seed)) for seed in range(4)]
        assert all(each.state.ended == ends[0].state.ended for each in ends)
        assert all(sorted(each.ends) == sorted(ends[0].ends) for each in ends)

    @given(graphs(), st.data())
    def test_a_run_that_goes_on_carries_out_exactly_the_rest(self, graph: After, data: st.DataObject) -> None:
        finished = {phase for phase in graph if data.draw(st.booleans())}
        finished = {phase for phase in finished if ancestors(graph, phase) <= finished}
        begins = RunBegins(dict.fromkeys(finished, "accepted"))
        dice = data.draw(st.randoms(use_true_random=False))
        walked = walk(RunState(graph), lambda _: "accepted", dice, begins)
        assert sorted(walked.starts) == sorted(graph.keys() - finished)
        assert (walked.ends, walked.conclusions) == ([], 1)

    @given(graphs(), st.data())
    def test_critical_phases_and_interrupts_leave_no_phase_without_an_end(
        self, graph: After, data: st.DataObject
    ) -> None:
        critical = frozenset(phase for phase in graph if data.draw(st.booleans()))
        own = {phase: data.draw(st.sampled_from(get_args(PhaseStatus))) for phase in graph}
        dice = data.draw(st.randoms(use_true_random=False))
        when = data.draw(st.none() | st.integers(1, 12))
        walked = walk(RunState(graph, critical), own.__getitem__, dice, interrupt_after=when)
        ended = [phase for phase, _, _ in walked.ends]
        assert sorted(walked.starts + ended) == sorted(graph)
        assert (walked.state.stage, walked.conclusions) == (RunStage.FINISHED, 1)
        cancelled = [(phase, because) for phase, status, because in walked.ends if status == "cancelled"]
        for _, because in cancelled:
            assert walked.state.interrupted if because == "" else because in critical
        stopped = walked.state.interrupted or any(walked.state.ended[phase] not in GOOD for phase in critical)
        assert stopped or not cancelled
        for phase, status, _ in walked.ends:
            broken = blocked_by(graph[phase], walked.state.ended)
            assert (status == "blocked") == (broken is not None)

    @given(graphs(6), st.data())
    def test_no_sequence_of_events_leaves_the_table(self, graph: After, data: st.DataObject) -> None:
        state = RunState(graph, frozenset(phase for phase in graph if data.draw(st.booleans())))
        phases = st.sampled_from([*graph, "stranger"])
        statuses = st.sampled_from(get_args(PhaseStatus))
        events: st.SearchStrategy[Any] = (
            st.builds(RunBegins, st.dictionaries(phases, statuses))
            | st.builds(PhaseEnds, phases, statuses)
            | st.just(Interrupted())
        )
        concluded = 0
        for event in data.draw(st.lists(events, max_size=25)):
            before = state
            state, actions = step(before, event)
            concluded += sum(isinstance(action, Conclude) for action in actions)
            if any(isinstance(action, NoteEvent) for action in actions):
                assert state is before and len(actions) == 1
            else:
                assert state.stage in LEADS_TO[before.stage, type(event)]
            assert not state.running & state.ended.keys()
            assert (state.stage is RunStage.FINISHED) == (concluded == 1)
            assert concluded <= 1
        assert state.after == graph


def test_the_drawing_shows_exactly_the_steps_that_the_machine_can_take() -> None:
    seen: dict[tuple[RunStage, type], dict[RunStage, set[type]]] = {}
    graphs_: tuple[After, ...] = ({}, {"a": ()}, {"a": (), "b": (), "c": ("a",), "d": ("b",)})
    for graph in graphs_:
        for critical in (frozenset[str](), frozenset({"a"})):
            first = RunState(graph, critical)
            pending, known = deque([first]), [first]
            while pending:
                state = pending.popleft()
                ends = [PhaseEnds(phase, status) for phase in graph for status in get_args(PhaseStatus)]
                for event in (RunBegins(), RunBegins({"a": "accepted"}), Interrupted(), *ends):
                    after_, actions = step(state, event)
                    if any(isinstance(action, NoteEvent) for action in actions):
                        continue
                    row = seen.setdefault((state.stage, type(event)), {})
                    row.setdefault(after_.stage, set()).update(map(type, actions))
                    if after_ not in known:
                        known.append(after_)
                        pending.append(after_)
    assert {row: set(stages) for row, stages in seen.items()} == {r: set(s) for r, s in LEADS_TO.items()}
    asked = {row: {stage: set(kinds) for stage, kinds in asked.items()} for row, asked in ASKS_FOR.items()}
    assert seen == asked
    assert TABLE.keys() == LEADS_TO.keys()
