"""The rate, the mean or the mixture of the target along a column, with how sure each is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from loom.core.column_names import spoken
from loom.science.charts.answers import Answer
from loom.science.charts.chart import Chart, figure, framed, percent, slug
from loom.science.charts.drawing import SAID, STEP, across, by_class, line_at, names_down, values
from loom.science.charts.groups import Groups, groups_of
from loom.science.charts.survey import WEAK, Survey
from loom.science.profile.inspection import inspect

_Z = 1.96


def target_rates(found: Survey, of: str, *, most: int = 8) -> list[Chart]:
    """The rate, mean or mixture of the target along the columns that go together with it most."""
    answer = found.answer
    if answer is None:
        return []
    strong = [each.name for each in found.drawable() if (each.strength or 0.0) >= WEAK][: 2 * most]
    charts: dict[str, Chart] = {}
    for block in found.table.blocks(strong):
        inspected, _ = inspect(block, 0)
        for one, cells in zip(inspected, block, strict=True):
            groups = groups_of(one, cells)
            chart = None if groups is None else _along(one.name, groups, answer, of)
            if chart is not None:
                charts[one.name] = chart
    return [charts[name] for name in strong if name in charts][:most]


def _along(name: str, groups: Groups, answer: Answer, of: str) -> Chart | None:
    if answer.values is not None:
        return _means(name, groups, answer, of)
    if len(answer.classes) == 2:
        return _rates(name, groups, answer, of)
    return _mixtures(name, groups, answer, of)


def _rates(name: str, groups: Groups, answer: Answer, of: str) -> Chart | None:
    known = (groups.codes >= 0) & (answer.codes >= 0)
    codes, event = groups.codes[known], answer.codes[known] == answer.event
    counts = np.bincount(codes, minlength=len(groups.labels))
    hits = np.bincount(codes, weights=event, minlength=len(groups.labels))
    rows = []
    for label, n, k in zip(groups.labels, counts.tolist(), hits.tolist(), strict=True):
        if not n:
            continue
        low, high = wilson(k, n)
        rate = k / n
        said = f"{label}: {percent(rate)} ({percent(low)} to {percent(high)}) of {n:,} rows"
        one = {"name": label, "value": round(rate, 4), "low": round(low, 4), "high": round(high, 4)}
        rows.append(one | {"label": percent(rate), "said": said})
    overall = float(event.mean()) if len(event) else 0.0
    told = f"{spoken(answer.name)} = {answer.classes[answer.event]}"
    base = (overall, f"all {percent(overall)}")
    return _dotted(
        name, groups, rows, told, base, of, note=f"share of {told}, with 95 % intervals", rates=True
    )


def _means(name: str, groups: Groups, answer: Answer, of: str) -> Chart | None:
    assert answer.values is not None
    known = (groups.codes >= 0) & np.isfinite(answer.values)
    codes, amounts = groups.codes[known], answer.values[known]
    if not len(amounts):
        return None
    counts = np.bincount(codes, minlength=len(groups.labels))
    rows = []
    for at, (label, n) in enumerate(zip(groups.labels, counts.tolist(), strict=True)):
        some = amounts[codes == at]
        if n < 2:
            continue
        mean, error = float(some.mean()), _Z * float(some.std(ddof=1)) / math.sqrt(n)
        said = f"{label}: {figure(mean)} ({figure(mean - error)} to {figure(mean + error)}), {n:,} rows"
        one = {
            "name": label,
            "value": _three(mean),
            "low": _three(mean - error),
            "high": _three(mean + error),
        }
        rows.append(one | {"label": figure(mean), "said": said})
    overall = float(amounts.mean())
    told = f"mean {spoken(answer.name)}"
    base = (_three(overall), f"all {figure(overall)}")
    return _dotted(name, groups, rows, told, base, of, note=f"{told}, with 95 % intervals")


def _three(value: float) -> float:
    return float(f"{value:.4g}")


def _dotted(
    name: str,
    groups: Groups,
    rows: list[dict[str, Any]],
    told: str,
    base: tuple[float, str],
    of: str,
    *,
    note: str,
    rates: bool = False,
) -> Chart | None:
    """Dots with their intervals, one for each group, and the line of all rows."""
    if len(rows) < 2:
        return None
    if not groups.ordered:
        rows = sorted(rows, key=lambda row: (row["name"] == "(missing)", -row["value"]))
    high, low = max(rows, key=lambda row: row["value"]), min(rows, key=lambda row: row["value"])
    called = spoken(name)
    title = f"{told}: {high['label']} where {called} is {high['name']}, {low['label']} where {low['name']}"
    alt = f"{told} by {called}: {'; '.join(row['said'] for row in rows)}. Of all rows: {base[1][4:]}."
    least, most = min(row["low"] for row in rows), max(row["high"] for row in rows)
    air = 0.04 * (most - least) or 0.05
    domain = (0.0 if rates else least - air, most + 5 * air)
    reach = across("value", None, domain=domain, zero=False, axis=False)
    place = {"y": names_down()}
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "layer": [
            *line_at(reach, *base),
            {
                "mark": {
                    "type": "rule",
                    "strokeWidth": 2,
                    "color": "@accent",
                    "opacity": 0.45,
                    "aria": False,
                },
                "encoding": {**place, "x": {**reach, "field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "size": 75, "tooltip": True},
                "encoding": {**place, "x": reach, **SAID},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 6, "aria": False},
                "encoding": {**place, "x": {**reach, "field": "high"}, "text": {"field": "label"}},
            },
        ],
    }
    return framed(slug("target-by", name), title, alt, of, drawing, note=note)


def _mixtures(name: str, groups: Groups, answer: Answer, of: str) -> Chart | None:
    known = (groups.codes >= 0) & (answer.codes >= 0)
    table = np.zeros((len(groups.labels), len(answer.classes)), np.int64)
    np.add.at(table, (groups.codes[known], answer.codes[known]), 1)
    sizes = table.sum(axis=1)
    rows: list[dict[str, Any]] = [
        {
            "name": label,
            "class": answer.classes[c],
            "at": c,
            "value": round(float(table[at, c] / sizes[at]), 4),
            "said": f"{label}: {percent(float(table[at, c] / sizes[at]))} are {answer.classes[c]}",
        }
        for at, label in enumerate(groups.labels)
        if sizes[at]
        for c in range(len(answer.classes))
        if table[at, c]
    ]
    if len({row["name"] for row in rows}) < 2:
        return None
    called, target = spoken(name), spoken(answer.name)
    top = max((row for row in rows if row["class"] != answer.rest), key=lambda row: row["value"])
    title = f"{target} is {top['class']} in {percent(top['value'])} where {called} is {top['name']}"
    alt = f"Bars of the classes of {target} by {called}: {'; '.join(row['said'] for row in rows[:12])}."
    x = {
        "field": "value",
        "type": "quantitative",
        "stack": "zero",
        "title": None,
        "scale": {"domain": [0, 1]},
        "axis": {"format": ".0%", "tickCount": 4},
    }
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "mark": {"type": "bar", "tooltip": True, "cornerRadius": 0},
        "encoding": {
            "y": names_down(),
            "x": x,
            "color": by_class("class", answer.classes, rest=answer.rest),
            "order": {"field": "at"},
            **SAID,
        },
    }
    note = f"share of the classes of {target} in each group of rows"
    return framed(slug("target-by", name), title, alt, of, drawing, note=note)


def wilson(hits: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a rate, right for few rows and for rates near 0 and 1 too."""
    rate, z2 = hits / rows, _Z**2
    middle = (rate + z2 / (2 * rows)) / (1 + z2 / rows)
    half = _Z / (1 + z2 / rows) * math.sqrt(rate * (1 - rate) / rows + z2 / (4 * rows**2))
    return max(0.0, middle - half), min(1.0, middle + half)
