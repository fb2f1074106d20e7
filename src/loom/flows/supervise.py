"""Watches the process of a run until nothing of it is left, and ends it when this process is asked to end."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from loom.flows.stock import Started
from loom.sandbox import linux, processes

POLL_SECONDS = 0.03
GRACE_SECONDS = 8.0
"""Metaflow itself waits five seconds for its tasks."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Wish:
    """Whether, and how often, this process was asked to end."""

    asked: int = 0


@contextmanager
def listening() -> Iterator[Wish]:
    """Notes requests to end instead of following them; elsewhere than in the main thread there are none."""
    wish = Wish()

    def note(number: int, frame: FrameType | None) -> None:
        wish.asked += 1

    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {number: signal.signal(number, note) for number in _SIGNALS}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def see_out(
    process: Started, wish: Wish, meanwhile: Callable[[], object], *, grace: float = GRACE_SECONDS
) -> int:
    """Wait for a process, `meanwhile` being called again and again; its exit status, and nothing left behind."""
    deadline = None
    try:
        handle = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else None
    except OSError:
        handle = None  # the kernel is too old, or the process is gone
    try:
        while not _has_ended(process.pid):
            meanwhile()
            if wish.asked and deadline is None:
                deadline = time.monotonic() + grace
                # tasks pass on what reaches their stand-ins, and would be asked twice
                linux.kill_group(process.pid, signal.SIGTERM)
            if deadline is not None and (wish.asked > 1 or time.monotonic() > deadline):
                processes.send(process.pid, process.pid, signal.SIGKILL, namespaced=False)
            select.select([handle] if handle is not None else [], [], [], POLL_SECONDS)
    finally:
        # the number of a group is its leader's, and is free again once the leader was waited for
        processes.send(process.pid, process.pid, signal.SIGKILL, namespaced=False)
        if handle is not None:
            os.close(handle)
    status = process.wait()
    meanwhile()
    return status


def _has_ended(pid: int) -> bool:
    """Whether a child has ended; it stays to be waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
