"""What every check of a declaration must deliver, whatever the declaration says."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from loom.kernel.diagnostic_formats import FORMATS, render
from loom.kernel.diagnostics import Diagnostic, KeyPath, Report, Span
from loom.kernel.document import Document, parse_document
from loom.process.check import Checked, check_text
from loom.process.spec.process import ProcessSpec

MAXIMAL = Path(__file__).parent / "maximal.yaml"
HEAD = "name: example\nversion: '1.0'\nschema_version: 2\nrisk_level: medium\n"
WORK = "phases:\n  - {id: work, description: Work.}\n"
_HEAD_KEYS = ("name", "version", "schema_version", "risk_level")
PHASES = """\
phases:
  - {id: collect, description: Collect.}
  - {id: compare, description: Compare., depends_on: [collect], deliverables: [comparison.md — prices]}
  - {id: decide, description: Decide., depends_on: [compare]}
"""
INPUT = "verb: {command: panels, tier: read-only, inputs: {offers: {type: path}}}\n"
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def check(text: str | bytes, *, warnings: bool = True) -> Checked:
    """Check a declaration that is held in memory, outside of any folder."""
    return check_text(text if isinstance(text, bytes) else text.encode(), "process.yaml", warnings=warnings)


def errors_in(text: str | bytes) -> list[Diagnostic]:
    """The errors in a declaration, in order."""
    return [found for found in check(text, warnings=False).report.diagnostics if found.severity == "error"]


def codes_in(text: str | bytes) -> list[str]:
    """The codes of the errors in a declaration, in order."""
    return [found.code for found in errors_in(text)]


def spec_of(fragment: str) -> ProcessSpec:
    """The models of a fragment, completed with what every declaration needs; there must be no errors."""
    text = HEAD + fragment + ("" if fragment.startswith("phases:") or "\nphases:" in fragment else WORK)
    package = check(text).package
    assert package is not None and not errors_in(text), errors_in(text)
    return package.spec


def document_of(text: str | bytes) -> Document:
    """A document that reads without complaints."""
    document, found, _ = parse_document(text if isinstance(text, bytes) else text.encode(), "process.yaml")
    assert document is not None and not found, found
    return document


@cache
def maximal() -> str:
    """The text of the declaration that uses every key."""
    return MAXIMAL.read_text(encoding="utf-8")


@cache
def parts() -> dict[str, str]:
    """For each root key of that declaration a small sound one that uses it in full."""
    lines = lines_of(maximal())
    starts = [number for number, line in enumerate(lines) if line[:1].isalpha()]
    blocks = ["\n".join(lines[a:b]) + "\n" for a, b in pairwise([*starts, len(lines)])]
    by_key = {block.split(":")[0]: block for block in blocks}
    return {
        key: (HEAD if key not in _HEAD_KEYS else "".join(by_key[each] for each in _HEAD_KEYS))
        + (block if key not in _HEAD_KEYS else "")
        + (PHASES if key != "phases" else INPUT)
        for key, block in by_key.items()
    }


def child_of(data: Any, path: KeyPath) -> Any:
    """The value at a key path of plain data."""
    for part in path:
        data = data[part]
    return data


def lines_of(text: str) -> list[str]:
    """The lines of a text as editors count them."""
    return _LINE_BREAK.split(text)


def offsets_of(text: str, span: Span) -> tuple[int, int]:
    """Where a span begins and ends in a text, counted in characters."""
    starts = [0, *(found.end() for found in _LINE_BREAK.finditer(text))]
    return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1


def assert_spans_inside(report: Report) -> None:
    """Every place that a report names is a place in its text."""
    lines = lines_of(report.source.text)
    for found in report.diagnostics:
        line, column, end_line, end_column = found.span
        assert 1 <= line <= len(lines), found
        assert 1 <= column <= len(lines[line - 1]) + 1, found
        assert (line, column) <= (end_line, end_column), found
        assert end_line <= len(lines), found
        assert end_column <= len(lines[end_line - 1]) + 1, found


def assert_renders(report: Report) -> None:
    """A report can be shown in every form."""
    for form in FORMATS:
        assert isinstance(render([report], form), str)
