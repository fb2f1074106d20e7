"""Carries a phase out: performs what the machine asks for through ports, and tells it what happened.

The machine decides, the driver acts. Every action is written to the run's record before it is performed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from loom.kernel.errors import LoomError
from loom.kernel.ids import digest_json
from loom.process.plan import Step
from loom.runtime import actions, events
from loom.runtime.dispatch import Emit
from loom.runtime.limits import limits_of
from loom.runtime.lookup import NothingThereError, Scope, fill
from loom.runtime.machine import step as advance
from loom.runtime.outcome import PhaseOutcome, PhaseStatus
from loom.runtime.state import AttemptState, Reason, Stage
from loom.tools.results import ToolResult

ENDS: dict[Stage, PhaseStatus] = {
    Stage.ACCEPTED: "accepted",
    Stage.REJECTED: "rejected",
    Stage.EXHAUSTED: "exhausted",
    Stage.BLOCKED: "blocked",
    Stage.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class PhaseTask:
    """One attempt at a phase."""

    step: Step
    args: Mapping[str, Any]
    attempt: int
    reasons: tuple[Reason, ...] = ()
    """What was wrong with the attempt before, unless this one starts from scratch."""

    item: int | None = None
    """Which item of a `for_each` this is."""

    sealed: tuple[str, ...] = ()
    """Files of the workspace that belong to phases before."""

    seconds_left: float | None = None
    """What is left of the phase's time, if that is bounded."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What an attempt gave."""

    result: ToolResult
    seconds: float = 0.0
    tokens: int = 0
    tool_calls: int = 1
    verdict: Any = None
    summary: Any = None
    pathspec: str | None = None
    sandbox: str = ""


class Executor(Protocol):
    """Carries out attempts."""

    def execute(self, task: PhaseTask) -> Execution:
        """Call the tool, or run the nested process."""


class Judge(Protocol):
    """Looks at what an attempt gave."""

    def unmet(self, step: Step, outcomes: Mapping[str, PhaseOutcome]) -> tuple[Reason, ...]:
        """The entry gates that do not hold."""

    def verify(self, task: PhaseTask, execution: Execution) -> tuple[Reason, ...]:
        """What is wrong with the result; nothing when it passes."""

    def gates(self, task: PhaseTask, execution: Execution) -> events.GatesEvaluated:
        """The gates of the phase's loop that do not hold, and the attempt's score."""


Publisher = Callable[[PhaseTask, Execution], tuple[str, ...]]
"""Makes the deliverables of an accepted attempt visible, and answers with their names."""


@dataclass(frozen=True, slots=True)
class PhaseDriver:
    """Carries out phases, one at a time; several drivers may work side by side."""

    executor: Executor
    judge: Judge
    publish: Publisher
    emit: Emit
    sleep: Callable[[float], None]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    clock: Callable[[], float] = time.monotonic

    def carry_out(self, step: Step, scope: Scope, item: int | None = None) -> PhaseOutcome:
        """Take a phase from its entry gates to its end."""
        about: dict[str, Any] = {"phase": step.id} | ({} if item is None else {"item": item})
        state = AttemptState(limits_of(step, self.settings, _seed(self.seed, about)))
        sealed = tuple(name for outcome in scope.outcomes.values() for name in outcome.deliverables)
        attempt = _Attempt(PhaseTask(step, {}, 1, item=item, sealed=sealed))
        pending: deque[events.Event] = deque([self._entry(step, scope, attempt)])
        while pending:
            state, wanted = advance(state, pending.popleft())
            for action in wanted:
                answer = self._perform(action, attempt, about)
                if answer is not None:
                    pending.append(answer)
        return _conclude(state, attempt)

    def _entry(self, step: Step, scope: Scope, attempt: _Attempt) -> events.Event:
        unmet = self.judge.unmet(step, scope.outcomes)
        if not unmet:
            try:
                args = fill(step.phase.run.args if step.phase.run else {}, scope)
                attempt.task = replace(attempt.task, args=args)
            except NothingThereError as error:
                unmet = (Reason("reference", str(error)),)
        return events.Started(unmet)

    def _perform(
        self, action: actions.Action, attempt: _Attempt, about: Mapping[str, Any]
    ) -> events.Event | None:
        match action:
            case actions.Execute(number, from_scratch, left):
                self.emit("phase_started", {**about, "attempt": number})
                reasons = () if from_scratch else attempt.reasons
                attempt.task = replace(attempt.task, attempt=number, reasons=reasons, seconds_left=left)
                return self._execute(attempt, about)
            case actions.Wait(seconds):
                why = attempt.execution.result.error if attempt.execution else ""
                self.emit("phase_waiting", {**about, "seconds": seconds, "why": why})
                self.sleep(seconds)
                return events.WaitElapsed()
            case actions.Verify(number):
                self.emit("phase_verifying", {**about, "attempt": number})
                began = self.clock()
                wrong = self.judge.verify(*attempt.done)
                return events.Verified(wrong, events.Usage(self.clock() - began))
            case actions.EvaluateGates(number):
                return self._gates(attempt, about, number)
            case actions.Remediate(number, reasons):
                said = [reason.what for reason in reasons]
                self.emit("phase_remediating", {**about, "attempt": number, "reasons": said})
                attempt.reasons = reasons
                return events.Remediated()
            case actions.Publish():
                return self._publish(attempt, about)
            case actions.Replan():
                # no planner is consulted for phases that tools carry out: the plan is the declaration
                return events.Replanned(accepted=False)
            case actions.Note(what):
                attempt.notes += 1
                self.emit("note", {**about, "text": what, "count": attempt.notes})
                return None

    def _execute(self, attempt: _Attempt, about: Mapping[str, Any]) -> events.Event:
        execution = self.executor.execute(attempt.task)
        attempt.execution = execution
        attempt.seconds += execution.seconds
        result = execution.result
        run = attempt.task.step.phase.run
        called = (run.tool or run.process) if run else None
        said = {"tool": called, "success": result.success, "seconds": round(execution.seconds, 4)}
        self.emit("tool_finished", {**about, **said, "error": result.error})
        usage = events.Usage(execution.seconds, execution.tokens, execution.tool_calls)
        if result.success:
            return events.Executed(usage)
        kind = result.error_kind or "tool"
        return events.ExecutionFailed(kind, result.error or "it failed", result.retryable, usage)

    def _gates(self, attempt: _Attempt, about: Mapping[str, Any], number: int) -> events.Event:
        if attempt.task.step.loop is None:
            return events.GatesEvaluated()
        self.emit("gates_evaluating", {**about, "attempt": number})
        began = self.clock()
        found = self.judge.gates(*attempt.done)
        return replace(found, usage=replace(found.usage, seconds=self.clock() - began))

    def _publish(self, attempt: _Attempt, about: Mapping[str, Any]) -> events.Event:
        if attempt.task.step.phase.deliverables:
            self.emit("phase_publishing", about)
        try:
            attempt.deliverables = self.publish(*attempt.done)
        except LoomError as error:
            return events.Published((Reason("publish_failure", f"{error.what}: {error.why}"),))
        except OSError as error:
            return events.Published((Reason("publish_failure", str(error)),))
        return events.Published()


@dataclass(slots=True)
class _Attempt:
    """What the present attempt has come to."""

    task: PhaseTask
    execution: Execution | None = None
    reasons: tuple[Reason, ...] = ()
    deliverables: tuple[str, ...] = ()
    seconds: float = 0.0
    notes: int = 0

    @property
    def done(self) -> tuple[PhaseTask, Execution]:
        """The attempt and what it gave; there is something to look at only after it was carried out."""
        assert self.execution is not None
        return self.task, self.execution


def _seed(seed: int, about: Mapping[str, Any]) -> int:
    """A seed of a phase's own, so that phases which fail together do not all come back together."""
    return int(digest_json([seed, about.get("phase"), about.get("item")])[-8:], 16)


def _conclude(state: AttemptState, attempt: _Attempt) -> PhaseOutcome:
    execution = attempt.execution
    result = execution.result if execution else None
    made = (result.data or {}).get("data_object") if result else None
    accepted = state.stage is Stage.ACCEPTED
    return PhaseOutcome(
        attempt.task.step.id,
        ENDS[state.stage],
        data=result.data if result else None,
        verdict=execution.verdict if execution else None,
        summary=execution.summary if execution else None,
        pathspec=execution.pathspec if execution else None,
        deliverables=attempt.deliverables,
        reasons=state.reasons,
        attempts=state.attempt,
        seconds=round(attempt.seconds, 4),
        data_objects=(made,) if accepted and isinstance(made, str) else (),
        sandbox=execution.sandbox if execution else "",
        output=(result.output[:4000] if result else ""),
    )
