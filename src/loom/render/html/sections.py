"""The sections of a page, in the order in which they are to be read: tables, plots, and facts for the end of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loom.render.html.facts import facts_html, facts_of
from loom.render.html.figures import figures_html
from loom.render.html.markup import Room, lines, prose, text
from loom.render.html.table import Evidence, table_html

SHOWN_SECTIONS = 30
_WHOLE, _TABLE, _CHARTS, _FACTS = 680_000, 250_000, 380_000, 30_000
_CODE, _LINE = 100_000, 2_000


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page that can be jumped to; its title is escaped."""

    place: str
    title: str
    html: str


@dataclass(frozen=True, slots=True)
class Sections:
    """What a page shows between its first screen and its end."""

    shown: list[Section] = field(default_factory=list)
    facts: list[Section] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)


def sections_of(blocks: Any) -> Sections:
    """The blocks that are any, those of unknown kinds as facts."""
    found, room = Sections(), Room(_WHOLE)
    given = blocks if isinstance(blocks, list | tuple) else ()
    for block in [each for each in given if isinstance(each, Mapping)][:SHOWN_SECTIONS]:
        title = text(block.get("title"), 80) or "More"
        name = f"s{len(found.shown) + 1}"
        inner = _drawn(block, name, room, found.evidence)
        if inner is None:
            told = facts_html(facts_of(block), room.part(_FACTS))
            if told and room.fits(told):
                found.facts.append(Section("", title, told))
        elif inner and room.fits(inner):
            note = f'<p class="note">{prose(block["note"], 600)}</p>' if block.get("note") else ""
            head = f'<section id="{name}" aria-labelledby="{name}h"><h2 id="{name}h">{title}</h2>{note}'
            found.shown.append(Section(name, title, f"{head}\n{inner}\n</section>"))
    return found


def _drawn(block: Mapping[str, Any], name: str, room: Room, evidence: Evidence) -> str | None:
    """A table, plots or code; None for what is none of them."""
    if block.get("kind") == "table":
        return "\n".join(table_html(block, name, room.part(_TABLE), evidence))
    if block.get("kind") == "charts":
        return "\n".join(figures_html(block.get("charts"), name, room.part(_CHARTS)))
    if block.get("kind") == "code":
        return f'<pre tabindex="0" aria-labelledby="{name}h"><code>{_code(block.get("code"))}</code></pre>'
    return None


def _code(written: Any) -> str:
    """Text as it was written, line by line; what is too long is cut."""
    if not isinstance(written, str):
        return text(written, _CODE)
    cut = written if len(written) <= _CODE else written[: _CODE - 1] + "…"
    return lines("\n".join(_line(each.expandtabs(4)) for each in cut.splitlines()))


def _line(told: str) -> str:
    return told if len(told) <= _LINE else told[: _LINE - 1] + "…"
