"""An executor that starts no process: each job ends after a time of its own on a clock of its own."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import polars as pl

from loom.sandbox.policy import Level
from loom.search.jobs import Finished, Job


class Clock:
    """Stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class FakeExecutor:
    """Carries out jobs whose script says `# skill: 0.8`: so much of the answer is in what they predict.

    A script that says `# fails` raises, and one that says `# hangs` never ends.
    """

    level: Level = "isolated"

    def __init__(self, truth: pl.DataFrame, clock: Clock, takes: Callable[[Job], float]) -> None:
        self.truth, self.clock, self.takes = truth, clock, takes
        self.started: list[str] = []
        self._under: dict[str, tuple[Job, float, float]] = {}

    def __enter__(self) -> FakeExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._under.clear()

    @property
    def running(self) -> set[str]:
        return set(self._under)

    def start(self, job: Job) -> None:
        code = (job.folder / "solution.py").read_text(encoding="utf-8")
        ends = float("inf") if "# hangs" in code else self.clock.now + self.takes(job)
        self.started.append(job.id)
        self._under[job.id] = (job, ends, self.clock.now)

    def wait(self, timeout: float) -> list[Finished]:
        """The one that ends next, if it does so in time."""
        name = min(self._under, key=self._over_at)
        job, ends, began = self._under[name]
        over = self._over_at(name)
        if over > self.clock.now + timeout:
            self.clock.now += timeout
            return []
        del self._under[name]
        self.clock.now = max(self.clock.now, over)
        if ends > over:
            return [Finished(name, "deadline", seconds=job.seconds)]
        return [self._finished(job, ends - began)]

    def _over_at(self, name: str) -> float:
        job, ends, began = self._under[name]
        return min(ends, began + job.seconds)

    def cancel(self, name: str) -> None:
        self._under.pop(name, None)

    def _finished(self, job: Job, seconds: float) -> Finished:
        code = (job.folder / "solution.py").read_text(encoding="utf-8")
        if "# fails" in code:
            return Finished(job.id, "error", 1, error={"type": "ValueError", "line": 1}, seconds=seconds)
        found = re.search(r"# skill: ([\d.]+)", code)
        _predict(job.folder, self.truth, float(found[1]) if found else 0.5, code)
        return Finished(job.id, "ok", 0, seconds=seconds, stdout=b'{"rounds": 3}\n', told={"rounds": 3.0})


def _predict(folder: Path, truth: pl.DataFrame, skill: float, code: str) -> None:
    """A submission that knows part of the answers; those that were shuffled lead nowhere."""
    known = dict(zip(truth["x"].to_list(), truth["y"].to_list(), strict=True))
    is_lost = folder.name == "shuffled"
    test = pl.read_parquet(folder / "input" / "test.parquet")
    with (folder / "working" / "submission.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["row_id", "prediction"])
        for name, x in zip(test["row_id"].to_list(), test["x"].to_list(), strict=True):
            noise = int.from_bytes(hashlib.sha256(f"{code}{x}".encode()).digest()[:4], "big") / 2**32
            answer = 0.5 if is_lost else float(known.get(x, 0))
            share = 0.99 if is_lost else skill
            lines.writerow([name, share * answer + (1 - share) * noise])
