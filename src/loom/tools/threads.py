"""Blocking work beside the event loop, which stops when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class GivenUpError(Exception):
    """Nobody waits for this work any more."""


class Stop:
    """What blocking work asks now and then, to learn whether it should end."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._calls: list[Callable[[], object]] = []

    def set(self) -> None:
        """Tell the work to end, and wake it where it waits."""
        self._event.set()
        for call in self._calls:
            call()

    def check(self) -> None:
        """Raise GivenUpError when the work should end."""
        if self._event.is_set():
            raise GivenUpError

    def wake_with(self, call: Callable[[], object]) -> None:
        """What to call so that work which waits for something notices that it should end."""
        self._calls.append(call)
        if self._event.is_set():
            call()


async def in_thread(work: Callable[[Stop], T]) -> T:
    """Run blocking work in a thread; when the caller is cancelled, the work is told and not waited for."""
    stop = Stop()
    try:
        return await asyncio.to_thread(work, stop)
    finally:
        stop.set()
