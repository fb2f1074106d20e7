"""Running a program as closed in as this machine allows: the door that the rest of Loom uses."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from loom.sandbox import ladder
from loom.sandbox.execution import execute
from loom.sandbox.policy import Completed, Level, Policy, at_least


def run(
    command: Sequence[str],
    policy: Policy,
    stdin: bytes | None = None,
    *,
    cwd: Path | None = None,
    level: Level | None = None,
) -> Completed:
    """Run a program to its end, at the strongest level this machine has, or at the level that is named.

    It gets the bytes of `stdin`, or an empty one; its working folder is the first write path. When this
    returns, or raises, the program and all that it started are gone, as far as the level reaches. A machine
    below the policy's minimum, and a sandbox that does not start, raise LoomError; everything that the program
    does is a result.
    """
    return execute(command, policy, _level(policy, level), stdin, cwd=cwd)


async def run_async(
    command: Sequence[str],
    policy: Policy,
    stdin: bytes | None = None,
    *,
    cwd: Path | None = None,
    level: Level | None = None,
) -> Completed:
    """As `run`, without holding up the event loop; cancelling it ends the program before it returns."""
    heard, stop = os.pipe()
    # a thread for each: it waits all the time, and bubblewrap ends with the thread that started it
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox")
    try:
        job = asyncio.wrap_future(pool.submit(_run, command, policy, stdin, cwd, level, heard))
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            os.write(stop, b"\0")
            with suppress(asyncio.CancelledError):
                await asyncio.wait((job,))
            raise
    finally:
        pool.shutdown(wait=True)  # at once, unless a second cancellation came before the end of the program
        os.close(heard)
        os.close(stop)


def _run(
    command: Sequence[str],
    policy: Policy,
    stdin: bytes | None,
    cwd: Path | None,
    level: Level | None,
    stop: int,
) -> Completed:
    return execute(command, policy, _level(policy, level), stdin, cwd=cwd, stop=stop)


def _level(policy: Policy, level: Level | None) -> Level:
    if level is None:
        return ladder.require(policy.minimum)
    if not at_least(level, policy.minimum):
        raise ValueError(f"level {level} is below the policy's minimum, {policy.minimum}")
    return level
