"""Where a model is weak: slices in which it is worse than it says, groups of people, classes taken for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.science.charts.chart import Chart, figure, framed, labels, listed, percent
from loom.science.charts.drawing import (
    SAID,
    STEP,
    across,
    by_tone,
    heat,
    line_at,
    lollipops,
    names_down,
    values,
)

_MOST = 10
_EFFECT = 0.4
_RATES = {
    "selection_rate": "chosen",
    "tpr": "found",
    "fpr": "false alarms",
    "auc": "AUC",
    "mean_error": "mean error",
}


def weak_slices(found: Sequence[Mapping[str, Any]], of: str) -> Chart | None:
    """The slices that were reported, by how much worse the model is there than it claims."""
    if not found:
        return None
    names = labels([str(each["name"]) for each in found[:_MOST]], 34)
    rows = [
        {
            "name": name,
            "value": abs(each["effect"]),
            "tone": "wary",
            "label": figure(abs(each["effect"])),
            "said": f"{each['name']}: effect {figure(each['effect'])} in {each['n']:,} rows",
        }
        for name, each in zip(names, found, strict=False)
    ]
    most = max(row["value"] for row in rows)
    reach = across("value", None, form=".2~f", domain=(0, max(1.2 * most, 2 * _EFFECT)))
    title = f"The model is worse than it claims where {listed([str(each['name']) for each in found], 2)}"
    alt = f"Effects by slice, largest first: {'; '.join(str(row['said']) for row in rows)}."
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "layer": [*line_at(reach, _EFFECT, "reviewed from", "@wary"), *lollipops(reach, label=True)],
    }
    return framed(
        "weak-slices", title, alt, of, drawing, note="loss beyond what the model expects, in deviations"
    )


def group_rates(column: Mapping[str, Any], of: str) -> Chart | None:
    """What the model does to each group of a sensitive column, with intervals; groups too small are pale."""
    groups = column.get("groups") or ()
    kind = next((name for name in _RATES if any(group.get(name) for group in groups)), None)
    drawn = [group for group in groups if kind is not None and group.get(kind)][:_MOST]
    if kind is None or not drawn:
        return None
    rows = _group_rows(drawn, kind)
    said, name = _RATES[kind], str(column["column"])
    ranked = sorted((row for row in rows if row["tone"] == "calm"), key=lambda row: float(row["value"]))
    title = f"{said.capitalize()} by {name}"
    if len(ranked) > 1:
        least, most = ranked[0], ranked[-1]
        title = f"{said.capitalize()}: {figure(most['value'])} of {most['name']}, {figure(least['value'])} of {least['name']}"
    ends = [float(row[key]) for row in rows for key in ("value", "low", "high") if row.get(key) is not None]
    shares = kind != "mean_error"
    low, high = (0.0, max(1.0, *ends)) if shares else (min(0.0, *ends), max(0.0, *ends))
    reach = across("value", None, form="~%" if shares and kind != "auc" else "~f", domain=(low, high))
    place = {"y": names_down()}
    alt = f"{said.capitalize()} by group of {name}: {'; '.join(str(row['said']) for row in rows)}."
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "layer": [
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
        ],
    }
    return framed(
        f"groups-{name}"[:60],
        title,
        alt,
        of,
        drawing,
        note="lines are 95 % intervals; pale groups are too small",
    )


def _group_rows(drawn: Sequence[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    """A figure of each group with its interval, and what is said of it."""
    rows = []
    for name, group in zip(labels([str(each["group"]) for each in drawn]), drawn, strict=True):
        rate = group[kind]
        known = rate["low"] is not None and rate["high"] is not None
        between = f", between {figure(rate['low'])} and {figure(rate['high'])}" if known else ""
        few = f", too few to compare: {group['insufficient']}" if group.get("insufficient") else ""
        rows.append(
            {
                "name": name,
                **({"low": rate["low"], "high": rate["high"]} if known else {}),
                "value": rate["value"],
                "tone": "rest" if few else "calm",
                "said": f"{group['group']}: {figure(rate['value'])}{between} ({group['n']:,} rows){few}",
            }
        )
    return rows


def mistakes(found: Mapping[str, Any], of: str) -> Chart | None:
    """How often each class is taken for which."""
    classes = found.get("classes") or ()
    if len(classes) < 2:
        return None
    names = labels([str(each) for each in classes], 20)
    rows = []
    for a, line, count in zip(names, found["shares"], found["rows"], strict=True):
        for b, share in zip(names, line, strict=True):
            said = (
                f"{a} taken for {b}: {percent(share)} of {count:,}"
                if a != b
                else f"{a} told right: {percent(share)}"
            )
            kind = "right" if a == b else "wrong"
            label = f"{100 * share:.0f}" if share >= 0.005 else ""
            rows.append({"a": a, "b": b, "value": share, "kind": kind, "label": label, "said": said})
    wrong = max((row for row in rows if row["kind"] == "wrong"), key=lambda row: float(str(row["value"])))
    title = f"{wrong['a']} is taken for {wrong['b']} in {percent(float(str(wrong['value'])))} of its rows"
    more = f" {found['more']} more classes are not drawn." if found.get("more") else ""
    alt = f"Classes down, predicted classes across, shares of each class: {title}.{more}"
    drawing = heat(rows, names, names, {"right": "@fine", "wrong": "@bad"})
    return framed(
        "mistakes", title, alt, of, drawing, note="percent of the rows of each class, by predicted class"
    )
