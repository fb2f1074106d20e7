"""How columns go together, each pair by the measure that fits it, those that belong together side by side."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loom.science.charts.chart import Chart, Found, framed, labels, plain
from loom.science.charts.drawing import SAID, STEP, across, heat, names_down, values
from loom.science.charts.survey import Survey
from loom.science.profile.correlations import Relation, Relations
from loom.science.profile.inspection import inspect

_MOST = 12
_LISTED = 15
_WORDS = {
    "pearson": "correlation",
    "spearman": "rank correlation",
    "cramers_v": "Cramér's V",
    "correlation_ratio": "correlation ratio",
}
_KINDS = {
    "rise together": "@class-1",
    "opposed": "@class-2",
    "associated": "@class-4",
}


def correlation(found: Survey, of: str, *, most: int = _MOST) -> Chart | None:
    """A heat map of the columns that go together most; None where no pair does.

    Only pairs that chance does not explain are coloured.
    """
    names = _names(found, most)
    if len(names) < 2:
        return None
    pairs = _pairs(found, names)
    if not pairs:
        return None
    if len(names) < 3:
        return relations({"top_correlations": [each.as_json() for each in pairs]}, of)
    order = _ordered(names, pairs)
    called = dict(zip(order, labels(order, 20), strict=True))
    place = {name: at for at, name in enumerate(order)}
    rows = []
    for each in pairs:
        a, b = sorted((each.a, each.b), key=lambda name: place[name], reverse=True)
        measure = _WORDS[each.measure]
        said = f"{called[a]} and {called[b]}: {measure} {each.value:.2f}"
        one = {
            "a": called[a],
            "b": called[b],
            "value": round(abs(each.value), 3),
            "label": f"{each.value:.2f}",
        }
        rows.append(one | {"kind": _kind(each), "said": said})
    top = max(pairs, key=lambda each: abs(each.value))
    title = _title(top.a, top.b, top.value, top.measure)
    strongest = sorted(pairs, key=lambda each: -abs(each.value))[:5]
    told = "; ".join(f"{_one(each.a)} and {_one(each.b)} {each.value:.2f}" for each in strongest)
    alt = f"Heat map of how {len(order)} columns go together, strongest first: {told}."
    drawing = heat(rows, [called[name] for name in order[1:]], [called[name] for name in order[:-1]], _KINDS)
    note = "correlations and, with levels, Cramér's V or the correlation ratio; blank: not told from chance"
    return framed("correlation", title, alt, of, drawing, note=note)


def relations(found: Found, of: str) -> Chart | None:
    """The pairs of columns that go together most as bars, from a `Profile` or a summary with `top_correlations`."""
    listed: Sequence[Mapping[str, Any]] = plain(found).get("top_correlations") or ()
    pairs = sorted(listed, key=lambda each: -abs(float(each["value"])))[:_LISTED]
    if not pairs:
        return None
    called = labels([f"{_one(str(each['a']), 16)} · {_one(str(each['b']), 16)}" for each in pairs], 36)
    rows: list[dict[str, Any]] = [
        {
            "name": label,
            "value": round(abs(float(each["value"])), 3),
            "label": f"{float(each['value']):.2f}",
            "kind": _kind(each),
            "said": f"{label}: {_WORDS.get(str(each.get('measure')), 'strength')} {float(each['value']):.2f}",
        }
        for label, each in zip(called, pairs, strict=True)
    ]
    first = pairs[0]
    title = _title(str(first["a"]), str(first["b"]), float(first["value"]), str(first.get("measure")))
    alt = f"Bars of the pairs of columns that go together most: {'; '.join(str(row['said']) for row in rows[:6])}."
    reach = across("value", None, domain=(0, 1.15), axis=False)
    place = {"y": names_down()}
    drawing = {
        "height": {"step": STEP},
        "data": values(rows),
        "layer": [
            {
                "mark": {"type": "bar", "tooltip": True},
                "encoding": {**place, "x": reach, "color": _colours({row["kind"] for row in rows}), **SAID},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "aria": False},
                "encoding": {**place, "x": reach, "text": {"field": "label"}},
            },
        ],
    }
    return framed("relations", title, alt, of, drawing, note="each pair by the measure that fits it")


def _colours(kinds: set[str]) -> dict[str, Any]:
    shown = [kind for kind in _KINDS if kind in kinds]
    return {
        "field": "kind",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": shown, "range": [_KINDS[kind] for kind in shown]},
    }


def _one(name: str, most: int = 22) -> str:
    return labels([name], most)[0]


def _kind(each: Relation | Mapping[str, Any]) -> str:
    measure, value = (
        (each.measure, each.value)
        if isinstance(each, Relation)
        else (str(each.get("measure")), float(each["value"]))
    )
    if measure not in ("pearson", "spearman"):
        return "associated"
    return "rise together" if value > 0 else "opposed"


def _title(a: str, b: str, value: float, measure: str) -> str:
    if measure in ("pearson", "spearman") and value < 0:
        return f"{_one(b)} falls as {_one(a)} rises ({value:.2f}): the strongest relation"
    verb = "rise together" if measure in ("pearson", "spearman") else "go together"
    return f"{_one(a)} and {_one(b)} {verb} most ({value:.2f})"


def _names(found: Survey, most: int) -> list[str]:
    """The columns of the strongest pairs, and the target."""
    chosen: dict[str, None] = {}
    if found.target is not None and any(found.target in (each.a, each.b) for each in found.relations):
        chosen[found.target] = None
    for each in found.relations:
        new = [name for name in (each.a, each.b) if name not in chosen]
        if len(chosen) + len(new) <= most:
            chosen.update(dict.fromkeys(new))
    return list(chosen)


def _pairs(found: Survey, names: Sequence[str]) -> tuple[Relation, ...]:
    """Every pair of a few columns, from all rows."""
    all_of_them = Relations(found.table.rows, len(names), seed=found.seed)
    for block in found.table.blocks(names):
        for one in inspect(block, 0)[0]:
            if one.values is None:
                continue
            if one.role == "categorical":
                all_of_them.add_levels(one.name, one.values)
            else:
                all_of_them.add_numbers(one.name, one.values)
    return all_of_them.strongest(len(names) ** 2)


def _ordered(names: Sequence[str], pairs: Sequence[Relation]) -> list[str]:
    """The names with those that go together side by side."""
    place = {name: at for at, name in enumerate(names)}
    apart = np.ones((len(names), len(names)))
    np.fill_diagonal(apart, 0.0)
    for each in pairs:
        a, b = place[each.a], place[each.b]
        apart[a, b] = apart[b, a] = 1 - min(1.0, abs(each.value))
    if len(names) < 3:
        return list(names)
    # few charts need it, and it takes long to import
    clusters = importlib.import_module("scipy.cluster.hierarchy")
    upper = apart[np.triu_indices(len(names), 1)]
    tree = clusters.linkage(upper, "average", optimal_ordering=True)
    return [names[at] for at in clusters.leaves_list(tree)]
