"""One run to read from: whatever is taken from it carries its pathspec and the place within its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath
from typing import Any

from ._parts import NOTHING, Cell, Cited, Code, cell

Cite = Callable[..., "Cited | None"]
_ABSOLUTE = re.compile(r"(?<![\w.:/~-])(?:/(?!\s)[^\s'\"`,;:]+|~/\S+|[A-Za-z]:\\\S+|\\\\\S+)")
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{32,}\Z")
_SHORT_DIGEST = 19


@dataclass(frozen=True, slots=True)
class Source:
    """A run that took place, as `gather` found it."""

    facts: Mapping[str, Any]
    numbers: Any
    """How numbers are cited: `loom.validity.numbers`."""

    @property
    def name(self) -> str:
        """What to type to mean it."""
        return str(self.facts["name"])

    @property
    def verb(self) -> str:
        """What ran."""
        return str(self.facts["verb"])

    @property
    def code(self) -> Code:
        """Its name as a part of a cell."""
        return Code(self.name)

    def get(self, *path: str | int) -> Any:
        """What stands somewhere in the summary; None where nothing does."""
        return _within(self.facts["summary"], path)

    def each(self, *path: str | int, most: int = 40) -> Iterator[tuple[str | int, ...]]:
        """The places of the entries of a list in the summary, as far as they are mappings."""
        found = self.get(*path)
        rows = found if isinstance(found, list) else []
        return ((*path, at) for at, row in list(enumerate(rows))[:most] if isinstance(row, Mapping))

    def number(self, *path: str | int, shape: str = "number") -> Cell:
        """The number there; of a list, how many entries it has."""
        return self._cited(("summary", *path), shape)

    def share(self, *path: str | int) -> Cell:
        """The number there as a percentage."""
        return self.number(*path, shape="share")

    def chance(self, *path: str | int) -> Cell:
        """The probability there."""
        return self.number(*path, shape="chance")

    def span(self, *path: str | int, low: str | int = 0, high: str | int = 1) -> Cell:
        """Both ends of the interval there."""
        return cell(self.number(*path, low), " to ", self.number(*path, high))

    def text(self, *path: str | int) -> Cell:
        """The words there, quoted as they are; names of places on a machine stay behind."""
        return self._quoted(("summary", *path))

    def label(self, *path: str | int) -> Cell:
        """The name there: of a column, a kind, a digest; several are listed."""
        found = self.get(*path)
        if isinstance(found, list):
            several = [self.label(*path, at) for at in range(len(found))]
            return (
                cell(*(part for each in several for part in (", ", *each)))[1:] if all(several) else NOTHING
            )
        if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
            return NOTHING
        return (Code(shortened(placeless(str(found)))),)

    def reasons(self, most: int = 40) -> Iterator[tuple[Mapping[str, Any], dict[str, Cell]]]:
        """Why it ended as it did: each reason, and its words, value and limit as cells."""
        for at, reason in enumerate(list(self.facts["reasons"])[:most]):
            parts = {name: self._any(("reasons", at, name)) for name in ("what", "value", "threshold")}
            yield reason, parts

    def made(self, name: str) -> Cell:
        """With what it was made: a version, a seed."""
        found = _within(self.facts, ("made", name))
        return NOTHING if found is None else (Code(str(found)),)

    def _any(self, path: tuple[str | int, ...]) -> Cell:
        return (
            self._quoted(path) if isinstance(_within(self.facts, path), str) else self._cited(path, "number")
        )

    def _cited(self, path: tuple[str | int, ...], shape: str) -> Cell:
        if isinstance(_within(self.facts, path), str):
            return NOTHING
        found = self.numbers.cite(self.name, self.facts, self.numbers.pointer(*path), shape)
        return NOTHING if found is None else (found,)

    def _quoted(self, path: tuple[str | int, ...]) -> Cell:
        words = _within(self.facts, path)
        if not isinstance(words, str) or not words.strip():
            return NOTHING
        if placeless(words) != words:
            return (Code(placeless(words)),)
        return (self.numbers.cite(self.name, self.facts, self.numbers.pointer(*path)),)


def placeless(words: str) -> str:
    """Words without the folders of a machine: of an absolute path its last name is left."""

    def last(found: re.Match[str]) -> str:
        kind = PureWindowsPath if "\\" in found[0] else PurePath
        return kind(found[0]).name or "…"

    return _ABSOLUTE.sub(last, words)


def shortened(name: str) -> str:
    """A digest by its beginning; every other name as it is."""
    return f"{name[:_SHORT_DIGEST]}…" if _DIGEST.match(name) else name


def _within(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value
