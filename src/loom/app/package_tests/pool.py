"""Carries out cases in processes of their own, several at a time, and ends them when it is itself ended."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

KEEPER = (sys.executable, "-P", "-m", "loom.app.package_tests.keeper")
Reason = Literal["", "deadline", "request", "lost"]


@dataclass(frozen=True, slots=True)
class Job:
    """One case, ready to start."""

    folder: Path
    """Where its task is, and where it leaves its result."""

    seconds: float
    environ: Mapping[str, str]
    cwd: Path


@dataclass(frozen=True, slots=True)
class Ended:
    """How the process of a case ended."""

    exit_code: int | None = None
    """Negative when a signal ended it; None when nobody knows."""

    reason: Reason = ""
    """Why it was ended from outside; `lost`: its keeper was killed."""

    strays: int = 0
    """Processes that it left behind; they are gone."""

    seconds: float = 0.0


def carry_out_all(
    starts: Iterable[Callable[[], Job]], workers: int, keeper: tuple[str, ...] = KEEPER
) -> Generator[tuple[int, Ended], None, None]:
    """Start each job in its turn, `workers` at a time, and say which one ended and how.

    Left early, by whatever exception, it ends those that run before it lets go.
    """
    pending = deque(enumerate(starts))
    with selectors.DefaultSelector() as selector:
        running: dict[int, _Kept] = {}
        try:
            while pending or running:
                while pending and len(running) < workers:
                    number, start = pending.popleft()
                    running[number] = _Kept.start(start(), keeper)
                    selector.register(running[number].report, selectors.EVENT_READ, number)
                for key, _ in selector.select():
                    kept = running[key.data]
                    if not kept.listen():
                        selector.unregister(key.fileobj)
                        del running[key.data]
                        yield key.data, kept.ended()
        finally:
            for kept in running.values():
                kept.stop()
            for kept in running.values():
                kept.ended()


@dataclass(slots=True)
class _Kept:
    """A case and its keeper."""

    process: subprocess.Popen[bytes]
    said: bytearray = field(default_factory=bytearray)

    @classmethod
    def start(cls, job: Job, keeper: tuple[str, ...]) -> _Kept:
        process = subprocess.Popen(
            [*keeper, str(job.folder), str(job.seconds)],
            cwd=job.cwd,
            env=dict(job.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # an interrupt typed at the terminal is ours; the keeper hears of it through its lifeline
            start_new_session=True,
        )
        return cls(process)

    @property
    def report(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def listen(self) -> bool:
        """Read once; False when the keeper will say no more."""
        assert self.process.stdout is not None
        data = self.process.stdout.read1(4096)  # type: ignore[attr-defined]
        self.said += data
        return bool(data)

    def stop(self) -> None:
        """Ask the keeper to end the case."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()

    def ended(self) -> Ended:
        """Wait for the keeper, and what it said."""
        assert self.process.stdout is not None
        while self.listen():
            continue
        self.process.wait()
        self.stop()
        self.process.stdout.close()
        try:
            return Ended(**json.loads(bytes(self.said)))
        except ValueError:
            return Ended(reason="lost")
