"""Which process a run belongs to, so that somebody else can tell whether it still goes on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_ENDED = ("Z", "X")


def owner() -> dict[str, Any]:
    """This process, told apart from a later one that gets the same number."""
    pid = os.getpid()
    return {"pid": pid, "started": _started(pid), "boot": _boot()}


def is_alive(of: Mapping[str, Any]) -> bool:
    """Whether a process is still there; one that cannot be looked at is taken to be."""
    pid = of.get("pid")
    if not isinstance(pid, int) or of.get("boot") != _boot():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return _started(pid) == of.get("started")  # a process that ended and was not waited for has no start


def _boot() -> str | None:
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return None


def _started(pid: int) -> str | None:
    """When a process started, in ticks since the machine did; empty when it has ended, None where nobody says."""
    try:
        # the name of the program may hold spaces and brackets; what follows it does not
        after = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        state, *more = after.split()
        return "" if state in _ENDED else more[18]
    except (OSError, ValueError, IndexError):
        return None
