"""The life of a run as a table: which phases may start, which are blocked, and when it is over.

Pure like the machine of a phase: no clock, no disk, no network, no chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from loom.runtime.outcome import GOOD, PhaseStatus


class RunStage(StrEnum):
    """The stages of a run."""

    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class RunState:
    """Which phases wait, run and have ended."""

    after: Mapping[str, tuple[str, ...]]
    """What each phase depends on, in the order of the plan: dependencies first."""

    critical: frozenset[str] = frozenset()
    stage: RunStage = RunStage.READY
    running: frozenset[str] = frozenset()
    ended: Mapping[str, PhaseStatus] = field(default_factory=dict)
    stopped_by: str = ""
    """The critical phase that did not end well, if one did not."""

    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class RunBegins:
    """The run starts, or goes on; these phases have ended well before."""

    ended: Mapping[str, PhaseStatus] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhaseEnds:
    """A phase has ended."""

    phase: str
    status: PhaseStatus


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Somebody wants the run to stop."""


RunEvent = RunBegins | PhaseEnds | Interrupted


@dataclass(frozen=True, slots=True)
class StartPhase:
    """Carry out a phase."""

    phase: str


@dataclass(frozen=True, slots=True)
class EndPhase:
    """Write down that a phase will not run, and because of which."""

    phase: str
    status: PhaseStatus
    because: str


@dataclass(frozen=True, slots=True)
class StopPhases:
    """Ask the phases that are under way to stop."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class NoteEvent:
    """Write down something that should not have happened."""

    what: str


RunAction = StartPhase | EndPhase | StopPhases | Conclude | NoteEvent
Stepped = tuple[RunState, tuple[RunAction, ...]]


def step(state: RunState, event: RunEvent) -> Stepped:
    """The next state, and what has to be done."""
    handler = TABLE.get((state.stage, type(event)))
    if handler is None:
        return state, (NoteEvent(f"{type(event).__name__} does not belong to {state.stage}"),)
    return handler(state, event)


def blocked_by(after: tuple[str, ...], ended: Mapping[str, PhaseStatus]) -> str | None:
    """The first dependency that ended so that what waits for it cannot run."""
    return next((name for name in after if name in ended and ended[name] not in GOOD), None)


def _begin(state: RunState, event: RunBegins) -> Stepped:
    kept = {phase: status for phase, status in event.ended.items() if phase in state.after and status in GOOD}
    return _go_on(replace(state, stage=RunStage.RUNNING, ended=kept))


def _phase_ends(state: RunState, event: PhaseEnds) -> Stepped:
    if event.phase not in state.running:
        return state, (NoteEvent(f"{event.phase} ended but was not running"),)
    left = replace(
        state, running=state.running - {event.phase}, ended={**state.ended, event.phase: event.status}
    )
    return _go_on(left if event.status in GOOD else _broke(left, event.phase))


def _interrupted(state: RunState, event: Interrupted) -> Stepped:
    stopping, actions = _go_on(replace(state, stage=RunStage.STOPPING, interrupted=True))
    return stopping, (StopPhases(), *actions)


def _broke(state: RunState, phase: str) -> RunState:
    """The state after a phase did not end well: a critical one stops what goes on."""
    if phase not in state.critical or state.stage is RunStage.STOPPING:
        return state
    return replace(state, stage=RunStage.STOPPING, stopped_by=phase)


def _go_on(state: RunState) -> Stepped:
    """Give every phase its turn whose dependencies have ended, and conclude when nothing is left."""
    actions: list[RunAction] = []
    ended, running = dict(state.ended), set(state.running)
    # what a phase depends on stands before it, so that one pass sees all that follows from an end
    for phase, after in state.after.items():
        # a phase is blocked only when all it depends on has ended, so that it does not matter who is faster
        if phase in ended or phase in running or not all(name in ended for name in after):
            continue
        broken = blocked_by(after, ended)
        if broken is not None:
            ended[phase] = "blocked"
            actions.append(EndPhase(phase, "blocked", broken))
            state = _broke(state, phase)
        elif state.stage is RunStage.STOPPING:
            ended[phase] = "cancelled"
            actions.append(EndPhase(phase, "cancelled", state.stopped_by))
        else:
            running.add(phase)
            actions.append(StartPhase(phase))
    stage = state.stage
    if not running:
        stage = RunStage.FINISHED
        actions.append(Conclude())
    return replace(state, stage=stage, running=frozenset(running), ended=ended), tuple(actions)


TABLE: dict[tuple[RunStage, type], Callable[[RunState, Any], Stepped]] = {
    (RunStage.READY, RunBegins): _begin,
    (RunStage.RUNNING, PhaseEnds): _phase_ends,
    (RunStage.STOPPING, PhaseEnds): _phase_ends,
    (RunStage.RUNNING, Interrupted): _interrupted,
    (RunStage.STOPPING, Interrupted): _interrupted,
}

# where each row of the table can lead, and what may be asked for on the way; the drawing in the documentation
# is made from it
ASKS_FOR: dict[tuple[RunStage, type], dict[RunStage, tuple[type[RunAction], ...]]] = {
    (RunStage.READY, RunBegins): {RunStage.RUNNING: (StartPhase,), RunStage.FINISHED: (Conclude,)},
    (RunStage.RUNNING, PhaseEnds): {
        RunStage.RUNNING: (StartPhase, EndPhase),
        RunStage.STOPPING: (EndPhase,),
        RunStage.FINISHED: (EndPhase, Conclude),
    },
    (RunStage.STOPPING, PhaseEnds): {
        RunStage.STOPPING: (EndPhase,),
        RunStage.FINISHED: (EndPhase, Conclude),
    },
    (RunStage.RUNNING, Interrupted): {RunStage.STOPPING: (StopPhases,)},
    (RunStage.STOPPING, Interrupted): {RunStage.STOPPING: (StopPhases,)},
}

LEADS_TO: dict[tuple[RunStage, type], tuple[RunStage, ...]] = {
    row: tuple(stages) for row, stages in ASKS_FOR.items()
}
