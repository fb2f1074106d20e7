"""The life of a phase as a table. `step(state, event)` is pure: no clock, no disk, no network, no chance.

An event that does not belong to a stage changes nothing; it is noted, so that it can be counted.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from loom.runtime import events as happened
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
from loom.runtime.state import FINAL, AttemptState, Limits, Reason, Stage

Stepped = tuple[AttemptState, tuple[Action, ...]]
Handler = Callable[[AttemptState, Any], Stepped]


def step(state: AttemptState, event: happened.Event) -> Stepped:
    """The next state, and what has to be done."""
    handler = TABLE.get((state.stage, type(event)))
    if handler is None:
        return state, (Note(f"{type(event).__name__} does not belong to {state.stage}"),)
    return handler(state, event)


def backoff(limits: Limits, attempt: int, retry: int) -> float:
    """Seconds before another try: doubled each time, spread by the seed, the same on every machine."""
    doubled = limits.backoff_seconds * 2.0 ** min(max(0, retry - 1), _DOUBLINGS)
    digest = hashlib.sha256(f"{limits.seed}:{attempt}:{retry}".encode()).digest()
    # between half of it and all of it, so that no pause is shorter than the one before or longer than the cap
    spread = 0.5 + int.from_bytes(digest[:4], "big") / 2**33
    return round(min(limits.backoff_cap_seconds, doubled) * spread, 3)


def _start(state: AttemptState, event: happened.Started) -> Stepped:
    if event.unmet:
        return _end(state, Stage.BLOCKED, event.unmet)
    return _execute(replace(state, attempt=1))


def _execute(state: AttemptState) -> Stepped:
    limits, spent = state.limits, state.spent
    running = replace(state, stage=Stage.EXECUTING, spent=replace(spent, invocations=spent.invocations + 1))
    from_scratch = state.attempt == 1 or limits.full_rerun
    left = None if limits.max_seconds is None else limits.max_seconds - spent.seconds
    return running, (Execute(state.attempt, from_scratch, left),)


def _executed(state: AttemptState, event: happened.Executed) -> Stepped:
    paid = _pay(state, event.usage)
    return replace(paid, stage=Stage.VERIFYING), (Verify(state.attempt),)


def _execution_failed(state: AttemptState, event: happened.ExecutionFailed) -> Stepped:
    paid = _pay(state, event.usage)
    limits, retries = paid.limits, paid.spent.retries
    reason = Reason(f"{event.kind}_failure", event.message, event.retryable)
    if event.kind == "safety" or not event.retryable:
        return _end(paid, Stage.REJECTED, (reason,))
    pause = backoff(limits, paid.attempt, retries + 1)
    used_up = (*_counted("retries", retries, limits.max_retries), *_capped(paid, pause))
    if not used_up:
        waiting = _pay(paid, happened.Usage(seconds=pause))
        spent = replace(waiting.spent, retries=retries + 1)
        return replace(waiting, stage=Stage.WAITING, spent=spent, reasons=(reason,)), (Wait(pause),)
    if limits.max_attempts > 1 or limits.max_retries:
        return _exhaust(paid, (reason, *used_up))
    return _end(paid, Stage.REJECTED, (reason,))


def _wait_elapsed(state: AttemptState, event: happened.WaitElapsed) -> Stepped:
    return _execute(state)


def _verified(state: AttemptState, event: happened.Verified) -> Stepped:
    paid = _pay(state, event.usage)
    if not event.reasons:
        return replace(paid, stage=Stage.GATING, reasons=()), (EvaluateGates(state.attempt),)
    if all(reason.retryable for reason in event.reasons):
        return _again(paid, event.reasons)
    return _end(paid, Stage.REJECTED, event.reasons)


def _gates_evaluated(state: AttemptState, event: happened.GatesEvaluated) -> Stepped:
    paid = _pay(state, event.usage)
    if not event.failed:
        return replace(paid, stage=Stage.PUBLISHING, reasons=()), (Publish(state.attempt),)
    scored = _scored(paid, event.score)
    patience = scored.limits.stop_without_progress
    if patience and scored.without_progress >= patience:
        what = f"no better score in {scored.without_progress} attempts"
        stuck = Reason("no_progress", f"{what}: {_RAISE['no_progress']}")
        return _exhaust(scored, (*event.failed, stuck))
    return _again(scored, event.failed)


def _scored(state: AttemptState, score: float | None) -> AttemptState:
    """Whether an attempt came closer; one without a score did not, if there was a score before."""
    best = state.best_score
    if score is not None and not math.isnan(score) and (best is None or score > best):
        return replace(state, best_score=score, without_progress=0)
    return state if best is None else replace(state, without_progress=state.without_progress + 1)


def _again(state: AttemptState, reasons: tuple[Reason, ...]) -> Stepped:
    """Another attempt, if the limits leave one."""
    limits = state.limits
    if limits.max_attempts <= 1:
        return _end(state, Stage.REJECTED, reasons)
    used_up = (*_counted("attempts", state.attempt, limits.max_attempts), *_capped(state))
    if used_up:
        return _exhaust(state, (*reasons, *used_up))
    attempt = state.attempt + 1
    next_state = replace(state, stage=Stage.REMEDIATING, attempt=attempt, reasons=reasons)
    return next_state, (Remediate(attempt, reasons),)


def _remediated(state: AttemptState, event: happened.Remediated) -> Stepped:
    return _execute(state)


def _published(state: AttemptState, event: happened.Published) -> Stepped:
    return _end(state, Stage.REJECTED if event.reasons else Stage.ACCEPTED, event.reasons)


def _exhaust(state: AttemptState, reasons: tuple[Reason, ...]) -> Stepped:
    """Ask for another plan if one could still be carried out; otherwise it is a person's turn."""
    if state.spent.replans < state.limits.max_replans and not _capped(state):
        spent = replace(state.spent, replans=state.spent.replans + 1)
        asking = replace(state, stage=Stage.REPLANNING, spent=spent, reasons=reasons)
        return asking, (Replan(reasons),)
    return _end(state, Stage.EXHAUSTED, reasons)


def _replanned(state: AttemptState, event: happened.Replanned) -> Stepped:
    if not event.accepted:
        none = Reason("no_other_plan", "there is no other plan for it")
        return _end(state, Stage.EXHAUSTED, (*state.reasons, none))
    # a new plan starts a new loop; what was spent stays spent
    return _execute(replace(state, attempt=1, best_score=None, without_progress=0, reasons=()))


def _cancelled(state: AttemptState, event: happened.Cancelled) -> Stepped:
    return _end(state, Stage.CANCELLED, (Reason("cancelled", event.why),))


def _end(state: AttemptState, stage: Stage, reasons: tuple[Reason, ...]) -> Stepped:
    return replace(state, stage=stage, reasons=reasons), ()


def _pay(state: AttemptState, usage: happened.Usage) -> AttemptState:
    spent = state.spent
    return replace(
        state,
        spent=replace(
            spent,
            seconds=spent.seconds + usage.seconds,
            tokens=spent.tokens + usage.tokens,
            tool_calls=spent.tool_calls + usage.tool_calls,
        ),
    )


# what a person can do about a limit that was reached
_RAISE = {
    "attempts": "raise max_attempts, or ask less of the gates",
    "retries": "raise retries, or resume the run when the cause is gone",
    "no_progress": "change what the phase does, or raise stop_on_no_improvement_attempts",
    "invocations": "raise max_total_runner_invocations",
    "seconds": "raise max_wall_clock_seconds",
    "tokens": "raise max_tokens",
    "tool calls": "raise max_tool_calls",
}
_DOUBLINGS = 60


def _counted(what: str, used: int, most: int) -> tuple[Reason, ...]:
    return () if used < most else (Reason(what, f"{used} of {most} {what} are used: {_RAISE[what]}"),)


def _capped(state: AttemptState, pause: float = 0.0) -> tuple[Reason, ...]:
    """The caps that leave no room for carrying it out once more, after a pause."""
    spent, limits = state.spent, state.limits
    bounds: tuple[tuple[str, float, float | None, float], ...] = (
        ("invocations", spent.invocations, limits.max_invocations, 0),
        ("seconds", spent.seconds, limits.max_seconds, pause),
        ("tokens", spent.tokens, limits.max_tokens, 0),
        ("tool calls", spent.tool_calls, limits.max_tool_calls, 0),
    )
    return tuple(
        Reason("budget", f"{used:,.10g} of {most:,.10g} {what} are used: {_RAISE[what]}")
        for what, used, most, ahead in bounds
        if most is not None and used + ahead >= most
    )


TABLE: dict[tuple[Stage, type], Handler] = {
    (Stage.READY, happened.Started): _start,
    (Stage.EXECUTING, happened.Executed): _executed,
    (Stage.EXECUTING, happened.ExecutionFailed): _execution_failed,
    (Stage.WAITING, happened.WaitElapsed): _wait_elapsed,
    (Stage.VERIFYING, happened.Verified): _verified,
    (Stage.GATING, happened.GatesEvaluated): _gates_evaluated,
    (Stage.REMEDIATING, happened.Remediated): _remediated,
    (Stage.PUBLISHING, happened.Published): _published,
    (Stage.REPLANNING, happened.Replanned): _replanned,
    **{(stage, happened.Cancelled): _cancelled for stage in Stage if stage not in FINAL},
}

# where each row of the table can lead; the drawing in the documentation is made from it
LEADS_TO: dict[tuple[Stage, type], tuple[Stage, ...]] = {
    (Stage.READY, happened.Started): (Stage.EXECUTING, Stage.BLOCKED),
    (Stage.EXECUTING, happened.Executed): (Stage.VERIFYING,),
    (Stage.EXECUTING, happened.ExecutionFailed): (
        Stage.WAITING,
        Stage.REJECTED,
        Stage.EXHAUSTED,
        Stage.REPLANNING,
    ),
    (Stage.WAITING, happened.WaitElapsed): (Stage.EXECUTING,),
    (Stage.VERIFYING, happened.Verified): (
        Stage.GATING,
        Stage.REMEDIATING,
        Stage.REJECTED,
        Stage.EXHAUSTED,
        Stage.REPLANNING,
    ),
    (Stage.GATING, happened.GatesEvaluated): (
        Stage.PUBLISHING,
        Stage.REMEDIATING,
        Stage.REJECTED,
        Stage.EXHAUSTED,
        Stage.REPLANNING,
    ),
    (Stage.PUBLISHING, happened.Published): (Stage.ACCEPTED, Stage.REJECTED),
    (Stage.REMEDIATING, happened.Remediated): (Stage.EXECUTING,),
    (Stage.REPLANNING, happened.Replanned): (Stage.EXECUTING, Stage.EXHAUSTED),
    **{(stage, happened.Cancelled): (Stage.CANCELLED,) for stage in Stage if stage not in FINAL},
}

# what is asked for wherever a phase gets to; at its end, nothing
ASKS_FOR: dict[Stage, type[Action]] = {
    Stage.EXECUTING: Execute,
    Stage.WAITING: Wait,
    Stage.VERIFYING: Verify,
    Stage.GATING: EvaluateGates,
    Stage.PUBLISHING: Publish,
    Stage.REMEDIATING: Remediate,
    Stage.REPLANNING: Replan,
}

__all__ = ["ASKS_FOR", "FINAL", "LEADS_TO", "TABLE", "backoff", "step"]
