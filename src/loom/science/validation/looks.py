"""Single looks at a model: would shuffled answers score as well, does a fit of shuffled answers know anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.science import metrics
from loom.science.drift.telling import tell_apart
from loom.science.features.transformer import Transformer
from loom.science.metrics import Metric
from loom.science.serving.model import matrix_of
from loom.science.splits import Fold, Splitting
from loom.science.targets import Task
from loom.science.validation.contender import Contender
from loom.science.validation.crossfit import shuffled, together
from loom.science.validation.problem import Answers, Problem

Floats = npt.NDArray[np.float64]

SHUFFLES = 999
_SURE = 1e-6
_CELLS = 4_000_000
_TOLD_ROWS = 20_000


def by_chance(answers: Answers, said: Floats, task: Task, *, seed: int, shuffles: int = SHUFFLES) -> float:
    """The share of shuffles of the answers that the predictions fit at least as well, the real order counted in.

    How well is the likelihood of classes, by the sum of ranks where there are two, and the covariance of amounts;
    for the same answers in another order these rank as every metric of that kind does.
    """
    random = np.random.default_rng(seed)
    if task == "multiclass":
        worth = np.log(np.clip(said, _SURE, 1))
        real = float(worth[np.arange(len(answers)), answers].sum())
        drawn = [
            float(worth[np.arange(len(answers)), random.permutation(answers)].sum()) for _ in range(shuffles)
        ]
        reached = sum(each >= real - 1e-9 for each in drawn)
    else:
        worth = _ranks(said) if task == "binary" else said - said.mean()
        centred = answers.astype(np.float64)
        real, reached = float(worth @ centred), 0
        step = max(1, _CELLS // max(len(answers), 1))
        for start in range(0, shuffles, step):
            block = np.tile(centred, (min(step, shuffles - start), 1))
            drawn_sums = random.permuted(block, axis=1, out=block) @ worth
            reached += int((drawn_sums >= real - 1e-9 * max(1.0, abs(real))).sum())
    return (1 + reached) / (1 + shuffles)


def _ranks(said: Floats) -> Floats:
    _, codes, counts = np.unique(said, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: Floats = (ends - (counts - 1) / 2)[codes]
    return middle


def canary(
    problem: Problem,
    contender: Contender,
    splitting: Splitting,
    metric: Metric,
    weights: Mapping[str, float],
    *,
    seed: int,
) -> dict[str, Any]:
    """The score of one fit to shuffled answers on shuffled answers: what is above chance came through the rows."""
    fold = next((each for each in splitting.folds if _tells(problem, each)), splitting.folds[0])
    answers = shuffled(problem, fold.train, seed)
    test = problem.train[fold.test].with_columns(shuffled(problem, fold.test, seed + 1).alias(problem.target))
    prepared = problem.prepared(fold.train, [test], answers)
    wrong = problem.train[fold.train].with_columns(answers.alias(problem.target))
    fitted = contender.fit(problem, prepared, problem.answers_of(wrong), seed)
    truth = problem.answers_of(test)
    said = together(fitted.predict(prepared, 0), weights)
    level = chance_of(metric, truth, problem)
    found = metrics.interval(metric, truth, said, level=0.999, seed=seed)
    return {"score": found.value, "chance": level, "ci": [found.low, found.high], "level": 0.999}


def _tells(problem: Problem, fold: Fold) -> bool:
    """Whether the rows that a fold tests have more than one answer."""
    return problem.train.get_column(problem.target).gather(fold.test).n_unique() > 1


def chance_of(metric: Metric, answers: Answers, problem: Problem) -> float:
    """What saying the same of every row scores."""
    count = len(problem.classes)
    if problem.task == "regression":
        same: Floats = np.full(len(answers), float(answers.mean()))
    else:
        shares = np.bincount(answers, minlength=count) / len(answers)
        same = (
            np.full(len(answers), shares[1])
            if problem.task == "binary"
            else np.tile(shares, (len(answers), 1))
        )
    return metrics.score(metric, answers, same)


def told_apart(
    train: pl.DataFrame, other: pl.DataFrame, transformer: Transformer, *, seed: int, once: bool
) -> dict[str, Any]:
    """How well the features of two parts tell which part a row is from; `once` takes equal rows of a part as one.

    The features are learned from both parts alike: what was learned from one of them alone, such as how frequent a
    level is, knows its rows. A holdout carved by content holds all rows of a kind: their number would tell as well.
    """
    random = np.random.default_rng(seed)
    few = [
        part[np.sort(random.choice(part.height, _TOLD_ROWS, replace=False))]
        if part.height > _TOLD_ROWS
        else part
        for part in (train, other)
    ]
    both = pl.concat(few, how="vertical_relaxed")
    fitted = transformer.refit(both)
    made = fitted.transform(both, training=True).select(fitted.features)
    parts = [made[: few[0].height], made[few[0].height :]]
    sides = [matrix_of(part.unique(maintain_order=True) if once else part, fitted) for part in parts]
    found = tell_apart(fitted.features, sides[1], sides[0], seed=seed)
    if found is None:
        return {"auc": None, "p": None, "columns": []}
    origin = {one["name"]: one["from"] for one in transformer.created}
    named = dict.fromkeys(name for feature in found.columns for name in origin.get(feature, [feature]))
    return {"auc": found.auc, "p": found.p, "columns": list(named)}
