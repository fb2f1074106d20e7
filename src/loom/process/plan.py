"""What would run, in which order, at whose cost: everything that can be known before running."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from loom.process.package import Package
from loom.process.references import BadReference, references_in
from loom.process.spec.iteration import Iteration, ToolMetricGate
from loom.process.spec.phases import Phase
from loom.process.spec.types import TIERS, Tier
from loom.process.steps import step_name

Executor = Literal["model", "tool", "process"]


@dataclass(frozen=True, slots=True)
class Step:
    """One phase as it would run."""

    phase: Phase
    wave: int
    on_critical_path: bool

    @property
    def id(self) -> str:
        """The phase's id."""
        return self.phase.id

    @property
    def step(self) -> str:
        """The name of its step in a flow."""
        return step_name(self.phase.id)

    @property
    def executor(self) -> Executor:
        """Who carries it out."""
        run = self.phase.run
        return "model" if run is None else "tool" if run.tool else "process"

    @property
    def loop(self) -> Iteration | None:
        """Its iteration block, if it is on."""
        loop = self.phase.iteration
        return loop if loop is not None and loop.enabled else None

    @property
    def model_tier(self) -> int | None:
        """How capable a model it needs, if any."""
        return self.phase.model_tier if self.executor == "model" else None

    @property
    def tools(self) -> tuple[str, ...]:
        """Tools it calls by name, itself or through its gates."""
        run, loop = self.phase.run, self.loop
        named = [run.tool] if run and run.tool else []
        named += [gate.tool for gate in loop.gates if isinstance(gate, ToolMetricGate)] if loop else []
        return tuple(dict.fromkeys(named))

    @property
    def attempts(self) -> int:
        """How often it may run at most, counting its loop and its retries."""
        loop = self.loop
        if loop is not None and loop.max_total_runner_invocations:
            return loop.max_total_runner_invocations
        return 1 + self.phase.retries

    @property
    def timeout_seconds(self) -> float | None:
        """Seconds one attempt may take, where that is declared."""
        return self.phase.resources.timeout_seconds if self.phase.resources else None

    def reads(self) -> Iterator[str]:
        """The references its arguments look up."""
        run = self.phase.run
        for source in (run.args if run else {}, self.phase.for_each or ""):
            for _, reference in references_in(source):
                if not isinstance(reference, BadReference):
                    yield reference.text


@dataclass(frozen=True, slots=True)
class Cost:
    """Upper bounds, as far as the declaration sets them."""

    model_calls: int
    verifier_calls: int
    tokens: int | None
    seconds: float | None


@dataclass
class Plan:
    """The phases in order, and what they would need."""

    package: Package
    order: tuple[str, ...]
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """One step per phase, in order."""
        wave_of = {name: number for number, wave in enumerate(self.waves) for name in wave}
        critical = set(self.critical_path)
        return tuple(Step(self.package.phases[name], wave_of[name], name in critical) for name in self.order)

    def step(self, phase: str) -> Step:
        """The step of one phase."""
        return self._by_id[phase]

    @cached_property
    def _by_id(self) -> dict[str, Step]:
        return {step.id: step for step in self.steps}

    @property
    def tier(self) -> Tier:
        """What the whole process may do without asking: the highest tier of its verb."""
        verb = self.package.spec.verb
        return verb.tier if verb else "workspace-write"

    @property
    def raised_tier(self) -> Tier:
        """The tier when every input that raises it is given."""
        verb = self.package.spec.verb
        raised = [i.raises_tier for i in verb.inputs.values() if i.raises_tier] if verb else []
        return max((self.tier, *raised), key=TIERS.index)

    @property
    def tools(self) -> tuple[str, ...]:
        """Every tool the package asks for by name."""
        named = dict.fromkeys(self.package.spec.tools.required)
        for step in self.steps:
            named.update(dict.fromkeys(step.tools))
        return tuple(named)

    @property
    def processes(self) -> tuple[str, ...]:
        """Processes that phases run inside this one."""
        runs = (step.phase.run for step in self.steps)
        return tuple(dict.fromkeys(run.process for run in runs if run and run.process))

    @property
    def model_tiers(self) -> tuple[int, ...]:
        """Tiers of models that phases need."""
        return tuple(sorted({step.phase.model_tier for step in self.steps if step.phase.run is None}))

    @property
    def cost(self) -> Cost:
        """Bounds on what one run may spend, without the tools' own costs."""
        calls = verifications = 0
        tokens: int | None = 0
        seconds: float | None = 0.0
        for step in self.steps:
            budget = step.loop.iteration_budget if step.loop else None
            if step.executor == "model":
                calls += step.attempts
                bound = budget.max_tokens if budget and not step.phase.for_each else None
                tokens = None if tokens is None or bound is None else tokens + bound
            verifications += step.attempts * {1: 0, 2: 1, 3: 3}[step.phase.verification_tier]
            limit = step.timeout_seconds * step.attempts if step.timeout_seconds else None
            limit = budget.max_wall_clock_seconds if budget and budget.max_wall_clock_seconds else limit
            # how many items a for_each meets is known only when it runs
            seconds = None if seconds is None or limit is None or step.phase.for_each else seconds + limit
        return Cost(calls, verifications, tokens, seconds)


def plan(package: Package) -> Plan:
    """Put the phases of a sound package in order."""
    graph = package.graph
    if graph.cyclic:
        raise ValueError(f"{package.name} has a dependency cycle; check it before planning it")
    return Plan(package, graph.order, graph.waves, graph.critical_path)
