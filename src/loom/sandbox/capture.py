"""A stream of somebody else's, read to its end in bounded memory."""

from __future__ import annotations

import os
from contextlib import suppress

_CHUNK = 1 << 16


class Capture:
    """One stream: its beginning and its end are kept, and how much lay between is said."""

    def __init__(self, handle: int, most: int) -> None:
        self.handle = handle
        self.total = 0
        self._at_start, self._at_end = most - most // 2, most // 2
        self._head, self._tail = bytearray(), bytearray()
        self._dropped = 0

    @property
    def truncated(self) -> bool:
        """Whether something was dropped."""
        return self._dropped > 0

    @property
    def kept(self) -> bytes:
        """What was kept, with a mark where something is missing."""
        mark = f"\n[... {self._dropped:,} bytes left out ...]\n".encode() if self._dropped else b""
        return bytes(self._head + mark + self._tail)

    def read(self) -> int:
        """Read once; how many bytes there were."""
        data = os.read(self.handle, _CHUNK)
        self.total += len(data)
        room = self._at_start - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        surplus = len(self._tail) - self._at_end
        if surplus > 0:
            del self._tail[:surplus]
            self._dropped += surplus
        return len(data)

    def drain(self) -> None:
        """Take what the pipe still holds; a process that escaped and goes on writing is not waited for."""
        os.set_blocking(self.handle, False)
        with suppress(BlockingIOError):
            for _ in range(64):
                if self.read() == 0:
                    return
