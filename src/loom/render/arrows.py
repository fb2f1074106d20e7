"""The arrows of a drawing: who waits for whom, and on what condition."""

from __future__ import annotations

from dataclasses import dataclass

from loom.process.plan import Plan
from loom.render.labels import condition


@dataclass(frozen=True, slots=True)
class Arrow:
    """One phase waits for another; with gates, for what it says as well."""

    source: int
    target: int
    gates: tuple[str, ...] = ()


def arrows(plan: Plan) -> list[Arrow]:
    """Every arrow between phases, by their numbers in the plan's order.

    A gate on a phase that is not waited for directly is an arrow of its own.
    """
    number = {step.id: index for index, step in enumerate(plan.steps)}
    found: list[Arrow] = []
    for target, step in enumerate(plan.steps):
        gates: dict[str, list[str]] = {name: [] for name in step.phase.depends_on}
        for gate in step.phase.require:
            gates.setdefault(gate.phase, []).append(condition(gate))
        for name, conditions in gates.items():
            source = number.get(name, target)
            if source != target:
                found.append(Arrow(source, target, tuple(conditions)))
    return found
