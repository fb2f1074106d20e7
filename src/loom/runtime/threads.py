"""Work side by side in threads that nobody has to wait for when the person wants to leave."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from loom.tools.invoke import Raised, attempt

T = TypeVar("T")


class Crew(Generic[T]):
    """Carries out calls, so many at a time, and hands back each result as it comes."""

    def __init__(self, workers: int) -> None:
        self._free = max(1, workers)
        self._waiting: deque[Callable[[], T]] = deque()
        self._done: queue.SimpleQueue[T | Raised] = queue.SimpleQueue()

    def submit(self, call: Callable[[], T]) -> None:
        """Have a call carried out as soon as there is room."""
        self._waiting.append(call)
        self._start()

    def result(self) -> T:
        """The result of the call that ended first; what a call raised is raised here."""
        self._start()
        outcome = self._done.get()
        self._free += 1  # filled when the next result is asked for: until then the caller may change its mind
        if isinstance(outcome, Raised):
            raise outcome.error
        return outcome

    def _start(self) -> None:
        while self._waiting and self._free:
            self._free -= 1
            threading.Thread(target=self._work, args=(self._waiting.popleft(),), daemon=True).start()

    def _work(self, call: Callable[[], T]) -> None:
        self._done.put(attempt(call))


def in_order(calls: Sequence[Callable[[], T]], workers: int) -> list[T]:
    """The results of calls that do not depend on each other, in the order of the calls."""
    if workers <= 1 or len(calls) <= 1:
        return [call() for call in calls]
    crew: Crew[tuple[int, T]] = Crew(workers)
    for index, call in enumerate(calls):
        crew.submit(lambda index=index, call=call: (index, call()))  # type: ignore[misc]
    return [value for _, value in sorted((crew.result() for _ in calls), key=lambda pair: pair[0])]
