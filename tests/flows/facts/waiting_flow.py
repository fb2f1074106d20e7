"""A step that waits until it is told what to do, and notes every signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from metaflow import FlowSpec, current, retry, step

OUT = Path(os.environ["FACTS"])


class WaitingFlow(FlowSpec):
    """One step, tried four times."""

    @retry(times=3, minutes_between_retries=0)
    @step
    def wait(self):
        attempt = OUT / str(current.retry_count)
        attempt.mkdir()
        signal.signal(signal.SIGTERM, lambda number, frame: noted(attempt / "got", "TERM", 3))
        if "beside" in os.environ.get("WAITING", ""):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (attempt / "pids").write_text(f"{os.getpid()} {os.getppid()}")
        (attempt / "ready").touch()
        deadline = time.monotonic() + 60
        try:
            while not (attempt / "go").exists() and time.monotonic() < deadline:
                time.sleep(0.02)
        except KeyboardInterrupt:
            noted(attempt / "got", "INT")
            raise
        (attempt / "went").touch()


def noted(file, name, code=None):
    with file.open("a") as out:
        out.write(f"{name}\n")
    if code is not None:
        time.sleep(0.2)
        sys.exit(code)


if __name__ == "__main__":
    WaitingFlow()
