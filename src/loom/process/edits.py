"""Apply the safe edits that findings carry, without touching anything else in the text."""

from __future__ import annotations

from collections.abc import Iterable

from loom.kernel.diagnostics import Diagnostic, Edit, Span


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with every edit made; of two edits that overlap, the first one counts."""
    starts = _line_starts(text)
    placed = sorted(
        (_offset(starts, e.span.line, e.span.column), _end(starts, e.span), e.text) for e in edits
    )
    out: list[str] = []
    at = 0
    for start, end, replacement in placed:
        if start < at:
            continue
        out += [text[at:start], replacement]
        at = end
    return "".join([*out, text[at:]])


def fixable(diagnostics: Iterable[Diagnostic]) -> list[Edit]:
    """The edits of all findings, in order, each once."""
    return list(dict.fromkeys(edit for diagnostic in diagnostics for edit in diagnostic.edits))


def _line_starts(text: str) -> list[int]:
    # lines end as YAML counts them: LF, CRLF or a lone CR
    starts = [0]
    for index, char in enumerate(text):
        if char == "\n" or (char == "\r" and text[index + 1 : index + 2] != "\n"):
            starts.append(index + 1)
    return starts


def _offset(starts: list[int], line: int, column: int) -> int:
    return starts[min(line, len(starts)) - 1] + column - 1


def _end(starts: list[int], span: Span) -> int:
    return _offset(starts, span.end_line, span.end_column)
