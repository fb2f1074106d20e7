"""The parts that charts are put together from: bars with their figures, lines at thresholds, colours of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.science.charts.chart import Spec

STEP = 24
TONES = {"bad": "@bad", "wary": "@wary", "fine": "@fine", "calm": "@accent", "rest": "@rest"}
PALETTE = ("@class-1", "@class-2", "@class-3", "@class-4", "@class-5", "@class-6")
# what a mark says when it is pointed at, or read aloud
SAID: Spec = {
    "tooltip": {"field": "said", "type": "nominal"},
    "description": {"field": "said", "type": "nominal"},
}


def values(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """The few numbers of a chart, inside it."""
    return {"values": [dict(row) for row in rows]}


def by_tone(field: str = "tone") -> Spec:
    """Colours that judge."""
    return {
        "field": field,
        "type": "nominal",
        "legend": None,
        "scale": {"domain": list(TONES), "range": list(TONES.values())},
    }


def by_class(field: str, classes: Sequence[str], *, rest: str | None = None, legend: bool = True) -> Spec:
    """Colours that tell classes apart; `rest` is the one that holds all others."""
    named = [each for each in classes if each != rest]
    colours = [PALETTE[at % len(PALETTE)] for at in range(len(named))]
    spec: Spec = {
        "field": field,
        "type": "nominal",
        "sort": None,
        "scale": {
            "domain": [*named, *([rest] if rest is not None else [])],
            "range": [*colours, *(["@rest"] if rest is not None else [])],
        },
    }
    return spec if legend else spec | {"legend": None}


def names_down(field: str = "name") -> Spec:
    """Names at the left, in the order of the data."""
    return {"field": field, "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 175}}


def across(
    field: str,
    title: str | None,
    *,
    form: str | None = None,
    domain: Sequence[float] | None = None,
    zero: bool = True,
    axis: bool = True,
) -> Spec:
    """Numbers from left to right; without an axis where every mark says its own."""
    scale: Spec = {"zero": zero, "nice": domain is None}
    if domain is not None:
        scale["domain"] = list(domain)
    drawn: Spec | None = {"title": title, **({"format": form} if form else {})} if axis else None
    return {"field": field, "type": "quantitative", "scale": scale, "axis": drawn}


def bars(
    rows: Sequence[Mapping[str, Any]],
    *,
    most: float,
    title: str | None = None,
    colour: Spec | None = None,
) -> Spec:
    """A bar per row of `name`, `value`, `label` and `said`, with its label behind it: no axis to look up."""
    place = {"y": names_down()}
    # a fifth of the width is for the labels behind the longest bar
    reach = across("value", title, domain=(0, most * 1.2 or 1.0), axis=False)
    return {
        "height": {"step": STEP},
        "data": values(rows),
        "encoding": place,
        "layer": [
            {
                "mark": {"type": "bar", "tooltip": True, "minBandSize": 3},
                "encoding": {"x": reach, "color": colour or {"value": "@accent"}, **SAID},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5, "aria": False},
                "encoding": {"x": reach, "text": {"field": "label"}},
            },
        ],
    }


def lollipops(reach: Spec, *, least: float = 0.0, label: bool = False) -> list[Spec]:
    """A dot per row of `name`, `value`, `tone` and `said` at the end of a thin bar; its `label` behind it."""
    place = {"y": names_down()}
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "height": 2, "cornerRadiusEnd": 0, "opacity": 0.5, "aria": False},
            "encoding": {**place, "x": reach, "x2": {"datum": least}, "color": by_tone()},
        },
        {
            "mark": {"type": "point", "size": 80, "tooltip": True},
            "encoding": {**place, "x": reach, "color": by_tone(), **SAID},
        },
    ]
    if label:
        layers.append(
            {
                "mark": {"type": "text", "align": "left", "dx": 8, "aria": False},
                "encoding": {**place, "x": reach, "text": {"field": "label"}},
            }
        )
    return layers


def line_at(
    reach: Spec, value: float, label: str, colour: str = "@muted", *, align: str = "center"
) -> list[Spec]:
    """A dashed line down the chart at a threshold, on the scale of the rest, with its name above it."""
    scaled = {key: each for key, each in reach.items() if key != "field"}
    at = {"x": {**scaled, "datum": value}}
    return [
        {
            "data": {"values": [{"line": label, "at": value}]},
            "mark": {"type": "rule", "strokeDash": [3, 3], "color": colour, "aria": False},
            "encoding": at,
        },
        {
            "data": {"values": [{"line": label, "at": value}]},
            "mark": {
                "type": "text",
                "text": label,
                "baseline": "bottom",
                "dy": -3,
                "align": align,
                "color": colour,
                "aria": False,
            },
            "encoding": {**at, "y": {"value": 0}},
        },
    ]


def heat(
    rows: Sequence[Mapping[str, Any]], down: Sequence[str], along: Sequence[str], colours: Mapping[str, str]
) -> Spec:
    """A square per row of `a`, `b`, `value` (0 to 1), `kind`, `label` and `said`: the stronger, the fuller."""
    kinds = [kind for kind in colours if any(row["kind"] == kind for row in rows)]
    legend: Spec = {"legend": None} if len(colours) < 2 else {}
    place: Spec = {
        "y": {"field": "a", "type": "nominal", "sort": None, "title": None, "scale": {"domain": list(down)}},
        "x": {
            "field": "b",
            "type": "nominal",
            "sort": None,
            "title": None,
            "scale": {"domain": list(along)},
            "axis": {"labelAngle": -40, "labelLimit": 110, "domain": False},
        },
    }
    return {
        "height": {"step": STEP + 2},
        "data": values(rows),
        "encoding": place,
        "config": {"scale": {"bandPaddingInner": 0.06, "bandPaddingOuter": 0}},
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 2, "tooltip": True},
                "encoding": {
                    "color": {
                        "field": "kind",
                        "type": "nominal",
                        "sort": None,
                        "scale": {"domain": kinds, "range": [colours[kind] for kind in kinds]},
                        **legend,
                    },
                    "fillOpacity": {
                        "field": "value",
                        "type": "quantitative",
                        "scale": {"domain": [0, 1], "range": [0.06, 0.8]},
                        "legend": None,
                    },
                    **SAID,
                },
            },
            {
                "mark": {"type": "text", "fontSize": 9, "color": "@ink", "aria": False},
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }
