"""The report as a page: the same cells, with the plots that the runs have the numbers for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loom.tools.card import Block, banner, card, charts, column, number, table

from ._material import Material
from ._parts import NOTHING, Cell, Cited, Code, Document, Section, Table, cited_in

_MOST_SECTIONS = 28


def page_of(document: Document, material: Material) -> Block:
    """Key numbers, the sections as tables, and the banner of the run that is reported on."""
    # what draws takes longer to load than everything else takes to write
    drawn = importlib.import_module("._pictures", __package__).pictures(material)
    blocks: list[Block] = []
    for section in document.sections:
        blocks += _section(section)
        if section.key in drawn:
            blocks.append(charts(f"{section.title}, drawn", drawn[section.key]))
    tiles = [
        number(
            tile["label"],
            words(tile["value"]),
            note=words(tile.get("note") or NOTHING) or None,
            tone=tile.get("tone"),
        )
        for tile in document.numbers
    ]
    head = material.head
    about = banner(str(head.facts["verdict"]), head.name, head.facts["reasons"]) if head is not None else None
    return card(numbers=tiles, sections=blocks[:_MOST_SECTIONS], banner=about)


def placed(page: Block, where: Path | None) -> Block:
    """The page of the run, which also says under which name the report was written."""
    tiles = [*page["numbers"], *([number("written to", where.name)] if where is not None else [])]
    return {**page, "numbers": tiles}


def _section(section: Section) -> Iterator[Block]:
    said = " ".join(words(each) for each in section.said) or None
    tables = [each for each in section.tables if each.rows]
    for at, each in enumerate(tables):
        title = section.title if at == 0 else each.title
        yield _table(title, each, said if at == 0 else None)
    if said and not tables:
        yield table(section.title, [column("said", "what was found")], [{"said": said}])


def _table(title: str, of: Table, note: str | None) -> Block:
    rows = [
        {key: words(row.get(key, NOTHING)) or None for key in of.columns} | {"from": _from(of, row)}
        for row in of.rows
    ]
    columns = [column(key, head, _kind(of, key)) for key, head in of.columns.items()]
    return table(title, [*columns, column("from", "read from", "code")], rows, note=note)


def _kind(of: Table, key: str) -> Any:
    if key.endswith("#"):
        return "number"
    cells = [row[key] for row in of.rows if row.get(key)]
    return "code" if cells and all(isinstance(part, Code) for found in cells for part in found) else "text"


def _from(of: Table, row: Mapping[str, Cell]) -> str | None:
    """Where the numbers of a row were read: the run, and what their places have in common."""
    cited = [each for found in of.cells(row) for each in cited_in(found)]
    if not cited:
        return None
    if len({each.pathspec for each in cited}) > 1:
        return ", ".join(dict.fromkeys(each.pathspec for each in cited))
    first, *others = [each.path.split("/") for each in cited]
    shared = [
        part for at, part in enumerate(first) if all(first[: at + 1] == path[: at + 1] for path in others)
    ]
    return f"{cited[0].pathspec}#{'/'.join(shared)}"


def words(found: Cell) -> str:
    """A cell as plain text."""
    return "".join(map(_word, found))


def _word(part: str | Code | Cited) -> str:
    # names stand in backticks for those who read Markdown
    return (
        part
        if isinstance(part, str)
        else part.text
        if isinstance(part, Code)
        else part.shown.replace("`", "")
    )
