"""Running candidates: at most so many at once, each closed in, each ended when its time is over.

A candidate can reach its own folder and the input that belongs to it, besides Python; not another candidate, not
the process that started it, not the network. What keeps candidates apart is Landlock: at level `isolated` on a
kernel without it, they could reach each other's folders, though nothing outside. At level `none` they could read
everything that the user can, the answers included, and so nothing is run there unless somebody allows it.

Libraries are imported once and forked. `threads` of a job sets what they take by themselves (OpenMP, joblib, Arrow);
a candidate that names a number, as in `n_jobs=ctx.threads`, takes that. Linear algebra keeps to one thread, for more
of them beside those of joblib cost many times what they gain. Where joblib would start processes it takes threads.
"""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from loom.kernel.errors import LoomError
from loom.sandbox import ladder
from loom.sandbox.policy import Level, at_least
from loom.search.jobs import INPUT, SOLUTION, WORKING, Finished, Job, error_of, told_of
from loom.search.server_link import Link

LIBRARIES = (
    *(
        "numpy",
        "pandas",
        "pyarrow.parquet",
        "pyarrow.dataset",
        "scipy.sparse",
        "scipy.stats",
        "scipy.optimize",
    ),
    *("scipy.special", "sklearn.calibration", "sklearn.cluster", "sklearn.compose", "sklearn.decomposition"),
    *("sklearn.dummy", "sklearn.ensemble", "sklearn.feature_extraction.text", "sklearn.feature_selection"),
    *("sklearn.gaussian_process", "sklearn.impute", "sklearn.inspection", "sklearn.isotonic"),
    *("sklearn.kernel_approximation", "sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection"),
    *("sklearn.naive_bayes", "sklearn.neighbors", "sklearn.neural_network", "sklearn.pipeline"),
    *("sklearn.preprocessing", "sklearn.svm", "sklearn.tree", "lightgbm"),
)
"""What candidates import most of the time; what is not installed is passed over."""

RESTARTS = 5
LATE_S = 2.0
"""How long after its deadline a candidate may be silent before what runs it counts as stuck."""


@dataclass(slots=True)
class _Under:
    """A job under way."""

    job: Job
    late_at: float | None = None
    """When its silence means that the server is stuck; none until it has begun."""


class Executor:
    """Candidates that run, in a server that is started once; whoever makes one must close it.

    `read` are the folders of inputs, `write` the folder that holds the folders of all jobs; they are there already,
    and what lies in them may come later. `seconds` is the life of the whole. It is used from one thread, which must
    live as long as it does.
    """

    def __init__(
        self,
        read: Sequence[Path],
        write: Path,
        *,
        workers: int,
        seconds: float,
        level: Level | None = None,
        minimum: Level = "none",
        allow_unsandboxed: bool = False,
        imports: Sequence[str] = LIBRARIES,
    ) -> None:
        if level is not None and not at_least(level, minimum):
            raise ValueError(f"level {level} is below the minimum, {minimum}")
        self.level: Level = ladder.require(minimum) if level is None else level
        """How closed in candidates are."""
        if self.level == "none" and not allow_unsandboxed:
            raise LoomError(
                "candidates are not run on this machine",
                f"it has no sandbox, so that they could read the answers ({ladder.probe().why or 'as asked'})",
                "apt-get install bubblewrap, or allow it: --allow-unsandboxed",
            )
        self._read = tuple(path.resolve() for path in read)
        self._write = write.resolve()
        self._workers = workers
        self._imports = tuple(imports)
        self._ends_at = time.monotonic() + seconds
        self._under: dict[str, _Under] = {}
        self._done: list[Finished] = []
        self._server: Link | None = None
        self._starts = 0

    def __enter__(self) -> Executor:
        """Start importing the libraries; nothing is waited for."""
        self._server = self._server or self._launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """As `close`."""
        self.close()

    @property
    def running(self) -> set[str]:
        """The jobs that were started and not handed back yet."""
        return set(self._under) | {finished.id for finished in self._done}

    def start(self, job: Job) -> None:
        """Start a job. Its deadline counts from when its process is there."""
        if len(self._under) >= self._workers or job.id in self.running:
            raise ValueError(f"job {job.id} cannot be started: {sorted(self.running)} run already")
        command = {"run": self._described(job)}
        while True:
            self._server = self._server or self._launch()
            if self._server.tell(command):
                self._under[job.id] = _Under(job)
                return
            self._lose()

    def wait(self, timeout: float) -> list[Finished]:
        """The jobs that have finished since; as soon as there is one, or when the time is over, or nothing runs."""
        give_up = time.monotonic() + timeout
        while not self._done and self._under:
            self._hear(max(give_up - time.monotonic(), 0.0))
            if time.monotonic() >= give_up:
                break
        done, self._done = self._done, []
        return done

    def cancel(self, name: str) -> None:
        """Kill a job; when this returns it is gone, and it will not be handed back."""
        under, server = self._under.get(name), self._server
        if under is not None and server is not None:
            if not server.tell({"cancel": name}):
                self._lose()
            elif server.ready:
                under.late_at = time.monotonic() + LATE_S
        while name in self._under:
            self._hear(LATE_S)
        self._done = [finished for finished in self._done if finished.id != name]

    def close(self) -> None:
        """Kill what runs, and end the server; what has not been handed back is lost."""
        self._under.clear()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _described(self, job: Job) -> dict[str, Any]:
        """The job as the server is told, with the places that its names really mean."""
        folder, given = job.folder.resolve(), (job.folder / INPUT).resolve()
        if not folder.is_relative_to(self._write) or not any(
            given.is_relative_to(path) for path in self._read
        ):
            raise ValueError(f"{job.folder} or its input does not lie where the executor may read and write")
        if not (folder / SOLUTION).is_file() or not (folder / WORKING).is_dir() or not given.is_dir():
            raise ValueError(f"{job.folder} must hold {SOLUTION}, {INPUT} and {WORKING}")
        return {
            "id": job.id,
            "folder": str(folder),
            "input": str(given),
            "seconds": job.seconds,
            "memory_bytes": job.memory_bytes,
            "threads": job.threads,
            "disk_bytes": job.disk_bytes,
        }

    def _launch(self) -> Link:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise LoomError(
                "no candidate can be started", "the time of the search is over", "loom run --resume"
            )
        if self._starts > RESTARTS:
            why = f"the program that runs them ended {self._starts} times"
            raise LoomError("candidates cannot be run", why, "loom doctor")
        self._starts += 1
        return Link(self._read, self._write, self.level, self._imports, left)

    def _hear(self, pause: float) -> None:
        """Take in what the server says, waiting for it at most so long."""
        server = self._server
        if server is None:
            raise RuntimeError("nothing runs without a server")
        late = [each.late_at for each in self._under.values() if each.late_at is not None]
        soonest = min(late, default=None)
        now = time.monotonic()
        messages = server.hear(pause if soonest is None else min(pause, max(soonest - now, 0.0)))
        if messages is None or (not messages and soonest is not None and time.monotonic() >= soonest):
            self._lose()
            return
        for message in messages:
            if "begun" in message and (under := self._under.get(message["begun"])) is not None:
                under.late_at = time.monotonic() + under.job.seconds + LATE_S
            elif "finished" in message and (under := self._under.pop(message["finished"], None)) is not None:
                self._done.append(_finished(under.job, message))

    def _lose(self) -> None:
        """The server ended or is stuck: end it for good; what it ran is lost."""
        server, self._server = self._server, None
        if server is not None:
            why = server.close()
            if not server.ready and time.monotonic() < self._ends_at:
                self._under.clear()
                raise LoomError("candidates cannot be run", why, "loom doctor")
        self._done += [Finished(name, "lost") for name in self._under]
        self._under.clear()


def _finished(job: Job, message: dict[str, Any]) -> Finished:
    """What the server says, as far as it can be believed."""
    stdout, stderr = (base64.b64decode(message.get(name, "")) for name in ("stdout", "stderr"))
    source = (job.folder / SOLUTION).read_text(encoding="utf-8", errors="replace")
    finished = Finished(job.id, message["status"], stdout=stdout, stderr=stderr, told=told_of(stdout))
    names = ("exit_code", "signal", "seconds", "cpu_s", "peak_bytes")
    finished = replace(finished, **{name: message[name] for name in names if name in message})
    if finished.status == "disk":
        _clear(job.folder / WORKING)
    return replace(finished, error=error_of(message.get("error"), source) if message.get("error") else {})


def _clear(working: Path) -> None:
    """Remove what filled the disk. It may be nested deeper than Python can walk; no link is followed."""
    subprocess.run(["rm", "-rf", "--", str(working)], check=False, capture_output=True)
    with suppress(OSError):
        working.mkdir()
