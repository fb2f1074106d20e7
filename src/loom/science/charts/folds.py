"""The splits of a validation: what each fold scored beside the holdout, and which rows were learned from and tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.science.charts.chart import Chart, figure, framed
from loom.science.charts.drawing import SAID, STEP, across, by_tone, line_at, names_down, values

_ROLES = {"learned": "@accent", "tested": "@wary", "left out": "@line", "sealed": "@fine"}


def fold_scores(figures: Mapping[str, Any], of: str) -> Chart | None:
    """The score of every fold, their mean, and that of the sealed rows with its interval and the dummy's line."""
    cv, holdout, metric = figures.get("cv"), figures.get("holdout") or {}, figures["metric"]["name"]
    if not cv:
        return None
    rows = []
    title = f"Cross-validation gives {metric} {figure(cv['mean'])} ± {figure(cv['se'])}"
    if holdout.get("score") is not None:
        least, most = holdout["ci"]
        rows.append(_with_ends("sealed rows", holdout["score"], least, most, "fine"))
        title = f"{metric} {figure(holdout['score'])} on sealed rows; cross-validation promised {figure(cv['mean'])}"
    low, high = cv["mean"] - 1.96 * cv["se"], cv["mean"] + 1.96 * cv["se"]
    rows.append(_with_ends("cross-validation", cv["mean"], low, high, "calm"))
    rows += [
        {"name": f"fold {at}", "value": score, "tone": "rest", "said": f"fold {at}: {figure(score)}"}
        for at, score in enumerate(cv["folds"], 1)
    ]
    dummy = ((figures.get("baselines") or {}).get("dummy") or {}).get("score")
    ends = [row[key] for row in rows for key in ("value", "low", "high") if row.get(key) is not None]
    low, high = min(ends), max(ends)
    near = dummy is not None and low - 3 * (high - low) <= dummy <= high + 3 * (high - low)
    if near and dummy is not None:
        low, high = min(low, dummy), max(high, dummy)
    air = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    reach = across("value", None, form="~f", domain=(low - air, high + 2 * air), zero=False)
    against = "" if dummy is None else f" Saying the same of every row scores {figure(dummy)}."
    alt = f"Scores by split: {'; '.join(str(row['said']) for row in rows)}.{against}"
    better = figures["metric"]["direction"]
    note = f"{metric}, {better} is better; lines are 95 % intervals"
    if dummy is not None and not near:
        note += f"; saying the same of every row scores {figure(dummy)}"
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "layer": [
            *(line_at(reach, dummy, "the same for all") if near and dummy is not None else []),
            *_dots(reach),
        ],
    }
    return framed("fold-scores", title, alt, of, drawing, note=note)


def _with_ends(name: str, value: float, low: float | None, high: float | None, tone: str) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "value": value, "tone": tone, "said": f"{name}: {figure(value)}"}
    if low is not None and high is not None:
        row |= {"low": low, "high": high}
        row["said"] += f", between {figure(low)} and {figure(high)}"
    return row


def _dots(reach: dict[str, Any]) -> list[dict[str, Any]]:
    place = {"y": names_down()}
    return [
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.5, "aria": False},
            "encoding": {
                **place,
                "x": {**reach, "field": "low"},
                "x2": {"field": "high"},
                "color": by_tone(),
            },
        },
        {
            "mark": {"type": "point", "size": 80, "filled": True, "tooltip": True},
            "encoding": {**place, "x": reach, "color": by_tone(), **SAID},
        },
    ]


def stretches(split: Mapping[str, Any], splitter: Mapping[str, Any], of: str) -> Chart | None:
    """Which rows every fold learned from and tested, and which nobody saw."""
    lanes = split.get("lanes") or ()
    rows = [
        {
            "name": lane["lane"],
            "from": round(part["from"], 4),
            "to": round(part["to"], 4),
            "role": part["role"],
            "said": f"{lane['lane']}: {part['role']} {100 * part['from']:.0f} to {100 * part['to']:.0f} %",
        }
        for lane in lanes
        for part in lane["parts"]
    ]
    if not rows:
        return None
    roles = [role for role in _ROLES if any(row["role"] == role for row in rows)]
    by_time = split.get("by_time")
    folds = len(lanes) - 1
    how = {
        "time": "blocks of time",
        "time+group": "blocks of time, entities whole",
        "group": "whole entities",
    }
    title = f"{folds} folds of {how.get(str(splitter['kind']), 'shuffled rows')}"
    title += ", the latest rows sealed" if by_time and "sealed" in roles else ""
    axis = (
        "share of all rows, in the order of time"
        if by_time
        else "share of all rows, by the fold that tests them"
    )
    tested = [row for row in rows if row["role"] == "tested"]
    alt = f"{title}: what each learned from, tested and left out. {'; '.join(str(row['said']) for row in tested[:5])}."
    drawing = {
        "height": {"step": STEP - 4},
        "data": values(rows),
        "mark": {"type": "bar", "tooltip": True, "cornerRadius": 0},
        "encoding": {
            "y": names_down(),
            "x": across("from", axis, form="%", domain=(0, 1)),
            "x2": {"field": "to"},
            "color": {
                "field": "role",
                "type": "nominal",
                "sort": None,
                "scale": {"domain": roles, "range": [_ROLES[role] for role in roles]},
            },
            **SAID,
        },
    }
    return framed("split", title, alt, of, drawing)
