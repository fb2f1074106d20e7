"""One attempt to get out of a level; what counts is what is found outside, not what the program says."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loom.kernel.errors import LoomError
from loom.sandbox.execution import execute
from loom.sandbox.policy import Completed, Level, Limits, Policy

_SECRET = b"the content of a file that was not given"
_LIMITS = Limits(wall_s=10, grace_s=0.1, memory_bytes=None, tasks=None)

# Only modules that are part of the interpreter, so that it starts at once. It goes on after every failure.
_PROGRAM = r"""
import sys, posix, fcntl
outside, parent, port, inside = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
secret = outside + "/secret"
W, R, C, T = posix.O_WRONLY, posix.O_RDONLY, posix.O_CREAT, posix.O_TRUNC

def may(call, *arguments):
    try:
        return call(*arguments)
    except (OSError, AttributeError, ImportError):
        return None

def read(path):
    handle = may(posix.open, path, R)
    return b"" if handle is None else may(posix.read, handle, 4096) or b""

def write(path, flags):
    handle = may(posix.open, path, flags, 0o600)
    if handle is not None:
        may(posix.write, handle, b"changed")

said = []
may(posix.symlink, outside, inside + "/way")
for path in (secret, inside + "/way/secret", "/proc/" + parent + "/root" + secret):
    if read(path):
        said.append("files")
    write(path, W)
    write(path, R | T)
    may(posix.truncate, path, 0)
for path in (outside + "/new", inside + "/way/new"):
    write(path, W | C)
may(posix.rename, secret, inside + "/moved")
may(posix.link, secret, inside + "/linked")
may(posix.unlink, secret)
may(posix.rmdir, outside + "/empty")
if read("/proc/" + parent + "/environ"):
    said.append("environment")
if set(posix.environ) - {b"PATH", b"HOME", b"TMPDIR", b"USER", b"LOGNAME", b"LANG", b"PWD", b"LC_CTYPE"}:
    said.append("environment")

def call_out():
    import _socket
    for kind in (_socket.SOCK_STREAM, _socket.SOCK_DGRAM):
        out = may(_socket.socket, _socket.AF_INET, kind)
        if out is not None:
            may(out.settimeout, 1)
            may(out.connect, ("127.0.0.1", port))
            may(out.send, b"out")
    out = may(_socket.socket, _socket.AF_UNIX, _socket.SOCK_STREAM)
    if out is not None:
        may(out.connect, outside + "/listening")

may(call_out)
ready, tell = posix.pipe()
if posix.fork() == 0:
    posix.setsid()
    if posix.fork() == 0:
        lock = posix.open(inside + "/lock", W)
        fcntl.flock(lock, fcntl.LOCK_EX)
        posix.write(tell, b"1")
        for handle in (0, 1, 2, tell):
            posix.close(handle)
        import time
        time.sleep(60)
    posix._exit(0)
posix.close(tell)
if posix.read(ready, 1) == b"1":
    said.append("started")
print(" ".join(["said", *said]))
"""


def attempt(level: Level) -> dict[str, bool]:
    """Which promises a level held against the attempt, by name; LoomError when nothing could be run."""
    with tempfile.TemporaryDirectory(prefix="loom-probe-") as folder:
        inside, outside = Path(folder, "inside"), Path(folder, "outside")
        (outside / "empty").mkdir(parents=True)
        inside.mkdir()
        (outside / "secret").write_bytes(_SECRET)
        (inside / "lock").touch()
        with _listening(outside / "listening") as (sockets, port):
            done = execute(
                [
                    *(sys.executable, "-I", "-S", "-E", "-c", _PROGRAM),
                    *(str(outside), str(os.getpid()), str(port), str(inside)),
                ],
                Policy(write=(inside,), processes=True, limits=_LIMITS),
                level,
            )
            said = _said(done)
            return {
                "files": "files" not in said and _untouched(outside),
                "network": not any(map(_reached, sockets)),
                "environment": "environment" not in said,
                "survivors": "started" in said and _free(inside / "lock"),
            }


def _said(done: Completed) -> set[str]:
    words = done.stdout.decode(errors="replace").split()
    if done.ok and words[:1] == ["said"]:
        return set(words[1:])
    told = done.stderr.decode(errors="replace").strip().splitlines()
    why = told[-1] if told else f"it ended with {done.exit_code}, signal {done.signal}, by {done.stopped_by}"
    raise LoomError("the program that tries the sandbox did not run", why, "loom doctor")


@contextmanager
def _listening(path: Path) -> Iterator[tuple[list[socket.socket], int]]:
    """Sockets that should never hear of the program; none where we may not open any ourselves."""
    sockets: list[socket.socket] = []
    port = 9
    try:
        with suppress(OSError):
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sockets.append(stream)
            stream.bind(("127.0.0.1", 0))
            stream.listen()
            port = stream.getsockname()[1]
            datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sockets.append(datagram)
            datagram.bind(("127.0.0.1", port))
        with suppress(OSError):
            local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sockets.append(local)
            local.bind(str(path))
            local.listen()
        for each in sockets:
            each.setblocking(False)
        yield sockets, port
    finally:
        for each in sockets:
            each.close()


def _reached(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(16)
        else:
            listener.accept()[0].close()
    except OSError:
        return False
    return True


def _untouched(outside: Path) -> bool:
    names = {path.name for path in outside.iterdir()} - {"listening"}
    return names == {"secret", "empty"} and (outside / "secret").read_bytes() == _SECRET


def _free(lock: Path) -> bool:
    """Whether nobody holds the lock; the kernel frees it when its last holder is gone."""
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
