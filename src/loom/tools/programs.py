"""Runs other programs: in a group that is gone afterwards, with little of the environment and bounded output."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loom.tools.context import NotPermittedError, ToolContext

STREAM_LIMIT = 256 * 1024
TERM_SECONDS = 0.5
DRAIN_SECONDS = 1.0

# what a program needs to work at all; nothing here is secret
HARMLESS = (
    *("PATH", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL"),
    *("VIRTUAL_ENV", "SYSTEMROOT"),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a program."""

    argv: tuple[str, ...]
    exit_code: int | None
    """None when it was stopped at the deadline; negative when a signal ended it."""

    stdout: str
    stderr: str
    truncated: bool
    started_at: str
    finished_at: str
    seconds: float
    sandbox: str
    """The isolation it ran under."""

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped at the deadline."""
        return self.exit_code is None

    @property
    def text(self) -> str:
        """Both streams, for a reader."""
        parts = [self.stdout, f"[stderr]\n{self.stderr}" if self.stderr else ""]
        return "\n".join(part.rstrip("\n") for part in parts if part)


async def start_process(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], ctx: ToolContext
) -> tuple[Process, str]:
    """Start a program in a group of its own, and say which isolation it got.

    Every program of every tool starts here, so this is where a sandbox goes around it.
    """
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=cwd, env=dict(env), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    return process, "none"


async def run_program(
    argv: Sequence[str],
    cwd: Path,
    ctx: ToolContext,
    seconds: float,
    extra_env: Mapping[str, str] | None = None,
) -> Ended:
    """Run a program to its end or to the deadline; whatever it started goes with it.

    OSError when it cannot be started, NotPermittedError when the run may start no programs.
    """
    started_at, clock = _now(), time.monotonic()
    async with running(argv, cwd, ctx, extra_env) as (process, streams, sandbox):
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), seconds)
        exit_code = process.returncode
    stdout, stderr = streams
    return Ended(
        argv=tuple(argv),
        exit_code=exit_code,
        stdout=stdout.text(),
        stderr=stderr.text(),
        truncated=stdout.cut or stderr.cut,
        started_at=started_at,
        finished_at=_now(),
        seconds=round(time.monotonic() - clock, 3),
        sandbox=sandbox,
    )


@asynccontextmanager
async def running(
    argv: Sequence[str], cwd: Path, ctx: ToolContext, extra_env: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Process, tuple[Stream, Stream], str]]:
    """A program that runs for as long as the block; its group is gone when the block is left."""
    if not ctx.permissions.processes:
        raise NotPermittedError("this run may not start programs (permissions.processes is false)")
    process, sandbox = await start_process(argv, cwd, environment(ctx, extra_env), ctx)
    streams = (Stream(), Stream())
    assert process.stdout is not None
    assert process.stderr is not None
    drains = [
        asyncio.ensure_future(streams[0].drain(process.stdout)),
        asyncio.ensure_future(streams[1].drain(process.stderr)),
    ]
    try:
        yield process, streams, sandbox
    finally:
        await _end(process, drains)


async def _end(process: Process, drains: Sequence[asyncio.Future[None]]) -> None:
    """Stop a program and its whole group, politely first, and let go of its output."""
    try:
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(process.wait()), TERM_SECONDS)
    finally:
        _signal(process, signal.SIGKILL)
        await asyncio.shield(process.wait())
        # a program that left the group may still hold the pipes
        await asyncio.wait(drains, timeout=DRAIN_SECONDS)
        for drain in drains:
            drain.cancel()
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class Stream:
    """The beginning and the end of a program's output; it is read to the end, however long."""

    def __init__(self, limit: int = STREAM_LIMIT) -> None:
        self._room = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    @property
    def cut(self) -> bool:
        """Whether something in the middle was left out."""
        return self._total > 2 * self._room

    async def drain(self, source: asyncio.StreamReader) -> None:
        """Read until the other side closes."""
        while chunk := await source.read(64 * 1024):
            self._total += len(chunk)
            room = self._room - len(self._head)
            self._head += chunk[:room] if room > 0 else b""
            self._tail += chunk[max(room, 0) :]
            del self._tail[: -self._room]

    def text(self) -> str:
        """What was kept, as text, with a mark where something is missing."""
        left_out = self._total - len(self._head) - len(self._tail)
        mark = f"\n[... {left_out:,} bytes left out ...]\n".encode() if left_out else b""
        return bytes(self._head + mark + self._tail).decode("utf-8", "replace")


def environment(ctx: ToolContext, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables a program gets: the harmless ones, and those the package was granted."""
    passed = {name: os.environ[name] for name in (*HARMLESS, *ctx.permissions.env) if name in os.environ}
    if ctx.scratch_dir is not None:
        passed["TMPDIR"] = str(ctx.scratch_dir)
    return {**passed, "TERM": "dumb", "NO_COLOR": "1", **(extra or {})}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
