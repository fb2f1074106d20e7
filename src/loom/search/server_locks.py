"""What libraries share work by, for a process that may start no other: threads, and locks that only they see.

A pool of threads takes its locks from `multiprocessing`, which makes them in /dev/shm, where candidates have no
business. And joblib starts processes where nobody says otherwise.
"""

from __future__ import annotations

import importlib
import sys
import threading

_RECURSIVE = 0


class SemLock:
    """As `_multiprocessing.SemLock`, between the threads of one process."""

    SEM_VALUE_MAX = 2**31 - 1
    name = None
    """It has none that another process could find it by."""

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:
        self.kind, self.maxvalue = kind, maxvalue
        self.handle = id(self)
        self._free = threading.Semaphore(value)
        self._held, self._owner = 0, 0

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it, waiting where asked to; whether it was had."""
        pause = max(timeout, 0.0) if block and timeout is not None else None
        again = self.kind == _RECURSIVE and self._is_mine()
        if not again and not self._free.acquire(block, pause):
            return False
        self._held, self._owner = self._held + 1, threading.get_ident()
        return True

    def release(self) -> None:
        """Give it back."""
        if self.kind == _RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._held > 1:
                self._held -= 1
                return
        elif self._free._value >= self.maxvalue:
            raise ValueError("semaphore or lock released too many times")
        self._held -= 1
        self._free.release()

    def __enter__(self) -> bool:
        """Take it."""
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.release()

    def _count(self) -> int:
        return self._held

    def _is_mine(self) -> bool:
        return self._held > 0 and self._owner == threading.get_ident()

    def _get_value(self) -> int:
        return self._free._value

    def _is_zero(self) -> bool:
        return self._free._value == 0

    def _after_fork(self) -> None:
        self._held = 0


def share_locks_between_threads() -> None:
    """Make the locks of `multiprocessing` such ones, before anybody takes one."""
    importlib.import_module("_multiprocessing").SemLock = SemLock  # type: ignore[attr-defined]


def share_work_between_threads() -> None:
    """Let joblib, where it is loaded, take threads when it is asked for processes."""
    parallel = sys.modules.get("joblib.parallel")
    if parallel is not None:
        for name in ("loky", "multiprocessing"):
            parallel.BACKENDS[name] = parallel.ThreadingBackend
