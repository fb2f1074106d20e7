"""Bring a version 1 file to version 2, and refuse to leave it worse than it was."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.kernel.atomic import write_atomically
from loom.kernel.diagnostic_formats import render
from loom.kernel.diagnostics import KeyPath, Report, dotted
from loom.kernel.document import Document
from loom.kernel.errors import LoomError
from loom.process.check import FILE_NAME, Checked, check_file, check_text, kind_of
from loom.process.edits import encoded_like
from loom.process.loader import ProcessError
from loom.process.migrate import MOVED, migrate_text


@dataclass(frozen=True, slots=True)
class Migration:
    """What became of the file."""

    text: str
    changes: tuple[str, ...]
    conclusion: str


def migrate_file(path: Path, *, write: bool) -> Migration:
    """Migrate one file; nothing is written unless the result holds and says what the file said."""
    file = path / FILE_NAME if kind_of(path) == "folder" else path
    document = _sound_document(file)
    if document.data.get("schema_version") == 2:
        return Migration(document.source.text, (), f"{file} is version 2 already; nothing to do")
    migrated = migrate_text(document)
    raw = encoded_like(file, migrated.text)
    checked = check_text(raw, str(file), file.parent if file.name == FILE_NAME else None)
    _compare(document, checked)
    if write:
        write_atomically(file, raw)
    left = checked.report.warnings
    todo = (
        f"; {_count(left, 'warning')} left, see: loom process check {shlex.quote(str(file))}" if left else ""
    )
    many = _count(len(migrated.changes), "change")
    done = f"{file} is version 2 now" if write else f"{many}; --write makes them"
    return Migration(migrated.text, migrated.changes, done + todo)


def _sound_document(file: Path) -> Document:
    """The file as it was read, when nothing but its version is in the way."""
    checked = check_file(file)
    document = checked.package.document if checked.package else None
    errors = [d for d in checked.report.diagnostics if d.severity == "error"]
    others = [d for d in errors if (d.code, d.path) != ("LM203", dotted(MOVED))]
    if document is None or others:
        raise ProcessError(checked.report)
    return document


def _compare(before: Document, checked: Checked) -> None:
    """Refuse a result that does not hold, or that no longer says what the file said."""
    name = checked.report.source.name
    if checked.package is None or checked.report.errors:
        errors = [d for d in checked.report.diagnostics if d.severity == "error"]
        shown = render([Report.of(checked.report.source, errors)], "text")
        why = f"the result would not hold\n\n{shown}\n"
    else:
        lost = next(_lost(before.data, checked.package.document.data), None)
        if lost is None:
            return
        why = f"{dotted(lost)} would not mean the same"
    fix = f"write `schema_version: 2` by hand, then: loom process check {shlex.quote(name)}"
    raise LoomError(f"{name} needs a hand before it can be migrated", why, fix)


def _lost(before: Any, after: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Places whose value is not what it was; a mapping may gain keys."""
    if path in (MOVED, ("schema_version",)):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from _lost(value, after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, value in enumerate(before):
            yield from _lost(value, after[index], (*path, index))
    elif before != after:
        yield path


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
