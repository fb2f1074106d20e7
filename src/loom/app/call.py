"""What somebody asks Loom to run, before anything has been looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Caller = Literal["person", "ci", "agent", "package"]
Transport = Literal["metaflow", "local"]

OnEvent = Callable[[Mapping[str, Any]], None]
"""Is told everything that happens in a run, one event at a time."""


class Asker(Protocol):
    """Asks the person at the terminal."""

    def confirm(self, text: str) -> bool:
        """Show a text, and whether the person said yes; anything but a plain yes is a no."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a package."""

    package: str | Path
    """Its name, folder or file."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Values as they were given: text from a command line, or already typed from JSON."""

    goal: str = ""
    experiment_id: str | None = None
    seed: int = 0
    confirm: str | None = None
    """The digest of a plan a person has seen."""

    caller: Caller = "person"
    command: tuple[str, ...] = ()
    """The words of the command line, for a fix that can be typed as it is."""

    attached: Mapping[str, Path] = field(default_factory=dict)
    transport: Transport = "metaflow"
    workspace: Path | None = None
    """The folder of the person who calls; relative paths are relative to it."""

    resume: str | None = None
    """The run to go on with."""

    clearance: str = ""
    """How far the run that this one is nested in may go."""

    parent: str = ""
    """Loom's own name of the run that this one is nested in."""
