"""The gate: whoever wants to leave its process group or session waits here for a yes.

The kernel stops the caller of setsid or setpgid and tells the supervisor. Once the gate is shut nobody leaves a
group any more, and a group is killed in one step, however quickly those in it start others.

Nothing that programs do all the time may wait here: the kernel breaks the wait off when a signal comes, so that
a shell whose child ends while it starts the next would fail to start it.
"""

from __future__ import annotations

# This file runs before every sandboxed program: it imports nothing that is slow to import.
import _socket
import array
import ctypes

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

    def open_once(self) -> None:
        """Let the one who has waited longest go on; unless they gave up, or were killed while they waited."""
        asked = _Asked()
        try:
            linux.ioctl(self.handle, _RECEIVE, ctypes.byref(asked))
            linux.ioctl(self.handle, _SEND, ctypes.byref(_Answer(id=asked.id, flags=_GO_ON)))
        except OSError:
            return


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
