"""Policy with provenance: floor, process, phase and synthesis hardening become one value each.

The last layer that writes a field wins, and then the floor is applied: a value may be tighter than the
floor, never looser. Soft fields may go under their default below high risk. Only what an author wrote
counts as written; a model's default never overrides anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from loom.kernel.diagnostics import KeyPath, Span
from loom.process.floors import FIELDS, SYNTHESIS_HARDENING, floor_of, is_looser, is_strict, risk_of
from loom.process.package import Package
from loom.process.spec.model import SpecModel
from loom.process.spec.phases import Phase
from loom.process.spec.process import RiskLevel
from loom.process.spec.validity_contract import ValidityContract

LayerName = Literal["floor", "process", "phase", "synthesis"]


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer says about one field, and where it says so."""

    name: LayerName
    value: Any
    path: KeyPath | None = None


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value, the layer it comes from, and everything the other layers said."""

    value: Any
    winner: LayerName
    path: KeyPath | None
    layers: tuple[Layer, ...]


Policy = dict[str, Sourced]


def written_fields(contract: ValidityContract | None) -> dict[str, Any]:
    """The fields of a contract that its author wrote, by dotted name."""
    found: dict[str, Any] = {}
    pending: list[tuple[str, SpecModel]] = [("", contract)] if contract else []
    while pending:
        prefix, model = pending.pop()
        for name in model.model_fields_set:
            value = getattr(model, name)
            if isinstance(value, SpecModel):
                pending.append((f"{prefix}{name}.", value))
            else:
                found[prefix + name] = value
    return found


def merge(
    risk: RiskLevel, layers: tuple[tuple[LayerName, dict[str, Any], KeyPath], ...], synthesis: bool
) -> Policy:
    """Combine what the layers wrote into one value per field."""
    policy: Policy = {}
    strict = is_strict(risk)
    for field, rule in FIELDS.items():
        floor = floor_of(field, risk)
        said = [Layer("floor", floor)]
        for name, written, base in layers:
            if field in written:
                said.append(Layer(name, written[field], (*base, *field.split("."))))
        if synthesis and field in SYNTHESIS_HARDENING:
            said.append(Layer("synthesis", SYNTHESIS_HARDENING[field]))
        policy[field] = _settle(field, said, may_undercut=rule.soft and not strict)
    return policy


def _settle(field: str, said: list[Layer], *, may_undercut: bool) -> Sourced:
    last = said[-1]
    floor = said[0]
    value = last.value if may_undercut else FIELDS[field].merge(floor.value, last.value)
    # the floor has won when it changed what the last layer asked for
    winner = floor if value == floor.value and value != last.value else last
    return Sourced(value, winner.name, winner.path, tuple(said))


@dataclass
class ResolvedProcess:
    """A package with every policy value settled."""

    package: Package

    @property
    def name(self) -> str:
        """The package's name."""
        return self.package.name

    @property
    def version(self) -> str:
        """The package's version."""
        return self.package.spec.version

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases as declared."""
        return self.package.spec.phases

    @cached_property
    def risk(self) -> RiskLevel:
        """The level of risk in force."""
        return risk_of(self.package.spec)

    @cached_property
    def _process_written(self) -> dict[str, Any]:
        return written_fields(self.package.spec.validity_contract)

    @cached_property
    def policy(self) -> Policy:
        """The process's own values, before any phase."""
        return self._merged(None, synthesis=False)

    @cached_property
    def _synthesis_policy(self) -> Policy:
        return self._merged(None, synthesis=True)

    def policy_of(self, index: int) -> Policy:
        """The values of one phase; phases that write nothing share the process's."""
        phase = self.phases[index]
        if phase.validity_contract is None:
            return self._synthesis_policy if phase.is_synthesis else self.policy
        return self._merged(index, synthesis=phase.is_synthesis)

    def _merged(self, index: int | None, *, synthesis: bool) -> Policy:
        layers: list[tuple[LayerName, dict[str, Any], KeyPath]] = [
            ("process", self._process_written, ("validity_contract",))
        ]
        if index is not None:
            written = written_fields(self.phases[index].validity_contract)
            layers.append(("phase", written, ("phases", index, "validity_contract")))
        return merge(self.risk, tuple(layers), synthesis)

    def span_of(self, layer: Layer | Sourced) -> Span | None:
        """Where a layer's value is written; floors and hardening are not."""
        return self.package.value_at(layer.path) if layer.path else None


@dataclass(frozen=True, slots=True)
class Loosened:
    """A written value that demands less than the layer below it."""

    field: str
    path: KeyPath
    value: Any
    than: Any
    below: LayerName
    soft: bool


def loosened(resolved: ResolvedProcess) -> Iterator[Loosened]:
    """Every place where an author asks for less than the floor, or a phase for less than its process."""
    spec, risk = resolved.package.spec, resolved.risk
    for field, value in written_fields(spec.validity_contract).items():
        floor = floor_of(field, risk)
        if is_looser(field, value, floor, risk):
            yield Loosened(
                field, ("validity_contract", *field.split(".")), value, floor, "floor", FIELDS[field].soft
            )
    for index in resolved.package.contracted:
        for field, value in written_fields(spec.phases[index].validity_contract).items():
            floor, inherited = floor_of(field, risk), resolved.policy[field].value
            path: KeyPath = ("phases", index, "validity_contract", *field.split("."))
            if is_looser(field, value, floor, risk):
                yield Loosened(field, path, value, floor, "floor", FIELDS[field].soft)
            elif is_looser(field, value, inherited, risk):
                yield Loosened(field, path, value, inherited, "process", FIELDS[field].soft)
