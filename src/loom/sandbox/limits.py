"""Resource limits of this process, and of all it starts; and what was used, read back."""

from __future__ import annotations

import os
import resource
import sys

# ruff: noqa: PTH116, PTH208
# This file runs before every sandboxed program: it imports nothing that is slow to import.

_LIMITS = {
    "cpu_s": resource.RLIMIT_CPU,
    "address_bytes": resource.RLIMIT_AS,
    "data_bytes": resource.RLIMIT_DATA,
    "file_bytes": resource.RLIMIT_FSIZE,
    "open_files": resource.RLIMIT_NOFILE,
}


def apply(limits: dict[str, int | None]) -> None:
    """Lower the limits that are given, for good; a limit that is lower already stays, and no core is dumped."""
    _lower(resource.RLIMIT_CORE, 0, 0)
    for name, value in limits.items():
        if value is not None:
            # past the soft limit a program gets SIGXCPU, which it may ignore; past the hard one SIGKILL
            spare = 1 if name == "cpu_s" else 0
            _lower(_LIMITS[name], value, value + spare)


def apply_tasks(most: int, *, namespaced: bool) -> None:
    """Lower RLIMIT_NPROC, so that not even the watch can be outrun; root is not held to it.

    It counts every task of the user, in a user namespace of its own only those inside. It is four times what is
    allowed: the watch, which counts the tree alone, must see too many before the kernel refuses one.
    """
    if sys.platform != "linux" or os.getuid() == 0:
        return  # elsewhere nobody can say how many the others are
    if namespaced and _release() < (5, 14):
        return  # it still counts those outside, whom nobody can see from here
    others = 0 if namespaced else tasks_of_user()
    _lower(resource.RLIMIT_NPROC, 4 * most + others, 4 * most + others)


def _release() -> tuple[int, ...]:
    major, minor, *_ = os.uname().release.split(".")
    return int(major), int("".join(letter for letter in minor if letter.isdigit()) or 0)


def _lower(kind: int, soft: int, hard: int) -> None:
    now = resource.getrlimit(kind)
    soft, hard = (
        min(wanted, is_now) if is_now != resource.RLIM_INFINITY else wanted
        for wanted, is_now in zip((soft, hard), now, strict=True)
    )
    resource.setrlimit(kind, (soft, hard))


def peak_bytes(usage: resource.struct_rusage) -> int:
    """The most memory that one process of those counted held."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def tasks_of_user() -> int:
    """How many processes and threads the user has on this machine."""
    return sum(tasks for owner, tasks in _owners() if owner == os.getuid())


def _owners() -> list[tuple[int, int]]:
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            found.append((os.stat(f"/proc/{name}").st_uid, len(os.listdir(f"/proc/{name}/task"))))
        except OSError:
            continue  # it ended meanwhile
    return found
