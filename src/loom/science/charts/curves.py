"""How well a model ranks: both of its curves with their bands, and where chance would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.science.charts.chart import Chart, figure, framed, percent
from loom.science.charts.drawing import SAID, across, values


def roc(curves: Mapping[str, Any], of: str, *, auc: float | None = None) -> Chart | None:
    """Found positives against false alarms."""
    points = curves.get("roc")
    if not points:
        return None
    at = _at(points, 0.1)
    found = f"one false alarm in ten finds {percent(at[1])} of those to be found"
    title = f"AUC {figure(auc)}: {found}" if auc is not None else found[0].upper() + found[1:]
    rows = [_row(point, "false alarms", "found") for point in points]
    chance = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    alt = f"ROC curve with its band. {title}; between {percent(at[2])} and {percent(at[3])}. Chance is the diagonal."
    drawing = _drawn(rows, chance, "false alarms, of all that are not", "found, of all that are")
    return framed(
        "roc", title, alt, of, drawing, note="the band holds 95 % of curves; the dashed line is chance"
    )


def precision_recall(curves: Mapping[str, Any], of: str, *, ap: float | None = None) -> Chart | None:
    """How many of those called positive are, against how many are found."""
    points, base = curves.get("pr"), curves.get("base_rate")
    if not points or base is None:
        return None
    at = _at(points, 0.5)
    title = (
        f"Finding half of them, {percent(at[1])} of those named are right; {percent(base)} would be by chance"
    )
    rows = [_row(point, "found", "right") for point in points[1:]]
    chance = [{"x": 0, "y": base}, {"x": 1, "y": base}]
    known = "" if ap is None else f" Its area is {figure(ap)}."
    alt = f"Precision and recall with their band. {title}; between {percent(at[2])} and {percent(at[3])}.{known}"
    drawing = _drawn(rows, chance, "found, of all that are", "right, of those named")
    note = "the band holds 95 % of curves; the dashed line is the share of all rows"
    return framed("precision-recall", title, alt, of, drawing, note=note)


def _at(points: Sequence[Sequence[float]], place: float) -> Sequence[float]:
    return min(points, key=lambda point: abs(point[0] - place))


def _row(point: Sequence[float], along: str, up: str) -> dict[str, Any]:
    x, y, low, high = point
    said = f"{along} {percent(x)}, {up} {percent(y)} ({percent(low)} to {percent(high)})"
    return {"x": x, "y": y, "low": low, "high": high, "said": said}


def _drawn(
    rows: Sequence[Mapping[str, Any]], chance: Sequence[Mapping[str, float]], x: str, y: str
) -> dict[str, Any]:
    along = across("x", x, form="%", domain=(0, 1))
    up = across("y", y, form="%", domain=(0, 1))
    return {
        "height": 240,
        "data": values(rows),
        "layer": [
            {
                "data": values(chance),
                "mark": {"type": "line", "color": "@muted", "strokeDash": [3, 3], "aria": False},
                "encoding": {"x": along, "y": up},
            },
            {
                "mark": {"type": "area", "color": "@accent", "opacity": 0.18, "aria": False},
                "encoding": {"x": along, "y": {**up, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "line", "color": "@accent", "strokeWidth": 2, "aria": False},
                "encoding": {"x": along, "y": up},
            },
            {
                # a place to point at for every part of the curve
                "mark": {"type": "point", "size": 40, "opacity": 0, "tooltip": True},
                "encoding": {"x": along, "y": up, **SAID},
            },
        ],
    }
