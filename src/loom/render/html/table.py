"""A table of a page: cells by their kind, as many rows as there is room for, each of which can be linked to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loom.render.html.markup import Room, counted, number, percent, plain, text, tone
from loom.render.html.spark import meter, spark
from loom.render.tables import has_value, label

SHOWN_ROWS = 400
SHOWN_COLUMNS = 20
SHOWN_TAGS = 6
_KINDS = ("text", "code", "number", "share", "score", "spark", "tags")
_TO_RIGHT = ("number", "share", "score")
_SHORT, _LONG = 14, 90
_FILTERED = 20


@dataclass(slots=True)
class Evidence:
    """Where on the page each thing is shown that a reason may speak of."""

    places: dict[str, str] = field(default_factory=dict)

    def add(self, name: Any, place: str) -> None:
        """Note that something is shown there; what comes first stands."""
        if isinstance(name, str) and name:
            self.places.setdefault(plain(name), place)

    def of(self, *names: Any) -> str | None:
        """Where the first of these is shown that is."""
        found = (self.places.get(plain(name)) for name in names if isinstance(name, str))
        return next((place for place in found if place), None)


@dataclass(frozen=True, slots=True)
class _Column:
    key: str
    label: str
    kind: str


def table_html(block: Mapping[str, Any], name: str, room: Room, evidence: Evidence) -> Iterator[str]:
    """A table block; rows that are none are left out, cells that do not fit their kind are shown as they are."""
    given = block.get("rows")
    rows = (
        [row for row in given if isinstance(row, Mapping)]
        if isinstance(given, Sequence) and not isinstance(given, str)
        else []
    )
    columns = _columns(block.get("columns"), rows)
    if not rows or not columns:
        yield '<p class="none">Nothing to list.</p>'
        return
    written = room.fitting(_row(row, columns, f"{name}r{at}") for at, row in enumerate(rows[:SHOWN_ROWS]))
    for at, row in enumerate(rows[: len(written)]):
        # a column is named in its row; where two keys could name it, the usual one does
        for key in ("column", "name", "feature", columns[0].key):
            evidence.add(row.get(key), f"{name}r{at}")
    title = text(block.get("title"), 120) or "Table"
    heads = "".join(
        f'<th scope="col"{_side(column.kind)} data-kind="{column.kind}">{text(column.label, 60)}</th>'
        for column in columns
    )
    filtered = f' data-filter="{len(written)}"' if len(written) > _FILTERED else ""
    yield f'<div class="scroll" role="region" aria-label="{title}" tabindex="0"{filtered}><table>'
    yield f'<caption class="unseen">{title}</caption><thead><tr>{heads}</tr></thead><tbody>'
    yield from written
    yield "</tbody></table></div>"
    left = len(rows) - len(written)
    if left:
        yield f'<p class="more">{left:,} more row{"s" * (left > 1)} not shown here</p>'


def _columns(given: Any, rows: Sequence[Mapping[str, Any]]) -> list[_Column]:
    """The declared columns that have a cell; of tables that declare none, the keys of their rows."""
    declared = given if isinstance(given, Sequence) and not isinstance(given, str) else ()
    found = [
        _Column(each["key"], plain(each.get("label")) or label(each["key"]), _kind(each.get("kind")))
        for each in declared
        if isinstance(each, Mapping) and isinstance(each.get("key"), str)
    ]
    if not found:
        keys = dict.fromkeys(str(key) for row in rows[:SHOWN_ROWS] for key in list(row)[:SHOWN_COLUMNS])
        found = [_Column(key, label(key), "text") for key in keys]
    used = [
        column
        for at, column in enumerate(found)
        if at == 0 or any(has_value(row.get(column.key)) for row in rows[:SHOWN_ROWS])
    ]
    return used[:SHOWN_COLUMNS]


def _kind(value: Any) -> str:
    return value if isinstance(value, str) and value in _KINDS else "text"


def _side(kind: str) -> str:
    return ' class="right"' if kind in _TO_RIGHT else ""


def _row(row: Mapping[str, Any], columns: Sequence[_Column], place: str) -> str:
    cells = []
    for at, column in enumerate(columns):
        tag, scope = ("th", ' scope="row"') if at == 0 else ("td", "")
        cells.append(f"<{tag}{scope}{_cell(column, row.get(column.key))}</{tag}>")
    return f'<tr id="{place}">{"".join(cells)}</tr>\n'


def _cell(column: _Column, value: Any) -> str:
    """The rest of an opening tag and what stands in the cell."""
    kind = column.kind
    if not has_value(value):
        return f"{_side(kind)}>"
    known = number(value)
    if kind in _TO_RIGHT and known is not None:
        return f' class="right" data-v="{known:.6g}">{_measured(column.kind, known, value, column.key)}'
    if kind == "tags":
        return f' class="tags">{_tags(value)}'
    if kind == "spark":
        return f' class="drawn">{spark(value)}'
    inner = f"<code>{text(value)}</code>" if kind == "code" else text(value)
    told = plain(value)
    if len(told) > _LONG:
        return f' class="long"><span title="{text(value)}">{inner}</span>'
    wide = ' class="words"' if kind == "text" and len(told) > _SHORT else _side(kind)
    return f"{wide}>{inner}"


def _measured(kind: str, known: float, value: Any, name: str) -> str:
    if kind == "share":
        if known == 0:
            return '<span class="nil">0%</span>'
        return f"{meter(known)}<span>{text(percent(known))}</span>"
    if kind == "score":
        told = f"{known:.3f}" if abs(known) < 1000 else text(value)
        return f"{meter(known) if 0 <= known <= 1 else ''}<span>{told}</span>"
    return '<span class="nil">0</span>' if known == 0 else text(counted(value, name))


def _tags(value: Any) -> str:
    given = list(value) if isinstance(value, list | tuple) else [value]
    drawn = [_tag(each) for each in given[:SHOWN_TAGS] if has_value(each)]
    if len(given) > SHOWN_TAGS:
        drawn.append(f'<span class="more">+{len(given) - SHOWN_TAGS}</span>')
    return " ".join(drawn)


def _tag(value: Any) -> str:
    if isinstance(value, Mapping):
        return f'<span class="tag {tone(value.get("tone"))}">{text(value.get("text"), 40)}</span>'
    return f'<span class="tag calm">{text(value, 40)}</span>'
