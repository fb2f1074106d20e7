"""The processes of one tree: who they are, what they hold, and how all of them are ended."""

from __future__ import annotations

import os

from loom.sandbox import linux

# ruff: noqa: PTH123, PTH208
# This file runs before every sandboxed program: it imports nothing that is slow to import.

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Process:
    """One process as /proc showed it."""

    __slots__ = ("group", "parent", "pid", "resident", "state", "tasks")

    def __init__(self, pid: int, stat: bytes) -> None:
        fields = stat[stat.rindex(b")") + 2 :].split()
        self.pid = pid
        self.state = fields[0]
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.tasks = int(fields[17])
        self.resident = int(fields[21]) * _PAGE


def descendants(root: int, *, namespaced: bool) -> list[Process]:
    """The living processes below one; all but it, when it is the first of its own PID namespace."""
    everyone = _everyone()
    if namespaced:
        return [process for process in everyone if process.pid != root]
    children: dict[int, list[Process]] = {}
    for process in everyone:
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    pending = [root]
    while pending:
        below = children.get(pending.pop(), [])
        found += below
        pending += [process.pid for process in below]
    return found


def tasks_of_machine() -> int:
    """How many processes and threads there are on the whole machine, which the kernel says at once."""
    try:
        with open("/proc/loadavg", "rb") as file:
            return int(file.read().split()[3].split(b"/")[1])
    except OSError:
        return 0  # not Linux


def children(parent: int) -> list[int]:
    """The processes that one process of one thread has to collect, those that have ended included."""
    try:
        with open(f"/proc/{parent}/task/{parent}/children", "rb") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return [process.pid for process in _everyone() if process.parent == parent]


def _everyone() -> list[Process]:
    try:
        names = os.listdir("/proc")
    except OSError:
        return []  # not Linux
    found = []
    for name in names:
        if not name.isdigit():
            continue
        try:
            handle = os.open(f"/proc/{name}/stat", os.O_RDONLY)
        except OSError:
            continue  # it ended meanwhile
        try:
            process = Process(int(name), os.read(handle, 4096))
        except (OSError, ValueError):
            continue
        finally:
            os.close(handle)
        if process.state not in (b"Z", b"X"):
            found.append(process)
    return found


def resident_bytes(tree: list[Process], enough: int) -> int:
    """Memory that a tree holds; pages it shares are counted once where that decides about `enough`."""
    total = sum(process.resident for process in tree)
    if total <= enough or len(tree) < 2:
        return total
    return sum(_proportional(process) for process in tree)


def _proportional(process: Process) -> int:
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except PermissionError:
        return process.resident  # not ours to look into
    except OSError:
        return 0  # it is ending, and gives back what it held
    return 0


def send(root: int, leader: int, number: int, *, namespaced: bool) -> None:
    """Signal every process below `root`, each group in one step. The first group is `leader`'s."""
    for each in (number, linux.SIGCONT) if number == linux.SIGTERM else (number,):
        if namespaced:
            linux.kill(-1, each)  # the first process of a namespace reaches all others in one step
            continue
        linux.kill_group(leader, each)
        for group in {process.group for process in descendants(root, namespaced=False)} - {leader}:
            linux.kill_group(group, each)
