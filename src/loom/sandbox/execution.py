"""Running a program at one exact level to its end: what it writes is read, and its deadline is kept."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from loom.kernel.errors import LoomError
from loom.sandbox.capture import Capture
from loom.sandbox.launch import LATE_S, Launched, start
from loom.sandbox.policy import Completed, Level, Policy, StoppedBy, Usage


def execute(
    command: Sequence[str],
    policy: Policy,
    level: Level,
    stdin: bytes | None = None,
    *,
    cwd: Path | None = None,
    stop: int | None = None,
) -> Completed:
    """Run a program at exactly this level; a byte that can be read from `stop` ends it early."""
    with tempfile.TemporaryFile() as file:
        if stdin:
            file.write(stdin)
            file.seek(0)
        launched = start(command, policy, level, cwd=cwd, stdin=subprocess.DEVNULL if stdin is None else file)
    gathering = _Gathering(launched, policy, stop)
    begun = time.monotonic()
    try:
        try:
            gathering.run()
        finally:
            if not gathering.over:  # an interrupt: the program goes first, then the interrupt goes on
                launched.stop()
                gathering.run()
    finally:
        launched.finish()
    return _completed(gathering, time.monotonic() - begun)


class _Gathering:
    """The streams of one program and the words of its supervisor, until the supervisor is gone."""

    def __init__(self, launched: Launched, policy: Policy, stop: int | None) -> None:
        if launched.process.stdout is None or launched.process.stderr is None:
            raise ValueError("the program's output must be pipes")
        self.launched = launched
        self.limits = policy.limits
        self.stop = stop
        self.over = False
        self.late = False
        self.stdout = Capture(launched.process.stdout.fileno(), self.limits.output_bytes)
        self.stderr = Capture(launched.process.stderr.fileno(), self.limits.output_bytes)

    def run(self) -> None:
        """Read until the report ends; kill the supervisor when it does not end by itself."""
        with selectors.DefaultSelector() as selector:
            for capture in (self.stdout, self.stderr):
                selector.register(capture.handle, selectors.EVENT_READ, capture)
            selector.register(self.launched.report, selectors.EVENT_READ)
            if self.stop is not None:
                selector.register(self.stop, selectors.EVENT_READ)
            give_up = self._last_moment()
            while not self.over:
                pause = None if give_up is None else max(give_up - time.monotonic(), 0)
                events = selector.select(pause)
                if give_up is not None and time.monotonic() >= give_up:
                    self.late = self.over = True
                    self.launched.kill()
                for key, _ in events:
                    if isinstance(key.data, Capture):
                        if key.data.read() == 0:
                            selector.unregister(key.fd)
                    elif key.fd == self.stop:
                        selector.unregister(key.fd)
                        self.launched.stop()
                        give_up = self._last_moment()
                    else:
                        self.over = not self.launched.listen()
        self.stdout.drain()
        self.stderr.drain()

    def _last_moment(self) -> float | None:
        stopping = self.launched.lifeline < 0
        if self.limits.wall_s is None and not stopping:
            return None
        wall = 0.0 if stopping or self.limits.wall_s is None else self.limits.wall_s
        return time.monotonic() + wall + self.limits.grace_s + LATE_S


def _completed(gathering: _Gathering, wall_s: float) -> Completed:
    launched = gathering.launched
    said = launched.lines
    if "failed" in said:
        why = " ".join(said["failed"][1:])
        raise LoomError(f"the sandbox did not start at level {launched.level}", why, "loom doctor")
    if "started" not in said and not gathering.late:
        told = gathering.stderr.kept.decode(errors="replace").strip().splitlines()
        why = told[-1] if told else f"the supervisor ended with {launched.process.returncode}"
        raise LoomError(f"the sandbox did not start at level {launched.level}", why, "loom doctor")
    code, number, stopped, strays, usage = _ending(said.get("ended"), wall_s)
    return Completed(
        level=launched.level,
        exit_code=code,
        signal=number,
        stdout=gathering.stdout.kept,
        stderr=gathering.stderr.kept,
        stdout_truncated=gathering.stdout.truncated,
        stderr_truncated=gathering.stderr.truncated,
        stopped_by=stopped,
        strays=strays,
        usage=usage,
        found="unfound" not in said,
    )


def _ending(
    words: list[str] | None, wall_s: float
) -> tuple[int | None, int | None, StoppedBy | None, int, Usage]:
    """The supervisor's last line; without one it was killed, and so was the program."""
    if words is None:
        return None, int(signal.SIGKILL), "lost", 0, Usage(wall_s=wall_s)
    status, reason, strays, wall, user, system, memory, tasks = words
    result = os.waitstatus_to_exitcode(int(status))
    usage = Usage(float(wall), float(user), float(system), int(memory), int(tasks))
    reasons: dict[str, StoppedBy] = {
        "deadline": "deadline",
        "memory": "memory",
        "processes": "processes",
        "request": "request",
    }
    exited = result >= 0
    return result if exited else None, None if exited else -result, reasons.get(reason), int(strays), usage
