"""One search from beginning to end: the tree grows, the seal is opened, and the best is refitted within the budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from loom.kernel.errors import LoomError
from loom.kernel.ids import digest_json
from loom.science import resources
from loom.science.search.nodes import Node, Proposer
from loom.science.search.order import Found, Order
from loom.science.search.submission import form_of
from loom.science.search.suspicion import WORDS
from loom.search.bench import INPUTS, NODES, Bench
from loom.search.endgame import Endgame, Ending, Finalist
from loom.search.executor import Executor
from loom.search.growing import Bounds, Growing, Tell, growth_ends
from loom.search.journal import SearchJournal, held
from loom.search.outcome import CandidateFacts, candidate_facts, figures

Keep = Callable[[Iterable[CandidateFacts]], Iterator[str]]
"""Keeps candidates as runs of their own; gives the pathspec of each, in their order."""

_KEPT = "kept"
_MOST_WORKERS = 8
_SLACK_S = 60.0
_SHARED = 0.7
_LEAST_MEMORY = 512 << 20
_MOST_MEMORY = 8 << 30


@dataclass(frozen=True, slots=True)
class Means:
    """What a search is carried out with."""

    folder: Path
    """Its own; nobody but the host may read what lies in it beside inputs and nodes."""

    proposer: Proposer
    lag: int
    """How many steps a proposer is asked ahead of what it knows."""

    tell: Tell
    keep: Keep
    executor: Callable[[Path, Path, int, float], Executor]
    """Makes what runs candidates: may read one folder, write another, run so many at once, and live so long."""

    spent: float = 0.0
    """Seconds of the budget that were used up before the search began."""

    clock: Callable[[], float] = time.monotonic


def search(order: Order, means: Means) -> Found:
    """Search within the budget; whatever candidates do, it ends in time."""
    begun = means.clock() - means.spent
    with held(means.folder, order.named), closing(SearchJournal(means.folder)) as journal:
        resumed = _same(journal, order)
        bounds = Bounds(order.seconds, order.steps, order.workers or _workers(), order.seed)
        workers = bounds.workers
        bench = Bench(order, means.folder, journal.secret(), 1, _memory(workers), max(1, workers - 1))
        for name in (INPUTS, NODES):
            (means.folder / name).mkdir(exist_ok=True)
        reads, writes = means.folder / INPUTS, means.folder / NODES
        with means.executor(reads, writes, bounds.workers, order.seconds + _SLACK_S) as executor:
            growing = Growing(
                bench,
                journal,
                executor,
                means.proposer,
                means.lag,
                bounds,
                means.tell,
                begun - journal.spent,
                means.clock,
            )
            growing.grow(lambda: _until(growing, order.seconds))
            kept = _Keeping(growing, journal, bench, means.keep)
            ending = Endgame(growing, bench, executor, order.seconds, kept.keep).play()
            level = executor.level
        pathspecs = kept.keep(ending.finalists)
        told = {
            **figures(growing.nodes, ending, pathspecs, sign=order.metric.sign, meanings=WORDS),
            "experiment_id": order.experiment_id,
            "metric": order.metric.name,
            "direction": order.metric.direction,
            "split": bench.division.as_json(),
            "sandbox": level,
            "workers": bounds.workers,
            "proposer": order.proposer,
            "resumed": resumed,
            "usage": _usage(means.proposer),
            "budget": {"asked": order.seconds, "used": round(growing.elapsed, 2)},
        }
        bench.tidy()
        journal.state("ended", True)
    return Found(told, _solution(ending), _submission(order, ending))


@dataclass
class _Keeping:
    """Keeps what was tried as runs, once."""

    growing: Growing
    journal: SearchJournal
    bench: Bench
    hand_over: Keep
    pathspecs: Mapping[int, str] | None = None

    def keep(self, finalists: Sequence[Finalist]) -> Mapping[int, str]:
        """The pathspec of every candidate; one that a search before a cut has kept is kept again only if it changed."""
        if self.pathspecs is None:
            known: dict[str, Any] = self.journal.fact(_KEPT) or {}
            by_number = {finalist.node.number: finalist for finalist in finalists}
            stamps = {
                node.number: [len(node.trials), node.number in by_number] for node in self.growing.nodes
            }
            new = [
                node
                for node in self.growing.nodes
                if known.get(str(node.number), [None])[1:] != [stamps[node.number]]
            ]
            facts = (self._facts(node, by_number.get(node.number)) for node in new)
            for node, pathspec in zip(new, self.hand_over(facts), strict=True):
                known[str(node.number)] = [pathspec, stamps[node.number]]
            self.journal.state(_KEPT, known)
            self.pathspecs = {int(number): str(pathspec) for number, (pathspec, _) in known.items()}
        return self.pathspecs

    def _facts(self, node: Node, finalist: Finalist | None) -> CandidateFacts:
        metric = self.bench.order.metric.name
        return candidate_facts(node, metric, finalist, self.journal, self.bench.printed(node))


def _same(journal: SearchJournal, order: Order) -> bool:
    """Whether a search goes on; one that was asked for something else does not."""
    asked = {
        "data": order.digest,
        "target": order.problem.target,
        "time": list(order.problem.time),
        "group": order.problem.group,
        "metric": order.metric.name,
        "seed": order.seed,
        "proposer": order.proposer,
    }
    digest = digest_json(asked)
    known = journal.fact("asked")
    if known is None:
        journal.state("asked", digest)
        return False
    if known != digest:
        raise LoomError(
            f"the search of {order.experiment_id} was for something else",
            "it goes on only with the same data, target, time, group, metric, seed and proposer",
            f"loom run --dataset {order.named}",
        )
    return bool(journal.steps())


def _until(growing: Growing, seconds: float) -> float:
    """When the tree stops growing."""
    return growth_ends(seconds, max((node.seconds for node in growing.view.complete[:3]), default=0.0))


def _usage(proposer: Proposer) -> dict[str, int] | None:
    """What a model that proposes has read and written; none where there is none."""
    usage = getattr(proposer, "usage", None)
    return None if usage is None else {each.name: getattr(usage, each.name) for each in fields(usage)}


def _solution(ending: Ending) -> str | None:
    return None if ending.champion is None else ending.champion.node.proposal.code


def _submission(order: Order, ending: Ending) -> bytes | None:
    """The champion's predictions in the form that was asked for; none where there is nothing to predict."""
    if ending.predictions is None or order.test is None:
        return None
    form = form_of(order.problem, order.metric, order.test, order.sample)
    return form.filled(ending.predictions)


def _workers() -> int:
    return min(_MOST_WORKERS, resources.cores())


def _memory(workers: int) -> int:
    """What each candidate may hold: its share of what is free now, within bounds."""
    return int(min(_MOST_MEMORY, max(_LEAST_MEMORY, _SHARED * resources.memory() / workers)))
