"""Findings about a source text: where, what, and how to fix it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]
KeyPath = tuple[str | int, ...]


class Span(NamedTuple):
    """A stretch of text; lines and columns count from 1, the end column is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


START = Span(1, 1, 1, 1)
MAX_COMPARED = 500


@dataclass(frozen=True, slots=True)
class Source:
    """A text under its name, cut into lines only when somebody asks for one."""

    name: str
    text: str
    _lines: list[str] = field(default_factory=list, repr=False, compare=False)

    def line(self, number: int) -> str:
        """The line with that number, without its line break; empty past the end."""
        if not self._lines:
            self._lines.extend(self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def slice(self, span: Span) -> str:
        """The text a span covers."""
        if span.line == span.end_line:
            return self.line(span.line)[span.column - 1 : span.end_column - 1]
        middle = [self.line(number) for number in range(span.line + 1, span.end_line)]
        first, last = self.line(span.line)[span.column - 1 :], self.line(span.end_line)[: span.end_column - 1]
        return "\n".join([first, *middle, last])


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement that is safe to make without asking."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a stable code, a headline, the place, the particulars and the way out."""

    code: str
    severity: Severity
    message: str
    span: Span
    path: str = ""
    detail: str = ""
    fix: str = ""
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about one source, in the order of their places."""

    source: Source
    diagnostics: tuple[Diagnostic, ...]

    @classmethod
    def of(cls, source: Source, found: Iterable[Diagnostic]) -> Report:
        """Sort the findings by place and drop exact repetitions."""
        unique = dict.fromkeys(found)
        return cls(source, tuple(sorted(unique, key=lambda d: (d.span, d.code, d.message, d.detail))))

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(d.severity == "error" for d in self.diagnostics)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return len(self.diagnostics) - self.errors


def suggest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate the writer most likely meant, if one is near enough."""
    if len(word) > 80:
        return None
    # a slip changes a few letters; names of another length are not worth comparing
    near = (c for c in candidates if abs(len(c) - len(word)) <= 1 + len(word) // 3)
    folded = {c.lower().replace("_", "-"): c for c in islice(near, MAX_COMPARED)}
    matches = difflib.get_close_matches(word.lower().replace("_", "-"), folded, n=1, cutoff=0.7)
    return folded[matches[0]] if matches else None


def dotted(path: KeyPath) -> str:
    """A key path as people write it: `phases[2].iteration.gates[0]`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out
