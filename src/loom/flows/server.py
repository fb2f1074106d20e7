"""Forks the tasks of one run from a process that has Metaflow loaded already.

It never loads a flow, holds no threads, and is gone when the runtime is gone.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loom.flows.client import ACCEPTED, ENDED, REFUSED
from loom.flows.program import INTERPRETER, METAFLOW, read_at_start, thread_count
from loom.flows.task import become_task

_PATIENCE_SECONDS = 10.0
_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Request:
    """A task that is to be started."""

    command: list[str]
    environ: dict[bytes, bytes]
    cwd: str
    handles: tuple[int, ...]


@dataclass(slots=True)
class _Task:
    pid: int
    handle: int
    client: socket.socket


class Server:
    """Starts tasks for clients, one fork each, and tells each client how its task ended."""

    def __init__(self, listener: socket.socket, lifeline: int) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._environ = read_at_start(os.environb, (*INTERPRETER, *METAFLOW))
        self._cwd = str(Path.cwd())
        self._poll = select.poll()
        self._tasks: dict[int, _Task] = {}
        """Running tasks, by the handle of their process and by that of their client."""

    def serve(self) -> None:
        """Start tasks until the runtime is gone; then end those that are left."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self._poll.register(self._listener, select.POLLIN)
        self._poll.register(self._lifeline, select.POLLIN)
        while True:
            ready = [handle for handle, _ in self._poll.poll()]
            if self._lifeline in ready:
                self._end_all()
                return
            for handle in ready:
                if handle in self._tasks:
                    self._attend(handle, self._tasks[handle])
            # last, because a new client may get the number of a handle that was closed just now
            if self._listener.fileno() in ready:
                self._accept()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(_PATIENCE_SECONDS)
        try:
            request = _read(client) if _uid_of(client) == os.getuid() else None
        except (OSError, ValueError, EOFError, TypeError):
            request = None
        if request is None:
            client.close()
            return
        if self._refuses(request):
            _send(client, REFUSED)
            client.close()
        else:
            self._start(request, client)
        for handle in request.handles:
            os.close(handle)

    def _refuses(self, request: Request) -> bool:
        """Whether a task would not find what a fresh interpreter would give it."""
        return (
            thread_count() != 1
            or request.command[:1] != [sys.executable]
            or request.cwd != self._cwd
            or read_at_start(request.environ, (*INTERPRETER, *METAFLOW)) != self._environ
        )

    def _start(self, request: Request, client: socket.socket) -> None:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._forget_everything(client)
            become_task(request.command[1:], request.environ, request.handles, parent=server)
        task = _Task(pid, os.pidfd_open(pid), client)
        for handle in (task.handle, client.fileno()):
            self._tasks[handle] = task
            self._poll.register(handle, select.POLLIN)
        _send(client, ACCEPTED)

    def _forget_everything(self, client: socket.socket) -> None:
        """In the new task: none of the server's connections stays open."""
        for task in {task.pid: task for task in self._tasks.values()}.values():
            task.client.close()
            os.close(task.handle)
        client.close()
        self._listener.close()
        os.close(self._lifeline)

    def _attend(self, handle: int, task: _Task) -> None:
        if handle == task.handle:
            _, status = os.waitpid(task.pid, 0)
            _send(task.client, ENDED + status.to_bytes(4, "little"))
            self._dismiss(task)
            return
        try:
            signals = task.client.recv(64)
        except OSError:
            signals = b""
        # a client that is gone was killed, and a task is killed with its client
        for number in signals or (signal.SIGKILL,):
            signal.pidfd_send_signal(task.handle, number)
        if not signals:
            self._poll.unregister(handle)

    def _dismiss(self, task: _Task) -> None:
        for handle in (task.handle, task.client.fileno()):
            with suppress(KeyError):  # the client went first
                self._poll.unregister(handle)
            del self._tasks[handle]
        task.client.close()
        os.close(task.handle)

    def _end_all(self) -> None:
        for handle, task in self._tasks.items():
            if handle == task.handle:
                signal.pidfd_send_signal(handle, signal.SIGKILL)


def _read(client: socket.socket) -> Request:
    head, handles, _, _ = socket.recv_fds(client, _LENGTH_BYTES, 3)
    for handle in handles:
        os.set_inheritable(handle, False)
    length = int.from_bytes(head, "little")
    content = bytearray()
    while len(content) < length:
        part = client.recv(min(1 << 16, length - len(content)))
        if not part:
            raise EOFError
        content += part
    command, environ, cwd = marshal.loads(bytes(content))
    return Request(command, environ, cwd, tuple(handles))


def _send(client: socket.socket, message: bytes) -> None:
    try:
        client.sendall(message)
    except OSError:
        return  # a client that is gone is noticed where it is listened to


def _uid_of(client: socket.socket) -> int:
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    uid: int = struct.unpack("iII", credentials)[1]
    return uid
