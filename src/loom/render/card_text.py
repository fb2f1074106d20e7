"""The page of a run on a terminal: its key numbers, and the beginning of its tables, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.render.tables import has_value, pairs, table, value_text

SHOWN_ROWS = 12
SHOWN_TABLES = 4
_LONGEST = 44
# a terminal shows what can be read; pictures are on the page
_UNSHOWN = ("spark",)


def card_blocks(card: Mapping[str, Any], paint: Mapping[str, str], width: int) -> Iterator[list[str]]:
    """The blocks of a card that can be read on a terminal; whatever is not laid out as one is left out."""
    numbers = [each for each in _list(card.get("numbers")) if has_value(each.get("value"))]
    yield pairs({str(each.get("label")): _number(each) for each in numbers}, paint, width)
    sections = _list(card.get("sections"))
    tables = [
        section for section in sections if section.get("kind") == "table" and _list(section.get("rows"))
    ]
    for section in tables[:SHOWN_TABLES]:
        title = f"{paint['bold']}{clean(str(section.get('title') or ''))}{paint['off']}"
        yield [title, *_table(section, paint, width)]
    plots = sum(len(_list(section.get("charts"))) for section in sections)
    left = [f"{plots} plots"] if plots > 1 else ["a plot"] if plots else []
    left += [str(section.get("title")) for section in sections if section.get("kind") == "code"]
    left += [f"{len(tables) - SHOWN_TABLES} more tables"] if len(tables) > SHOWN_TABLES else []
    if left:
        yield [f"{paint['dim']}{clean(' and '.join(left))} on the card{paint['off']}"]


def _table(section: Mapping[str, Any], paint: Mapping[str, str], width: int) -> list[str]:
    columns = [each for each in _list(section.get("columns")) if each.get("kind") not in _UNSHOWN]
    rows = [
        {str(each.get("label")): _cell(row.get(str(each.get("key"))), each.get("kind")) for each in columns}
        for row in _list(section.get("rows"))
    ]
    return table(rows, paint, width, most=SHOWN_ROWS, rest="all are on the card")


def _cell(value: Any, kind: Any) -> Any:
    if isinstance(value, Mapping):
        value = value.get("value")
    if kind == "share" and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.0%}" if value == 0 or value >= 0.01 else f"{value:.1%}"
    if kind == "tags" or isinstance(value, list | tuple):
        return ", ".join(str(each.get("text")) for each in _list(value))
    text = value if not isinstance(value, str) else " ".join(value.split())
    return text if not isinstance(text, str) or len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _number(each: Mapping[str, Any]) -> str:
    note = each.get("note")
    return value_text(each["value"]) + (f"  ({note})" if note else "")


def _list(value: Any) -> Sequence[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []
