"""The workbench of one search: hands every candidate its rows, and marks what comes back by answers only it knows."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loom.kernel.errors import LoomError
from loom.science import metrics, splits
from loom.science.metrics import Interval
from loom.science.search.briefing import briefed, kinds_of
from loom.science.search.dividing import Division, divide
from loom.science.search.ensembling import members_of
from loom.science.search.inputs import Given, discard, with_shuffled_answers, write_final, write_inputs
from loom.science.search.keys import Key
from loom.science.search.lint import ast_digest, lint
from loom.science.search.marking import Predictions, Rejected, read_submission, score
from loom.science.search.nodes import Challenge, Node, Proposal, Trial
from loom.science.search.order import Order
from loom.science.search.rendering import render, render_ensemble_of_sources
from loom.science.search.smells import Smell
from loom.science.search.suspicion import Skill, skill
from loom.science.splits import Fold
from loom.search.jobs import INPUT, SOLUTION, SUBMISSION, WORKING, Finished, Job

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

INPUTS, NODES = "inputs", "nodes"
STDOUT, STDERR = "stdout.txt", "stderr.txt"
_WITHOUT_A_MODEL = ("builtin", "replay")
PARTS = ("search", "seal", "test")
FINAL, SHUFFLED, SECOND_SEED = "final", "shuffled", "second-seed"


@dataclass
class Bench:
    """Everything about one search that has to do with rows."""

    order: Order
    folder: Path
    secret: str
    threads: int
    """Of each of several jobs at once."""

    memory_bytes: int
    final_threads: int = 1
    """Of the last fit, beside which one other job runs."""

    _keys: dict[str, Key] = field(default_factory=dict)
    _digests: dict[int, str] = field(default_factory=dict)

    @cached_property
    def division(self) -> Division:
        """Which rows are sealed, and how the others are tested."""
        return divide(self.order.problem, seed=self.order.seed)

    @cached_property
    def given(self) -> Given:
        """What the rows that candidates see are made from."""
        order = self.order
        return Given(order.problem, order.metric, self.secret.encode(), order.seed, self.threads, order.test)

    @cached_property
    def challenge(self) -> Challenge:
        """What proposers may know."""
        order, problem = self.order, self.order.problem
        transformer = problem.transformer
        features = (
            list(transformer.features)
            if transformer is not None
            else [name for name in problem.used if name not in self.given.left_out]
        )
        kinds = (
            kinds_of(problem.train, features) if transformer is None else dict.fromkeys(features, "number")
        )
        asks_a_model = order.proposer not in _WITHOUT_A_MODEL
        frame = transformer.transform(problem.train) if transformer is not None and asks_a_model else None
        return Challenge(
            task=problem.task,
            metric=order.metric,
            rows=len(problem.known),
            columns=kinds,
            classes=len(problem.classes),
            folds=len(self.division.folds),
            time=bool(problem.time),
            group=problem.group is not None,
            goal=order.goal,
            brief=briefed(problem, features, frame) if asks_a_model else {},
        )

    # jobs

    def job(self, node: Node, fold: int, seconds: float) -> Job:
        """A node in a folder of its own, ready to be tried on a fold."""
        name = f"fold-{fold}"
        if name not in self._keys:
            self._keys[name] = write_inputs(self._place(name), self.given, self._fold(fold), self._seal)
        return self._laid_out(node, name, seconds)

    def final_job(self, node: Node, seconds: float) -> Job:
        """A node that learns from all rows."""
        if FINAL not in self._keys:
            given = replace(self.given, threads=self.final_threads)
            self._keys[FINAL] = write_final(self._place(FINAL), given)
        return replace(self._laid_out(node, FINAL, seconds), threads=self.final_threads)

    def shuffled_job(self, node: Node, seconds: float) -> Job:
        """A node that learns from answers in the wrong rows."""
        if SHUFFLED not in self._keys:
            self._keys[SHUFFLED] = with_shuffled_answers(
                self._place(SHUFFLED), self.given, self._fold(0), self._seal, seed=self.order.seed + 1
            )
        return self._laid_out(node, SHUFFLED, seconds)

    def reseeded_job(self, node: Node, seconds: float) -> Job:
        """A node on the first fold once more, under another seed."""
        if SECOND_SEED not in self._keys:
            given = self.given.with_seed(self.order.seed + 1)
            self._keys[SECOND_SEED] = write_inputs(self._place(SECOND_SEED), given, self._fold(0), self._seal)
        return self._laid_out(node, SECOND_SEED, seconds)

    def _place(self, name: str) -> Path:
        return self.folder / INPUTS / name

    def _fold(self, number: int) -> Fold:
        return self.division.folds[number]

    @property
    def _seal(self) -> Ints:
        return self.division.seal

    def _laid_out(self, node: Node, name: str, seconds: float) -> Job:
        folder = self.folder / NODES / str(node.number) / name
        if folder.exists():
            shutil.rmtree(folder)  # a search that was killed left it
        (folder / WORKING).mkdir(parents=True)
        (folder / SOLUTION).write_text(node.proposal.code, encoding="utf-8")
        (folder / INPUT).symlink_to(self._place(name))
        return Job(f"{node.number}/{name}", folder, seconds, self.memory_bytes, self.threads)

    # marks

    def refuse(self, node: Node, others: Sequence[Node]) -> Trial | None:
        """A node that is not even tried: it is another one again, or plainly reaches for what it must not have."""
        smell = next((each for each in self._smells(node) if each.severity == "refuse"), None)
        if smell is not None:
            return Trial(node.number, 0, None, smell.code, {"line": smell.line})
        digest = self._digest(node)
        again = any(each.number < node.number and self._digest(each) == digest for each in others)
        return Trial(node.number, 0, None, "duplicate") if again else None

    def _digest(self, node: Node) -> str:
        if node.number not in self._digests:
            self._digests[node.number] = ast_digest(node.proposal.code)
        return self._digests[node.number]

    def mark(self, node: Node, fold: int, finished: Finished) -> tuple[Trial, dict[str, Floats] | None]:
        """What came of a job: the score, if there is one, and the predictions behind it."""
        found, why = self._read(node, f"fold-{fold}", finished)
        score = None
        if found is not None:
            try:
                score = self.score_of(fold, found.search)
                why = next(iter(found.notes), "")
            except LoomError:
                why = "no_score"
        smell = next((each for each in self._smells(node) if each.severity == "suspect"), None)
        if smell is not None and why in ("", "error"):
            why = smell.code  # what it reached for says more than that it was kept from it
        trial = Trial(
            node.number, fold, score, why, dict(finished.error), finished.seconds, dict(finished.told)
        )
        if found is None or score is None:
            return trial, None
        return trial, {name: getattr(found, name) for name in PARTS}

    def mark_final(self, node: Node, finished: Finished) -> Floats | None:
        """What the node says of the real test rows, refitted on all others; none where it failed."""
        found, _ = self._read(node, FINAL, finished)
        return None if found is None else found.test

    def score_of_check(self, node: Node, name: str, finished: Finished) -> float | None:
        """What a check scored on the first fold; none where it came to no score."""
        found, _ = self._read(node, name, finished)
        try:
            return None if found is None else self.score_of(0, found.search)
        except LoomError:
            return None

    def skill_of_check(self, node: Node, name: str, finished: Finished) -> Skill | None:
        """How much of the answers of the first fold a check explained; none where it predicted nothing."""
        found, _ = self._read(node, name, finished)
        if found is None:
            return None
        fold = self._fold(0)
        return skill(self.order.problem.task, self._answers(fold.test), found.search, len(fold.train))

    def doubt(self, node: Node) -> str:
        """Why a script is not to be trusted, by what stands in it; empty where nothing is wrong."""
        smell = next((each for each in self._smells(node) if each.severity == "suspect"), None)
        return "" if smell is None else f"line {smell.line}: {smell.what}"

    def _smells(self, node: Node) -> tuple[Smell, ...]:
        # what Loom wrote is clean, and of what others wrote it puts together only what is
        proposal = node.proposal
        if proposal.members or proposal.operator == "ensemble":
            return ()
        return lint(proposal.code, self.order.problem.target)

    def _read(self, node: Node, name: str, finished: Finished) -> tuple[Predictions | None, str]:
        folder = self.folder / NODES / str(node.number) / name
        (folder / STDOUT).write_bytes(finished.stdout)
        (folder / STDERR).write_bytes(finished.stderr)
        if finished.status != "ok":
            _swept(folder)
            return None, finished.status
        try:
            return read_submission(folder / WORKING / SUBMISSION, self._keys[name]), ""
        except Rejected as rejected:
            return None, rejected.code
        finally:
            _swept(folder)

    # scores

    def score_of(self, fold: int, said: Floats) -> float:
        """What predictions for the rows of a fold are worth."""
        return score(self.order.metric, self._answers(self._fold(fold).test), said)

    @cached_property
    def out_of_fold_answers(self) -> npt.NDArray[Any]:
        """The answers of the rows of all folds, fold after fold."""
        return self._answers(np.concatenate([fold.test for fold in self.division.folds]))

    def search_interval(self, said: Mapping[int, Floats]) -> Interval:
        """How sure the score is that a node was chosen by; `said` are its predictions by fold."""
        rows = np.concatenate([self._fold(fold).test for fold in said])
        return self._interval(rows, np.concatenate(list(said.values())))

    def seal_interval(self, said: Sequence[Floats]) -> Interval:
        """What the fits of several folds score on the sealed rows, on average, and how sure that is."""
        found = [self._interval(self._seal, each) for each in said]
        first = found[0]

        def mean(name: str) -> float | None:
            values = [getattr(each, name) for each in found]
            return None if any(value is None for value in values) else float(np.mean(values))

        ends = {name: mean(name) for name in ("value", "low", "high", "se")}
        return Interval(**ends, how=first.how, n=first.n, units=first.units, level=first.level)

    def _interval(self, rows: Ints, said: Floats) -> Interval:
        problem = self.order.problem
        frame = problem.train[rows]
        order = splits.clock_of(frame.select(problem.time)).times if problem.time else None
        clusters = frame.get_column(problem.group).cast(str).to_numpy() if problem.group else None
        return metrics.interval(
            self.order.metric, self._answers(rows), said, clusters=clusters, order=order, seed=self.order.seed
        )

    def _answers(self, rows: Ints) -> npt.NDArray[Any]:
        problem = self.order.problem
        return problem.answers_of(problem.train[rows])

    # ensembles

    @property
    def growth(self) -> float:
        """How many times as many rows the last fit learns from as one of a fold."""
        return len(self.order.problem.known) / max(len(self._fold(0).train), 1)

    def together(self, weights: Mapping[int, float], nodes: Sequence[Node]) -> Proposal:
        """One script that says what some nodes say together, weighed."""
        chosen = [node for node in nodes if node.number in weights]
        task = self.order.problem.task
        if all(node.proposal.members for node in chosen):
            members = members_of(weights, chosen)
            code = render(members, task=task)
        else:
            members = ()
            code = render_ensemble_of_sources(
                [(weights[node.number], node.proposal.code) for node in chosen], task=task
            )
        families = list(dict.fromkeys(node.proposal.family for node in chosen))
        return Proposal(
            "ensemble",
            "ensemble",
            code,
            tuple(sorted(weights)),
            tuple(members),
            f"of {len(chosen)}: {', '.join(families)}",
        )

    def tidy(self) -> None:
        """Leave code and logs, and take away rows."""
        inputs = self.folder / INPUTS
        for each in list(inputs.iterdir()) if inputs.is_dir() else ():
            discard(each)

    def printed(self, node: Node) -> tuple[bytes, bytes]:
        """What a node printed on its first fold."""
        folder = self.folder / NODES / str(node.number) / "fold-0"
        return _content(folder / STDOUT), _content(folder / STDERR)


def _swept(folder: Path) -> None:
    """Take away what a candidate wrote; links are not followed."""
    working = folder / WORKING
    if working.is_symlink() or not working.is_dir():
        if os.path.lexists(working):
            working.unlink()
        return
    shutil.rmtree(working, ignore_errors=True)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
