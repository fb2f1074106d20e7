"""One process package as it was read: its models, its folder, and where everything stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from loom.kernel.diagnostics import KeyPath, Source, Span
from loom.kernel.document import Document
from loom.process.graph import Layered, ancestors, layer
from loom.process.references import BadReference, Reference, references_in
from loom.process.spec.phases import Phase
from loom.process.spec.process import ProcessSpec
from loom.process.structure import Validated


@dataclass
class Package:
    """A declaration that could be read, sound or not."""

    document: Document
    spec: ProcessSpec
    validated: Validated
    folder: Path | None = None
    _ancestors: dict[str, set[str]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The package's name."""
        return self.spec.name

    @property
    def source(self) -> Source:
        """The text the package was read from."""
        return self.document.source

    def value_at(self, path: KeyPath) -> Span:
        """Where the value at a path of the models stands in the file."""
        return self.document.value_at(self.validated.original(path))

    def key_at(self, path: KeyPath) -> Span:
        """Where the key at a path of the models stands in the file."""
        return self.document.key_at(self.validated.original(path))

    def is_torn(self, path: KeyPath) -> bool:
        """Whether something at or below this path was left out of the models."""
        original = self.validated.original(path)
        return any(gone[: len(original)] == original for gone in self.validated.removed)

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """The phases by id; of two with the same id, the first."""
        phases: dict[str, Phase] = {}
        for phase in self.spec.phases:
            phases.setdefault(phase.id, phase)
        return phases

    @cached_property
    def phase_names(self) -> frozenset[str]:
        """Every id a phase of the file carries, sound or not, so that one mistake is reported once."""
        if not self.validated.removed:
            return frozenset(self.phases)
        return frozenset(self.phases) | _texts_in(self.document.data, "phases", "id")

    @cached_property
    def dependencies(self) -> dict[str, tuple[str, ...]]:
        """What each phase depends on."""
        return {name: phase.depends_on for name, phase in self.phases.items()}

    @cached_property
    def looping(self) -> tuple[int, ...]:
        """Indexes of phases with an iteration block."""
        return tuple(index for index, phase in enumerate(self.spec.phases) if phase.iteration is not None)

    @cached_property
    def running(self) -> tuple[int, ...]:
        """Indexes of phases that say who executes them, or over what."""
        phases = enumerate(self.spec.phases)
        return tuple(index for index, phase in phases if phase.run is not None or phase.for_each is not None)

    @cached_property
    def references(self) -> tuple[tuple[int, KeyPath, Reference | BadReference], ...]:
        """Every lookup of every phase: the phase's index, the place of the text, and what it reads."""
        found: list[tuple[int, KeyPath, Reference | BadReference]] = []
        for index in self.running:
            phase = self.spec.phases[index]
            if phase.run is not None and phase.run.args:
                base: KeyPath = ("phases", index, "run", "args")
                found += [(index, path, each) for path, each in references_in(phase.run.args, base)]
            if phase.for_each is not None:
                found += [
                    (index, path, each)
                    for path, each in references_in(phase.for_each, ("phases", index, "for_each"))
                ]
        return tuple(found)

    @cached_property
    def gated(self) -> tuple[int, ...]:
        """Indexes of phases with entry gates."""
        return tuple(index for index, phase in enumerate(self.spec.phases) if phase.require)

    @cached_property
    def contracted(self) -> tuple[int, ...]:
        """Indexes of phases with a validity contract of their own."""
        return tuple(
            index for index, phase in enumerate(self.spec.phases) if phase.validity_contract is not None
        )

    @cached_property
    def graph(self) -> Layered:
        """The phases in order."""
        return layer(self.dependencies)

    def ancestors(self, phase: str) -> set[str]:
        """Every phase that has finished when this one starts."""
        if phase not in self._ancestors:
            self._ancestors[phase] = ancestors(self.dependencies, phase)
        return self._ancestors[phase]

    @property
    def needs_model(self) -> bool:
        """Whether a model executes any phase."""
        return any(phase.run is None for phase in self.spec.phases)


def _texts_in(data: Any, key: str, inner: str) -> frozenset[str]:
    items = data.get(key) if isinstance(data, dict) else None
    found = [item.get(inner) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return frozenset(text for text in found if isinstance(text, str))
