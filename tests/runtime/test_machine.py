"""The life of a phase: every row of the table, what no sequence of events can do, and what the drawing says."""

from __future__ import annotations

import itertools
import math
from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.runtime.actions import (
    Action,
    EvaluateGates,
    Execute,
    Note,
    Publish,
    Remediate,
    Replan,
    Verify,
    Wait,
)
from loom.runtime.events import (
    Cancelled,
    Event,
    Executed,
    ExecutionFailed,
    GatesEvaluated,
    Published,
    Remediated,
    Replanned,
    Started,
    Usage,
    Verified,
    WaitElapsed,
)
from loom.runtime.machine import ASKS_FOR, LEADS_TO, TABLE, backoff, step
from loom.runtime.state import FINAL, AttemptState, Limits, Reason, Spent, Stage

HARD = (Reason("rule", "a rule is broken"),)
SOFT = (Reason("rule", "a rule is broken", retryable=True),)
GATE = (Reason("gate", "not there yet"),)
FLAKY = ExecutionFailed("io", "no answer", True)
BROKEN = ExecutionFailed("tool", "it broke", False)
LOOP = Limits(max_attempts=3, max_invocations=6)


def at(stage: Stage, limits: Limits | None = None, **about: Any) -> AttemptState:
    """A phase in its first attempt, unless something else is said."""
    return AttemptState(limits or Limits(), stage, **{"attempt": 1, "spent": Spent(invocations=1), **about})


def codes(state: AttemptState) -> list[str]:
    return [reason.code for reason in state.reasons]


def walk(limits: Limits, *events: Event) -> AttemptState:
    """The state after some events; each must belong where it comes."""
    state = AttemptState(limits)
    for event in events:
        assert (state.stage, type(event)) in TABLE, (state.stage, event)
        state, _ = step(state, event)
    return state


class TestTheWayThatGoesWell:
    def test_every_stage_asks_for_the_one_thing_that_leads_to_the_next(self) -> None:
        state = AttemptState()
        road: list[tuple[Event, Stage, tuple[Action, ...]]] = [
            (Started(), Stage.EXECUTING, (Execute(1, True, None),)),
            (Executed(), Stage.VERIFYING, (Verify(1),)),
            (Verified(), Stage.GATING, (EvaluateGates(1),)),
            (GatesEvaluated(), Stage.PUBLISHING, (Publish(1),)),
            (Published(), Stage.ACCEPTED, ()),
        ]
        for event, stage, actions in road:
            state, wanted = step(state, event)
            assert (state.stage, wanted) == (stage, actions)
        assert state.is_final and state.reasons == ()

    def test_a_phase_is_accepted_only_once_its_deliverables_are_visible(self) -> None:
        state, _ = step(at(Stage.PUBLISHING), Published(HARD))
        assert (state.stage, state.reasons) == (Stage.REJECTED, HARD)

    def test_what_went_wrong_before_is_forgotten_when_it_goes_well(self) -> None:
        state, _ = step(at(Stage.VERIFYING, reasons=SOFT), Verified())
        assert state.reasons == ()
        state, _ = step(at(Stage.GATING, reasons=SOFT), GatesEvaluated())
        assert state.reasons == ()


class TestEntry:
    def test_a_gate_that_does_not_hold_blocks_before_anything_is_carried_out(self) -> None:
        state, wanted = step(AttemptState(), Started(HARD))
        assert (state.stage, state.reasons, wanted) == (Stage.BLOCKED, HARD, ())
        assert (state.attempt, state.spent) == (0, Spent())


class TestRetries:
    def test_a_retry_is_the_same_attempt_again_after_a_pause(self) -> None:
        limits = Limits(max_retries=2)
        state, wanted = step(at(Stage.EXECUTING, limits), FLAKY)
        pause = backoff(limits, 1, 1)
        assert (state.stage, wanted) == (Stage.WAITING, (Wait(pause),))
        assert state.spent == Spent(invocations=1, retries=1, seconds=pause)
        assert codes(state) == ["io_failure"]
        state, wanted = step(state, WaitElapsed())
        assert (state.stage, state.attempt, wanted) == (Stage.EXECUTING, 1, (Execute(1, True, None),))
        assert state.spent.invocations == 2

    def test_a_retry_of_a_repair_is_still_a_repair(self) -> None:
        state, _ = step(at(Stage.EXECUTING, replace(LOOP, max_retries=1), attempt=2), FLAKY)
        _, wanted = step(state, WaitElapsed())
        assert wanted == (Execute(2, False, None),)

    @pytest.mark.parametrize("retries", [1, 2, 3])
    def test_retries_end_where_a_person_has_to_see_to_the_cause(self, retries: int) -> None:
        events: list[Event] = [Started(), *[FLAKY, WaitElapsed()] * retries, FLAKY]
        state = walk(Limits(max_retries=retries), *events)
        assert (state.stage, codes(state)) == (Stage.EXHAUSTED, ["io_failure", "retries"])
        assert state.spent.invocations == retries + 1
        assert state.reasons[1].what == (
            f"{retries} of {retries} retries are used: raise retries, or resume the run when the cause is gone"
        )

    def test_without_retries_and_loop_a_failure_is_the_end(self) -> None:
        state, wanted = step(at(Stage.EXECUTING), FLAKY)
        assert (state.stage, codes(state), wanted) == (Stage.REJECTED, ["io_failure"], ())
        assert state.reasons[0].retryable

    @pytest.mark.parametrize("limits", [Limits(max_attempts=2), Limits(max_retries=1), LOOP])
    def test_with_either_it_is_an_exhaustion(self, limits: Limits) -> None:
        spent = Spent(invocations=1, retries=limits.max_retries)
        state, _ = step(at(Stage.EXECUTING, limits, spent=spent), FLAKY)
        assert (state.stage, codes(state)) == (Stage.EXHAUSTED, ["io_failure", "retries"])

    def test_a_failure_that_would_only_repeat_itself_is_not_retried(self) -> None:
        state, wanted = step(at(Stage.EXECUTING, replace(LOOP, max_retries=3)), BROKEN)
        assert (state.stage, state.reasons) == (Stage.REJECTED, (Reason("tool_failure", "it broke", False),))
        assert wanted == ()

    def test_a_breach_of_safety_is_never_retried_whatever_it_says_of_itself(self) -> None:
        limits = replace(LOOP, max_retries=3, max_replans=3)
        state, _ = step(at(Stage.EXECUTING, limits), ExecutionFailed("safety", "out of bounds", True))
        assert (state.stage, codes(state)) == (Stage.REJECTED, ["safety_failure"])

    def test_retries_count_over_all_attempts(self) -> None:
        limits = replace(LOOP, max_retries=1)
        again = (Executed(), Verified(), GatesEvaluated(GATE), Remediated())
        state = walk(limits, Started(), FLAKY, WaitElapsed(), *again, FLAKY)
        assert (state.stage, codes(state)) == (Stage.EXHAUSTED, ["io_failure", "retries"])

    def test_retries_stay_within_the_invocations(self) -> None:
        limits = Limits(max_attempts=2, max_invocations=2, max_retries=3)
        state = walk(limits, Started(), FLAKY, WaitElapsed(), FLAKY)
        assert (state.stage, codes(state)) == (Stage.EXHAUSTED, ["io_failure", "budget"])
        assert state.reasons[1].what == "2 of 2 invocations are used: raise max_total_runner_invocations"

    def test_a_pause_that_would_use_up_the_time_is_not_taken(self) -> None:
        limits = Limits(max_retries=3, max_seconds=10.0, backoff_seconds=8.0)
        assert 4.0 <= backoff(limits, 1, 1) <= 8.0
        state, _ = step(at(Stage.EXECUTING, limits), replace(FLAKY, usage=Usage(seconds=6.0)))
        assert (state.stage, codes(state)) == (Stage.EXHAUSTED, ["io_failure", "budget"])
        assert state.reasons[1].what == "6 of 10 seconds are used: raise max_wall_clock_seconds"
        assert state.spent.seconds == 6.0

    def test_pauses_count_as_time_spent(self) -> None:
        state = walk(Limits(max_retries=3, max_seconds=1e6), Started(), FLAKY, WaitElapsed(), FLAKY)
        assert state.spent.seconds == backoff(state.limits, 1, 1) + backoff(state.limits, 1, 2)


class TestLoop:
    def test_a_gate_that_fails_leads_to_another_attempt(self) -> None:
        state, wanted = step(at(Stage.GATING, LOOP), GatesEvaluated(GATE))
        assert (state.stage, state.attempt) == (Stage.REMEDIATING, 2)
        assert (state.reasons, wanted) == (GATE, (Remediate(2, GATE),))
        state, wanted = step(state, Remediated())
        assert (state.stage, wanted) == (Stage.EXECUTING, (Execute(2, False, None),))
        assert state.spent.invocations == 2

    def test_a_full_rerun_starts_from_scratch_every_time(self) -> None:
        state, _ = step(at(Stage.GATING, replace(LOOP, full_rerun=True)), GatesEvaluated(GATE))
        assert step(state, Remediated())[1] == (Execute(2, True, None),)

    def test_a_result_that_can_be_repaired_leads_to_another_attempt(self) -> None:
        state, wanted = step(at(Stage.VERIFYING, LOOP), Verified(SOFT))
        assert (state.stage, wanted) == (Stage.REMEDIATING, (Remediate(2, SOFT),))

    @pytest.mark.parametrize("wrong", [HARD, HARD + SOFT, SOFT + HARD])
    def test_a_result_that_cannot_be_repaired_is_rejected(self, wrong: tuple[Reason, ...]) -> None:
        state, wanted = step(at(Stage.VERIFYING, LOOP), Verified(wrong))
        assert (state.stage, state.reasons, wanted) == (Stage.REJECTED, wrong, ())

    def test_a_single_attempt_that_does_not_suffice_is_rejected_without_talk_of_limits(self) -> None:
        limits = Limits(max_retries=3, max_replans=3)
        state, _ = step(at(Stage.VERIFYING, limits), Verified(SOFT))
        assert (state.stage, state.reasons) == (Stage.REJECTED, SOFT)
        state, _ = step(at(Stage.GATING, limits), GatesEvaluated(GATE))
        assert (state.stage, state.reasons) == (Stage.REJECTED, GATE)

    def test_a_loop_ends_with_its_attempts_and_says_what_to_raise(self) -> None:
        again: list[Event] = [Executed(), Verified(), GatesEvaluated(GATE)]
        state = walk(LOOP, Started(), *again, Remediated(), *again, Remediated(), *again)
        assert (state.stage, codes(state), state.attempt) == (Stage.EXHAUSTED, ["gate", "attempts"], 3)
        assert (
            state.reasons[1].what == "3 of 3 attempts are used: raise max_attempts, or ask less of the gates"
        )

    def test_a_loop_ends_with_its_invocations(self) -> None:
        limits = Limits(max_attempts=3, max_invocations=1)
        state, _ = step(at(Stage.GATING, limits), GatesEvaluated(GATE))
        assert (state.stage, codes(state)) == (Stage.EXHAUSTED, ["gate", "budget"])

    @pytest.mark.parametrize(
        ("limit", "usage", "said"),
        [
            ("max_seconds", Usage(seconds=12.5), "12.5 of 10 seconds are used: raise max_wall_clock_seconds"),
            ("max_tokens", Usage(tokens=1_234_567), "1,234,567 of 10 tokens are used: raise max_tokens"),
            ("max_tool_calls", Usage(tool_calls=10), "10 of 10 tool calls are used: raise max_tool_calls"),
        ],
    )
    def test_a_loop_ends_with_each_of_its_budgets(self, limit: str, usage: Usage, said: str) -> None:
        limits = replace(LOOP, **{limit: 10})
        state = walk(limits, Started(), Executed(usage), Verified(), GatesEvaluated(GATE))
        assert (state.stage, codes(state)) == (Stage.EXHAUSTED, ["gate", "budget"])
        assert state.reasons[1].what == said

    @pytest.mark.parametrize("limit", ["max_seconds", "max_tokens", "max_tool_calls"])
    def test_a_budget_with_something_left_allows_another_attempt(self, limit: str) -> None:
        limits = replace(LOOP, **{limit: 10})
        state = walk(limits, Started(), Executed(Usage(9.9, 9, 9)), Verified(), GatesEvaluated(GATE))
        assert state.stage is Stage.REMEDIATING

    def test_checking_is_paid_from_the_same_budget_as_carrying_out(self) -> None:
        part = Usage(1.0, 10, 100)
        state = walk(LOOP, Started(), Executed(part), Verified((), part), GatesEvaluated(GATE, None, part))
        assert (state.spent.seconds, state.spent.tokens, state.spent.tool_calls) == (3.0, 30, 300)

    def test_a_good_result_counts_even_when_it_used_up_the_budget(self) -> None:
        limits = replace(LOOP, max_seconds=1.0)
        state = walk(limits, Started(), Executed(Usage(5.0)), Verified(), GatesEvaluated(), Published())
        assert state.stage is Stage.ACCEPTED

    def test_an_attempt_is_told_what_is_left_of_the_time(self) -> None:
        limits = replace(LOOP, max_seconds=10.0)
        state = walk(limits, Started(), Executed(Usage(4.0)), Verified(), GatesEvaluated(GATE))
        assert step(AttemptState(limits), Started())[1] == (Execute(1, True, 10.0),)
        assert step(state, Remediated())[1] == (Execute(2, False, 6.0),)


class TestProgress:
    @pytest.mark.parametrize(
        ("patience", "scores", "attempts"),
        [
            (1, [5, 5], 2),
            (1, [5, 4], 2),
            (2, [5, 5, 5], 3),
            (2, [5, 5, 6, 6, 6], 5),
            (2, [1, 2, 3, 3, 2], 5),
            (2, [5, None, 5], 3),
            (2, [5, math.nan, 5], 3),
            (1, [None, 5, 5], 3),
            (1, [math.nan, 5, 5], 3),
            (1, [-3.0, -3.0], 2),
            (1, [0.0, -0.0], 2),
            (1, [0, 1, math.inf, math.inf], 4),
        ],
    )
    def test_a_loop_gives_up_after_so_many_attempts_without_a_better_score(
        self, patience: int, scores: list[float | None], attempts: int
    ) -> None:
        state = AttemptState(Limits(max_attempts=9, stop_without_progress=patience))
        state, _ = step(state, Started())
        for score in scores:
            state, _ = step(state, Executed())
            state, _ = step(state, Verified())
            state, _ = step(state, GatesEvaluated(GATE, score))
            if state.is_final:
                break
            state, _ = step(state, Remediated())
        assert (state.attempt, state.stage) == (attempts, Stage.EXHAUSTED)
        assert codes(state) == ["gate", "no_progress"]
        assert state.reasons[1].what == (
            f"no better score in {patience} attempts: change what the phase does,"
            " or raise stop_on_no_improvement_attempts"
        )

    def test_gates_that_give_no_score_never_end_a_loop_early(self) -> None:
        limits = Limits(max_attempts=6, stop_without_progress=1)
        again: list[Event] = [Executed(), Verified(), GatesEvaluated(GATE), Remediated()]
        assert walk(limits, Started(), *again * 5).attempt == 6

    def test_without_patience_declared_it_never_runs_out(self) -> None:
        again: list[Event] = [Executed(), Verified(), GatesEvaluated(GATE, 1.0), Remediated()]
        state = walk(Limits(max_attempts=6), Started(), *again * 5)
        assert (state.attempt, state.without_progress, state.best_score) == (6, 4, 1.0)


class TestReplans:
    LIMITS = Limits(max_attempts=2, max_invocations=5, max_replans=1, stop_without_progress=1)
    AGAIN: tuple[Event, ...] = (Executed(Usage(1, 1, 1)), Verified(), GatesEvaluated(GATE, 1.0))

    def test_an_exhausted_loop_asks_for_another_plan(self) -> None:
        state = walk(self.LIMITS, Started(), *self.AGAIN, Remediated(), *self.AGAIN)
        assert (state.stage, state.spent.replans) == (Stage.REPLANNING, 1)
        asked = step(replace(state, stage=Stage.GATING, spent=Spent(1)), GatesEvaluated(GATE))
        assert asked[1] == (Replan(asked[0].reasons),)

    def test_a_new_plan_starts_the_loop_anew_and_what_was_spent_stays_spent(self) -> None:
        state = walk(self.LIMITS, Started(), *self.AGAIN, Remediated(), *self.AGAIN, Replanned(True))
        assert (state.stage, state.attempt, state.reasons) == (Stage.EXECUTING, 1, ())
        assert (state.best_score, state.without_progress) == (None, 0)
        assert state.spent == Spent(invocations=3, replans=1, seconds=2, tokens=2, tool_calls=2)

    def test_a_new_plan_is_carried_out_from_scratch(self) -> None:
        assert step(at(Stage.REPLANNING, self.LIMITS, attempt=2), Replanned(True))[1] == (
            Execute(1, True, None),
        )

    def test_the_second_exhaustion_is_the_last(self) -> None:
        round_: tuple[Event, ...] = (*self.AGAIN, Remediated(), *self.AGAIN)
        state = walk(self.LIMITS, Started(), *round_, Replanned(True), *round_)
        assert (state.stage, codes(state)) == (Stage.EXHAUSTED, ["gate", "no_progress"])

    def test_without_another_plan_the_reasons_stay_and_it_is_said(self) -> None:
        state, wanted = step(at(Stage.REPLANNING, reasons=GATE), Replanned(False))
        assert (state.stage, codes(state), wanted) == (Stage.EXHAUSTED, ["gate", "no_other_plan"], ())

    @pytest.mark.parametrize(
        ("limit", "most"),
        [("max_invocations", 2), ("max_seconds", 2), ("max_tokens", 2), ("max_tool_calls", 2)],
    )
    def test_no_plan_is_asked_for_that_could_not_be_carried_out(self, limit: str, most: int) -> None:
        limits = replace(self.LIMITS, **{limit: most})
        state = walk(limits, Started(), *self.AGAIN, Remediated(), *self.AGAIN)
        assert (state.stage, state.spent.replans) == (Stage.EXHAUSTED, 0)


class TestCancelling:
    @pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in FINAL])
    def test_a_phase_can_be_cancelled_wherever_it_is(self, stage: Stage) -> None:
        before = at(stage, reasons=GATE)
        state, wanted = step(before, Cancelled("interrupted"))
        assert state == replace(before, stage=Stage.CANCELLED, reasons=(Reason("cancelled", "interrupted"),))
        assert wanted == ()


class TestBackoff:
    def test_pauses_double_up_to_a_cap_and_never_shrink(self) -> None:
        limits = Limits(backoff_seconds=0.5, backoff_cap_seconds=30.0)
        pauses = [backoff(limits, 1, retry) for retry in range(1, 40)]
        for number, pause in enumerate(pauses):
            whole = min(30.0, 0.5 * 2.0**number)
            assert whole / 2 <= pause <= whole
        assert pauses[:6] == sorted(pauses[:6])

    def test_the_same_seed_attempt_and_retry_give_the_same_pause_on_every_machine(self) -> None:
        assert [backoff(Limits(seed=7), *which) for which in ((1, 1), (1, 2), (2, 1))] == [
            0.278,
            0.624,
            0.286,
        ]

    def test_seeds_attempts_and_retries_spread_the_pauses(self) -> None:
        where = itertools.product(range(20), range(1, 4))
        assert len({backoff(Limits(seed=seed), attempt, 1) for seed, attempt in where}) > 50
        flat = Limits(backoff_seconds=1e9)
        assert len({backoff(flat, 1, retry) for retry in range(1, 20)}) > 15

    @given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(-5, 10**6))
    def test_no_number_breaks_it(self, seed: int, attempt: int, retry: int) -> None:
        assert 0 <= backoff(Limits(seed=seed), attempt, retry) <= 30.0


# what may happen, in every variety that a decision depends on
USAGE = Usage(1.0, 1, 1)
EVENTS: tuple[Event, ...] = (
    Started(),
    Started(HARD),
    Executed(USAGE),
    FLAKY,
    replace(FLAKY, usage=USAGE),
    BROKEN,
    ExecutionFailed("safety", "out of bounds", True),
    WaitElapsed(),
    Verified(),
    Verified(SOFT),
    Verified(HARD),
    GatesEvaluated(),
    GatesEvaluated(GATE),
    GatesEvaluated(GATE, 1.0),
    GatesEvaluated(GATE, 2.0, USAGE),
    Published(),
    Published(HARD),
    Remediated(),
    Replanned(True),
    Replanned(False),
    Cancelled(),
)
LIMITS = tuple(
    Limits(
        max_attempts=attempts,
        max_invocations=invocations,
        max_retries=retries,
        max_replans=replans,
        stop_without_progress=patience,
        max_seconds=seconds,
        backoff_seconds=0.001,
    )
    for attempts, invocations, retries, replans, patience, seconds in itertools.product(
        (1, 2), (None, 2), (0, 1), (0, 1), (0, 1), (None, 1.0, 2.5)
    )
)


def check_spending(state: AttemptState) -> None:
    limits, spent = state.limits, state.spent
    assert state.attempt <= limits.max_attempts
    assert spent.retries <= limits.max_retries
    assert spent.replans <= limits.max_replans
    assert limits.max_invocations is None or spent.invocations <= limits.max_invocations
    assert spent.invocations <= limits.max_attempts * (1 + limits.max_replans) + limits.max_retries


def check_step(before: AttemptState, event: Event) -> AttemptState:
    """One step, with everything that holds for all of them."""
    after, wanted = step(before, event)
    assert (after, wanted) == step(before, event)
    row = (before.stage, type(event))
    if row not in TABLE:
        assert after is before
        assert wanted == (Note(f"{type(event).__name__} does not belong to {before.stage}"),)
        return after
    assert after.stage in LEADS_TO[row]
    assert after.limits == before.limits
    check_spending(after)
    for action in wanted:
        assert not isinstance(action, Note)
        if isinstance(action, Execute) and before.stage is not Stage.READY:
            # nothing is carried out once more when a budget had nothing left for it
            limits, spent = before.limits, before.spent
            for used, most in (
                (spent.seconds, limits.max_seconds),
                (spent.tokens, limits.max_tokens),
                (spent.tool_calls, limits.max_tool_calls),
            ):
                assert most is None or used < most
    # whoever is not at an end has been asked for exactly one thing
    assert [type(action) for action in wanted] == ([] if after.is_final else [ASKS_FOR[after.stage]])
    assert after.is_final or before.stage != after.stage
    if after.is_final:
        assert bool(after.reasons) == (after.stage is not Stage.ACCEPTED)
    return after


class TestAllThatCanHappen:
    def test_the_drawing_shows_exactly_the_steps_that_the_machine_can_take(self) -> None:
        seen: dict[tuple[Stage, type], set[Stage]] = {}
        for limits in LIMITS:
            pending, known = deque([AttemptState(limits)]), {AttemptState(limits)}
            while pending:
                state = pending.popleft()
                for event in EVENTS:
                    after = check_step(state, event)
                    if (state.stage, type(event)) in TABLE:
                        seen.setdefault((state.stage, type(event)), set()).add(after.stage)
                    if after not in known:
                        known.add(after)
                        pending.append(after)
        assert seen == {row: set(stages) for row, stages in LEADS_TO.items()}

    def test_no_row_of_the_drawing_names_a_stage_twice(self) -> None:
        assert all(len(stages) == len(set(stages)) for stages in LEADS_TO.values())
        assert TABLE.keys() == LEADS_TO.keys()

    def test_every_stage_but_the_first_is_led_to_and_every_stage_but_the_last_leads_on(self) -> None:
        assert {stage for stages in LEADS_TO.values() for stage in stages} == set(Stage) - {Stage.READY}
        assert {stage for stage, _ in TABLE} == set(Stage) - FINAL

    @pytest.mark.parametrize("stage", sorted(FINAL))
    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
    def test_nothing_happens_after_an_end(self, stage: Stage, event: Event) -> None:
        before = at(stage, LOOP, reasons=GATE)
        after, wanted = step(before, event)
        assert after is before
        assert len(wanted) == 1 and isinstance(wanted[0], Note)

    def test_what_is_no_event_at_all_changes_nothing(self) -> None:
        before = at(Stage.EXECUTING)
        after, wanted = step(before, "surprise")  # type: ignore[arg-type]
        assert (after, wanted) == (before, (Note("str does not belong to executing"),))


texts = st.sampled_from(["a", "b"])
whys = st.lists(st.builds(Reason, texts, texts, st.booleans()), max_size=2).map(tuple)
usages = st.builds(Usage, st.floats(0, 50), st.integers(0, 50), st.integers(0, 50))
scores = st.none() | st.floats(allow_nan=True)
kinds = st.sampled_from(["model", "tool", "io", "timeout", "contract", "safety"])
failures = st.builds(ExecutionFailed, kinds, texts, st.booleans(), usages)
answers: dict[type, st.SearchStrategy[Any]] = {
    Execute: st.builds(Executed, usages) | failures,
    Wait: st.just(WaitElapsed()),
    Verify: st.builds(Verified, whys, usages),
    EvaluateGates: st.builds(GatesEvaluated, whys, scores, usages),
    Publish: st.builds(Published, whys),
    Remediate: st.just(Remediated()),
    Replan: st.builds(Replanned, st.booleans()),
}
anything = st.one_of(st.builds(Started, whys), st.builds(Cancelled), *answers.values())
bounds = st.none() | st.integers(1, 100)
some_limits = st.builds(
    Limits,
    max_attempts=st.integers(1, 6),
    max_invocations=st.none() | st.integers(1, 8),
    max_retries=st.integers(0, 3),
    max_replans=st.integers(0, 3),
    stop_without_progress=st.integers(0, 3),
    max_seconds=bounds,
    max_tokens=bounds,
    max_tool_calls=bounds,
    full_rerun=st.booleans(),
    seed=st.integers(0, 2**32),
)


class TestWhateverHappens:
    @given(some_limits, st.lists(anything, max_size=60))
    def test_no_sequence_of_events_leaves_the_table_or_spends_too_much(
        self, limits: Limits, happened: list[Event]
    ) -> None:
        state = AttemptState(limits)
        for event in happened:
            state = check_step(state, event)

    @settings(max_examples=300)
    @given(some_limits, st.data())
    def test_whoever_answers_every_action_reaches_an_end(self, limits: Limits, data: st.DataObject) -> None:
        state, wanted = step(AttemptState(limits), Started())
        most = 6 * (limits.max_attempts * (1 + limits.max_replans) + limits.max_retries + 1)
        for _ in range(most):
            if state.is_final:
                break
            (action,) = wanted
            event = data.draw(answers[type(action)])
            before = state
            state = check_step(before, event)
            _, wanted = step(before, event)
        assert state.is_final
