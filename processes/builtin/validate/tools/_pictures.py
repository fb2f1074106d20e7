"""The pictures of a verdict, each from figures alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loom.science.charts.chart import Chart
from loom.science.charts.curves import precision_recall, roc
from loom.science.charts.folds import fold_scores, stretches
from loom.science.charts.reliability import reliability
from loom.science.charts.weaknesses import group_rates, mistakes, weak_slices
from loom.tools.card import Block, charts

SCORES, RANKING = "How well it does, and on what", "How well it ranks"
MEANING = "Whether it means what it says, and for whom"


def pictures(measured: Mapping[str, Any]) -> Iterator[Block]:
    """The sections of pictures, those that decide first."""
    curves = measured.get("curves") or {}
    holdout = measured.get("holdout") or {}
    of = f"{holdout.get('n') or 0:,} sealed rows of {measured['data']['root']}"
    metric, score = measured["metric"]["name"], holdout.get("score")
    fairness = measured.get("fairness")
    columns = fairness if isinstance(fairness, list) else []
    calibration, splitter = measured.get("calibration"), measured.get("splitter") or {"kind": ""}
    sections: list[tuple[str, list[Chart | None]]] = [
        (
            SCORES,
            [
                fold_scores(measured, of),
                stretches(measured.get("split") or {}, splitter, measured["data"]["root"]),
                mistakes(curves.get("mistakes") or {}, of),
            ],
        ),
        (
            RANKING,
            [
                roc(curves, of, auc=score if metric == "auc" else None),
                precision_recall(curves, of, ap=score if metric == "ap" else None),
            ],
        ),
        (
            MEANING,
            [
                reliability(calibration, of) if calibration else None,
                weak_slices(measured.get("slices") or (), of),
                *(group_rates(column, of) for column in columns),
            ],
        ),
    ]
    for title, drawn in sections:
        shown = [chart.as_json() for chart in drawn if chart is not None]
        if shown:
            yield charts(title, shown)
