"""Version 1 to version 2 as edits of the text, so that comments and layout stay as they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from loom.kernel.diagnostics import Edit, KeyPath, Source, Span
from loom.kernel.document import Document
from loom.kernel.errors import LoomError
from loom.process.edits import apply_edits, newline_of
from loom.process.floors import high_risk_token

MOVED = ("verification", "remediation")
"""What version 1 allowed to be free text; in version 2 it is an instruction, and stands elsewhere."""

_FIELDS = [
    "passed",
    "outcome",
    "reason_code",
    "severity_class",
    "confidence",
    "feedback",
    "issues",
    "metadata",
]
_RECORD = ["evidence_id", "tool", "source_url", "created_at", "quality"]
_CONTRACT = {
    "enabled": True,
    "claim_extraction": {"enabled": True},
    "max_contradicted_count": 0,
    "prune_mode": "rewrite_uncertainty",
    "final_gate": {"enforce_verified_context_only": True, "synthesis_min_verification_tier": 2},
}
_PROMPTS = {"evidence_contract": {"enabled": True, "applies_to_phases": ["*"]}}


@dataclass(frozen=True, slots=True)
class Migrated:
    """The text after migration, and what was changed."""

    text: str
    changes: tuple[str, ...]


def migrate_text(document: Document) -> Migrated:
    """Add what version 2 asks for and a sound version 1 file lacks; what is already there is left alone."""
    data: dict[str, Any] = document.data
    edit = _TextEdit(document)
    if edit.is_flow(()):
        raise _by_hand(document, "the whole file is in braces", "write one key per line")
    if "schema_version" in data:
        edit.replace_value(("schema_version",), "2")
    else:
        edit.after_header("schema_version: 2")
    if "risk_level" not in data:
        token = high_risk_token(str(data["name"]), _texts(data.get("tags")))
        level, why = ("high", f"implied by `{token}`") if token else ("medium", "as no word implies more")
        edit.after_header(f"risk_level: {level}", f"risk_level: {level}, {why}")
    edit.add(("validity_contract",), _CONTRACT)
    edit.add(("verification", "policy", "output_contract", "required_fields"), _FIELDS)
    edit.add(("evidence", "record_schema", "required_fields"), _RECORD)
    edit.add(("prompt_contracts", "evidence_contract"), _PROMPTS["evidence_contract"])
    if isinstance(_at(data, MOVED), str):
        edit.move(MOVED, ("prompt_contracts", "remediation_instructions"))
    return Migrated(edit.text(), tuple(edit.changes))


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _by_hand(document: Document, why: str, fix: str) -> LoomError:
    return LoomError(f"{document.source.name} needs a hand before it can be migrated", why, fix)


def _block(key: str, value: Any, indent: str) -> list[str]:
    """A key and its value, one key per line."""
    if not isinstance(value, dict):
        return [f"{indent}{key}: {_flow(value)}"]
    return [f"{indent}{key}:"] + [
        line for name, each in value.items() for line in _block(name, each, indent + "  ")
    ]


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return value if isinstance(value, str) and value.isidentifier() else json.dumps(value)


class _TextEdit:
    """Insertions and replacements, collected and then made together."""

    def __init__(self, document: Document) -> None:
        self.document = document
        text = document.source.text
        newline = newline_of(text)
        self.source = Source(document.source.name, text if text.endswith(("\n", "\r")) else text + newline)
        self.root = " " * (document.value_at(()).column - 1)
        self.changes: list[str] = []
        self._inserted: dict[tuple[int, int], list[str]] = {}
        self._replaced: list[Edit] = []
        # new top-level keys, and what goes below each
        self._ending: dict[str, list[str]] = {}

    def after_header(self, line: str, change: str | None = None) -> None:
        """Insert a top-level line after the version, or else the name."""
        anchor = "version" if "version" in self.document.data else "name"
        self._lines_at(self._next_line(self.document.value_at((anchor,))), [self.root + line])
        self.changes.append(change or line)

    def replace_value(self, path: KeyPath, text: str) -> None:
        """Replace a value."""
        self._replaced.append(Edit(self.document.value_at(path), text))
        self.changes.append(f"{path[-1]}: {text}")

    def add(self, path: KeyPath, value: Any) -> None:
        """Add a value, with as many of the keys around it as are missing; nothing if it is there."""
        present = 0
        while present < len(path) and path[present] in (_at(self.document.data, path[:present]) or {}):
            present += 1
        if present == len(path):
            return
        for name in reversed(path[present + 1 :]):
            value = {name: value}
        key = str(path[present])
        self.changes.append(".".join(map(str, path)))
        if present == 0:
            # a new top-level key is a mapping: further children may join it
            self._ending[key] = [
                line for name in value for line in _block(name, value[name], self.root + "  ")
            ]
        elif self.is_flow(path[:present]):
            self._into_braces(path[:present], f"{key}: {_flow(value)}")
        else:
            indent = " " * (self.document.value_at(path[:present]).column - 1)
            self._first_below(path[:present], _block(key, value, indent))

    def move(self, path: KeyPath, to: KeyPath) -> None:
        """Move a key with its text and its comments below another mapping, under another name."""
        parent, target = path[:-1], to[:-1]
        dotted = ".".join(map(str, to))
        if _at(self.document.data, to) is not None:
            raise _by_hand(
                self.document, f"{dotted} is there already", f"join it with {'.'.join(map(str, path))}"
            )
        in_block = target[0] in self.document.data and not self.is_flow(target)
        if self.is_flow(parent) or not (in_block or target[0] in self._ending):
            flow = parent if self.is_flow(parent) else target
            raise _by_hand(
                self.document, f"`{flow[-1]}` is in braces", f"move {'.'.join(map(str, path))} to {dotted}"
            )
        key = self.document.key_at(path)
        last = self._next_line(self.document.value_at(path)) - 1
        lines = [self.source.line(number) for number in range(key.line, last + 1)]
        lines[0] = f"{' ' * (key.column - 1)}{to[-1]}{lines[0][key.end_column - 1 :]}"
        indent = self.document.value_at(target).column - 1 if in_block else len(self.root) + 2
        lines = [_shifted(line, indent - (key.column - 1)) for line in lines]
        self._replaced.append(Edit(Span(key.line, 1, last + 1, 1), ""))
        if in_block:
            self._first_below(target, lines)
        else:
            self._ending[str(target[0])] += lines
        self.changes.append(f"{'.'.join(map(str, path))} moved to {dotted}")

    def text(self) -> str:
        """The text with everything applied, line ends as they were."""
        for key, lines in self._ending.items():
            self._lines_at(self._end(), ["", f"{self.root}{key}:", *lines])
        inserted = [Edit(Span(*at, *at), "".join(parts)) for at, parts in self._inserted.items()]
        return apply_edits(self.source.text, [*inserted, *self._replaced])

    def is_flow(self, path: KeyPath) -> bool:
        """Whether a mapping is written in braces."""
        at = self.document.value_at(path)
        return self.source.line(at.line)[at.column - 1 : at.column] == "{"

    def _into_braces(self, path: KeyPath, pair: str) -> None:
        at = self.document.value_at(path)
        comma = ", " if _at(self.document.data, path) else ""
        self._inserted.setdefault((at.line, at.column + 1), []).append(pair + comma)

    def _first_below(self, path: KeyPath, lines: list[str]) -> None:
        # above the comments of the first key, so that they stay with it
        self._lines_at(self.document.key_at(path).line + 1, lines)

    def _lines_at(self, line: int, lines: list[str]) -> None:
        self._inserted.setdefault((line, 1), []).extend(f"{each}\n" for each in lines)

    def _next_line(self, value: Span) -> int:
        """The first line after a value; one that ends in column 1 ends with the line before."""
        return value.end_line if value.end_column == 1 and value.end_line > value.line else value.end_line + 1

    def _end(self) -> int:
        """The line at which the document ends: the last one, or that of the mark that ends it."""
        lines = self.source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        marks = (number for number, line in enumerate(lines, start=1) if line[:4].rstrip() == "...")
        return next(marks, len(lines))


def _shifted(line: str, by: int) -> str:
    if by >= 0:
        return " " * by + line if line.strip() else line
    return line[min(-by, len(line) - len(line.lstrip(" "))) :]
