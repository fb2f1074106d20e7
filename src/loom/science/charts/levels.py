"""How the rows of a column fall into levels, for all rows or for each class of the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.core.column_names import spoken
from loom.science.charts.answers import Answer, counts_of, texts_of
from loom.science.charts.chart import Chart, framed, labels, may_draw, percent, slug
from loom.science.charts.drawing import SAID, bars, by_class, values
from loom.science.charts.notes import beside
from loom.science.disclosure import LONGEST_LEVEL, may_show_level
from loom.science.profile.inspection import Inspected

_MOST_LEVELS = 8


def level_bars(one: Inspected, cells: pl.Series, of: str, split: Answer | None = None) -> Chart | None:
    """The bars of a column of levels; None where none may be named, or only one is there."""
    texts = texts_of(cells.fill_nan(None) if cells.dtype.is_float() else cells)
    rows = len(texts)
    counts = counts_of(texts)
    named = [level for level, count in counts.head(_MOST_LEVELS).iter_rows() if may_show_level(count, rows)]
    if not named:
        return None
    if split is not None and (chart := _levels_by_class(one, texts, named, of, split)) is not None:
        return chart
    return _levels_of_all(one, counts, named, of) if len(counts) > 1 else None


def _levels_of_all(one: Inspected, counts: pl.DataFrame, named: list[str], of: str) -> Chart:
    present = int(counts["count"].sum())
    how_often = dict(counts.iter_rows())
    shares = [(label, how_often[level]) for label, level in zip(_labels(named), named, strict=True)]
    rest = present - sum(count for _, count in shares)
    others = len(counts) - len(named)
    if may_draw(rest):
        shares.append((f"{others:,} other{'s' * (others > 1)}", rest))
    drawn: list[dict[str, Any]] = [
        {
            "name": label,
            "value": round(count / present, 4),
            "label": percent(count / present),
            "said": f"{label}: {percent(count / present)}",
            "tone": "calm" if at < len(named) else "rest",
        }
        for at, (label, count) in enumerate(shares)
    ]
    name = spoken(one.name)
    title = f"{name}: {drawn[0]['label']} are {drawn[0]['name']}"
    alt = f"Bars of the levels of {name}: {'; '.join(str(row['said']) for row in drawn)}."
    most = max(count for _, count in shares) / present
    note = f"share of the rows{beside(one)}"
    drawing = bars(drawn, most=most, colour=_calm_or_rest())
    return framed(slug("distribution", one.name), title, alt, of, drawing, note=note)


def _calm_or_rest() -> dict[str, Any]:
    return {
        "field": "tone",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["calm", "rest"], "range": ["@accent", "@rest"]},
    }


def _labels(named: Sequence[str]) -> list[str]:
    return labels([level[:LONGEST_LEVEL] for level in named], 26)


def _levels_by_class(
    one: Inspected, texts: pl.Series, named: list[str], of: str, split: Answer
) -> Chart | None:
    """Levels side by side per class; a level of which some class has a few rows only goes with the others."""
    table = _crossed(texts, named, split)
    sizes = table.sum(axis=0)
    drawn_classes = [at for at, size in enumerate(sizes) if may_draw(int(size))]
    shown = [
        at
        for at in range(len(named))
        if all(table[at, c] == 0 or may_draw(int(table[at, c])) for c in drawn_classes)
    ]
    if len(drawn_classes) < 2 or not shown:
        return None
    rest = sizes - table[shown].sum(axis=0)
    if len(shown) < 2 and not rest.sum():
        return None
    lines = [
        (label, table[at]) for label, at in zip(_labels([named[at] for at in shown]), shown, strict=True)
    ]
    if all(rest[c] == 0 or may_draw(int(rest[c])) for c in drawn_classes) and rest[drawn_classes].sum():
        lines.append(("all others", rest))
    rows: list[dict[str, Any]] = [
        {
            "name": label,
            "class": split.classes[c],
            "value": round(float(counts[c] / sizes[c]), 4),
            "label": percent(float(counts[c] / sizes[c])),
            "said": f"{label}: {percent(float(counts[c] / sizes[c]))} of {split.classes[c]}",
        }
        for label, counts in lines
        for c in drawn_classes
    ]
    name, target = spoken(one.name), spoken(split.name)
    title = _title_of_levels(name, target, rows, [split.classes[c] for c in drawn_classes], split.rest)
    alt = f"Bars of the levels of {name} by {target}: {'; '.join(str(row['said']) for row in rows[:8])}."
    classes = [split.classes[c] for c in drawn_classes]
    note = f"share of the rows of each class of {target}{beside(one)}"
    drawing = _grouped(rows, by_class("class", classes, rest=split.rest), max(row["value"] for row in rows))
    return framed(slug("distribution", one.name), title, alt, of, drawing, note=note)


def _crossed(texts: pl.Series, named: list[str], split: Answer) -> NDArray[np.int64]:
    """Rows per level and class; the last line is of all levels that are not named."""
    known = pl.DataFrame({"level": named, "at": np.arange(len(named), dtype=np.int16)})
    frame = pl.DataFrame({"level": texts, "class": split.codes}).drop_nulls("level")
    counts = (
        frame.filter(pl.col("class") >= 0)
        .join(known, on="level", how="left")
        .group_by("at", "class")
        .len()
        .with_columns(pl.col("at").fill_null(len(named)))
    )
    table = np.zeros((len(named) + 1, len(split.classes)), np.int64)
    for at, code, count in counts.iter_rows():
        table[at, code] = count
    return table


def _title_of_levels(
    name: str, target: str, rows: Sequence[dict[str, Any]], classes: Sequence[str], rest: str | None
) -> str:
    """The level whose share differs most between two classes."""
    compared = [each for each in classes if each != rest] or list(classes)
    by_level: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["name"] != "all others" and row["class"] in compared:
            by_level.setdefault(row["name"], {})[row["class"]] = row["value"]
    gaps = {level: max(of.values()) - min(of.values()) for level, of in by_level.items()}
    level = max(gaps, key=lambda each: gaps[each])
    shares = by_level[level]
    high, low = max(shares, key=lambda each: shares[each]), min(shares, key=lambda each: shares[each])
    if gaps[level] < 0.02:
        return f"{name} is spread alike over the classes of {target}"
    return (
        f"{name} is {level} in {percent(shares[high])} of {target} = {high}, {percent(shares[low])} of {low}"
    )


def _grouped(rows: Sequence[dict[str, Any]], colour: dict[str, Any], most: float) -> dict[str, Any]:
    x = {
        "field": "value",
        "type": "quantitative",
        "axis": None,
        "stack": None,
        "scale": {"domain": [0, most * 1.2], "nice": False},
    }
    y = {"field": "name", "type": "nominal", "sort": None, "title": None, "scale": {"paddingInner": 0.3}}
    offset = {"field": "class", "sort": None, "scale": {"paddingInner": 0.1}}
    return {
        "height": {"step": 15, "for": "offset"},
        "data": values(rows),
        "encoding": {"y": y, "yOffset": offset},
        "layer": [
            {
                "mark": {"type": "bar", "tooltip": True},
                "encoding": {"x": x, "color": colour, **SAID},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 10, "aria": False},
                "encoding": {"x": x, "text": {"field": "label"}},
            },
        ],
    }
