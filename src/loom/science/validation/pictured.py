"""What pictures of a model are drawn from: curves on a grid, a table of mistakes, stretches of rows. Never a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loom.science import splits
from loom.science.disclosure import LONGEST_LEVEL, is_personal_name, may_show_level
from loom.science.splits import Splitting
from loom.science.validation.asked import Curves
from loom.science.validation.problem import Ints, Problem

Floats = npt.NDArray[np.float64]

GRID = 40
_DRAWS = 100
_BINS = 60
_BLOCKS = 50
_CLASSES = 8
_PART = 0.5


def aggregates(problem: Problem, curves: Curves, *, seed: int) -> dict[str, Any]:
    """The curves of the opened rows."""
    if problem.task == "regression" or not len(curves.answers):
        return {}
    if problem.task == "multiclass":
        return {"mistakes": _mistakes(problem, curves)}
    yes = curves.answers == 1
    if yes.all() or not yes.any():
        return {}
    return _ranked(yes, curves.said, _units(problem, curves.rows), seed)


def stretches(problem: Problem, splitting: Splitting, sealed: pl.DataFrame | None) -> dict[str, Any]:
    """Which rows each fold learned from and tested, and which were sealed, in shares of all rows.

    With a time, rows stand in its order; without one, in the order of the folds that test them.
    """
    rows, held = problem.train.height, 0 if sealed is None else sealed.height
    whole = rows + held
    if problem.time:
        order = splits.clock_of(problem.train.select(problem.time)).times
    else:
        order = np.full(rows, float(len(splitting.folds)))
        for number, fold in enumerate(splitting.folds):
            order[fold.test] = number
    place = np.argsort(np.argsort(order, kind="stable"), kind="stable")
    lanes = []
    for number, fold in enumerate(splitting.folds, 1):
        roles = np.full(rows, 2)
        roles[fold.train], roles[fold.test] = 0, 1
        lanes.append({"lane": f"fold {number}", "parts": list(_parts(roles, place, whole))})
    last = [{"role": "learned", "from": 0.0, "to": rows / whole}]
    if held:
        last.append({"role": "sealed", "from": rows / whole, "to": 1.0})
    lanes.append({"lane": "the model", "parts": last})
    return {"by_time": bool(problem.time), "rows": whole, "lanes": lanes}


_ROLES = ("learned", "tested", "left out")


def _parts(roles: Ints, place: Ints, whole: int) -> Iterator[dict[str, Any]]:
    """Neighbouring rows of one role, as shares of all rows."""
    bins = min(_BINS, len(roles))
    at = place * bins // len(roles)
    table = np.bincount(at * 3 + roles, minlength=3 * bins).reshape(bins, 3) / np.bincount(at)[:, None]
    kinds = np.where(table[:, 1] >= _PART, 1, np.where(table[:, 0] >= 0.5, 0, 2))
    starts = np.flatnonzero(np.diff(kinds, prepend=-1))
    share = len(roles) / whole / bins
    for start, end in zip(starts, [*starts[1:], bins], strict=True):
        yield {"role": _ROLES[kinds[start]], "from": float(start * share), "to": float(end * share)}


def _units(problem: Problem, rows: pl.DataFrame) -> Ints:
    """What varies on its own: entities, else blocks of time, else rows."""
    if problem.group is not None:
        names = rows.get_column(problem.group).cast(pl.String, strict=False)
        return names.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    if problem.time:
        times = splits.clock_of(rows.select(problem.time)).times
        order = np.argsort(np.argsort(times, kind="stable"), kind="stable")
        return order * min(_BLOCKS, len(order)) // len(order)
    return np.arange(rows.height)


def _ranked(yes: npt.NDArray[np.bool_], said: Floats, units: Ints, seed: int) -> dict[str, Any]:
    """Both curves of a ranking on a grid, with the middle 95 % of draws that weigh units at random."""
    order = np.argsort(-said, kind="stable")
    hit, unit = yes[order], units[order]
    ends = np.flatnonzero(np.diff(said[order], append=-np.inf))  # rows of one score are one step
    random = np.random.default_rng(seed)
    count = int(units.max()) + 1
    grid = np.linspace(0, 1, GRID + 1)

    def both(weight: Floats) -> tuple[Floats, Floats]:
        true, false = np.cumsum(weight * hit)[ends], np.cumsum(weight * ~hit)[ends]
        rise = np.concatenate([[0.0], true / true[-1]])
        roc = np.interp(grid, np.concatenate([[0.0], false / false[-1]]), rise)
        at = np.searchsorted(true / true[-1], np.maximum(grid, 1.0 / GRID) - 1e-12)
        at = np.minimum(at, len(ends) - 1)
        return roc, (true / (true + false))[at]

    real = both(np.ones(len(hit)))
    drawn = [both(random.exponential(size=count)[unit]) for _ in range(_DRAWS)]
    found: dict[str, Any] = {"base_rate": float(yes.mean())}
    for which, name in enumerate(("roc", "pr")):
        low, high = np.quantile(np.array([each[which] for each in drawn]), [0.025, 0.975], axis=0)
        points = zip(
            grid, real[which], np.minimum(low, real[which]), np.maximum(high, real[which]), strict=True
        )
        found[name] = [[round(float(each), 4) for each in point] for point in points]
    return found


def _mistakes(problem: Problem, curves: Curves) -> dict[str, Any]:
    """How often each class is taken for which; the classes with the most rows, those that may not be named by number."""
    count, top = len(problem.classes), curves.said.argmax(axis=1)
    table = np.bincount(curves.answers * count + top, minlength=count * count).reshape(count, count)
    rows = table.sum(axis=1)
    kept = np.sort(np.argsort(-rows, kind="stable")[:_CLASSES])
    secret = is_personal_name(problem.target)
    names = [
        problem.classes[at][:LONGEST_LEVEL]
        if may_show_level(int(rows[at]), int(rows.sum())) and not secret
        else f"class #{at + 1}"
        for at in kept
    ]
    shares = table[np.ix_(kept, kept)] / np.maximum(rows[kept], 1)[:, None]
    return {
        "classes": names,
        "rows": [int(rows[at]) for at in kept],
        "shares": [[round(float(share), 4) for share in line] for line in shares],
        "more": count - len(kept),
    }
