"""Plots as they stand on a page: drawn in place, described in words, with their numbers as a table beneath."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.kernel.errors import LoomError
from loom.render.html.drawing import drawing_of
from loom.render.html.facts import folded
from loom.render.html.markup import Room, plain, prose, text
from loom.render.tables import is_table, label

SHOWN_CHARTS = 24
SHOWN_DATA_ROWS = 60
SHOWN_DATA_COLUMNS = 8
DEEPEST = 40
_HOW = frozenset({"said", "tone", "label"})
_NUMBERS = 16_000
_DRAWING = 160_000
_TROUBLE = (LoomError, ValueError, TypeError, KeyError, OSError, RuntimeError)


def figures_html(charts: Any, name: str, room: Room) -> Iterator[str]:
    """The plots that can be drawn; of one that cannot, its words and its numbers."""
    given = charts if isinstance(charts, Sequence) and not isinstance(charts, str) else ()
    found = [chart for chart in given if isinstance(chart, Mapping)]
    drawn = room.fitting(_figure(chart, f"{name}f{at}") for at, chart in enumerate(found[:SHOWN_CHARTS]))
    if not drawn:
        return
    yield f'<div class="figures{" one" if len(drawn) == 1 else ""}">'
    yield from drawn
    yield "</div>"
    left = len(found) - len(drawn)
    if left:
        yield f'<p class="more">{left} more plot{"s" * (left > 1)} not shown here</p>'


def _figure(chart: Mapping[str, Any], name: str) -> str:
    title, alt = text(chart.get("title"), 160), prose(chart.get("alt"), 800)
    spec = chart.get("spec")
    drawing = _drawing(spec, name, plain(chart.get("title") or chart.get("alt") or "a plot", 400))
    numbers = "".join(_numbers(spec, title)) if isinstance(spec, Mapping) else ""
    source = f'<p class="source">{text(chart["source"], 200)}</p>' if chart.get("source") else ""
    under = (folded("Numbers", numbers) if numbers and len(numbers) <= _NUMBERS else "") + source
    return (
        f'<figure id="{name}">'
        + (f"<h3>{title}</h3>" if title else "")
        + (f'<div class="plot">{drawing}</div>' if drawing else "")
        + (f"<figcaption>{alt}</figcaption>" if alt else "")
        + (f'<div class="under">{under}</div>' if under else "")
        + "</figure>"
    )


def _drawing(spec: Any, name: str, told: str) -> str:
    if not isinstance(spec, Mapping) or _is_deep(spec):
        return ""
    # most pages have no plots, and what draws them takes longer to load than a page takes to write
    pictures = importlib.import_module("loom.science.pictures")
    try:
        drawn = drawing_of(pictures.svg(spec, theme="card"), name, told)
    except _TROUBLE:
        return ""
    return drawn if len(drawn.encode()) <= _DRAWING else ""


def _numbers(spec: Mapping[str, Any], title: str) -> Iterator[str]:
    """What is plotted, as tables: each once, without what only says how it is drawn."""
    told: list[list[dict[str, Any]]] = []
    for data in _data_of(spec, DEEPEST):
        rows = [{str(key): row[key] for key in row if key not in _HOW} for row in data]
        if rows in told or not any(rows):
            continue
        told.append(rows)
        shown = rows[:SHOWN_DATA_ROWS]
        keys = list(dict.fromkeys(key for row in shown for key in row))[:SHOWN_DATA_COLUMNS]
        heads = "".join(f'<th scope="col">{text(label(key), 60)}</th>' for key in keys)
        yield f'<div class="scroll" role="region" aria-label="Numbers: {title}" tabindex="0"><table>'
        yield f'<caption class="unseen">Numbers: {title}</caption><thead><tr>{heads}</tr></thead><tbody>'
        for row in shown:
            yield f"<tr>{''.join(f'<td>{text(row.get(key), 80)}</td>' for key in keys)}</tr>"
        yield "</tbody></table></div>"
        if len(rows) > len(shown):
            yield f'<p class="more">{len(rows) - len(shown):,} more rows</p>'


def _data_of(spec: Any, deep: int) -> Iterator[list[Mapping[str, Any]]]:
    """Every table of data in a spec, those of its layers and parts as well."""
    if not isinstance(spec, Mapping) or not deep:
        return
    data = spec.get("data")
    values = data.get("values") if isinstance(data, Mapping) else None
    if isinstance(values, list) and is_table(values):
        yield values
    for key in ("layer", "hconcat", "vconcat", "concat"):
        parts = spec.get(key)
        for part in parts if isinstance(parts, list | tuple) else ():
            yield from _data_of(part, deep - 1)
    yield from _data_of(spec.get("spec"), deep - 1)


def _is_deep(value: Any, left: int = DEEPEST) -> bool:
    """Whether something is nested deeper than whatever draws it can be trusted to follow."""
    if not isinstance(value, Mapping | list | tuple):
        return False
    inner = value.values() if isinstance(value, Mapping) else value
    return left == 0 or any(_is_deep(each, left - 1) for each in inner)
