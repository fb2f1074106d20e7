"""Runs other programs: closed in as far as this machine can, all of it gone afterwards, its output bounded."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from loom.kernel.redact import redact
from loom.sandbox import ladder, roots
from loom.sandbox.policy import Completed, Level, Limits, Policy
from loom.sandbox.run import run_async
from loom.tools.context import NotPermittedError, ToolContext

STREAM_LIMIT = 256 * 1024
TERM_SECONDS = 0.5

# how people write and where they live; nothing here is secret
HARMLESS = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ")
_OF_THE_KERNEL = (Path("/proc"), Path("/dev"), Path("/sys"))

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a program."""

    argv: tuple[str, ...]
    completed: Completed
    started_at: str
    finished_at: str
    stdout: str
    stderr: str

    @property
    def found(self) -> bool:
        """False when there is no such program, or none that can be executed."""
        return self.completed.found

    @property
    def exit_code(self) -> int | None:
        """Its code; None when it was stopped at the deadline; negative when a signal ended it."""
        done = self.completed
        if done.timed_out:
            return None
        return -done.signal if done.signal is not None else done.exit_code

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped at the deadline."""
        return self.completed.timed_out

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return round(self.completed.usage.wall_s, 3)

    @property
    def sandbox(self) -> Level:
        """How closed in it was."""
        return self.completed.level

    @property
    def why(self) -> str:
        """How it ended, in words."""
        match self.completed.stopped_by:
            case "deadline":
                return f"stopped after {self.seconds:g} s"
            case "memory":
                return "stopped: it took too much memory"
            case "processes":
                return "stopped: it started too many processes"
            case "lost":
                return "ended with its supervisor, which was killed"
        return f"exit code {self.exit_code}"

    @property
    def text(self) -> str:
        """Both streams for a reader, and a word of warning where nothing closed the program in."""
        parts = [self.stdout, f"[stderr]\n{self.stderr}" if self.stderr else ""]
        if self.sandbox == "none":
            parts.append(f"[it ran without a sandbox: {ladder.probe().why}]")
        return "\n".join(part.rstrip("\n") for part in parts if part)

    def as_json(self) -> dict[str, object]:
        """What is kept of it in the data of a result."""
        return {
            "exit_code": self.exit_code,
            "timed_out": self.timed_out,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "seconds": self.seconds,
        }


async def run_program(
    argv: Sequence[str],
    cwd: Path,
    ctx: ToolContext,
    seconds: float | None,
    *,
    env: Mapping[str, str] | None = None,
    write: Sequence[Path] = (),
) -> Ended:
    """Run a program to its end or to the deadline; whatever it started goes with it, also on cancellation.

    It reads and writes the workspace and the scratch folder, and `write`; it reads what was attached and what
    lies on PATH. LoomError when this machine cannot close it in as the run asks, NotPermittedError when the run
    may start no programs.
    """
    _check_allowed(ctx)
    policy = _policy(ctx, seconds, environment(ctx, env), write)
    started_at = _now()
    done = await run_async(argv, policy, cwd=cwd)
    if done.level == "none":
        _say_once()
    stdout, stderr = (redact(each.decode("utf-8", "replace")) for each in (done.stdout, done.stderr))
    return Ended(tuple(argv), done, started_at, _now(), stdout, stderr)


@asynccontextmanager
async def running(argv: Sequence[str], cwd: Path, ctx: ToolContext) -> AsyncIterator[asyncio.Task[Ended]]:
    """A program that runs for as long as the block; all of it is gone when the block is left."""
    _check_allowed(ctx)
    task = asyncio.create_task(run_program(argv, cwd, ctx, None))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def has_network(ctx: ToolContext) -> bool:
    """Whether a program may use the network: no sandbox tells hosts apart, so it is all of them or none."""
    return "*" in ctx.permissions.network


def level_for(ctx: ToolContext) -> Level:
    """How closed in a program of this run is on this machine; LoomError when that is less than the run asks for."""
    return ladder.require(ctx.permissions.sandbox)


def environment(ctx: ToolContext, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables a program gets: the harmless ones, and those the package was granted."""
    passed = {name: os.environ[name] for name in (*HARMLESS, *ctx.permissions.env) if name in os.environ}
    passed.setdefault("PATH", roots.search_path())
    if ctx.scratch_dir is not None:
        passed["TMPDIR"] = str(ctx.scratch_dir)
    return {**passed, "TERM": "dumb", "NO_COLOR": "1", **(extra or {})}


def _check_allowed(ctx: ToolContext) -> None:
    if not ctx.permissions.processes:
        raise NotPermittedError("this run may not start programs (permissions.processes is false)")


def _policy(ctx: ToolContext, seconds: float | None, env: Mapping[str, str], write: Sequence[Path]) -> Policy:
    scratch = [ctx.scratch_dir] if ctx.scratch_dir is not None else []
    writable = [_real(path) for path in (ctx.resolve("."), *scratch, *write)]
    wanted = (*ctx.read_roots, *ctx.read_path_map.values(), *roots.toolchains(env["PATH"]))
    try:
        return Policy(
            minimum=ctx.permissions.sandbox,
            read=tuple(path for path in map(_real, wanted) if _may_be_given(path, writable)),
            write=tuple(dict.fromkeys(writable)),
            network=has_network(ctx),
            processes=True,
            set_env=tuple(env.items()),
            limits=Limits(wall_s=seconds, grace_s=TERM_SECONDS, output_bytes=STREAM_LIMIT),
        )
    except ValueError as error:
        raise NotPermittedError(f"no program is started here: {error}") from None


def _may_be_given(path: Path, writable: Sequence[Path]) -> bool:
    inside = any(path.is_relative_to(folder) for folder in (*writable, *_OF_THE_KERNEL))
    return not inside and roots.reachable(path)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


@cache
def _say_once() -> None:
    _log.warning("programs run without a sandbox on this machine: %s", ladder.probe().why)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
