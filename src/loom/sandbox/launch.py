"""Starting a program at one exact level, under a supervisor that ends it when Loom ends."""

from __future__ import annotations

import marshal
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from loom.kernel.errors import LoomError
from loom.sandbox import bubblewrap, roots
from loom.sandbox.policy import Level, Policy
from loom.sandbox.spec import Spec

_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from loom.sandbox.supervisor import main; main()"
_PRIVATE = "/tmp"
Stream = int | IO[Any]
LATE_S = 5.0
"""How long after its last moment a supervisor is waited for, before it is killed itself."""


@dataclass(slots=True)
class Launched:
    """A supervised program that runs; whoever holds it must call `finish`, however it went."""

    process: subprocess.Popen[bytes]
    """The supervisor, or bubblewrap around it; its streams are the program's."""
    level: Level
    grace_s: float
    report: int
    lifeline: int
    scratch: Path | None
    said: bytearray = field(default_factory=bytearray)
    lines: dict[str, list[str]] = field(default_factory=dict)
    """What the supervisor said so far: the words after the first, by the first."""

    def listen(self) -> bool:
        """Read once what the supervisor says; False when it will say no more."""
        data = os.read(self.report, 4096)
        self.said += data
        *whole, rest = bytes(self.said).split(b"\n")
        self.said[:] = rest
        for line in whole:
            first, *words = line.decode(errors="replace").split(" ")
            self.lines[first] = words
        return bool(data)

    def stop(self) -> None:
        """Ask for TERM now, and KILL after the policy's grace; returns at once."""
        if self.lifeline >= 0:
            os.close(self.lifeline)
            self.lifeline = -1

    def kill(self) -> None:
        """Kill a supervisor that does not do its work, and what can be reached without it."""
        if self.process.poll() is None:
            self.process.kill()
        if self.level != "isolated" and "started" in self.lines and not self._ended():
            _kill_group(int(self.lines["started"][0]))

    def finish(self) -> None:
        """End the program, if it still runs, and free everything.

        An interrupt leaves at once: the supervisor ends the program without us.
        """
        self.stop()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.grace_s + LATE_S)
        if self.process.poll() is not None:
            while self.listen():
                continue
        if not self._ended():
            self.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        os.close(self.report)
        if self.scratch is not None and self.scratch.exists():
            _remove(self.scratch)

    def _ended(self) -> bool:
        return "ended" in self.lines or "failed" in self.lines


def _kill_group(leader: int) -> None:
    """Kill a process group whose supervisor is gone, and wait a moment for its end."""
    give_up = time.monotonic() + 1
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < give_up:
            os.killpg(leader, signal.SIGKILL)
            time.sleep(0.001)


def start(
    command: Sequence[str],
    policy: Policy,
    level: Level,
    *,
    cwd: Path | None = None,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = subprocess.PIPE,
    stderr: Stream = subprocess.PIPE,
) -> Launched:
    """Start a program at exactly this level; the streams are as for subprocess.Popen.

    The thread that calls this must live as long as the program: the kernel ends bubblewrap with the thread that
    started it.
    """
    if not command or any(not isinstance(word, str) or "\0" in word for word in command) or not command[0]:
        raise ValueError("a command is a sequence of texts without NUL, and the first names a program")
    _check_paths(policy)
    wall = _wall(policy, level)
    with ExitStack() as undo:
        scratch = _make_scratch(undo) if level != "isolated" else None
        report, report_write = _make_pipe(undo)
        lifeline_read, lifeline = _make_pipe(undo)
        with tempfile.TemporaryFile() as file:
            marshal.dump(cast(dict[str, Any], _spec(command, policy, level, cwd, scratch)), file)
            file.flush()
            file.seek(0)
            handles = (file.fileno(), report_write, lifeline_read)
            python = (sys.executable, "-I", "-S", "-E", "-c", _CODE, roots.import_root())
            try:
                process = subprocess.Popen(
                    [*wall, *python, *map(str, handles)],
                    cwd="/",
                    env={"PATH": roots.search_path(), "LANG": "C.UTF-8"},
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    pass_fds=handles,
                    start_new_session=True,
                )
            except OSError as error:
                raise LoomError("the sandbox did not start", str(error), "loom doctor") from None
        os.close(report_write)
        os.close(lifeline_read)
        undo.pop_all()
    return Launched(process, level, policy.limits.grace_s, report, lifeline, scratch)


def _make_scratch(undo: ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="loom-"))
    undo.callback(shutil.rmtree, folder)
    return folder


def _make_pipe(undo: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        undo.callback(os.close, end)
    return ends


def _wall(policy: Policy, level: Level) -> list[str]:
    if level != "isolated":
        return []
    program = bubblewrap.find()
    if program is None:
        raise LoomError(
            "the sandbox did not start", "bubblewrap is not installed", "apt-get install bubblewrap"
        )
    return bubblewrap.prefix(
        program,
        read=policy.read,
        write=policy.write,
        network=policy.network,
        scratch_bytes=policy.limits.scratch_bytes,
    )


def _spec(
    command: Sequence[str], policy: Policy, level: Level, cwd: Path | None, scratch: Path | None
) -> Spec:
    limits = policy.limits
    home = str(scratch) if scratch else _PRIVATE
    read = [*roots.needed(policy.network), *roots.PROCESS, *roots.DEVICES, *map(str, policy.read)]
    folders = [path for path in policy.write if path.is_dir()]
    return {
        "argv": list(command),
        "env": environment(policy, home),
        "cwd": str(cwd or (folders[0] if folders else home)),
        "level": level,
        "parent": os.getpid(),
        "rlimits": {
            "cpu_s": limits.cpu_s,
            "address_bytes": limits.address_bytes,
            "file_bytes": limits.file_bytes,
            "open_files": limits.open_files,
        },
        "wall_s": limits.wall_s,
        "grace_s": limits.grace_s,
        "memory_bytes": limits.memory_bytes,
        "tasks": limits.tasks,
        "network": policy.network,
        "processes": policy.processes,
        "read": read,
        "write": [*map(str, policy.write), "/dev/null", "/dev/full", home],
        "scratch": home if scratch else "",
    }


def environment(policy: Policy, home: str) -> dict[str, str]:
    """The whole environment of a sandboxed program: a plain one, the allowed names, and what is set."""
    plain = {
        "PATH": roots.search_path(),
        "HOME": home,
        "TMPDIR": home,
        "USER": "sandbox",
        "LOGNAME": "sandbox",
        "LANG": "C.UTF-8",
    }
    passed = {name: os.environ[name] for name in policy.env if name in os.environ}
    return plain | passed | dict(policy.set_env)


def _check_paths(policy: Policy) -> None:
    for path in (*policy.read, *policy.write):
        if not roots.reachable(path):
            why = "it does not exist, or lies in a folder that is closed to you"
            raise LoomError(f"{path} cannot be given to a program", why, f"mkdir -p {path}")


def _remove(folder: Path) -> None:
    """Remove what the program left, folders that it locked included; links are never followed."""
    for root, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(root, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
