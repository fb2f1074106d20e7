"""Carries a run out with Metaflow: writes its flow, starts it, follows it, and collects what became of it."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loom.flows.compile import flow_name
from loom.flows.engine import PARENT
from loom.flows.folder import write_flow
from loom.flows.follow import Follower
from loom.flows.fork import start_warm
from loom.flows.parameters import parameter_arguments
from loom.flows.stock import Launch, Launcher
from loom.flows.supervise import listening, see_out
from loom.kernel.errors import LoomError
from loom.process.plan import Plan
from loom.runtime.dispatch import Dispatched, Emit, PreparedRun
from loom.runtime.outcome import PhaseOutcome, by_phase
from loom.runtime.tasks import TaskFolder
from loom.settings.engine import engine_environment, engine_root, is_embedded

RUN_FOLDER = "LOOM_RUN_FOLDER"
HOME = "LOOM_HOME"
LOG = "engine.log"
CARD = "card.html"
"""The card of a run whose cards Metaflow keeps on another machine."""

_MOST_SPLITS = 1_000_000
_THREADS = (
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# the last line of a traceback, or the first of the three that tell a person what went wrong
_ERROR = re.compile(r"\[[^]]*/(?P<step>\w+)/\d+ \(pid \d+\)\] (?P<text>(?!why:|fix:)[A-Za-z_][\w.]*: .+)")


@dataclass(frozen=True, slots=True)
class MetaflowDispatcher:
    """A dispatcher that makes each run a run of Metaflow."""

    home: Path
    environ: Mapping[str, str]
    launch: Launcher = start_warm
    workers: int = 0
    """Tasks at a time; 0 means one per core."""

    def dispatch(self, run: PreparedRun, emit: Emit) -> Dispatched:
        """Carry out the phases; what they report meanwhile goes to `emit`."""
        request = run.request
        file = write_flow(run.plan, run.folder / "flow", process=request.process, digest=request.digest)
        run_id_file = run.folder / "run-id"
        try:
            run_id_file.unlink(missing_ok=True)
            run.tasks.mkdir(parents=True, exist_ok=True)
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"the run cannot be written to {run.folder}", why, "loom doctor") from None
        workers = self.workers or max(2, _cores())
        environ = self._environment(run, workers)
        options = [
            str(file), "--quiet", "--no-pylint", "run", "--run-id-file", str(run_id_file),
            "--max-workers", str(workers), "--max-num-splits", str(_MOST_SPLITS),
        ]  # fmt: skip
        log = run.folder / LOG
        begun = log.stat().st_size if log.exists() else 0
        cwd = engine_root(self.home, self.environ) or Path.cwd()
        follower = Follower(run.tasks, run.folder / "read.json", emit)
        with listening() as wish:
            process = self.launch(
                Launch(
                    [*options, *parameter_arguments(run.plan, request.inputs, request.goal)],
                    environ,
                    cwd,
                    log,
                )
            )
            status = see_out(process, wish, follower.catch_up)
        pathspec = _pathspec(run.plan, run_id_file)
        return Dispatched(
            _outcomes(run),
            pathspec,
            _card(run, pathspec, cwd if is_embedded(environ) else None),
            interrupted=wish.asked > 0,
            failure="" if status == 0 or wish.asked else _failure(status, log, begun),
        )

    def _environment(self, run: PreparedRun, workers: int) -> dict[str, str]:
        environ = {**self.environ, **engine_environment(self.home, self.environ)}
        environ |= {RUN_FOLDER: str(run.folder), HOME: str(self.home), PARENT: str(os.getpid())}
        side_by_side = min(workers, _widest(run.plan))
        if side_by_side > 1:
            # as many threads as cores in every task would make all of them wait for each other
            share = str(max(1, _cores() // side_by_side))
            environ |= {name: share for name in _THREADS if name not in environ}
        return environ


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _widest(plan: Plan) -> int:
    """How many phases may run at once; a `for_each` counts as many."""
    if any(step.phase.for_each is not None for step in plan.steps):
        return sys.maxsize
    return max(map(len, plan.waves), default=1)


def _outcomes(run: PreparedRun) -> dict[str, PhaseOutcome]:
    left = by_phase(dict(TaskFolder(run.tasks).outcomes()))
    return {phase: left[phase] for phase in run.plan.order if phase in left}


def _pathspec(plan: Plan, file: Path) -> str | None:
    try:
        return f"{flow_name(plan)}/{file.read_text(encoding='utf-8').strip()}"
    except FileNotFoundError:
        return None


def _card(run: PreparedRun, pathspec: str | None, root: Path | None) -> Path | None:
    beside = run.folder / CARD
    if beside.is_file():
        return beside
    if pathspec is None or root is None:
        return None
    flow, _, run_id = pathspec.partition("/")
    cards = (root / ".metaflow" / "mf.cards" / flow / "runs" / run_id).glob(
        "steps/*/tasks/*/cards/loom-*.html"
    )
    return max(cards, key=lambda path: path.stat().st_mtime, default=None)


def _failure(status: int, log: Path, begun: int) -> str:
    """Why Metaflow gave up, from the last words of its log."""
    if status < 0:
        return f"Metaflow was ended by {signal.Signals(-status).name}; see {log}"
    with log.open("rb") as file:
        file.seek(begun)
        text = _COLOUR.sub("", file.read().decode(errors="replace"))
    errors = [f"step {found['step']}: {found['text']}" for found in _ERROR.finditer(text)]
    lines = errors or [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing"]
    return f"Metaflow ended with status {status}: {lines[-1][:300]}; see {log}"
