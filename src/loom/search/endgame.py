"""The last part of a search: an ensemble of what was tried, the seal opened once, the champion checked and refitted.

The final fit starts first, for it takes longest; the checks run beside it. A champion that does not survive them makes
room for the next best. Whatever happens, when the time is up there is an answer: predictions of the refitted champion,
or the mean of what its folds predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from loom.science.metrics import Interval
from loom.science.search.ensembling import greedy, mixed
from loom.science.search.nodes import Node, Proposal, Trial, Try
from loom.science.search.suspicion import survives_shuffle, suspect, words_for
from loom.science.serving.solution import FUNCTIONS, functions_of
from loom.search.bench import FINAL, PARTS, SECOND_SEED, SHUFFLED, Bench
from loom.search.executor import Executor
from loom.search.growing import Growing
from loom.search.jobs import Finished, Job

Floats = npt.NDArray[np.float64]

FINALISTS = 3
"""How many the seal is opened for."""

_VOICES = 25
_ENSEMBLE_SHARE = 0.12
_WAIT_S = 0.25
_CLOSING_S = 0.3


@dataclass(frozen=True, slots=True)
class Finalist:
    """One of the best, and what it scored where nobody chose by it."""

    node: Node
    search: Interval
    seal: Interval
    said: Mapping[str, Floats] = field(repr=False)
    """The mean of what its folds predict for the seal and for the rows that are asked about."""

    doubt: str = ""
    """Why it is suspected; empty where it is not."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a search ended."""

    finalists: tuple[Finalist, ...]
    champion: Finalist | None
    checks: Mapping[str, Mapping[str, Any]]
    predictions: Floats | None
    """For the rows that are asked about."""

    final: Mapping[str, Any]
    """How the predictions came about: `refit` or `mean of folds`, and how long it took."""


@dataclass
class Endgame:
    """Ends one search in the time that is left of its budget."""

    growing: Growing
    bench: Bench
    executor: Executor
    seconds: float
    """The whole budget."""

    meanwhile: Callable[[Sequence[Finalist]], object]
    """What the host does while the final fit runs."""

    _finished: dict[str, Finished] = field(default_factory=dict)

    def play(self) -> Ending:
        """From the tree to an answer."""
        candidates = self._candidates()
        if not candidates:
            return Ending((), None, {}, None, {})
        finalists = tuple(map(self._opened, candidates[:FINALISTS]))
        checks: dict[str, Mapping[str, Any]] = {}
        standing = [each for each in finalists if not each.doubt]
        for at, finalist in enumerate(standing):
            final, found = self._judged(finalist, finalists)
            checks |= {str(finalist.node.number): found}
            if not found["doubt"]:
                return Ending(finalists, finalist, checks, *self._answer(finalist, final))
            standing[at] = replace(finalist, doubt=found["doubt"])
            finalists = tuple(standing[at] if each is finalist else each for each in finalists)
        return Ending(finalists, None, checks, None, {})

    # who is in it

    def _candidates(self) -> list[Node]:
        """The best nodes, the best first, the ensemble of them among them."""
        view = self.growing.view
        whole = list(view.complete)
        if not whole:
            # too little time for all folds: what was tried on most of them is known best
            sign = self.bench.challenge.metric.sign
            ok = [node for node in view.nodes if node.score is not None]
            return sorted(ok, key=lambda node: (-len(node.scores), -sign * (node.score or 0.0), node.number))
        ensemble = self._ensemble(whole)
        if ensemble is None:
            return whole
        return [ensemble, *(node for node in whole if node.number != ensemble.number)]

    def _ensemble(self, whole: Sequence[Node]) -> Node | None:
        """The ensemble as a node of its own; its score is that of the weighted mean of what its members predicted."""
        single = [node for node in whole if node.proposal.operator != "ensemble"]
        voices = [node for node in single[:_VOICES] if _can_join(node) and not self.bench.doubt(node)]
        if len(voices) < 2:
            return None
        growing, bench = self.growing, self.bench
        folds = range(bench.challenge.folds)
        said = {
            node.number: np.concatenate([growing.journal.said(node.number, fold)["search"] for fold in folds])
            for node in voices
        }
        weights = greedy(
            said,
            bench.out_of_fold_answers,
            bench.challenge.metric,
            seconds={node.number: node.seconds * bench.growth for node in voices},
            limit=_ENSEMBLE_SHARE * self.seconds,
        )
        if len(weights) < 2:
            return None
        chosen = [node for node in voices if node.number in weights]
        return self._entered(bench.together(weights, chosen), weights, chosen)

    def _entered(self, proposal: Proposal, weights: Mapping[int, float], members: Sequence[Node]) -> Node:
        """The ensemble in the journal, with what it predicts; one that stands there already is not entered twice."""
        growing = self.growing
        folds = tuple(range(self.bench.challenge.folds))
        taken = next((step for step in growing.steps if step.proposal == proposal), None)
        if taken is None:
            taken = growing.journal.take(len(growing.steps), Try(proposal, folds), len(growing.nodes))
            growing.steps.append(taken)
        for fold in folds:
            if (taken.node, fold) in growing.trials:
                continue
            parts = {number: growing.journal.said(number, fold) for number in weights}
            mean = {
                name: mixed({number: part[name] for number, part in parts.items()}, weights) for name in PARTS
            }
            score = self.bench.score_of(fold, mean["search"])
            trial = Trial(taken.node, fold, score, seconds=sum(node.seconds for node in members))
            growing.journal.keep(trial, mean, growing.elapsed)
            growing.trials[trial.node, fold] = trial
        return Node(taken.node, proposal, tuple(growing.trials[taken.node, fold] for fold in folds))

    def _opened(self, node: Node) -> Finalist:
        """Look at the seal with what a node predicted for it; this is the only place where that is done."""
        bench, journal = self.bench, self.growing.journal
        folds = sorted(node.scores)
        said = {fold: journal.said(node.number, fold) for fold in folds}
        mean = {name: np.mean([said[fold][name] for fold in folds], axis=0) for name in ("seal", "test")}
        search = bench.search_interval({fold: said[fold]["search"] for fold in folds})
        seal = bench.seal_interval([said[fold]["seal"] for fold in folds])
        told = next((trial.told for trial in node.trials if trial.told), {})
        reason = suspect(bench.challenge.metric, search, seal, told)
        return Finalist(node, search, seal, mean, reason.what if reason else bench.doubt(node))

    # checks and the final fit

    def _judged(
        self, finalist: Finalist, finalists: Sequence[Finalist]
    ) -> tuple[Finished | None, dict[str, Any]]:
        """Refit the finalist on all rows while it is checked; what the fit came to, and what the checks found."""
        bench, proposal = self.bench, finalist.node.proposal
        most = self._left()
        jobs = {
            FINAL: bench.final_job(finalist.node, most),
            SHUFFLED: bench.shuffled_job(finalist.node, most),
            SECOND_SEED: bench.reseeded_job(finalist.node, most),
        }
        queue = list(jobs.values())
        self._fill(queue)
        self.meanwhile(finalists)
        done = self._awaited(jobs, queue, until=SHUFFLED)
        found: dict[str, Any] = {"doubt": "", "operator": proposal.operator}
        found["shuffled"] = self._shuffled(finalist.node, done.get(SHUFFLED))
        if found["shuffled"].get("survived") is False:
            found["doubt"] = words_for("survives_shuffle")
            self._cancel(jobs)
            return None, found
        done = self._awaited(jobs, queue)
        self._cancel(jobs)
        found["second_seed"] = self._reseeded(finalist.node, done.get(SECOND_SEED))
        return done.get(FINAL), found

    def _fill(self, queue: list[Job]) -> None:
        """Start what there is room for."""
        while queue and len(self.executor.running) < self.growing.bounds.workers:
            self.executor.start(queue.pop(0))

    def _awaited(self, jobs: Mapping[str, Job], queue: list[Job], *, until: str = "") -> dict[str, Finished]:
        """Wait for jobs, or for one of them, as long as there is time; those that are over."""
        while True:
            done = {name: self._finished[job.id] for name, job in jobs.items() if job.id in self._finished}
            if len(done) == len(jobs) or until in done or self._left() <= 0:
                return done
            for finished in self.executor.wait(min(self._left(), _WAIT_S)):
                self._finished[finished.id] = finished
            self._fill(queue)

    def _cancel(self, jobs: Mapping[str, Job]) -> None:
        running = self.executor.running
        for job in jobs.values():
            if job.id in running:
                self.executor.cancel(job.id)

    def _shuffled(self, node: Node, finished: Finished | None) -> dict[str, Any]:
        """Whether what was learned from shuffled answers is worth no more than saying the same of every row."""
        found = finished and self.bench.skill_of_check(node, SHUFFLED, finished)
        if not found:
            why = "no time was left for it" if finished is None else "it came to no score"
            return {"skill": None, "survived": None, "why": why}
        survived = not survives_shuffle(found.value, 0.0, found.se)
        return {"skill": found.value, "se": found.se, "survived": survived}

    def _reseeded(self, node: Node, finished: Finished | None) -> dict[str, Any]:
        score = self.bench.score_of_check(node, SECOND_SEED, finished) if finished else None
        return {"score": score, "first": node.scores.get(0)}

    def _answer(self, finalist: Finalist, final: Finished | None) -> tuple[Floats | None, dict[str, Any]]:
        """The predictions of the refit; of the folds, where there was no time for one or it failed."""
        if final is not None:
            found = self.bench.mark_final(finalist.node, final)
            if found is not None:
                return found, {"how": "refit", "seconds": round(final.seconds, 2)}
        why = "no time was left for it" if final is None else "the fit on all rows failed"
        return finalist.said["test"], {"how": "mean of folds", "why": why}

    def _left(self) -> float:
        return max(0.0, self.seconds - self.growing.elapsed - _CLOSING_S)


def _can_join(node: Node) -> bool:
    """Whether a script can be a part of another one; a plain script without the two functions cannot."""
    proposal = node.proposal
    return bool(proposal.members) or functions_of(proposal.code) == FUNCTIONS
