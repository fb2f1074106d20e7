"""What the machine that runs the tests can do, and the shortest way to run Python at one level of it."""

from __future__ import annotations

import fcntl
import signal
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

import pytest

from loom.sandbox import landlock
from loom.sandbox.ladder import try_rung
from loom.sandbox.policy import Completed, Level, Limits, Policy
from loom.sandbox.run import run

SOURCE = Path(__file__).parents[2] / "src"
PYTHON = (sys.executable, "-I", "-S", "-E", "-c")
QUICK = Limits(wall_s=20, grace_s=0.2, memory_bytes=1 << 30, tasks=64)
SCOPES = landlock.abi() >= 6
"""Whether Landlock here keeps signals inside."""


@cache
def why_not(level: Level) -> str:
    """Why a level cannot be had here; empty when it can."""
    return "" if level == "none" else try_rung(level).why


def need(level: Level) -> None:
    """Skip the test, loudly, where the level cannot be had."""
    if why_not(level):
        pytest.skip(f"NOT TESTED: level {level} is not to be had on this machine: {why_not(level)}")


def python(
    level: Level, policy: Policy, code: str, *arguments: object, stdin: bytes | None = None
) -> Completed:
    """Run a little program at a level."""
    return run([*PYTHON, textwrap.dedent(code), *map(str, arguments)], policy, stdin, level=level)


def lines(done: Completed) -> list[str]:
    """What a program printed, when it ended well."""
    assert done.ok, done
    return done.stdout.decode().splitlines()


def nobody_holds(lock: Path) -> bool:
    """Whether every process that took the lock is gone."""
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def wait_until_nobody_holds(lock: Path) -> None:
    """Block until every process that took the lock is gone."""
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """A hard outer limit, so that a sandbox that does not hold cannot hang the machine."""

    def too_long(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"the test took more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
