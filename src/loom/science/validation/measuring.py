"""Everything the rules of a verdict need to know of a model, each with its uncertainty, or why it is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.kernel.errors import LoomError
from loom.science import calibration, fairness, metrics, slices, splits
from loom.science.leakage import leakage
from loom.science.metrics import Interval, Metric
from loom.science.portfolio import best_single, dummy, fit_member
from loom.science.serving.inputs import InputColumn
from loom.science.serving.model import Served, matrix_of
from loom.science.splits import Splitting
from loom.science.validation import looks
from loom.science.validation.contender import Contender
from loom.science.validation.crossfit import OutOfFold, crossfit, put_right, together, weights_of
from loom.science.validation.problem import Answers, Prepared, Problem

Floats = npt.NDArray[np.float64]
Duration = str | float

# what a look may run into on strange data; anything else is a bug and ends the run
_TROUBLE = (LoomError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know."""

    metric: Metric
    operator: str | None = None
    threshold: float | None = None
    sensitive: tuple[str, ...] = ()
    horizon: Duration | None = None
    embargo: Duration | None = None
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """The sealed rows, once a model has opened them."""

    rows: pl.DataFrame
    digest: str
    openings: int
    """How many models they were opened for, this one counted in."""


Open = Callable[[Served], Opened | None]
"""Opens the holdout for a frozen model; None where nothing was sealed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements as plain data, the model they are of, and what pictures are drawn from."""

    figures: dict[str, Any]
    model: Served
    holdout: Curves | None
    folds: Splitting


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Answers and predictions of the opened rows; they stay here, and only aggregates leave."""

    answers: Answers
    said: Floats
    rows: pl.DataFrame = field(repr=False)


def measure(
    problem: Problem, contender: Contender, asked: Asked, columns: Sequence[InputColumn], open_holdout: Open
) -> Measured:
    """Refit on every split, freeze one model on all of train, open the holdout with it, and take every look."""
    note = _Notes()
    splitting = splits.choose(
        problem.train, target=problem.target, task=problem.task, time=problem.time, group=problem.group,
        horizon=asked.horizon, embargo=asked.embargo, folds=asked.folds, seed=asked.seed, without=problem.ids,
    )  # fmt: skip
    found = crossfit(problem, contender, splitting, asked.seed)
    weights = weights_of(found, problem.task)
    said = together(found.voices, weights)
    model, final = _freeze(problem, contender, found, said, weights, columns, asked)
    opened = note.take("holdout", lambda: open_holdout(model))
    figures: dict[str, Any] = {
        "task": problem.task,
        "metric": _told(asked),
        "model_source": contender.source,
        "weights": weights,
        "splitter": splitting.as_json(),
        "target_missing": problem.missing,
        "leakage": note.take("leakage", lambda: _leaks(problem, asked)),
        "cv": note.take("cv", lambda: _cv(problem, contender, found, said, asked)),
        "canary": note.take(
            "canary",
            lambda: looks.canary(problem, contender, splitting, asked.metric, weights, seed=asked.seed),
        ),
        "holdout": None,
        "fairness": fairness.NOT_ASSESSED if not asked.sensitive else None,
    }
    curves = None
    if opened is not None:
        rows = problem.with_answers(opened.rows)
        curves = note.take("holdout", lambda: _predicted(problem, model, rows))
    if opened is not None and curves is not None:
        figures |= _on_holdout(problem, asked, model, final, curves, opened, note)
    return Measured({**figures, "errors": note.errors}, model, curves, splitting)


@dataclass(slots=True)
class _Notes:
    """Takes looks, and writes down which of them could not be taken."""

    errors: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, look: Callable[[], Any]) -> Any:
        """What a look found; None where it could not be taken."""
        try:
            return look()
        except LoomError as error:
            self.errors[name] = f"{error.what}: {error.why}"
        except _TROUBLE as error:
            # what it says may hold cells; what kind it is does not
            self.errors[name] = type(error).__name__
        return None


def _freeze(
    problem: Problem,
    contender: Contender,
    found: OutOfFold,
    said: Floats,
    weights: Mapping[str, float],
    columns: Sequence[InputColumn],
    asked: Asked,
) -> tuple[Served, Prepared]:
    """One model of all training rows that have an answer."""
    final = problem.prepared(problem.known, [])
    fitted = contender.fit(problem, final, problem.answers, asked.seed)
    rights = problem.task != "regression" and contender.recalibrates
    model = Served(
        task=problem.task,
        target=problem.target,
        classes=problem.classes,
        columns=tuple(columns),
        transformer=final.transformer,
        weights=weights,
        recalibration=calibration.recalibrate(found.answers, said) if rights else None,
        **contender.frozen(fitted),  # type: ignore[arg-type]
    )
    return model, final


def _told(asked: Asked) -> dict[str, Any]:
    metric = asked.metric
    return {
        "name": metric.name,
        "direction": metric.direction,
        "bounded": metric.direction == "higher",  # shares, areas and what is explained lie within 1
        "operator": asked.operator,
        "threshold": asked.threshold,
    }


def _cv(
    problem: Problem, contender: Contender, found: OutOfFold, said: Floats, asked: Asked
) -> dict[str, Any]:
    """The score on each fold, their mean and its standard error."""
    right = said
    if problem.task != "regression" and contender.recalibrates and len(np.unique(found.fold)) > 1:
        right = put_right(found, said)
    scores, weighed = [], []
    for at in np.unique(found.fold):
        inside = found.fold == at
        whole = metrics.interval(
            asked.metric, found.answers[inside], right[inside], seed=asked.seed, draws=50
        )
        if whole.value is not None:
            scores.append(float(whole.value))
            weighed.append(int(inside.sum()))
    if not scores:
        raise LoomError("no fold can be scored", "each holds one class only", "bring in more rows")
    spread = float(np.std(scores, ddof=1) / np.sqrt(len(scores))) if len(scores) > 1 else 0.0
    return {
        "folds": scores,
        "mean": float(np.average(scores, weights=weighed)),
        "se": spread,
        "n": len(found.rows),
    }


def _leaks(problem: Problem, asked: Asked) -> dict[str, Any]:
    """The leak tests over all columns; what they say of columns that the model does not read is left out."""
    used = set(_used(problem))
    found = leakage(
        problem.train,
        problem.target,
        task=problem.task,
        time=problem.time,
        group=problem.group,
        seed=asked.seed,
    )
    of_rows = {check.code for check in found.checks}
    return {
        "flags": [flag.as_json() for flag in found.flags if flag.column in used],
        "suspects": [
            suspect.as_json()
            for suspect in found.suspects
            if suspect.column is None or suspect.column in used or suspect.reason in of_rows
        ],
    }


def _predicted(problem: Problem, model: Served, rows: pl.DataFrame) -> Curves:
    answers = problem.answers_of(rows)
    if problem.task != "regression":
        # a class that training has never seen cannot be predicted; it stays out of the figures and is told
        known = answers >= 0
        rows, answers = rows.filter(pl.Series(known)), answers[known]
    return Curves(answers, model.predict(rows), rows)


def _on_holdout(
    problem: Problem,
    asked: Asked,
    model: Served,
    final: Prepared,
    curves: Curves,
    opened: Opened,
    note: _Notes,
) -> dict[str, Any]:
    """Every look at the sealed rows."""
    y, p, rows = curves.answers, curves.said, curves.rows
    clusters = _codes(rows, problem.group)
    order = splits.clock_of(rows.select(problem.time)).times if problem.time and rows.height else None
    around: dict[str, Any] = {"clusters": clusters, "order": order, "seed": asked.seed}
    features = _frame_of(problem, rows)
    figures: dict[str, Any] = {
        "holdout": note.take("holdout", lambda: _scored(asked, curves, opened, problem, around)),
        "permutation_p": note.take(
            "permutation_p", lambda: looks.by_chance(y, p, problem.task, seed=asked.seed)
        ),
        "baselines": note.take("baselines", lambda: _baselines(problem, asked, final, curves, around)),
        "calibration": note.take(
            "calibration", lambda: calibration.assess(y, p, task=problem.task, **around).as_json()
        ),
        "slices": note.take(
            "slices",
            lambda: [
                each.as_json()
                for each in slices.find(features, y, p, task=problem.task, clusters=clusters, order=order)
            ],
        ),
        "overlaps": note.take("overlaps", lambda: _overlaps(problem, asked, opened.rows)),
        "adversarial": note.take("adversarial", lambda: _apart(problem, model, rows, asked)),
    }
    if asked.sensitive:
        figures["fairness"] = note.take(
            "fairness",
            lambda: [
                fairness.assess(y, p, rows.get_column(name), task=problem.task, **around).as_json()
                for name in asked.sensitive
            ],
        )
    return figures


def _scored(
    asked: Asked, curves: Curves, opened: Opened, problem: Problem, around: Mapping[str, Any]
) -> dict[str, Any]:
    found = metrics.interval(asked.metric, curves.answers, curves.said, **around)
    return {
        "digest": opened.digest,
        "n": len(curves.answers),
        "missing": 1 - len(curves.answers) / max(opened.rows.height, 1),
        "score": found.value,
        "ci": _ends(found),
        "se": found.se,
        "how": found.how,
        "openings": opened.openings,
        "needed_rows": metrics.needed_rows(found),
    }


def _baselines(
    problem: Problem, asked: Asked, final: Prepared, curves: Curves, around: Mapping[str, Any]
) -> dict[str, Any]:
    """What saying the same of everybody scores, and how much better the model is than two simple ones."""
    y, task, count = curves.answers, problem.task, len(problem.classes)
    same = dummy(problem.answers, task, len(y), classes=count)
    figures: dict[str, Any] = {
        "dummy": {"name": "the same for all", "score": metrics.score(asked.metric, y, same)}
    }
    if final.transformer is None:
        return figures | {"simple": []}
    matrix = matrix_of(final.train, final.transformer)
    rows = matrix_of(final.transformer.transform(curves.rows), final.transformer)
    line = fit_member("linear", matrix, problem.answers, task, classes=count, seed=asked.seed)
    single = best_single(matrix, problem.answers, task, classes=count)
    name = final.transformer.features[single.column]
    simple = []
    for called, said in (("a linear model", line.predict(rows)), (f"`{name}` alone", single.predict(rows))):
        apart = metrics.difference(asked.metric, y, curves.said, said, **around)
        score = metrics.score(asked.metric, y, said)
        simple.append(
            {"name": called, "score": score, "difference": {"value": apart.value, "ci": _ends(apart)}}
        )
    return figures | {"simple": simple}


def _overlaps(problem: Problem, asked: Asked, sealed: pl.DataFrame) -> dict[str, Any]:
    # rows that differ in their time or entity are different rows, however alike their features are
    hidden = [problem.target, *problem.ids]
    same = splits.overlaps(problem.train, sealed, target=problem.target, without=hidden).as_json()
    parts = splits.overlaps(
        problem.train, sealed, target=problem.target, time=problem.time, group=problem.group,
        horizon=asked.horizon, without=problem.ids,
    ).as_json()  # fmt: skip
    return {**parts, "rows": same["rows"]}


def _apart(problem: Problem, model: Served, rows: pl.DataFrame, asked: Asked) -> dict[str, Any] | None:
    if model.transformer is None:
        return None
    return looks.told_apart(problem.train[problem.known], rows, model.transformer, seed=asked.seed)


def _used(problem: Problem) -> list[str]:
    """The columns the model reads."""
    if problem.transformer is not None:
        return [name for name in problem.transformer.reads if name != problem.target]
    return [name for name in problem.train.columns if name not in (problem.target, *problem.ids)]


def _frame_of(problem: Problem, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select([name for name in _used(problem) if name in rows.columns])


def _codes(rows: pl.DataFrame, group: str | None) -> npt.NDArray[np.int64] | None:
    if group is None:
        return None
    return (
        rows.get_column(group)
        .cast(pl.String, strict=False)
        .rank("dense")
        .fill_null(0)
        .to_numpy()
        .astype(np.int64)
    )


def _ends(found: Interval) -> list[float | None]:
    return [found.low, found.high]
