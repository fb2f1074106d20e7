"""Apply the safe edits that findings carry, without touching anything else in the text."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from loom.kernel.diagnostics import Diagnostic, Edit


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with every edit made; of two edits that overlap, the first one counts."""
    starts, newline = _line_starts(text), newline_of(text)
    out: list[str] = []
    at = 0
    for edit in _apart(edits):
        start, end = _offset(starts, *edit.span[:2]), _offset(starts, *edit.span[2:])
        out += [text[at:start], edit.text.replace("\n", newline)]
        at = end
    return "".join([*out, text[at:]])


def applicable(diagnostics: Iterable[Diagnostic]) -> list[Edit]:
    """The edits of all findings that can be made together, in the order of their places."""
    return _apart(edit for diagnostic in diagnostics for edit in diagnostic.edits)


def newline_of(text: str) -> str:
    """How the lines of a text end."""
    return next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")


def encoded_like(file: Path, text: str) -> bytes:
    """The text as bytes, with the byte order mark that the file begins with."""
    with suppress(OSError), file.open("rb") as opened:
        if opened.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
            return codecs.BOM_UTF8 + text.encode()
    return text.encode()


def _apart(edits: Iterable[Edit]) -> list[Edit]:
    """Each edit once, without those that reach into an earlier one."""
    chosen: list[Edit] = []
    end = (0, 0)
    for edit in sorted(set(edits), key=lambda edit: (edit.span, edit.text)):
        if edit.span[:2] >= end:
            chosen.append(edit)
            end = edit.span[2:]
    return chosen


def _line_starts(text: str) -> list[int]:
    # lines end as YAML counts them: LF, CRLF or a lone CR
    starts = [0]
    for index, char in enumerate(text):
        if char == "\n" or (char == "\r" and text[index + 1 : index + 2] != "\n"):
            starts.append(index + 1)
    return starts


def _offset(starts: list[int], line: int, column: int) -> int:
    return starts[min(line, len(starts)) - 1] + column - 1
