"""Numbers for runs of the embedded engine: 1, 2, 3, ... per flow, each given once."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

_LAST = "loom_last_run"
_CLOCK = 10**12  # ids that Metaflow made of the time, before or beside Loom


def next_run_id(flow_folder: Path) -> str:
    """Take the next number of a flow, and make its folder; never the number of a run that was deleted."""
    meta = flow_folder / "_meta"
    meta.mkdir(parents=True, exist_ok=True)
    with (meta / _LAST).open("a+", encoding="ascii") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)  # a file system without locks has the exclusive mkdir below
        file.seek(0)
        text = file.read().strip()
        last = int(text) if text.isdigit() else 0
        there = (int(name) for name in os.listdir(flow_folder) if name.isdigit())  # noqa: PTH208
        number = max(last, *(each for each in there if each < _CLOCK), 0) + 1
        while not _made(flow_folder / str(number)):
            number += 1
        file.truncate(0)
        file.write(str(number))
    return str(number)


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True
