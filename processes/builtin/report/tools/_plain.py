"""The report for machines: every number with its value, how it is shown, and where it was read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ._parts import Cell, Code, Document, Section

FORMAT = 1


def json_of(document: Document, summary: Mapping[str, Any]) -> str:
    """The whole report as one JSON object."""
    whole = {
        "format": FORMAT,
        "title": _words(document.title),
        **{key: summary[key] for key in ("runs", "missing_sections")},
        "numbers": [
            {key: _cell(value) if isinstance(value, tuple) else value for key, value in tile.items()}
            for tile in document.numbers
        ],
        "sections": [_section(section) for section in document.sections],
        "missing": [
            {"section": each.section, "why": each.why, "command": each.command} for each in document.missing
        ],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _section(section: Section) -> dict[str, Any]:
    return {
        "section": section.key,
        "title": section.title,
        "said": [_cell(said) for said in section.said],
        "tables": [
            {
                "title": table.title,
                "columns": {key.removesuffix("#"): head for key, head in table.columns.items()},
                "rows": [
                    {key.removesuffix("#"): _cell(found) for key, found in row.items()} for row in table.rows
                ],
            }
            for table in section.tables
        ],
    }


def _cell(found: Cell) -> Any:
    """Nothing, words, a number with its origin, or several of them behind each other."""
    parts = [
        part if isinstance(part, str) else part.text if isinstance(part, Code) else part.as_json()
        for part in found
    ]
    if all(isinstance(part, str) for part in parts):
        return "".join(parts) if parts else None
    return parts[0] if len(parts) == 1 else parts


def _words(found: Cell) -> str:
    return "".join(
        part if isinstance(part, str) else part.text if isinstance(part, Code) else part.shown
        for part in found
    )
