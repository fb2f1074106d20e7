"""Findings as people and machines read them: text with a caret, JSON, SARIF, GitHub annotations."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import quote

from loom.kernel.diagnostics import Diagnostic, Report, Source, Span

Format = Literal["text", "json", "sarif", "github"]
FORMATS: tuple[Format, ...] = ("text", "json", "sarif", "github")

WIDTH = 120
_COLORS = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "frame": "\x1b[34m",
    "bold": "\x1b[1m",
    "off": "\x1b[0m",
}
_PLAIN = dict.fromkeys(_COLORS, "")


def render(reports: Iterable[Report], form: Format, *, color: bool = False) -> str:
    """All reports in one of the forms, ready to print."""
    if form == "json":
        return _dumped(as_json(reports))
    if form == "sarif":
        return _dumped(as_sarif(reports))
    if form == "github":
        return "\n".join(_annotation(report.source, d) for report in reports for d in report.diagnostics)
    return "\n\n".join(
        as_text(report.source, d, color=color) for report in reports for d in report.diagnostics
    )


def _dumped(data: dict[str, Any]) -> str:
    text = json.dumps(data, indent=2, ensure_ascii=False)
    # JSON itself escapes only the oldest of the characters that cannot be seen
    for character in {c for c in set(text) if c != "\n" and not c.isprintable()}:
        text = text.replace(character, json.dumps(character)[1:-1])
    return text


def as_text(source: Source, diagnostic: Diagnostic, *, color: bool = False) -> str:
    """One finding: headline, place, the line with a caret below it, and the way out."""
    paint = _COLORS if color else _PLAIN
    span = diagnostic.span
    gutter = " " * len(str(span.line))
    bar = f"{paint['frame']}{gutter} |{paint['off']}"
    head = f"{paint[diagnostic.severity]}{diagnostic.severity}[{diagnostic.code}]{paint['off']}"
    lines = [
        f"{head}{paint['bold']}: {clean(diagnostic.message)}{paint['off']}",
        f"{gutter}{paint['frame']}-->{paint['off']} {clean(source.name)}:{span.line}:{span.column}",
    ]
    shown = source.line(span.line)
    if shown.strip():
        text, caret = _window(shown, span)
        label = f" {clean(diagnostic.detail)}" if diagnostic.detail else ""
        number = f"{paint['frame']}{span.line} |{paint['off']}"
        lines += [bar, f"{number} {text}", f"{bar} {paint[diagnostic.severity]}{caret}{label}{paint['off']}"]
    elif diagnostic.detail:
        lines.append(f"{gutter} {paint['frame']}={paint['off']} {clean(diagnostic.detail)}")
    if diagnostic.fix:
        lines.append(f"{gutter} {paint['frame']}={paint['off']} fix: {clean(diagnostic.fix)}")
    return "\n".join(lines)


def clean(text: str) -> str:
    """Text that cannot steer a terminal: control characters are shown, not sent."""
    return "".join(
        c if c == " " or c.isprintable() else "·" if c == "\t" else f"\\x{ord(c):02x}" for c in text
    )


def _window(line: str, span: Span) -> tuple[str, str]:
    """The part of a line around a span, and a caret line that fits it."""
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line.rstrip())
    end = max(end, start + 1)
    left = 0 if end <= WIDTH else max(0, start - WIDTH // 3)
    right = min(len(line), left + WIDTH)
    prefix, suffix = "…" if left else "", "…" if right < len(line) else ""
    before = prefix + _flat(line[left:start])
    marked = _flat(line[start : min(end, right)])
    text = before + marked + _flat(line[min(end, right) : right]) + suffix
    return text.rstrip(), " " * _columns(before) + "^" * max(1, _columns(marked))


def _flat(text: str) -> str:
    return clean(text.replace("\t", " "))


def _columns(text: str) -> int:
    """Terminal columns a text takes."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def summary_line(reports: Iterable[Report]) -> str:
    """How many files, errors and warnings."""
    reports = list(reports)
    errors, warnings = sum(r.errors for r in reports), sum(r.warnings for r in reports)
    counts = ", ".join(_count(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n)
    return f"{_count(len(reports), 'file')} checked: {counts or 'no findings'}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def as_json(reports: Iterable[Report]) -> dict[str, Any]:
    """The stable machine form; keys are only ever added."""
    reports = list(reports)
    return {
        "schema_version": 1,
        "files": [
            {"file": r.source.name, "diagnostics": [_plain(d) for d in r.diagnostics]} for r in reports
        ],
        "errors": sum(r.errors for r in reports),
        "warnings": sum(r.warnings for r in reports),
    }


def _plain(d: Diagnostic) -> dict[str, Any]:
    return {
        "code": d.code,
        "severity": d.severity,
        "message": d.message,
        "detail": d.detail,
        "fix": d.fix,
        "path": d.path,
        "line": d.span.line,
        "column": d.span.column,
        "end_line": d.span.end_line,
        "end_column": d.span.end_column,
        "fixable": bool(d.edits),
    }


def as_sarif(reports: Iterable[Report]) -> dict[str, Any]:
    """SARIF 2.1.0, as code hosts and editors read it."""
    found = [(r.source, d) for r in reports for d in r.diagnostics]
    rules = {d.code: d.message for _, d in found}
    results = [
        {
            "ruleId": d.code,
            "ruleIndex": list(rules).index(d.code),
            "level": d.severity,
            "message": {
                "text": ". ".join(part for part in (d.message, d.detail, d.fix and f"Fix: {d.fix}") if part)
            },
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {
                            "uri": quote(source.name.replace("\\", "/"), errors="surrogateescape")
                        },
                        "region": {
                            "startLine": d.span.line,
                            "startColumn": d.span.column,
                            "endLine": d.span.end_line,
                            "endColumn": d.span.end_column,
                        },
                    }
                }
            ],
        }
        for source, d in found
    ]
    driver = {
        "name": "loom",
        "rules": [{"id": code, "shortDescription": {"text": text}} for code, text in rules.items()],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _annotation(source: Source, d: Diagnostic) -> str:
    properties = {
        "file": source.name,
        "line": d.span.line,
        "col": d.span.column,
        "endLine": d.span.end_line,
        "endColumn": d.span.end_column,
        "title": f"{d.code} {d.message}",
    }
    written = ",".join(
        f"{key}={_escape(clean(str(value)), property_value=True)}" for key, value in properties.items()
    )
    text = "\n".join(
        part for part in (clean(d.detail or d.message), d.fix and clean(f"fix: {d.fix}")) if part
    )
    return f"::{d.severity} {written}::{_escape(text)}"


def _escape(text: str, *, property_value: bool = False) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if property_value else escaped
