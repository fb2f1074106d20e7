"""The report as Markdown: every line with numbers ends in a reference to where they were read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ._parts import NOTHING, Cell, Cited, Code, Document, Section, Table, cited_in

_SPECIAL = re.compile(r"([\\*_<>\[\]|~#])")
_SPACE = re.compile(r"\s+")
_SEVERAL = re.compile(r"`+")


@dataclass(slots=True)
class Markdown:
    """A text as it grows, with the citations in it in their order."""

    lines: list[str] = field(default_factory=list)
    citations: list[Cited] = field(default_factory=list)
    notes: dict[tuple[str, ...], int] = field(default_factory=dict)

    def write(self, document: Document) -> str:
        """The whole text."""
        self.lines += [f"# {plain(document.title)}", ""]
        tiles = [
            {"what": (str(tile["label"]),), "is": tile["value"], "note": tile["note"]}
            for tile in ({"note": NOTHING, **tile} for tile in document.numbers)
        ]
        self._table(Table("", {"what": "at a glance", "is": "value", "note": "note"}, tiles))
        for section in document.sections:
            self._section(section)
        self.lines += ["## Read from", ""]
        for addresses, number in self.notes.items():
            self.lines.append(f"[^{number}]: {', '.join(map(code, _gathered(addresses)))}")
        return "\n".join(self.lines) + "\n"

    def _section(self, section: Section) -> None:
        self.lines += [f"## {section.title}", ""]
        for said in section.said:
            self.lines += [self._cell(said) + self._note([said]), ""]
        for at, table in enumerate(section.tables):
            # the first table of a section is what its heading promises
            self.lines += [f"### {escaped(table.title)}", ""] if at else []
            self._table(table)

    def _table(self, table: Table) -> None:
        """The columns that have a cell, and where each row was read."""
        if not table.rows:
            return
        used = [key for key in table.columns if any(row.get(key) for row in table.rows)]
        heads = [escaped(table.columns[key]) for key in used]
        self.lines.append(_line([*heads, "from"]))
        self.lines.append(_line([*("---:" if key.endswith("#") else "---" for key in used), "---"]))
        for row in table.rows:
            cells = [row.get(key, NOTHING) for key in used]
            self.lines.append(_line([*map(self._cell, cells), self._note(cells).strip()]))
        self.lines.append("")

    def _cell(self, found: Cell) -> str:
        self.citations += cited_in(found)
        return plain(found)

    def _note(self, cells: Iterable[Cell]) -> str:
        addresses = tuple(dict.fromkeys(each.address for cell in cells for each in cited_in(cell)))
        return f" [^{self.notes.setdefault(addresses, len(self.notes) + 1)}]" if addresses else ""


def _gathered(addresses: Iterable[str]) -> Iterator[str]:
    """Places, those of one parent after each other: the second and further ones by their last name alone."""
    before = None
    for address in addresses:
        parent, _, last = address.rpartition("/")
        yield last if parent == before else address
        before = parent


def plain(found: Cell) -> str:
    """A cell as Markdown in one line."""
    return "".join(_part(part) for part in found)


def _part(part: str | Code | Cited) -> str:
    if isinstance(part, str):
        return escaped(part)
    if isinstance(part, Code):
        return code(part.text)
    return escaped(part.shown)


def escaped(text: str) -> str:
    """Words that mean themselves; what they have in backticks stays code."""
    line = _SPACE.sub(" ", text)
    pieces = line.split("`")
    return "`".join(
        _SPECIAL.sub(r"\\\1", piece) if at % 2 == 0 else piece.replace("|", "\\|")
        for at, piece in enumerate(pieces)
    )


def code(text: str) -> str:
    """A name as it is, whatever it has in it."""
    line = " ".join(text.split()) or " "
    longest = max((len(found) for found in _SEVERAL.findall(line)), default=0)
    marks = "`" * (longest + 1)
    room = " " if longest else ""
    return f"{marks}{room}{line}{room}{marks}".replace("|", "\\|")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
