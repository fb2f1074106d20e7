"""Every look at the sealed rows, once a frozen model has opened them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.science import calibration, fairness, metrics, slices, splits
from loom.science.metrics import Interval
from loom.science.portfolio import best_single, dummy, fit_member
from loom.science.serving.model import Served, matrix_of
from loom.science.validation import looks
from loom.science.validation.asked import Asked, Curves, Notes, Opened
from loom.science.validation.contender import Contender
from loom.science.validation.problem import Ints, Prepared, Problem


def strangers(problem: Problem, sealed: pl.DataFrame) -> pl.DataFrame:
    """The sealed rows with an answer; where time and entity are both declared, those of entities train has not seen.

    Where time decides which rows are sealed, an entity that goes on through time is on both sides.
    """
    rows = problem.with_answers(sealed)
    if not problem.time or problem.group is None:
        return rows
    seen = problem.train.get_column(problem.group).cast(pl.String, strict=False).unique()
    known = (
        rows.get_column(problem.group).cast(pl.String, strict=False).is_in(seen.implode(), nulls_equal=True)
    )
    return rows.filter(~known)


def predicted(problem: Problem, contender: Contender, model: Served, rows: pl.DataFrame) -> Curves:
    """What the frozen model says of rows; a class that training has never seen cannot be predicted, and is left out."""
    answers = problem.answers_of(rows)
    if problem.task != "regression":
        known = answers >= 0
        rows, answers = rows.filter(pl.Series(known)), answers[known]
    said = contender.answer(model, rows) if rows.height else np.zeros(0)
    return Curves(answers, said, rows)


def on_holdout(
    problem: Problem,
    asked: Asked,
    model: Served,
    final: Prepared,
    settled: Ints,
    curves: Curves,
    opened: Opened,
    note: Notes,
) -> dict[str, Any]:
    """Every look at the sealed rows."""
    y, p, rows = curves.answers, curves.said, curves.rows
    if not len(y):
        why = "no sealed row has an answer"
        if problem.time and problem.group is not None and problem.with_answers(opened.rows).height:
            why = f"every sealed row is of an entity of `{problem.group}` that training has seen"
        return {"holdout": {**_about(opened, 0), "score": None, "ci": [None, None], "why": why}}
    clusters = _codes(rows, problem.group)
    order = splits.clock_of(rows.select(problem.time)).times if problem.time else None
    around: dict[str, Any] = {"clusters": clusters, "order": order, "seed": asked.seed}
    learned = problem.compared_on(final)
    features = rows.select([name for name in problem.used if name in rows.columns])
    figures: dict[str, Any] = {
        "holdout": note.take("holdout", lambda: _scored(asked, curves, opened, around)),
        "permutation_p": note.take(
            "permutation_p", lambda: looks.by_chance(y, p, problem.task, seed=asked.seed)
        ),
        "baselines": note.take(
            "baselines", lambda: _baselines(problem, asked, model, learned, curves, around)
        ),
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
        "overlaps": note.take("overlaps", lambda: _overlaps(problem, asked, settled, rows)),
        "adversarial": note.take("adversarial", lambda: _apart(problem, learned, rows, asked)),
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


def _about(opened: Opened, judged: int) -> dict[str, Any]:
    sealed = opened.rows.height
    return {
        "digest": opened.digest,
        "n": judged,
        "sealed": sealed,
        "missing": 1 - judged / max(sealed, 1),
        "openings": opened.openings,
    }


def _scored(asked: Asked, curves: Curves, opened: Opened, around: Mapping[str, Any]) -> dict[str, Any]:
    found = metrics.interval(asked.metric, curves.answers, curves.said, **around)
    why = {} if found.value is not None else {"why": found.how}
    return {
        **_about(opened, len(curves.answers)),
        **why,
        "score": found.value,
        "ci": _ends(found),
        "se": found.se,
        "how": found.how,
        "needed_rows": metrics.needed_rows(found),
    }


def _baselines(
    problem: Problem,
    asked: Asked,
    model: Served,
    learned: Prepared,
    curves: Curves,
    around: Mapping[str, Any],
) -> dict[str, Any]:
    """What saying the same of everybody scores, and how much better the model is than two simple ones."""
    y, task, count = curves.answers, problem.task, len(problem.classes)
    known = problem.answers_of(learned.rows)
    same = dummy(known, task, len(y), classes=count)
    figures: dict[str, Any] = {
        "dummy": {"name": "the same for all", "score": metrics.score(asked.metric, y, same)}
    }
    if learned.transformer is None:
        return figures | {"simple": []}
    rows = matrix_of(learned.transformer.transform(curves.rows), learned.transformer)
    if "linear" in model.members:
        # the portfolio has the very same one, on the same features
        line = pickle.loads(model.members["linear"])
    else:
        line = fit_member("linear", learned.matrix, known, task, classes=count, seed=asked.seed)
    single = best_single(learned.matrix, known, task, classes=count)
    name = learned.transformer.features[single.column]
    simple = []
    for called, said in (("a linear model", line.predict(rows)), (f"`{name}` alone", single.predict(rows))):
        apart = metrics.difference(asked.metric, y, curves.said, said, **around)
        score = metrics.score(asked.metric, y, said)
        simple.append(
            {"name": called, "score": score, "difference": {"value": apart.value, "ci": _ends(apart)}}
        )
    return figures | {"simple": simple}


def _overlaps(problem: Problem, asked: Asked, settled: Ints, rows: pl.DataFrame) -> dict[str, Any]:
    """What the rows that were learned from share with those that are judged by."""
    ids = problem.ids if problem.sealed_without is None else problem.sealed_without
    train = problem.train[settled]
    # rows that differ in their time or entity are different rows, however alike their features are
    same = splits.overlaps(train, rows, target=problem.target, without=[problem.target, *ids]).as_json()
    parts = splits.overlaps(
        train, rows, target=problem.target, time=problem.time, group=problem.group,
        horizon=asked.horizon, without=ids,
    ).as_json()  # fmt: skip
    return {**parts, "rows": same["rows"]}


def _apart(problem: Problem, learned: Prepared, rows: pl.DataFrame, asked: Asked) -> dict[str, Any] | None:
    if learned.transformer is None:
        return None
    once = not problem.time and problem.group is None
    return looks.told_apart(learned.rows, rows, learned.transformer, seed=asked.seed, once=once)


def _codes(rows: pl.DataFrame, group: str | None) -> npt.NDArray[np.int64] | None:
    if group is None:
        return None
    names = rows.get_column(group).cast(pl.String, strict=False)
    return names.rank("dense").fill_null(0).to_numpy().astype(np.int64)


def _ends(found: Interval) -> list[float | None]:
    return [found.low, found.high]
