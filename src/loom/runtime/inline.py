"""Carries out the phases of a run in this process, those that do not depend on each other side by side."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from loom.runtime.dispatch import Dispatched, Emit, PreparedRun
from loom.runtime.outcome import PhaseOutcome, not_run
from loom.runtime.phases import Phases
from loom.runtime.run_machine import (
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
    step,
)
from loom.runtime.threads import Crew

PhasesOf = Callable[[PreparedRun, Emit], Phases]


@dataclass(frozen=True, slots=True)
class InlineDispatcher:
    """A dispatcher that needs no engine: for verbs that leave no run behind, and for tests of packages."""

    phases_of: PhasesOf
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)

    def dispatch(self, run: PreparedRun, emit: Emit) -> Dispatched:
        """Carry out the phases in order."""
        phases = self.phases_of(run, emit)
        order = run.plan.order
        after = {name: run.plan.package.phases[name].depends_on for name in order}
        critical = frozenset(name for name in order if run.plan.package.phases[name].is_critical_path)
        return _Walk(phases, emit, RunState(after, critical)).go(self.workers)


@dataclass(slots=True)
class _Walk:
    """One dispatch under way."""

    phases: Phases
    emit: Emit
    state: RunState
    outcomes: dict[str, PhaseOutcome] = field(default_factory=dict)
    notes: int = 0

    def go(self, workers: int) -> Dispatched:
        crew: Crew[PhaseOutcome] = Crew(workers)
        try:
            actions = self._advance(RunBegins())
            while not any(isinstance(action, Conclude) for action in actions):
                outcome = self._next(actions, crew)
                self.outcomes[outcome.phase] = outcome
                actions = self._advance(PhaseEnds(outcome.phase, outcome.status))
        except KeyboardInterrupt:
            self._advance(Interrupted())
            for phase in [each for each in self.state.after if each in self.state.running]:
                self.outcomes[phase] = not_run(phase, "cancelled", "")
                self._advance(PhaseEnds(phase, "cancelled"))
            return Dispatched(self.outcomes, interrupted=True)
        return Dispatched(self.outcomes)

    def _next(self, actions: tuple[RunAction, ...], crew: Crew[PhaseOutcome]) -> PhaseOutcome:
        """Start what is to be started, and wait for the phase that ends first."""
        started = [action.phase for action in actions if isinstance(action, StartPhase)]
        if started and len(self.state.running) == 1:
            return self._carry_out(started[0])  # nothing else can happen meanwhile
        for phase in started:
            crew.submit(lambda phase=phase: self._carry_out(phase))  # type: ignore[misc]
        return crew.result()

    def _advance(self, event: RunEvent) -> tuple[RunAction, ...]:
        self.state, actions = step(self.state, event)
        for action in actions:
            if isinstance(action, EndPhase):
                self.outcomes[action.phase] = self.phases.not_run(action.phase, action.status, action.because)
            elif isinstance(action, NoteEvent):
                self.notes += 1
                self.emit("note", {"text": action.what, "count": self.notes})
        return actions

    def _carry_out(self, phase: str) -> PhaseOutcome:
        # it may have waited for room, and meanwhile the run was stopped
        if self.state.stage is RunStage.STOPPING:
            return self.phases.not_run(phase, "cancelled", self.state.stopped_by)
        before = self.phases.run.plan.package.ancestors(phase)
        known = {name: outcome for name, outcome in dict(self.outcomes).items() if name in before}
        return self.phases.carry_out(phase, known)
