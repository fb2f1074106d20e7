"""The program that runs candidates: it imports what they import, once, and forks.

It never fits anything and never holds an answer: what a candidate finds in the memory that it inherits is the
libraries. Commands come in on stdin and answers go out on stdout, a JSON object on each line:

    in   {"run": JOB}    {"cancel": ID}
    out  {"ready": SECONDS}    {"begun": ID}    {"finished": ID, "status": ..., ...}

It runs within bubblewrap at level `isolated`. At level `restricted` it closes itself in before the first job, for
it has to read the /proc of its children, which the sandbox gives to no program.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import sys
import time
from contextlib import suppress
from functools import partial
from typing import Any

from loom.sandbox import landlock, linux, roots, seccomp
from loom.sandbox.capture import Capture
from loom.search import server_locks
from loom.search.server_running import Running, start

_TICK_S = 0.075
_CHUNK = 1 << 16
_MOST_OUTPUT = 64 << 20
_SHARES = tuple(
    f"/sys/fs/cgroup/{name}" for name in ("cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")
)
"""How many cores a container has: libraries read it wherever it is to be seen."""


def main() -> None:
    """Serve until nobody asks any more; the settings are the last argument."""
    settings: dict[str, Any] = json.loads(sys.argv[-1])
    commands, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # a library that prints must not speak for us
    os.close(nothing)
    if sys.platform == "linux":
        linux.prctl(linux.PR_SET_DUMPABLE, 0)  # no candidate may look into the server
    begun = time.monotonic()
    surroundings = prepare(settings)
    server = Server(surroundings, commands, answers)
    server.say({"ready": time.monotonic() - begun})
    server.run()


def prepare(settings: dict[str, Any]) -> dict[str, Any]:
    """Close this process in where its level asks for it, import the libraries, and say what children need."""
    system = [*roots.needed(False), *_SHARES]
    if settings["level"] == "restricted":
        linux.drop_capabilities()
        given = [*system, roots.import_root(), *settings["read"], *roots.DEVICES, "/proc"]
        landlock.restrict(given, [*settings["write"], "/dev/null", "/dev/full"], network=False)
        guard = landlock.abi() < 3
        seccomp.install(network=False, processes=True, level="restricted", guard_truncate=guard, ask=False)
    server_locks.share_locks_between_threads()
    for name in settings["imports"]:
        with suppress(ImportError):
            importlib.import_module(name)
    server_locks.share_work_between_threads()
    pools = None
    with suppress(ImportError):
        pools = importlib.import_module("threadpoolctl").ThreadpoolController()
    gc.collect()
    gc.freeze()  # a collection in a child would write to every page that it shares with us
    return {
        "level": settings["level"],
        "variables": settings["variables"],
        "root": sys.path[0],
        "paths": sys.path[1:],
        "system": system,
        "data_bytes": _own_bytes("VmData"),
        "resident_bytes": _own_bytes("VmRSS"),
        "pools": pools,
    }


def _own_bytes(name: str) -> int:
    try:
        with open("/proc/self/status", "rb") as file:  # noqa: PTH123
            return next(int(line.split()[1]) << 10 for line in file if line.startswith(name.encode()))
    except (OSError, StopIteration):
        return 0  # not Linux


class Server:
    """The candidates that run, and the two ends of the conversation."""

    def __init__(self, surroundings: dict[str, Any], commands: int, answers: int) -> None:
        self._surroundings = surroundings
        self._commands, self._answers = commands, answers
        self._heard, self._to_say = bytearray(), bytearray()
        self._running: dict[str, Running] = {}
        self._look_at = 0.0
        self._over = False
        os.set_blocking(commands, False)
        os.set_blocking(answers, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(commands, selectors.EVENT_READ, self._listen)

    def run(self) -> None:
        """Serve until the other end of the commands is closed; whatever runs then is killed."""
        while not self._over:
            for key, _ in self._selector.select(self._pause()):
                key.data()
            self._look()
        for running in self._running.values():
            running.kill("lost")

    def say(self, message: dict[str, Any]) -> None:
        """Send a line, now or as soon as somebody reads: a host that is busy must not hold up a deadline."""
        waiting = bool(self._to_say)
        self._to_say += json.dumps(message).encode() + b"\n"
        if not waiting:
            self._speak()
            if self._to_say:
                self._selector.register(self._answers, selectors.EVENT_WRITE, self._speak_on)

    def _speak(self) -> None:
        with suppress(BlockingIOError):
            while self._to_say:
                del self._to_say[: os.write(self._answers, self._to_say)]

    def _speak_on(self) -> None:
        self._speak()
        if not self._to_say:
            self._selector.unregister(self._answers)

    def _pause(self) -> float | None:
        if not self._running:
            return None
        soonest: float = min([self._look_at, *(running.deadline for running in self._running.values())])
        return max(soonest - time.monotonic(), 0.001)

    def _listen(self) -> None:
        data = os.read(self._commands, _CHUNK)
        self._over = not data
        self._heard += data
        *whole, rest = bytes(self._heard).split(b"\n")
        self._heard[:] = rest
        for line in whole:
            command = json.loads(line)
            if "run" in command:
                self._start(command["run"])
            elif (running := self._running.get(command["cancel"])) is not None:
                running.kill("lost")

    def _start(self, job: dict[str, Any]) -> None:
        try:
            running = start(job, self._surroundings)
        except OSError as error:
            self.say({"finished": job["id"], "status": "lost", "why": str(error)})
            return
        self._running[job["id"]] = running
        for capture in (running.stdout, running.stderr):
            self._selector.register(
                capture.handle, selectors.EVENT_READ, partial(self._read, running, capture)
            )
        if running.ends is not None:
            self._selector.register(running.ends, selectors.EVENT_READ, partial(self._end, running))
        self.say({"begun": job["id"]})

    def _read(self, running: Running, capture: Capture) -> None:
        if running.over:
            return  # it ended in this same round
        if capture.read() == 0:
            self._selector.unregister(capture.handle)
        elif capture.total > _MOST_OUTPUT:
            running.kill("disk")

    def _look(self) -> None:
        """Keep the deadlines; and, on every tick, the other bounds."""
        now = time.monotonic()
        tick = now >= self._look_at
        if tick:
            self._look_at = now + _TICK_S
        for running in list(self._running.values()):
            if now >= running.deadline:
                running.kill("deadline")
            elif tick:
                running.watch()
            if running.ends is None:
                self._end(running)

    def _end(self, running: Running) -> None:
        if not running.has_ended():
            return
        for handle in (running.stdout.handle, running.stderr.handle, running.ends):
            if handle is not None and handle in self._selector.get_map():
                self._selector.unregister(handle)
        del self._running[running.job["id"]]
        self.say(running.finish())
