"""The gate: every process and thread that a program wants to start waits here for a yes.

The kernel stops the caller of fork or clone and tells the supervisor, which answers with yes or with EAGAIN.
So the count of tasks is kept, but for those that are just starting, and for root too, whom the kernel does not
hold to RLIMIT_NPROC. Once the gate is shut nothing new appears, so that all there is can be found and killed.
"""

from __future__ import annotations

# This file runs before every sandboxed program: it imports nothing that is slow to import.
import _socket
import array
import ctypes
import errno

from loom.sandbox import linux

_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_GO_ON = 1

Channel = _socket.socket


class _Asked(ctypes.Structure):
    _fields_ = (
        ("id", ctypes.c_uint64),
        ("pid", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("call", ctypes.c_uint8 * 64),
    )


class _Answer(ctypes.Structure):
    _fields_ = (
        ("id", ctypes.c_uint64),
        ("value", ctypes.c_int64),
        ("error", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
    )


class Gate:
    """The supervisor's side: somebody waits whenever `handle` can be read."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def next(self) -> int | None:
        """Who waits, by a number; None when they gave up meanwhile."""
        asked = _Asked()
        try:
            linux.ioctl(self.handle, _RECEIVE, ctypes.byref(asked))
        except OSError:
            return None
        return int(asked.id)

    def answer(self, who: int, yes: bool) -> None:
        """Let them go on, or refuse."""
        answer = _Answer(id=who, flags=_GO_ON) if yes else _Answer(id=who, error=-errno.EAGAIN)
        try:
            linux.ioctl(self.handle, _SEND, ctypes.byref(answer))
        except OSError:
            return  # they were killed while they waited


def handover() -> tuple[Channel, Channel]:
    """Two ends of a channel for one descriptor, the supervisor's first."""
    return _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)


def hand_over(channel: Channel, handle: int) -> None:
    """Give a descriptor to whoever holds the other end."""
    channel.sendmsg([b"g"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [handle]))])


def take(channel: Channel) -> Gate | None:
    """Wait for the descriptor; None when the other end was closed without giving one."""
    held = array.array("i", [0])
    _, given, _, _ = channel.recvmsg(1, _socket.CMSG_LEN(held.itemsize))
    if not given:
        return None
    held = array.array("i")
    held.frombytes(given[0][2])
    return Gate(held[0])
