"""What a program may do, how much of the machine it may use, and what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from loom.kernel.errors import LoomError

Level = Literal["isolated", "restricted", "none"]
StoppedBy = Literal["deadline", "memory", "processes", "request", "lost"]

LEVELS: tuple[Level, ...] = ("none", "restricted", "isolated")
"""The rungs of the ladder, the weakest first."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OWN_MOUNTS = (Path("/proc"), Path("/dev"), Path("/sys"))
_MIB = 1024 * 1024


class WeakSandboxError(LoomError):
    """This machine closes programs in less than was asked for, so nothing was started."""


def at_least(level: Level, minimum: Level) -> bool:
    """Whether a level is as strong as the minimum, or stronger."""
    return LEVELS.index(level) >= LEVELS.index(minimum)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the machine a program may use; None leaves a resource as it is."""

    wall_s: float | None = 60.0
    """Seconds on the monotonic clock. Then the whole tree gets TERM, and KILL after `grace_s`."""
    grace_s: float = 1.0
    """Seconds between TERM and KILL."""
    cpu_s: int | None = None
    """Processor seconds of each process."""
    memory_bytes: int | None = 4096 * _MIB
    """Resident memory of the whole tree, watched; a tree that holds more is killed."""
    address_bytes: int | None = None
    """Address space of each process; an allocation beyond it fails."""
    file_bytes: int | None = 1024 * _MIB
    """Size of each file that is written."""
    open_files: int | None = 1024
    """Open files of each process."""
    tasks: int | None = 512
    """Processes and threads of the whole tree, together, watched; a tree that has more is killed."""
    scratch_bytes: int | None = 1024 * _MIB
    """Size of the private /tmp and of /dev/shm, each; held at level isolated only."""
    output_bytes: int = 256 * 1024
    """Bytes kept of stdout and of stderr, each: the first and the last half; what lies between is dropped."""

    def __post_init__(self) -> None:
        for name in ("wall_s", "cpu_s", "memory_bytes", "address_bytes", "file_bytes", "open_files", "tasks"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 2**53:
                raise ValueError(f"{name} is {value}; it must be positive, or None for no limit")
        if not 0 <= self.grace_s < 3600 or self.output_bytes < 0:
            raise ValueError("grace_s and output_bytes must not be negative, and grace_s is below an hour")


@dataclass(frozen=True, slots=True)
class Policy:
    """What one program may do. What is not named here is refused as far as the level reaches."""

    minimum: Level = "none"
    """The weakest level that is acceptable; below it nothing is run."""
    read: tuple[Path, ...] = ()
    """Files and folders that may be read, besides the system's and Python's own."""
    write: tuple[Path, ...] = ()
    """Files and folders that may be read and written."""
    network: bool = False
    """Whether IP sockets may be opened."""
    processes: bool = False
    """Whether other processes may be started; threads always may."""
    env: tuple[str, ...] = ()
    """Names of the caller's environment variables that are passed on."""
    set_env: tuple[tuple[str, str], ...] = ()
    """Environment variables that are set, whatever the caller's are."""
    limits: Limits = field(default_factory=Limits)
    """How much of the machine it may use."""

    def __post_init__(self) -> None:
        if self.minimum not in LEVELS:
            raise ValueError(f"minimum is {self.minimum!r}; it must be one of {', '.join(LEVELS)}")
        for path in (*self.read, *self.write):
            _check_path(path)
        if any(path == Path(path.anchor) for path in self.write):
            raise ValueError("the root folder cannot be a write path")
        for inner in self.read:
            outer = next(
                (path for path in self.write if inner.resolve().is_relative_to(path.resolve())), None
            )
            if outer is not None:
                raise ValueError(
                    f"{inner} lies in the write path {outer}: Landlock cannot take writing away below it"
                )
        for name in (*self.env, *(name for name, _ in self.set_env)):
            if not _NAME.match(name):
                raise ValueError(f"{name!r} is not the name of an environment variable")
        if any("\0" in value for _, value in self.set_env):
            raise ValueError("an environment variable holds no NUL")


def _check_path(path: Path) -> None:
    if not path.is_absolute() or ".." in path.parts or "\0" in str(path):
        raise ValueError(f"{str(path)!r} must be an absolute path without `..`")
    if any(path.is_relative_to(own) for own in _OWN_MOUNTS):
        raise ValueError(f"{path} belongs to the kernel; the sandbox decides what is seen of it")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a program used, from its start until the last of its processes was gone."""

    wall_s: float = 0.0
    user_s: float = 0.0
    system_s: float = 0.0
    peak_memory_bytes: int = 0
    """The most the tree was seen to hold, or its largest process did, whichever is more."""
    peak_tasks: int = 0
    """The most processes and threads that were seen at once."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What became of a program: how it ended, what it said, and how closed in it was."""

    level: Level
    exit_code: int | None
    """Its exit code; None after a signal. As in a shell, 127 when it was not found, 126 when it could not be run."""
    signal: int | None
    """The signal that ended it, if one did."""
    stdout: bytes
    stderr: bytes
    stdout_truncated: bool
    stderr_truncated: bool
    stopped_by: StoppedBy | None
    """Why it was stopped; None when it ended by itself. `lost`: its supervisor was killed."""
    strays: int
    """Processes that were still there when the program had ended, and were killed."""
    usage: Usage
    found: bool = True
    """False when there is no such program, or it cannot be executed: nothing ran, and stderr says why."""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with exit code 0."""
        return self.exit_code == 0 and self.stopped_by is None

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped at its deadline."""
        return self.stopped_by == "deadline"

    @property
    def truncated(self) -> bool:
        """Whether some of what it wrote was dropped."""
        return self.stdout_truncated or self.stderr_truncated
