"""A search as a chart: every candidate where it came to lie, what it was made from, and how the best one rose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.science.charts.chart import Chart, figure, framed
from loom.science.charts.drawing import SAID, by_class, values

_MOST = 400
_FAMILIES = 5
_REST = "other"


def search_tree(
    nodes: Sequence[Mapping[str, Any]], of: str, *, metric: str, higher_is_better: bool
) -> Chart | None:
    """The candidates in the order in which they were tried, each joined to what it was made from; None without a score.

    A node has `node`, `parents`, `operator`, `family`, `first` (its score on the rows that all were tried on, none
    where it has none), and perhaps `note`, `why` it failed, and `champion`.
    """
    ran = [
        {**each, "score": each["first"]}
        for each in nodes
        if isinstance(each.get("first"), int | float) and not each.get("why")
    ]
    if len(ran) < 2:
        return None
    sign = 1 if higher_is_better else -1
    scored = _chosen(ran, sign)
    best = max(scored, key=lambda each: (bool(each.get("champion")), sign * each["score"]))
    low, high = _window([each["score"] for each in scored], higher_is_better=higher_is_better)
    drawn = [_drawn(each, low, high, _families(scored)) for each in scored]
    failed = sum(bool(each.get("why")) for each in nodes)
    title = f"{best['family']} leads after {len(nodes):,} candidates"
    below = len(ran) - sum(low <= each["score"] <= high for each in scored)
    note = (
        f"{metric} on rows the candidate has not seen, {'higher' if higher_is_better else 'lower'} is better"
    )
    note += f"; {failed:,} failed" if failed else ""
    note += f"; {below:,} are worse than what is drawn" if below else ""
    alt = f"{title}. {len(ran):,} candidates in the order in which they were tried: {_rise(scored, sign)}."
    return framed(
        "search",
        title,
        alt,
        of,
        _layers(drawn, _links(drawn), _best(scored, sign, low, high), (low, high)),
        note=note,
    )


def _chosen(ran: list[dict[str, Any]], sign: int) -> list[dict[str, Any]]:
    """As many as can be drawn, in their order: the champion, those that led once, and the best of the others."""
    led = {each["node"] for each in _records(ran, sign)}
    first = sorted(
        ran, key=lambda each: (not each.get("champion"), each["node"] not in led, -sign * each["score"])
    )
    kept = {each["node"] for each in first[:_MOST]}
    return [each for each in ran if each["node"] in kept]


def _layers(
    drawn: list[dict[str, Any]],
    links: list[dict[str, Any]],
    best: list[dict[str, Any]],
    ends: tuple[float, float],
) -> dict[str, Any]:
    across = {
        "field": "at",
        "type": "quantitative",
        "title": "candidate",
        "scale": {"nice": False, "domain": [0, max(each["at"] for each in drawn) + 1]},
        "axis": {"format": "~d", "tickMinStep": 1},
    }
    up = {
        "field": "score",
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False, "nice": False, "domain": list(ends)},
    }
    names = list(dict.fromkeys(each["family"] for each in drawn))
    rest = _REST if _REST in names else None
    return {
        "height": 240,
        "layer": [
            {
                "data": values(best),
                "mark": {
                    "type": "line",
                    "interpolate": "step-after",
                    "color": "@muted",
                    "strokeWidth": 1,
                    "aria": False,
                },
                "encoding": {"x": across, "y": up},
            },
            {
                "data": values(links),
                "mark": {"type": "rule", "color": "@line", "strokeWidth": 1, "aria": False},
                "encoding": {
                    "x": {**across, "field": "from"},
                    "x2": {"field": "to"},
                    "y": {**up, "field": "low"},
                    "y2": {"field": "high"},
                },
            },
            {
                "data": values(drawn),
                "mark": {"type": "point", "filled": True, "size": 48, "opacity": 0.9, "tooltip": True},
                "encoding": {"x": across, "y": up, "color": by_class("family", names, rest=rest), **SAID},
            },
        ],
    }


def _window(scores: Sequence[float], *, higher_is_better: bool) -> tuple[float, float]:
    """The scores that are drawn: the better three quarters with some air; what is far off would press them together."""
    ranked = sorted(scores, reverse=higher_is_better)
    near = ranked[: max(2, round(0.75 * len(ranked)))]
    low, high = min(near), max(near)
    air = 0.08 * (high - low) or abs(high) * 0.01 or 0.01
    return low - air, high + air


def _families(scored: Sequence[Mapping[str, Any]]) -> list[str]:
    """The families that get a colour of their own: those that were tried most."""
    counts: dict[str, int] = {}
    for each in scored:
        counts[each["family"]] = counts.get(each["family"], 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))[:_FAMILIES]


def _drawn(node: Mapping[str, Any], low: float, high: float, families: Sequence[str]) -> dict[str, Any]:
    family = str(node["family"])
    made = f", {node['note']}" if node.get("note") else ""
    return {
        "at": node["node"],
        "score": min(max(float(node["score"]), low), high),
        "family": family if family in families else _REST,
        "parents": list(node.get("parents") or ()),
        "said": f"{node['node']}: {family} ({node['operator']}{made}) {figure(node['score'])}",
    }


def _links(drawn: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_number = {each["at"]: each for each in drawn}
    return [
        {
            "from": by_number[parent]["at"],
            "to": each["at"],
            "low": by_number[parent]["score"],
            "high": each["score"],
        }
        for each in drawn
        for parent in each["parents"]
        if parent in by_number
    ]


def _best(scored: Sequence[Mapping[str, Any]], sign: int, low: float, high: float) -> list[dict[str, Any]]:
    """The best score so far, candidate by candidate."""
    rows: list[dict[str, Any]] = []
    best: float | None = None
    for each in scored:
        best = each["score"] if best is None or sign * each["score"] > sign * best else best
        rows.append({"at": each["node"], "score": min(max(best, low), high)})
    return rows


def _rise(scored: Sequence[Mapping[str, Any]], sign: int) -> str:
    """The latest of those that led, in words."""
    led = _records(scored, sign)
    return "; ".join(f"{each['family']} {figure(each['score'])} at {each['node']}" for each in led[-6:])


def _records(scored: Sequence[Mapping[str, Any]], sign: int) -> list[Mapping[str, Any]]:
    """Those that were better than all before them."""
    led: list[Mapping[str, Any]] = []
    for each in scored:
        if not led or sign * each["score"] > sign * led[-1]["score"]:
            led.append(each)
    return led
