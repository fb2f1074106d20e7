"""The process around one case: it starts it, keeps its time, and leaves nothing of it behind.

It is started as a program with the folder of the case and its seconds. Its standard input is a lifeline: when
that closes, because somebody asks for it or the one who started it is gone, the case is ended. On standard
output it says one line of JSON, when all is over.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import sys
import time
import traceback
from pathlib import Path

from loom.sandbox import linux, processes

GRACE_SECONDS = 2.0
"""Between the request to end and the end."""

_CLEANUP_SECONDS = 3.0
_TICK_MS = 50.0


def main() -> None:
    """Carry out the case of the folder, within its seconds, and say how its process ended."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    if sys.platform == "linux":
        # what a tool leaves behind becomes a child of this process, and so can be found
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    ready, is_ready = os.pipe()
    case = os.fork()
    if case == 0:
        _become(folder, is_ready)
    os.close(is_ready)
    print(json.dumps(Watch(case, ready, seconds).until_over()), flush=True)


def _become(folder: Path, is_ready: int) -> None:
    """Turn this process into the case; it never goes on as a keeper."""
    try:
        os.setsid()
        if sys.platform == "linux":
            linux.prctl(linux.PR_SET_PDEATHSIG, linux.SIGKILL)
        said = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for here, there in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(here, there)
        os.close(nothing)
        os.close(said)
        worker = importlib.import_module("loom.app.package_tests.worker")
        worker.main(folder, lambda: os.write(is_ready, b"r"))
    finally:
        # without the usual end: a thread that a tool left behind would hold it up
        error = sys.exception()
        if error is not None:
            traceback.print_exception(error)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0 if error is None else 1)


class Watch:
    """One case, from its start until none of its processes is left."""

    def __init__(self, case: int, ready: int, seconds: float) -> None:
        self.case, self.ready, self.seconds = case, ready, seconds
        self.me = os.getpid()
        self.status: int | None = None
        self.reason = ""
        self.deadline: float | None = None
        self.kill_at: float | None = None

    def until_over(self) -> dict[str, object]:
        """Wait for the end of the case, or bring it about."""
        begun = time.monotonic()
        poller = select.poll()
        for handle in (0, self.ready):
            poller.register(handle, select.POLLIN)
        while not self._reaped():
            now = time.monotonic()
            if self.deadline is not None and now >= self.deadline:
                self._stop("deadline")
            if self.kill_at is not None and now >= self.kill_at:
                self._send(linux.SIGKILL)
            for handle, _ in poller.poll(_TICK_MS):
                poller.unregister(handle)
                if handle == 0:
                    self._stop("request")
                elif os.read(self.ready, 1):
                    # loading what every case needs is not part of its time
                    begun = time.monotonic()
                    self.deadline = begun + self.seconds
        seconds = time.monotonic() - begun
        code = None if self.status is None else os.waitstatus_to_exitcode(self.status)
        return {"exit_code": code, "reason": self.reason, "strays": self._clean_up(), "seconds": seconds}

    def _reaped(self) -> bool:
        """Collect every process that ended; whether the case is among them."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self.case:
                    self.status = status
        return self.status is not None

    def _stop(self, reason: str) -> None:
        if self.kill_at is None:
            self.reason = reason
            self.kill_at = time.monotonic() + GRACE_SECONDS
            self._send(linux.SIGTERM)

    def _send(self, number: int) -> None:
        processes.send(self.me, self.case, number, namespaced=False)

    def _clean_up(self) -> int:
        """Kill what outlived the case; how many that were."""
        left = strays = len(processes.descendants(self.me, namespaced=False))
        give_up = time.monotonic() + _CLEANUP_SECONDS
        while left and time.monotonic() < give_up:
            self._send(linux.SIGKILL)
            time.sleep(0.005)
            self._reaped()
            left = len(processes.descendants(self.me, namespaced=False))
        return strays


if __name__ == "__main__":
    main()
