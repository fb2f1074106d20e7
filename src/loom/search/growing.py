"""Grows the tree of candidates until its time is up: asks for steps, starts their trials, and writes down what came.

Step number k is chosen by what the first k - lag steps have shown, whatever else is known by then. So the same seed
makes the same tree, however long the trials take and however many run at once; time decides where it ends.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loom.science.search.nodes import GROWTH, Again, Node, Proposer, Trial, Try, View
from loom.search.bench import Bench
from loom.search.executor import Executor
from loom.search.journal import SearchJournal, Taken, nodes_of

Tell = Callable[[Mapping[str, Any]], None]
"""Is told how a search goes on, in words and as a small table."""

_LONGEST, _MOST_KEPT = 0.15, 0.4
_SHORTEST_S = 2.0
_WAIT_S = 0.5


def growth_ends(seconds: float, slowest: float) -> float:
    """When a tree stops growing: at its share of the budget, or earlier where the best takes long to be refitted.

    `slowest` is how long a fit of the best takes. The ensemble has several members, and all rows are more than those
    of a fold.
    """
    needed = min(_MOST_KEPT * seconds, 2.5 * slowest + 0.05 * seconds + 1.0)
    return min(GROWTH * seconds, seconds - needed)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a search may use."""

    seconds: float
    """Of wall clock, in all."""

    steps: int | None
    """Candidates at most."""

    workers: int
    seed: int


@dataclass
class Growing:
    """The tree of one search while it grows."""

    bench: Bench
    journal: SearchJournal
    executor: Executor
    proposer: Proposer
    lag: int
    bounds: Bounds
    tell: Tell
    started: float
    """When the budget began to run, on the clock; before now where a search goes on."""

    clock: Callable[[], float] = time.monotonic

    steps: list[Taken] = field(default_factory=list)
    trials: dict[tuple[int, int], Trial] = field(default_factory=dict)
    _waiting: deque[tuple[int, int]] = field(default_factory=deque)
    _running: dict[str, tuple[int, int]] = field(default_factory=dict)
    _over: bool = False
    _leader: int | None = None
    _spreads: dict[tuple[int, tuple[int, ...]], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = list(self.journal.steps())
        self.trials = {(trial.node, trial.fold): trial for trial in self.journal.trials()}
        for taken in self.steps:
            self._queue(taken)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The tree as it is."""
        return nodes_of(tuple(self.steps), tuple(self.trials.values()))

    @property
    def view(self) -> View:
        """The tree as somebody sees it who knows all there is to know now."""
        return self._view(self.nodes)

    def _view(self, nodes: tuple[Node, ...]) -> View:
        asked = frozenset((taken.node, fold) for taken in self.steps for fold in taken.folds)
        return View(self.bench.challenge, nodes, self._progress(), self.bounds.seed, asked)

    @property
    def elapsed(self) -> float:
        """The seconds of the budget that are used up."""
        return self.clock() - self.started

    def grow(self, until: Callable[[], float]) -> None:
        """Go on until a moment of the budget, which may change with what is learned, or until nothing is left to try."""
        while self.elapsed < until():
            self._start(until())
            if not self._running:
                break
            left = until() - self.elapsed
            for finished in self.executor.wait(max(0.0, min(left, _WAIT_S))):
                node, fold = self._running.pop(finished.id)
                trial, said = self.bench.mark(self._node(node), fold, finished)
                self._note(trial, said)
        # what is under way has no result: it is as if it had never been started
        for name in list(self._running):
            self.executor.cancel(name)
            del self._running[name]

    def _start(self, until: float) -> None:
        """Keep every worker busy."""
        while len(self._running) < self.bounds.workers:
            if not self._waiting and not self._propose():
                return
            if not self._waiting:
                continue
            number, fold = self._waiting.popleft()
            if (number, fold) in self.trials or self._node(number).failed:
                continue
            node = self._node(number)
            refused = self.bench.refuse(node, self.nodes) if fold == self._first_fold(number) else None
            if refused is not None:
                self._note(refused, None)
                continue
            most = max(_SHORTEST_S, min(until - self.elapsed, _LONGEST * self.bounds.seconds))
            job = self.bench.job(node, fold, most)
            self._running[job.id] = (number, fold)
            self.executor.start(job)

    def _propose(self) -> bool:
        """Take the next step, if it may be chosen by now; whether one was taken."""
        number = len(self.steps)
        if self._over or not self._settled(number - self.lag):
            return False
        step = self.proposer.next(self._seen(number - self.lag))
        if step is None:
            if not self._settled(number):
                return False  # somebody who knows more may have an idea
            step = self.proposer.next(self._seen(number))
        if step is None or (isinstance(step, Try) and self._is_full()):
            self._over = True
            return False
        node = step.node if isinstance(step, Again) else len(nodes_of(tuple(self.steps), ()))
        taken = self.journal.take(number, step, node)
        self.steps.append(taken)
        self._queue(taken)
        return True

    def _seen(self, count: int) -> View:
        """The tree as the first steps have left it; of later ones only the proposals are known."""
        known = {(taken.node, fold) for taken in self.steps[: max(count, 0)] for fold in taken.folds}
        trials = tuple(trial for key, trial in self.trials.items() if key in known)
        return self._view(nodes_of(tuple(self.steps), trials))

    def _progress(self) -> float:
        if self.bounds.steps is not None:
            made = len(nodes_of(tuple(self.steps), ()))
            return GROWTH * min(1.0, made / max(self.bounds.steps, 1))
        return min(1.0, self.elapsed / self.bounds.seconds)

    def _is_full(self) -> bool:
        made = len(nodes_of(tuple(self.steps), ()))
        return self.bounds.steps is not None and made >= self.bounds.steps

    def _settled(self, count: int) -> bool:
        """Whether all that the first steps asked for is known."""
        return all(self._is_done(taken) for taken in self.steps[: max(count, 0)])

    def _is_done(self, taken: Taken) -> bool:
        if _is_mixed(taken):
            return True
        return self._node(taken.node).failed or all((taken.node, fold) in self.trials for fold in taken.folds)

    def _queue(self, taken: Taken) -> None:
        if _is_mixed(taken):
            return
        self._waiting.extend(
            (taken.node, fold) for fold in taken.folds if (taken.node, fold) not in self.trials
        )

    def _first_fold(self, node: int) -> int:
        return next(taken.folds[0] for taken in self.steps if taken.node == node)

    def _node(self, number: int) -> Node:
        taken = next(taken for taken in self.steps if taken.node == number and taken.proposal is not None)
        assert taken.proposal is not None
        mine = tuple(trial for trial in self.trials.values() if trial.node == number)
        return Node(number, taken.proposal, mine)

    def _note(self, trial: Trial, said: Mapping[str, Any] | None) -> None:
        self.journal.keep(trial, said, self.elapsed)
        self.trials[trial.node, trial.fold] = trial
        self._report(trial)

    def _report(self, trial: Trial) -> None:
        """Tell what came of a trial, with the board as it is now."""
        node, challenge = self._node(trial.node), self.bench.challenge
        board = self.board()
        leader = board[0]["node"] if board else None
        said = (
            node.proposal.family
            if not node.proposal.note
            else f"{node.proposal.family}, {node.proposal.note}"
        )
        came = f"{challenge.metric.name} {trial.score:.4g}" if trial.score is not None else trial.why
        rows = [
            (
                each["family"],
                f"{each['score']:.4g}",
                self._spread(each["node"]),
                f"{each['folds']}/{challenge.folds}",
                f"{each['seconds']:.1f}",
            )
            for each in board
        ]
        self.tell(
            {
                "text": f"{len(self.nodes)} candidates; {said}: {came}",
                "matters": leader is not None and leader != self._leader,
                "node": trial.node,
                "fold": trial.fold,
                "score": trial.score,
                "why": trial.why,
                "elapsed": round(self.elapsed, 2),
                "board": {
                    "columns": ["candidate", challenge.metric.name, "±", "folds", "seconds"],
                    "rows": rows,
                },
            }
        )
        self._leader = leader

    def _spread(self, number: int) -> str:
        """Half of the interval around a node's score; computed once for the folds it was tried on."""
        folds = tuple(sorted(self._node(number).scores))
        if (number, folds) not in self._spreads:
            said = {fold: self.journal.said(number, fold)["search"] for fold in folds}
            width = self.bench.search_interval(said).half_width
            self._spreads[number, folds] = "" if width is None else f"{width:.2g}"
        return self._spreads[number, folds]

    def board(self, most: int = 5) -> list[dict[str, Any]]:
        """The best candidates so far: those tried on more folds first."""
        sign = self.bench.challenge.metric.sign
        ranked = sorted(
            (node for node in self.nodes if node.score is not None),
            key=lambda node: (-len(node.scores), -sign * (node.score or 0.0), node.number),
        )
        return [
            {
                "node": node.number,
                "family": node.proposal.family,
                "score": node.score,
                "folds": len(node.scores),
                "seconds": round(node.seconds, 3),
            }
            for node in ranked[:most]
        ]


def _is_mixed(taken: Taken) -> bool:
    """Whether a step is an ensemble: it is not run, for what it predicts follows from what others predicted."""
    return taken.proposal is not None and taken.proposal.operator == "ensemble"
