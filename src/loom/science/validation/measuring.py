"""Everything the rules of a verdict need to know of a model, each with its uncertainty, or why it is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from loom.kernel.errors import LoomError
from loom.science import fairness, metrics, splits
from loom.science.leakage import leakage
from loom.science.serving.inputs import InputColumn
from loom.science.serving.model import Served
from loom.science.validation import looks
from loom.science.validation.asked import Asked, Curves, Measured, Notes, Open, Opened, told
from loom.science.validation.contender import Contender
from loom.science.validation.crossfit import OutOfFold, crossfit, put_right, right_map, together, weights_of
from loom.science.validation.holdout import on_holdout, predicted, strangers
from loom.science.validation.pictured import aggregates, stretches
from loom.science.validation.problem import Prepared, Problem

__all__ = ["Asked", "Curves", "Measured", "Open", "Opened", "measure"]

Floats = npt.NDArray[np.float64]


def measure(
    problem: Problem, contender: Contender, asked: Asked, columns: Sequence[InputColumn], open_holdout: Open
) -> Measured:
    """Refit on every split, freeze one model on all of train, open the holdout with it, and take every look."""
    note = Notes()
    splitting = splits.choose(
        problem.train, target=problem.target, task=problem.task, time=problem.time, group=problem.group,
        horizon=asked.horizon, embargo=asked.embargo, folds=asked.folds, seed=asked.seed, without=problem.ids,
    )  # fmt: skip
    settled = problem.settled(asked.horizon)
    found = crossfit(problem, contender, splitting, asked.seed)
    weights = weights_of(found, problem.task)
    said = together(found.voices, weights)
    canary = note.take(
        "canary",
        lambda: looks.canary(problem, contender, splitting, asked.metric, weights, seed=asked.seed),
    )
    final = problem.prepared(settled, [])
    model = _freeze(problem, contender, final, found, said, weights, columns, asked)
    opened = note.take("holdout", lambda: open_holdout(model))
    right = _right(problem, contender, found, said)
    figures: dict[str, Any] = {
        "task": problem.task,
        "classes": list(problem.classes),
        "metric": dict(told(asked)),
        "model_source": contender.source,
        "weights": weights,
        "splitter": splitting.as_json(),
        "split": note.take(
            "split", lambda: stretches(problem, splitting, None if opened is None else opened.rows)
        ),
        "rows": {"train": problem.train.height, "frozen_on": len(settled)},
        "features": 0 if problem.transformer is None else len(problem.transformer.features),
        "target_missing": problem.missing,
        "leakage": note.take("leakage", lambda: _leaks(problem, asked)),
        "cv": note.take("cv", lambda: _cv(found, right, asked)),
        "canary": canary,
        "holdout": None,
        "fairness": fairness.NOT_ASSESSED if not asked.sensitive else None,
    }
    curves = None
    if opened is not None:
        rows = strangers(problem, opened.rows)
        curves = note.take("holdout", lambda: predicted(problem, contender, model, rows))
    if opened is not None and curves is not None:
        figures |= on_holdout(problem, asked, model, final, settled, curves, opened, note)
        figures["curves"] = note.take("curves", lambda: aggregates(problem, curves, seed=asked.seed))
    # a picture that cannot be drawn is no measurement that failed
    undrawn = {name: note.errors.pop(name) for name in ("split", "curves") if name in note.errors}
    return Measured({**figures, "undrawn": undrawn, "errors": note.errors}, model, curves, splitting)


def _freeze(
    problem: Problem,
    contender: Contender,
    final: Prepared,
    found: OutOfFold,
    said: Floats,
    weights: Mapping[str, float],
    columns: Sequence[InputColumn],
    asked: Asked,
) -> Served:
    """One model of all training rows that have an answer."""
    fitted = contender.fit(problem, final, problem.answers_of(final.rows), asked.seed)
    rights = problem.task != "regression" and contender.recalibrates
    return Served(
        task=problem.task,
        target=problem.target,
        classes=problem.classes,
        columns=tuple(columns),
        transformer=final.transformer,
        weights=weights,
        recalibration=right_map(found.answers, said, problem.task) if rights else None,
        **contender.frozen(fitted),  # type: ignore[arg-type]
    )


def _right(problem: Problem, contender: Contender, found: OutOfFold, said: Floats) -> Floats:
    """What is said of rows out of fold, put right as the frozen model is."""
    if problem.task == "regression" or not contender.recalibrates or len(np.unique(found.fold)) < 2:
        return said
    return put_right(found, said, problem.task)


def _cv(found: OutOfFold, right: Floats, asked: Asked) -> dict[str, Any]:
    """The score on each fold, their mean and its standard error."""
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
    used = set(problem.used)
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
        "columns": len(used),
    }
