"""Plots from what the summaries of the runs hold; no data is read for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loom.science.charts import (
    Chart,
    drift_effects,
    leaderboard,
    leak_scores,
    missing,
    relations,
    target_shares,
)
from loom.science.charts.folds import fold_scores
from loom.science.charts.reliability import reliability
from loom.science.charts.weaknesses import group_rates, weak_slices

from ._material import Material

Drawn = Iterator[tuple[str, Chart | None]]


def pictures(material: Material) -> Mapping[str, list[dict[str, Any]]]:
    """The plots by section, each said to be drawn from its run; sections without any are left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for section, chart in (*_of_model(material), *_of_data(material), *_of_others(material)):
        if chart is not None:
            found.setdefault(section, []).append(chart.as_json())
    return found


def _of_model(material: Material) -> Drawn:
    run = material.head
    if run is None:
        return
    summary, of = run.facts["summary"], run.name
    if isinstance(summary.get("metric"), Mapping) and run.get("cv", "folds"):
        yield "validation", fold_scores(summary, of)
    if isinstance(summary.get("calibration"), Mapping):
        yield "calibration", reliability(summary["calibration"], of)
    if _rows(summary, "slices"):
        yield "slices", weak_slices(summary["slices"], of)
    if _rows(summary, "fairness"):
        for column in summary["fairness"]:
            yield "fairness", group_rates(column, of)


def _of_data(material: Material) -> Drawn:
    run = material.latest("eda")
    if run is None:
        return
    summary, of = run.facts["summary"], run.name
    if isinstance(summary.get("target"), Mapping):
        yield "data", target_shares(summary["target"], of)
    if _rows(summary, "columns"):
        yield "data", missing(summary, of)
    if _rows(summary, "top_correlations"):
        yield "data", relations(summary, of)
    if isinstance(summary.get("leakage_flags"), list):
        yield "leaks", leak_scores(summary, of)


def _of_others(material: Material) -> Drawn:
    search = material.latest("optimize", tells="leaderboard")
    if search is not None and _rows(search.facts["summary"], "leaderboard"):
        yield "search", _board(search.facts["summary"], search.name)
    drift = material.latest("ops", tells="drift")
    if drift is not None and isinstance(drift.get("drift"), Mapping):
        yield "watch", drift_effects(drift.get("drift"), drift.name)


def _board(summary: Mapping[str, Any], of: str) -> Chart | None:
    metric = summary.get("metric")
    told = metric if isinstance(metric, Mapping) else {}
    scores = [row["search"] for row in summary["leaderboard"] if isinstance(row.get("search"), int | float)]
    # a leaderboard has its best row on top
    is_higher = told.get("direction") != "lower" if told else scores[:1] >= scores[-1:]
    called = str(told.get("name") or (metric if isinstance(metric, str) else "score"))
    return leaderboard(summary["leaderboard"], of, metric=called, higher_is_better=is_higher)


def _rows(summary: Mapping[str, Any], key: str) -> bool:
    rows = summary.get(key)
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, Mapping) for row in rows)
