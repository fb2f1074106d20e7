"""One candidate that runs, as the server sees it: its process, its bounds, and what became of it."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from loom.sandbox import limits, linux, processes
from loom.sandbox.capture import Capture
from loom.search import server_child
from loom.search.jobs import KEPT_BYTES, WORKING

# ruff: noqa: PTH118, PTH123, PTH208

_ONE = "import sys; sys.path.insert(0, sys.argv[1]); from loom.search.server_child import main; main()"
_MOST_THREADS = 256
_MOST_ENTRIES, _MOST_DEPTH = 10_000, 64
_OFTEN = 4
"""How often a candidate may write what it may hold: a file that is removed still had to be written."""


class Running:
    """One candidate, from its start to its end; killed for at most one reason."""

    def __init__(
        self, job: dict[str, Any], surroundings: dict[str, Any], pid: int, streams: tuple[int, int, int]
    ) -> None:
        self.job = job
        self.pid = pid
        self.begun = time.monotonic()
        self.deadline = self.begun + job["seconds"]
        self.stdout, self.stderr = (Capture(handle, KEPT_BYTES) for handle in streams[:2])
        self.ends = _end_of(pid)
        """A descriptor that can be read when it ends; None where the kernel has none."""
        self.over = False
        self._report = streams[2]
        self._most_bytes = surroundings["resident_bytes"] + job["memory_bytes"]
        self._why = ""

    def kill(self, why: str) -> None:
        """End it at once; the first reason counts."""
        self._why = self._why or why
        linux.kill_group(self.pid, linux.SIGKILL)
        linux.kill(self.pid, linux.SIGKILL)  # it may have had no time yet to make its group

    def watch(self) -> None:
        """Compare what it holds with what it may hold."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                seen = processes.Process(self.pid, file.read())
        except (OSError, ValueError):
            return  # not Linux, or gone
        if seen.resident > self._most_bytes:
            self.kill("memory")
        elif seen.tasks > _MOST_THREADS:
            self.kill("threads")
        elif self._is_full() or self._written() > _OFTEN * self.job["disk_bytes"]:
            self.kill("disk")

    def _is_full(self) -> bool:
        """Whether its folder holds too much; a folder that nobody could walk does."""
        held = entries = 0
        pending = [(os.path.join(self.job["folder"], WORKING), 0)]
        while pending:
            folder, depth = pending.pop()
            try:
                with os.scandir(folder) as found:
                    for entry in found:
                        entries += 1
                        held += entry.stat(follow_symlinks=False).st_blocks * 512
                        if entries > _MOST_ENTRIES or held > self.job["disk_bytes"]:
                            return True
                        if entry.is_dir(follow_symlinks=False):
                            pending.append((entry.path, depth + 1))
            except OSError:
                continue  # removed meanwhile
            if depth > _MOST_DEPTH:
                return True
        return False

    def _written(self) -> int:
        try:
            with open(f"/proc/{self.pid}/io", "rb") as file:
                said = dict(line.split(b": ") for line in file.read().splitlines())
        except OSError:
            return 0
        return int(said.get(b"write_bytes", 0))

    def has_ended(self) -> bool:
        """Whether it ended; it is not collected yet, so that its number still means nobody else."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def finish(self) -> dict[str, Any]:
        """Collect it, and whatever is left of its group: what there is to say of it."""
        self.over = True
        linux.kill_group(self.pid, linux.SIGKILL)
        _, status, used = os.wait4(self.pid, 0)
        seconds = time.monotonic() - self.begun
        for capture in (self.stdout, self.stderr):
            capture.drain()
        begun, said = self._said()
        result = os.waitstatus_to_exitcode(status)
        for handle in (self.stdout.handle, self.stderr.handle, self._report, self.ends):
            if handle is not None:
                os.close(handle)
        verdict = self._verdict(result, said) if begun or self._why else "lost"
        if self._why == "threads" and verdict == "error":
            said = {"kinds": ["TooManyThreads"]}
        return {
            "finished": self.job["id"],
            "status": verdict,
            "exit_code": result if result >= 0 else None,
            "signal": -result if result < 0 else None,
            "seconds": seconds,
            "cpu_s": used.ru_utime + used.ru_stime,
            "peak_bytes": limits.peak_bytes(used),
            "stdout": base64.b64encode(self.stdout.kept).decode(),
            "stderr": base64.b64encode(self.stderr.kept).decode(),
            "error": said,
        }

    def _verdict(self, result: int, said: dict[str, Any]) -> str:
        if result == -signal.SIGKILL and self._why:
            return "error" if self._why == "threads" else self._why
        if result == -signal.SIGXFSZ or self._is_full():
            return "disk"
        if result == 0:
            return "ok"
        # what C++ says of it before it gives up
        if result == -signal.SIGABRT and b"std::bad_alloc" in self.stderr.kept:
            return "memory"
        full = said.get("full")
        return full if full in ("memory", "disk") else "error"

    def _said(self) -> tuple[bool, dict[str, Any]]:
        """Whether it came to run, and what it said of its error."""
        os.set_blocking(self._report, False)
        data = b""
        with suppress(BlockingIOError):
            data = os.read(self._report, 8192)
        said: Any = {}
        with suppress(ValueError, RecursionError):  # the last line: earlier ones are not ours
            said = json.loads(data.rpartition(b"\n")[2])
        return data.startswith(server_child.BEGUN), said if isinstance(said, dict) else {}


def start(job: dict[str, Any], surroundings: dict[str, Any]) -> Running:
    """Start a candidate: by a fork, as long as this process has a single thread; OSError when it cannot be."""
    one, two, three = os.pipe(), os.pipe(), os.pipe()
    ours, theirs = (one[0], two[0], three[0]), (one[1], two[1], three[1])
    try:
        if not is_alone():
            pid = _spawn(job, surroundings, theirs)
        elif (pid := os.fork()) == 0:
            server_child.become(job, surroundings, theirs)
    except OSError:
        for handle in ours:
            os.close(handle)
        raise
    finally:
        for handle in theirs:
            os.close(handle)
    return Running(job, surroundings, pid, ours)


def is_alone() -> bool:
    """Whether this process has one thread: a fork copies no other, but the locks that it holds."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return threading.active_count() == 1  # not Linux


def _spawn(job: dict[str, Any], surroundings: dict[str, Any], streams: tuple[int, int, int]) -> int:
    # joblib, which is not loaded yet, would start processes
    variables = surroundings["variables"] | {"JOBLIB_MULTIPROCESSING": "0"}
    said = [json.dumps(each) for each in (job, surroundings | {"pools": None, "variables": variables})]
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-s", "-P", "-c", _ONE, surroundings["root"], *said],
        server_child.environment(job, variables),
        file_actions=[(os.POSIX_SPAWN_DUP2, handle, place) for place, handle in enumerate(streams, 1)],
    )


def _end_of(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
