"""What a contender says of training rows that it has not seen: refitted, features and all, for every fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.science.calibration import Recalibration, recalibrate
from loom.science.portfolio.blending import blend, mixed
from loom.science.splits import Splitting
from loom.science.targets import Task
from loom.science.validation.contender import Contender
from loom.science.validation.problem import Answers, Problem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BETA_FROM, _FREE_FROM = 100, 20_000


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """Predictions of the rows that some fold tested, by voice, and the fold of each."""

    rows: Ints
    """Which training rows, in order."""

    fold: Ints
    answers: Answers
    voices: Mapping[str, Floats]


def crossfit(problem: Problem, contender: Contender, splitting: Splitting, seed: int) -> OutOfFold:
    """One fit per fold; every row is predicted by fits that did not see it."""
    parts: list[tuple[Ints, Mapping[str, Floats]]] = []
    for fold in splitting.folds:
        test = problem.train[fold.test]
        prepared = problem.prepared(fold.train, [test])
        answers = problem.answers_of(problem.train[fold.train])
        fitted = contender.fit(problem, prepared, answers, seed)
        parts.append((fold.test, fitted.predict(prepared, 0)))
    rows = np.concatenate([test for test, _ in parts])
    number = np.concatenate([np.full(len(test), at) for at, (test, _) in enumerate(parts)])
    order = np.argsort(rows, kind="stable")
    voices = {
        name: np.concatenate([said[name] for _, said in parts])[order]
        for name in (parts[0][1] if parts else ())
    }
    rows = rows[order]
    return OutOfFold(rows, number[order], problem.answers_of(problem.train[rows]), voices)


def weights_of(found: OutOfFold, task: Task) -> dict[str, float]:
    """How much each voice counts."""
    if len(found.voices) == 1:
        return dict.fromkeys(found.voices, 1.0)
    answers = found.answers.astype(np.float64)
    return {str(name): weight for name, weight in blend(found.voices, answers, task).items()}  # type: ignore[arg-type]


def together(voices: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """The voices, weighed."""
    return mixed([voices[name] for name in weights], list(weights.values()))


def right_map(answers: Answers, said: Floats, task: Task) -> Recalibration:
    """The map that puts probabilities right: a smooth one until there are rows enough for a free one.

    Steps learned from a few thousand rows add more noise than they take away, and make ties.
    """
    few = task == "binary" and _BETA_FROM <= int(np.bincount(answers, minlength=2).min()) < _FREE_FROM
    return recalibrate(answers, said, kind="beta" if few else None)


def put_right(found: OutOfFold, said: Floats, task: Task) -> Floats:
    """Probabilities of each fold, put right by what the other folds teach."""
    result = np.empty_like(said)
    for at in np.unique(found.fold):
        inside = found.fold == at
        result[inside] = right_map(found.answers[~inside], said[~inside], task).apply(said[inside])
    return result


def shuffled(problem: Problem, rows: Ints, seed: int) -> pl.Series:
    """The answers of some training rows in another order."""
    order = np.random.default_rng(seed).permutation(len(rows))
    return problem.train.get_column(problem.target).gather(rows).gather(order)
