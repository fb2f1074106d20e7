"""A Markdown document as sections: found by their headings, replaced without touching the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*\Z")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with the text below it, up to the next heading."""

    heading: str
    body: str
    level: int = 2

    def written(self) -> str:
        """The section as Markdown, without blank lines around it."""
        return f"{'#' * self.level} {self.heading}\n\n{self.body.strip()}".rstrip()


def write_document(title: str, sections: Sequence[Section]) -> str:
    """A document of these sections."""
    parts = [f"# {title.strip()}"] if title.strip() else []
    return "\n\n".join([*parts, *(section.written() for section in sections)]) + "\n"


def update_document(text: str, sections: Sequence[Section]) -> str:
    """The document with each section in the place of the one with its heading, or at the end.

    What is replaced includes the subsections; everything else stays to the letter.
    """
    for section in sections:
        lines = text.split("\n")
        found = headings(text)
        at = next((i for i, each in enumerate(found) if _same(each[2], section.heading)), None)
        if at is None:
            text = f"{text.rstrip()}\n\n{section.written()}\n" if text.strip() else section.written() + "\n"
            continue
        start, level, _ = found[at]
        end = next((line for line, depth, _ in found[at + 1 :] if depth <= level), len(lines))
        new = Section(section.heading, section.body, level).written().split("\n")
        rest = lines[end:]
        text = "\n".join([*lines[:start], *new, "", *rest]).rstrip("\n") + "\n"
    return text


def headings(text: str) -> list[tuple[int, int, str]]:
    """The headings of a document: line, level and words; what stands in a code block is none."""
    found = ((number, _HEADING.match(line)) for number, line in outside_of_code(text))
    return [(number, len(heading[1]), heading[2].strip()) for number, heading in found if heading]


def outside_of_code(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a document that stand in no fenced code block, each with its number from 0."""
    fence = ""
    for number, line in enumerate(text.split("\n")):
        mark = _FENCE.match(line)
        if not fence and not mark:
            yield number, line
        elif not fence and mark:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
            fence = ""


def _same(left: str, right: str) -> bool:
    return " ".join(left.split()).casefold() == " ".join(right.split()).casefold()
