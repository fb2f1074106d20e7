"""Bring a version 1 file to version 2, and refuse to leave it worse than it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.process.check import FILE_NAME, check_file, check_text
from loom.kernel.document import read_document
from loom.process.loader import ProcessError
from loom.process.migrate import migrate_text


@dataclass(frozen=True, slots=True)
class Migration:
    """What became of the file."""

    text: str
    changes: tuple[str, ...]
    conclusion: str


def migrate_file(path: Path, *, write: bool) -> Migration:
    """Migrate one file; nothing is written unless the result holds."""
    file = path / FILE_NAME if path.is_dir() else path
    document, found, source = read_document(file)
    if document is None or found or not isinstance(document.data, dict):
        raise ProcessError(check_file(file).report)
    if document.data.get("schema_version") == 2:
        return Migration(source.text, (), f"{file} is version 2 already; nothing to do")
    migrated = migrate_text(document)
    checked = check_text(migrated.text.encode(), str(file), file.parent)
    before = check_file(file).report.errors
    if checked.report.errors > before:
        raise ProcessError(checked.report)
    if before:
        raise LoomError(
            f"{file} has errors", "a file must hold before it is migrated", f"loom process check {file}"
        )
    if write:
        write_atomically(file, migrated.text.encode())
    left = checked.report.warnings
    todo = f"; {left} warnings are left, see: loom process check {file}" if left else ""
    done = f"{file} is version 2 now" if write else f"{len(migrated.changes)} changes; --write makes them"
    return Migration(migrated.text, migrated.changes, done + todo)
