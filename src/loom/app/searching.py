"""Wires a search for the tool that asks for one: its folder, who proposes, and where its candidates are kept."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loom.app.beginning import REQUEST, RUNS
from loom.app.candidates import CandidateRuns
from loom.app.gc import EXPERIMENTS
from loom.app.services import Keeping
from loom.kernel.errors import LoomError
from loom.science.resources import cores
from loom.science.search.nodes import Proposer
from loom.science.search.order import Found, Order
from loom.search.executor import Executor
from loom.search.growing import Tell
from loom.search.journal import SearchJournal
from loom.search.replay import Replay
from loom.search.run import Means, search
from loom.settings.layers import load_settings

_LAG = 4
_MOST_SPENT = 0.25
_CANDIDATES = "candidates"


@dataclass(frozen=True, slots=True)
class Searches:
    """Carries out searches for one run."""

    home: Path
    environ: Mapping[str, str]
    cwd: Path
    keeping: Keeping
    run: str
    """Loom's own name of the run that asks."""

    def __call__(self, order: Order, tell: Tell, *, allow_unsandboxed: bool = False) -> Found:
        """Search as ordered."""
        folder = self._folder(order)
        proposer, lag = self._proposer(order, folder)
        reads = (order.named,) if "/" in order.named else ()
        runs = CandidateRuns(self.home, self.keeping, self.run, order.experiment_id, reads)
        executor = partial(_executor, allow_unsandboxed=allow_unsandboxed)
        means = Means(folder, proposer, lag, tell, runs.keep, executor, self._under_way(order))
        return search(order, means)

    def _under_way(self, order: Order) -> float:
        """How long the run has been under way: whoever gives a minute counts from when they asked."""
        try:
            begun = (self.home / RUNS / self.run / REQUEST).stat().st_mtime
        except OSError:
            return 0.0
        return min(max(0.0, time.time() - begun), _MOST_SPENT * order.seconds)

    def _folder(self, order: Order) -> Path:
        """Where the search lies: a new place, or that of the one that goes on."""
        root = self.home / EXPERIMENTS / order.experiment_id
        known = sorted(
            (path for path in root.glob("*/") if path.name.isdecimal()), key=lambda each: int(each.name)
        )
        mine = next((path for path in known if _owner(path) == self.run), None)
        if mine is not None:
            return mine
        if order.resume:
            if not known:
                raise LoomError(
                    f"there is no search in {order.experiment_id} to go on with",
                    "none was begun here under that name",
                    "loom runs --name optimize",
                )
            return known[-1]
        made = root / str(int(known[-1].name) + 1 if known else 1)
        try:
            made.mkdir(parents=True, mode=0o700)
            (made / "run").write_text(self.run, encoding="utf-8")
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"{made} cannot be made", why, f"ls -ld {self.home}") from None
        return made

    def _proposer(self, order: Order, folder: Path) -> tuple[Proposer, int]:
        if order.proposer == "builtin":
            builtin = importlib.import_module("loom.science.search.builtin").Builtin
            return builtin(workers=order.workers or cores(), budget=order.seconds), _LAG
        if order.proposer == "replay":
            return Replay.of(self.cwd / _CANDIDATES), _LAG
        with closing(SearchJournal(folder)) as journal:
            begun = time.monotonic() - journal.spent
        model = importlib.import_module("loom.models.tiers").open_model(
            "proposer",
            load_settings(self.cwd, self.environ, {}),
            self.environ,
            provider=order.model or order.proposer,
        )
        modelled = importlib.import_module("loom.search.modelled").modelled
        return modelled(model, order, lambda: order.seconds - (time.monotonic() - begun)), 1


def _owner(path: Path) -> str:
    try:
        return (path / "run").read_text(encoding="utf-8")
    except OSError:
        return ""


def _executor(
    reads: Path, writes: Path, workers: int, seconds: float, *, allow_unsandboxed: bool
) -> Executor:
    return Executor([reads], writes, workers=workers, seconds=seconds, allow_unsandboxed=allow_unsandboxed)
