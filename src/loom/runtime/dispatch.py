"""How the phases of a run are carried out: the port, and what every transport is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from loom.process.plan import Plan
from loom.runtime.outcome import PhaseOutcome

TASKS = "tasks"

Emit = Callable[[str, Mapping[str, Any]], None]
"""Takes the kind and the body of something that happened."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is to be run: everything a process on another host would need to know, as plain data."""

    key: str
    """Loom's own name of this run; stays the same for the phases of a run that is resumed."""

    process: str
    """The package's folder or file, absolute; of a builtin package its name."""

    digest: str
    """The digest of the package's files."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Every input of the verb, absent ones as None."""

    goal: str = ""
    experiment_id: str = ""
    seed: int = 0
    attached: Mapping[str, str] = field(default_factory=dict)
    """What may be read beside the workspace, by alias."""

    cwd: str = ""
    """Where the person who called was; what they wrote is relative to it."""

    transport: Literal["metaflow", "local"] = "metaflow"
    """Who carries its phases out; a run that is resumed stays with them."""

    caller: str = "person"
    clearance: str = ""
    """How far the run may go, sealed; every task checks it before it calls a tool."""

    staged: str = ""
    """The digest of what an earlier run showed, where somebody agreed that this one carries it out."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings that the phases need, as resolved when the run began."""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunRequest:
        """The request that plain data describes."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A run that may start: its request, its plan, and its own folder."""

    request: RunRequest
    plan: Plan
    folder: Path
    """Below the home: `workspace/`, `tasks/` (results and events of phases), `flow/` (the compiled flow)."""

    home: Path

    @property
    def workspace(self) -> Path:
        """The folder that phases work in."""
        return self.folder / "workspace"

    @property
    def tasks(self) -> Path:
        """Where phases leave their results and events."""
        return self.folder / TASKS


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What came of a dispatch."""

    outcomes: Mapping[str, PhaseOutcome]
    pathspec: str | None = None
    """The run as Metaflow knows it, if Metaflow carried it out."""

    card_path: Path | None = None
    interrupted: bool = False
    failure: str = ""
    """What stopped the transport itself, in words for a person; empty when all phases had their turn."""


class Dispatcher(Protocol):
    """Carries out every phase of a run that has not finished yet."""

    def dispatch(self, run: PreparedRun, emit: Emit) -> Dispatched:
        """Carry out the phases in order, those that do not depend on each other at the same time."""
