"""Work on a stream of pieces with all cores, results in the order of the pieces."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import pyarrow as pa

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    work: Callable[[_In], _Out], pieces: Iterable[_In], workers: int | None = None
) -> Iterator[tuple[_In, Callable[[], _Out]]]:
    """Each piece with the call that waits for its result; only a few pieces are held at any time."""
    workers = workers or cores()
    waiting: deque[tuple[_In, Future[_Out]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="loom-dataio")
    try:
        for piece in pieces:
            waiting.append((piece, pool.submit(work, piece)))
            if len(waiting) > workers:
                done, future = waiting.popleft()
                yield done, future.result
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result
    finally:
        for _, future in waiting:
            future.cancel()
        pool.shutdown(wait=True)


@contextmanager
def steady_memory() -> Iterator[None]:
    """Within it, memory that a block leaves is used for the next one instead of going back to the system."""
    before = pa.default_memory_pool()
    try:
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    except NotImplementedError:
        yield  # built without it: slower, nothing else
        return
    try:
        yield
    finally:
        pa.set_memory_pool(before)
