"""Names with their values, and what only some want to see, folded behind its title."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loom.render.html.markup import Room, prose, text
from loom.render.tables import has_value, label

SHOWN_FACTS = 80
_LONGEST = 1_000


def facts_html(facts: Iterable[tuple[Any, Any]], room: Room) -> str:
    """The facts that have a value, as many as there is room for."""
    shown = [(name, value) for name, value in facts if has_value(value)][:SHOWN_FACTS]
    written = room.fitting(
        f"<dt>{text(label(name), 80)}</dt><dd>{prose(value, _LONGEST)}</dd>" for name, value in shown
    )
    return f'<dl class="facts">{"".join(written)}</dl>' if written else ""


def facts_of(block: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """What a block of facts tells; of a block of a kind that nobody knows, everything it says."""
    told = block.get("facts")
    if isinstance(told, Mapping):
        return list(told.items())
    return [(name, value) for name, value in block.items() if name not in ("kind", "title")]


def folded(title: str, inner: str, *, is_open: bool = False, prints: bool = True) -> str:
    """Something behind its title, an escaped text; on paper it is open unless it is not meant for paper."""
    kind = ' class="print"' if prints else ""
    return f"<details{kind}{' open' if is_open else ''}><summary>{title}</summary>{inner}</details>"
