"""How closed in a program can be on this machine: found by running one that tries to get out.

| at level            | isolated                 | restricted               | none                     |
|---------------------|--------------------------|--------------------------|--------------------------|
| made of             | bubblewrap, seccomp,     | Landlock, seccomp,       | rlimits, supervisor, and |
|                     | rlimits, supervisor      | rlimits, supervisor      | seccomp where there is   |
| files: reading      | only what was given      | only what was given      | not held                 |
| files: writing      | only what was given      | only what was given      | not held                 |
| names of files      | only what was given      | not held: whether a file | not held                 |
|                     |                          | exists can be asked      |                          |
| modes, times        | only what was given      | not held for files of    | not held                 |
|                     |                          | the same user            |                          |
| network             | none, or IP only         | none, or IP only         | none, or all (seccomp)   |
| own environment     | the allowed names        | the allowed names        | the allowed names        |
| others' environment | not there                | refused                  | not held                 |
| others' processes   | not there                | seen not, signalled not  | not held                 |
|                     |                          | (signals: Landlock 6)    |                          |
| deadline            | held                     | held                     | held                     |
| outliving           | nothing can              | nothing can (Landlock 6; | not held: it may kill    |
|                     |                          | below, as at none)       | its supervisor           |
| count of tasks,     | watched every 20 to      | the same                 | the same                 |
| memory              | 100 ms, then killed      |                          |                          |
| disk                | each file, not all; /tmp | each file, not all       | each file, not all       |
|                     | and /dev/shm in all      |                          |                          |
| setuid programs     | give nothing             | give nothing             | give nothing (seccomp)   |
| kernel bugs         | not held                 | not held                 | not held                 |

"Only what was given" leaves room for the system's and Python's own folders, read-only, and a few files of
/proc and /dev. None of this makes a write path safe to read for somebody who follows symbolic links: what the
program leaves there may point anywhere. At level `restricted` there is no /dev/shm, and so there are no POSIX
semaphores (`multiprocessing.Pool`). No level gives a graphics card. Root loses its capabilities at the upper two levels: what it gives must be its own.

Memory that no process maps (a memfd, a pipe, a file in /tmp of level `isolated`) is not seen by the watch; it
is bounded by the limits on files. Tasks may outrun the watch for a moment: a normal user is held by RLIMIT_NPROC
then, root by nothing.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loom.kernel.errors import LoomError
from loom.sandbox import bubblewrap, landlock, seccomp
from loom.sandbox.attempt import attempt
from loom.sandbox.policy import LEVELS, Level, WeakSandboxError, at_least

__all__ = ["LEVELS", "Level", "Probe", "Rung", "WeakSandboxError", "at_least", "probe", "require", "try_rung"]

_HELD: dict[str, str] = {
    "files": "it could reach files that it was not given",
    "network": "it could open a socket to the outside",
    "environment": "it could see somebody else's environment",
    "survivors": "it could leave a process behind",
}
_NAMESPACES = re.compile(
    r"namespace|uid map|gid map|Operation not permitted|Permission denied|No space", re.I
)


@dataclass(frozen=True, slots=True)
class Rung:
    """One level, tried: whether it held, and why not."""

    level: Level
    held: bool
    why: str
    checks: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe:
    """The strongest level that held, why it is no stronger, and every rung that was tried."""

    level: Level
    why: str
    details: tuple[Rung, ...]


_found: dict[int, Probe] = {}
_lock = threading.Lock()


def probe() -> Probe:
    """The strongest level of this machine, for this user; tried once in the life of a process."""
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    with _lock:
        if user not in _found:
            _found[user] = _climb_down()
        return _found[user]


def require(minimum: Level) -> Level:
    """The strongest level of this machine; WeakSandboxError, with what to install, when it is below the minimum."""
    found = probe()
    if not at_least(found.level, minimum):
        missing = next(rung for rung in found.details if rung.level == minimum)
        raise WeakSandboxError(
            f"this machine runs programs at level {found.level}, and {minimum} is needed",
            missing.why,
            _fix(missing),
        )
    return found.level


def try_rung(level: Level) -> Rung:
    """Run the little program that tries to get out at one level, and see whether it did."""
    absent = _absent(level)
    if absent:
        return Rung(level, False, absent)
    try:
        checks = attempt(level)
    except LoomError as error:
        return Rung(level, False, error.why)
    escaped = [_HELD[name] for name, held in checks.items() if not held]
    return Rung(level, not escaped, "; ".join(escaped), checks)


def _climb_down() -> Probe:
    tried: list[Rung] = []
    for level in reversed(LEVELS):
        if level == "none":
            break
        tried.append(try_rung(level))
        if tried[-1].held:
            break
    level = tried[-1].level if tried[-1].held else "none"
    why = "; ".join(f"{rung.level}: {rung.why}" for rung in tried if not rung.held)
    return Probe(level, why, tuple(tried))


def _absent(level: Level) -> str:
    """What a level needs and this machine plainly does not have."""
    if level == "none":
        return ""
    if sys.platform != "linux":
        return f"there is no sandbox for {sys.platform}"
    if level == "isolated":
        return "" if bubblewrap.find() else "bubblewrap is not installed"
    if landlock.abi() == 0:
        return "this kernel has no Landlock, or it is switched off"
    return "" if seccomp.available() else "there is no system call filter for this processor"


def _fix(rung: Rung) -> str:
    if sys.platform != "linux":
        return "run Loom on Linux"
    if rung.level == "restricted":
        return "boot a kernel 5.13 or newer with `landlock` in its `lsm=` list, or apt-get install bubblewrap"
    if bubblewrap.find() is None:
        return "apt-get install bubblewrap"
    if _NAMESPACES.search(rung.why):
        return _allow_namespaces()
    return "bwrap --unshare-all --ro-bind / / true"


def _allow_namespaces() -> str:
    """The switch that keeps a user from making namespaces here, by what the kernel says of itself."""
    for name, off, command in (
        ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
    ):
        try:
            value = Path("/proc/sys", name).read_text().strip()
        except OSError:
            continue
        if value == off:
            return command
    return "allow user namespaces; in a container, start it with --security-opt seccomp=unconfined"
