"""A control group for one tree, where the machine lets us make one: no process leaves it, one word kills it.

Only a root, or a user whose part of the hierarchy was handed over, can make one; everywhere else there is
none, and the supervisor's own bookkeeping has to do.
"""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_OURS = re.compile(r"loom-(\d+)-[0-9a-f]+\Z")
_KILL_S = 3.0


@dataclass(frozen=True, slots=True)
class Group:
    """The folders of one group, one in each hierarchy that has it."""

    folders: tuple[Path, ...]

    def kill(self) -> int:
        """Kill every process of the group, until none is left; how many the first look found."""
        first = len(self._members())
        give_up = time.monotonic() + _KILL_S
        while (members := self._members()) and time.monotonic() < give_up:
            for folder in self.folders:
                _write(folder / "pids.max", "0")  # from here on none of them can fork
                _write(folder / "cgroup.kill", "1")
            for pid in members:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)
        return first

    def remove(self) -> None:
        """Take the folders away; what is still in use stays."""
        for folder in self.folders:
            with suppress(OSError):
                folder.rmdir()

    def _members(self) -> set[int]:
        found: set[int] = set()
        for folder in self.folders:
            with suppress(OSError):
                found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
        return found - {0}


def joining(group: Group | None) -> list[str]:
    """The arguments before a program that make it a member before it starts."""
    if group is None:
        return []
    script = 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done 2>/dev/null; shift; exec "$@"'
    return ["/bin/sh", "-c", script, "sh", *(str(folder / "cgroup.procs") for folder in group.folders), "--"]


def create(tasks: int | None) -> Group | None:
    """A new group that may hold so many processes and threads; None where that is not allowed."""
    name = f"loom-{os.getpid()}-{os.urandom(4).hex()}"
    made: list[Path] = []
    for parent in _parents():
        _sweep(parent)
        try:
            (parent / name).mkdir()
        except OSError:
            continue
        made.append(parent / name)
        if tasks is not None:
            _write(parent / name / "pids.max", str(tasks + 2))  # the supervisor and the shell before it
    return Group(tuple(made)) if made else None


def _parents() -> list[Path]:
    """The folders of our own groups that are ours to write: of the unified hierarchy, and of pids."""
    try:
        memberships = Path("/proc/self/cgroup").read_text().splitlines()
        mounts = [line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    except OSError:
        return []
    found = []
    for line in memberships:
        _, controllers, path = line.split(":", 2)
        for left, right in mounts:
            kind, _, options = right.split(" ", 2)
            unified = kind == "cgroup2" and not controllers
            pids = kind == "cgroup" and controllers == "pids" and "pids" in options.split(",")
            if unified or pids:
                root, where = left.split(" ")[3:5]
                inner = os.path.relpath(path, root) if path.startswith(root) else path.lstrip("/")
                found.append(Path(where, inner))
    return [folder for folder in found if os.access(folder / "cgroup.procs", os.W_OK)]


def _sweep(parent: Path) -> None:
    """Remove the empty groups of Loom processes that were killed."""
    for folder in parent.glob("loom-*"):
        owner = _OURS.match(folder.name)
        if owner and not Path("/proc", owner[1]).exists():
            with suppress(OSError):
                folder.rmdir()


def _write(path: Path, text: str) -> None:
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY)  # never create: the file is there when the kernel has it
        try:
            os.write(handle, text.encode())
        finally:
            os.close(handle)
