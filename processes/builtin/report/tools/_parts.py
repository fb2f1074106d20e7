"""What a report is made of: sections with words and tables, in which every number is cited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias


class Cited(Protocol):
    """A number, or words, with the place they were read from; `loom.validity.numbers.Cited` is one."""

    pathspec: str
    path: str
    value: Any
    shown: str

    @property
    def address(self) -> str:
        """The place in one line."""

    def as_json(self) -> dict[str, Any]:
        """The number for machines."""


@dataclass(frozen=True, slots=True)
class Code:
    """A name as it is spelled: of a column, a run, a command, a digest. It claims no number."""

    text: str


Part: TypeAlias = "str | Code | Cited"
Cell: TypeAlias = tuple[Part, ...]
"""What stands in one place: words, names and numbers behind each other; nothing where something of it is missing."""

NOTHING: Cell = ()


def cell(*parts: Part | Cell) -> Cell:
    """One cell of several parts, or nothing where a part is nothing."""
    found: list[Part] = []
    for part in parts:
        if part == NOTHING:
            return NOTHING
        if isinstance(part, tuple):
            found += part
        else:
            found.append(part)
    return tuple(found)


def names(texts: Sequence[object]) -> Cell:
    """Names behind each other."""
    found: list[Part] = []
    for text in texts:
        found += [", ", Code(str(text))]
    return tuple(found[1:])


def either(*cells: Cell) -> Cell:
    """The first cell that says anything."""
    return next((each for each in cells if each), NOTHING)


def cited_in(found: Cell) -> list[Cited]:
    """What was read from runs, in order."""
    return [part for part in found if not isinstance(part, str | Code)]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under headings; the first column names the row. Rows are in the order in which they matter."""

    title: str
    columns: Mapping[str, str]
    """The heading of each column by its key; a key that ends in `#` holds numbers."""

    rows: Sequence[Mapping[str, Cell]]

    def cells(self, row: Mapping[str, Cell]) -> Iterator[Cell]:
        """The cells of a row, in the order of the columns."""
        return (row.get(key, NOTHING) for key in self.columns)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report: what is said first, then its tables."""

    key: str
    title: str
    said: Sequence[Cell] = ()
    tables: Sequence[Table] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing to say."""
        return not self.said and not any(table.rows for table in self.tables)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What no finished run tells, and the command that would find it out."""

    section: str
    why: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The whole report, before it has a form."""

    title: Cell
    sections: Sequence[Section]
    missing: Sequence[Lacking]
    numbers: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    """What is to be seen at a glance: `label`, the cells `value` and `note`, and a `tone`."""

    def cells(self) -> Iterator[Cell]:
        """Everything that is said, in order."""
        yield self.title
        for section in self.sections:
            yield from section.said
            for table in section.tables:
                for row in table.rows:
                    yield from table.cells(row)


def told(title: str, pairs: Mapping[str, Cell]) -> Table:
    """Names and what is known of them, without those of which nothing is."""
    rows: list[Mapping[str, Cell]] = [
        {"what": (name,), "is": found} for name, found in pairs.items() if found
    ]
    return Table(title, {"what": "what", "is": "as read"}, rows)
