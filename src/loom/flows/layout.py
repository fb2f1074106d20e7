"""The steps of a flow: which phases each performs and what comes next. As few steps as Metaflow's rules allow.

A step cannot join and split at once, and the last step cannot join; otherwise a phase's own step does both the
phase and the split or the join beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loom.flows.shape import Block, Each, One, Parallel, Series, Wave


@dataclass(eq=False, slots=True)
class FlowStep:
    """One step of a flow."""

    name: str
    phase: str | None = None
    """The phase it performs."""

    wave: tuple[str, ...] = ()
    """The phases of which each task performs the one it is given."""

    items_of: str | None = None
    """The phase whose items it splits into."""

    hands_out: tuple[str, ...] = ()
    """The phases of the wave it splits into."""

    begins: bool = False
    joins: bool = False
    finishes: bool = False
    next: list[FlowStep] = field(default_factory=list)

    @property
    def phases(self) -> tuple[str, ...]:
        """Every phase it may perform."""
        return self.wave or ((self.phase,) if self.phase is not None else ())

    @property
    def _may_split(self) -> bool:
        return not (self.joins or self.next or self.items_of or self.hands_out or self.wave)


def lay_out(block: Block, names: Mapping[str, str]) -> tuple[FlowStep, ...]:
    """The steps of a flow, first to last; `names` gives the step of each phase."""
    return _Layout(names).steps_of(block)


class _Layout:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._taken = frozenset(names.values())
        self._steps: list[FlowStep] = []

    def steps_of(self, block: Block) -> tuple[FlowStep, ...]:
        first = FlowStep("start", begins=True)
        self._steps.append(first)
        last = self._place(block, first)
        if last.joins:
            last = self._add("end", last)
        last.finishes = True
        self._number()
        return tuple(self._steps)

    def _place(self, block: Block, before: FlowStep) -> FlowStep:
        match block:
            case One(phase):
                return self._one(phase, before)
            case Each(phase):
                return self._each(phase, before)
            case Wave(phases):
                return self._wave(phases, before)
            case Series(parts):
                for part in parts:
                    before = self._place(part, before)
                return before
            case Parallel(branches):
                return self._parallel(branches, before)

    def _one(self, phase: str, before: FlowStep) -> FlowStep:
        bare = before.phase is None and (before.joins or before._may_split)
        step = before if bare else self._add(self._names[phase], before)
        step.name, step.phase = self._names[phase], phase
        return step

    def _parallel(self, branches: tuple[Block, ...], before: FlowStep) -> FlowStep:
        fork = before if before._may_split else self._add("fork", before)
        heads = [self._branch(branch, fork) for branch in branches]
        join = self._add("join", *heads)
        join.joins = True
        return join

    def _branch(self, branch: Block, fork: FlowStep) -> FlowStep:
        first, *rest = branch.parts if isinstance(branch, Series) else (branch,)
        if isinstance(first, One):
            head = self._add(self._names[first.phase], fork)
            head.phase = first.phase
        else:
            head = self._place(first, self._add("fork", fork))
        return self._place(Series(tuple(rest)), head)

    def _each(self, phase: str, before: FlowStep) -> FlowStep:
        fork = before if before._may_split else self._add("fork", before)
        fork.items_of = phase
        step = self._add(self._names[phase], fork)
        step.phase = phase
        return self._join(step)

    def _wave(self, phases: tuple[str, ...], before: FlowStep) -> FlowStep:
        fork = before if before._may_split else self._add("fork", before)
        fork.hands_out = phases
        step = self._add("wave", fork)
        step.wave = phases
        return self._join(step)

    def _join(self, step: FlowStep) -> FlowStep:
        join = self._add("join", step)
        join.joins = True
        return join

    def _add(self, name: str, *before: FlowStep) -> FlowStep:
        step = FlowStep(name)
        for other in before:
            other.next.append(step)
        self._steps.append(step)
        return step

    def _number(self) -> None:
        """Give the steps that belong to no phase names that no other step has."""
        count: dict[str, int] = {}
        for step in self._steps:
            if step.phase is not None or step.name in ("start", "end"):
                continue
            kind, name = step.name, ""
            while not name or name in self._taken:
                count[kind] = count.get(kind, 0) + 1
                name = f"{kind}_{count[kind]}"
            step.name = name
