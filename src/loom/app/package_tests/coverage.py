"""What of a package its cases reached: phases, gates, entry gates, rules, and the ways in which phases fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loom.app.package_tests.ending import ran
from loom.app.package_tests.place import Seen
from loom.process.package import Package
from loom.process.plan import plan
from loom.process.spec.verification import Rule
from loom.runtime.outcome import GOOD

KINDS = ("phases", "gates", "requirements", "rules", "failure paths")
Items = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What there is to reach, and what was reached, by kind."""

    there: Items
    reached: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, package: Package) -> Coverage:
        """The coverage of a package before anything has run."""
        return cls(_there(package), {kind: frozenset() for kind in KINDS})

    def together(self, others: Iterable[Coverage]) -> Coverage:
        """What this and others reached between them."""
        reached = {kind: set(names) for kind, names in self.reached.items()}
        for other in others:
            for kind in KINDS:
                reached[kind] |= other.reached[kind]
        return Coverage(self.there, {kind: frozenset(names) for kind, names in reached.items()})

    def missed(self, kind: str) -> tuple[str, ...]:
        """What of a kind was not reached, in the order of the package."""
        return tuple(name for name in self.there[kind] if name not in self.reached[kind])

    def as_json(self) -> dict[str, Any]:
        """Reached and missed, by kind."""
        return {
            kind.replace(" ", "_"): {
                "reached": [name for name in self.there[kind] if name in self.reached[kind]],
                "missed": list(self.missed(kind)),
            }
            for kind in KINDS
        }


def reached_by(package: Package, seen: Seen) -> Coverage:
    """What one case reached; a case that was cut off, as far as its events tell."""
    outcomes: dict[str, Mapping[str, Any]] = {}
    if seen.envelope is not None:
        outcomes = {phase["phase"]: phase for phase in seen.envelope["phases"]}
    started = {event["phase"] for event in seen.events if event.get("kind") == "phase_started"}
    started |= {name for name, phase in outcomes.items() if ran(phase)}
    gates = {
        f"{event['phase']}.{event['gate']}" for event in seen.events if event.get("kind") == "gate_evaluated"
    }
    failing = {name for name, phase in outcomes.items() if _failed(phase)}
    required = {
        name for phase in started | failing for name in _requirements(package, phase, outcomes.get(phase))
    }
    rules = {
        rule.name
        for rule in package.spec.verification.rules
        if rule.type == "regex" and any(_verified(outcomes[name]) for name in _judged(rule, outcomes))
    }
    reached = dict(zip(KINDS, (started, gates, required, rules, failing), strict=True))
    there = _there(package)
    return Coverage(there, {kind: frozenset(reached[kind]) & frozenset(there[kind]) for kind in KINDS})


def _there(package: Package) -> dict[str, tuple[str, ...]]:
    steps = plan(package).steps
    gates = [f"{step.id}.{gate.id}" for step in steps if step.loop for gate in step.loop.gates]
    required = [name for step in steps for name in _requirements(package, step.id, None)]
    rules = [rule.name for rule in package.spec.verification.rules]
    phases = tuple(step.id for step in steps)
    return dict(zip(KINDS, (phases, tuple(gates), tuple(required), tuple(rules), phases), strict=True))


def _requirements(package: Package, phase: str, outcome: Mapping[str, Any] | None) -> Iterator[str]:
    if phase not in package.phases or (outcome is not None and outcome["status"] == "skipped"):
        return
    for need in package.phases[phase].require:
        yield f"{phase} needs {need.phase}.{need.field} {need.operator} {need.value}"


def _failed(phase: Mapping[str, Any]) -> bool:
    """Whether a phase itself did not end well; one that merely waited for another has not failed."""
    codes = {reason["code"] for reason in phase["reasons"]}
    return phase["status"] not in GOOD and not codes & {"dependency", "stopped"}


def _verified(phase: Mapping[str, Any]) -> bool:
    """Whether a phase came as far as having its result looked at."""
    codes = [str(reason["code"]) for reason in phase["reasons"]]
    return ran(phase) and not any(code.endswith("_failure") for code in codes)


def _judged(rule: Rule, outcomes: Mapping[str, Any]) -> Iterator[str]:
    return (name for name in outcomes if "*" in rule.applies_to_phases or name in rule.applies_to_phases)
