"""What a tool is told about the run that calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol

from loom.sandbox.policy import Level
from loom.tools.paths import logical_path, resolve_path, resolve_read_path

Surface = Literal["tui", "api", "cli"]
SURFACES: tuple[Surface, ...] = ("tui", "api", "cli")


class NotPermittedError(Exception):
    """What the permissions of a run do not allow."""


class RunAuthContext(Protocol):
    """The credentials that were chosen for this run."""

    def profile_for_selector(self, selector: str) -> Any:
        """The profile for a resource such as `api_integration:tracker`, or None."""

    def profile_for_provider(self, provider: str) -> Any:
        """The profile for a provider, or None."""

    def resolve_secret_ref(self, ref: str) -> str:
        """The secret a profile refers to; use it where it is needed, and keep it nowhere."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a call may touch beyond files."""

    network: tuple[str, ...] = ("*",)
    """Hosts that may be reached; `*` for any, `*.example.org` for those below one, empty for none. Programs
    reach any host or none: no sandbox can tell one from the other."""

    addresses: Literal["public", "loopback", "any"] = "public"
    """Which addresses a host may have: only public ones, this machine's too, or any."""

    env: tuple[str, ...] = ()
    """Environment variables that are passed on to programs, beside the harmless ones."""

    processes: bool = True
    """Whether programs may be started."""

    sandbox: Level = "none"
    """The weakest isolation that programs may be started under; on a machine that offers less, none is."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Where a call runs: the folder it may write, what it may read, and what it may use."""

    workspace: Path | None = None
    """The folder of the run; all that is written lies below it."""

    read_roots: list[Path] = field(default_factory=list)
    """Further folders that may be read."""

    read_path_map: dict[str, Path] = field(default_factory=dict)
    """Aliases under which a person attached files and folders, each with what it stands for."""

    scratch_dir: Path | None = None
    """A folder for intermediate files."""

    subtask_id: str = ""
    """The task that calls."""

    auth_context: RunAuthContext | None = None
    """Chosen profiles and their secrets."""

    execution_surface: Surface = "cli"
    """Where the call comes from."""

    permissions: Permissions = Permissions()
    """What may be touched beyond files."""

    services: Mapping[str, Any] = field(default_factory=dict)
    """What the runtime lends to tools by name, such as a model or a search."""

    def resolve(self, raw: str | Path) -> Path:
        """Where to write; PathRefusedError for anything outside the workspace."""
        return resolve_path(raw, self.workspace)

    def resolve_read(self, raw: str | Path) -> Path:
        """Where to read, attached files included; PathRefusedError for anything else."""
        return resolve_read_path(raw, self.workspace, self.read_roots, self.read_path_map)

    def relative(self, path: Path) -> str:
        """The name of a path that is written: relative to the workspace, as `files_changed` wants it."""
        return path.relative_to(self.resolve(".")).as_posix()

    def logical(self, path: Path, asked: str = "") -> str:
        """The name to show for a path: as it was asked for, by the alias, or relative to the workspace."""
        if asked and not PurePosixPath(asked.strip()).is_absolute():
            return str(PurePosixPath(asked.strip()))
        return logical_path(path, self.workspace, self.read_roots, self.read_path_map)
