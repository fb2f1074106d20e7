"""Carries out one phase of a run, all its items or one of them, unless that was done before."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from loom.kernel.ids import digest_json
from loom.process.plan import Step
from loom.runtime.dispatch import PreparedRun
from loom.runtime.driver import PhaseDriver
from loom.runtime.lookup import NothingThereError, Scope, fill, look_up
from loom.runtime.outcome import PhaseOutcome, PhaseStatus, ended, not_run, of_items
from loom.runtime.state import Reason
from loom.runtime.tasks import TaskFolder, task_name
from loom.runtime.threads import in_order

MAX_ITEMS = 10_000

Tell = Callable[[str, str, Mapping[str, Any]], None]
"""Takes the task, the kind and the body of something that happened."""

DriverOf = Callable[[PreparedRun, str | None, Callable[[str, Mapping[str, Any]], None]], PhaseDriver]
"""Makes the driver for a run, the pathspec it has, and a place for its events."""


@dataclass(frozen=True, slots=True)
class Phases:
    """The phases of one run, ready to be carried out in any order their dependencies allow."""

    run: PreparedRun
    driver_of: DriverOf
    tell: Tell
    pathspec: str | None = None
    workers: int = 1

    def carry_out(self, phase: str, outcomes: Mapping[str, PhaseOutcome]) -> PhaseOutcome:
        """Carry out a phase, once or once per item."""
        step = self._step(phase)
        if not step.phase.for_each:
            return self._one(step, self._scope(outcomes))
        try:
            items = self.items(phase, outcomes)
        except NothingThereError as error:
            return self._left(PhaseOutcome(phase, "blocked", reasons=(Reason("reference", str(error)),)))
        if not items:
            return self._left(of_items(phase, ()))
        calls = [partial(self.carry_out_item, phase, outcomes, items, index) for index in range(len(items))]
        return of_items(phase, tuple(in_order(calls, self.workers)))

    def not_run(self, phase: str, status: PhaseStatus, because: str) -> PhaseOutcome:
        """Leave word of a phase that had no turn."""
        return self._left(not_run(phase, status, because))

    def _left(self, outcome: PhaseOutcome) -> PhaseOutcome:
        TaskFolder(self.run.tasks).keep(outcome.phase, "", outcome)
        self.tell(outcome.phase, "phase_finished", ended(outcome))
        return outcome

    def items(self, phase: str, outcomes: Mapping[str, PhaseOutcome]) -> list[Any]:
        """What a `for_each` goes over; nothing where its list is absent."""
        step = self._step(phase)
        assert step.phase.for_each is not None
        found = look_up(step.phase.for_each, self._scope(outcomes))
        if found is None:
            return []
        if not isinstance(found, list | tuple):
            raise NothingThereError(f"`{step.phase.for_each}` is no list")
        if len(found) > MAX_ITEMS:
            raise NothingThereError(
                f"`{step.phase.for_each}` has {len(found):,} items; the limit is {MAX_ITEMS:,}"
            )
        return list(found)

    def carry_out_item(
        self, phase: str, outcomes: Mapping[str, PhaseOutcome], items: list[Any], index: int
    ) -> PhaseOutcome:
        """Carry out a phase for one item."""
        return self._one(self._step(phase), replace(self._scope(outcomes), item=items[index]), index)

    def _one(self, step: Step, scope: Scope, item: int | None = None) -> PhaseOutcome:
        name = task_name(step.id, item)
        folder = TaskFolder(self.run.tasks)
        digest = self._digest(step, scope)
        before = folder.finished(name, digest)
        if before is not None:
            self.tell(name, "phase_reused", {"phase": step.id} | ({} if item is None else {"item": item}))
            return self._moved(before)
        driver = self.driver_of(self.run, self.pathspec, lambda kind, body: self.tell(name, kind, body))
        outcome = driver.carry_out(step, scope, item)
        if outcome.pathspec is None:
            outcome = replace(outcome, pathspec=self.pathspec)
        folder.keep(name, digest, outcome)
        self.tell(name, "phase_finished", ended(outcome, item))
        return outcome

    def _moved(self, outcome: PhaseOutcome) -> PhaseOutcome:
        """An outcome of a run that goes on under a new pathspec: what named the old one names the new one."""
        old, new = outcome.pathspec, self.pathspec
        step = self.run.plan.package.phases[outcome.phase]
        nested = step.run is not None and step.run.process is not None
        if nested or not isinstance(old, str) or new is None or old == new:
            return outcome
        return replace(outcome, pathspec=new, data=_renamed(outcome.data, old, new))

    def _digest(self, step: Step, scope: Scope) -> str:
        """What the outcome of a phase depends on: the package, and everything the phase looks up.

        A run that goes on has a new pathspec; what it finished under the old one stays finished.
        """
        run = step.phase.run
        try:
            args = fill(run.args if run else {}, scope)
        except NothingThereError as error:
            args = str(error)
        waits = {
            name: outcome.status for name, outcome in scope.outcomes.items() if name in step.phase.depends_on
        }
        looked_up = [args, scope.item]
        if self.pathspec is not None:
            looked_up = _renamed(looked_up, self.pathspec, self.run.request.key, within=True)
        return digest_json([self.run.request.digest, step.id, *looked_up, waits])

    def _scope(self, outcomes: Mapping[str, PhaseOutcome]) -> Scope:
        request = self.run.request
        known = {
            "id": self.pathspec or request.key,
            "experiment_id": request.experiment_id,
            "workspace": str(self.run.workspace),
            "goal": request.goal,
            "seed": request.seed,
        }
        return Scope(request.inputs, outcomes, known)

    def _step(self, phase: str) -> Step:
        return self.run.plan.step(phase)


def _renamed(value: Any, old: str, new: str, *, within: bool = False) -> Any:
    """A value with one pathspec in place of another, where it stands alone or also within a text."""
    if isinstance(value, dict):
        return {key: _renamed(each, old, new, within=within) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, old, new, within=within) for each in value]
    if within and isinstance(value, str):
        return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, value)
    return new if value == old else value
