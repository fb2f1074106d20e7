"""From bytes to a package and everything that can be said about it."""

from __future__ import annotations

import gc
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from loom.kernel.diagnostics import Diagnostic, Report, Source
from loom.kernel.document import Document, parse_document, read_document
from loom.process.lint import lint
from loom.process.package import Package
from loom.process.structure import validate

FILE_NAME = "process.yaml"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was read, as far as it could be, and the findings about it."""

    package: Package | None
    report: Report

    @property
    def unreadable(self) -> bool:
        """Whether the file could not even be opened."""
        return any(d.code in ("LM101", "LM102") for d in self.report.diagnostics)


def check_file(path: Path, name: str | None = None, *, warnings: bool = True) -> Checked:
    """Check the process file at a path, or in the folder at that path."""
    with _no_collection():
        return _check_file(path, name, warnings)


def _check_file(path: Path, name: str | None, warnings: bool) -> Checked:
    file = path / FILE_NAME if kind_of(path) == "folder" and kind_of(path / FILE_NAME) else path
    document, found, source = read_document(file, name or str(file))
    # a file under another name stands alone; only a process.yaml has a package folder around it
    return _checked(document, found, source, file.parent if file.name == FILE_NAME else None, warnings)


def check_text(raw: bytes, name: str, folder: Path | None = None, *, warnings: bool = True) -> Checked:
    """Check a declaration that is already in memory."""
    with _no_collection():
        document, found, source = parse_document(raw, name)
        return _checked(document, found, source, folder, warnings)


def kind_of(path: Path) -> Literal["file", "folder"] | None:
    """What is at a path, as far as one may look; whatever is no folder is taken for a file."""
    try:
        return "folder" if stat.S_ISDIR(path.stat().st_mode) else "file"
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        # it may well be there: reading it will say why it cannot be read
        return "file"


@contextmanager
def _no_collection() -> Iterator[None]:
    """Reading makes many objects and no cycles: looking for cycles meanwhile would cost a tenth more."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _checked(
    document: Document | None, found: list[Diagnostic], source: Source, folder: Path | None, warnings: bool
) -> Checked:
    if document is None:
        return Checked(None, Report.of(source, found))
    validated = validate(document)
    found = [*found, *validated.diagnostics]
    if validated.spec is None:
        return Checked(None, Report.of(source, found))
    package = Package(document, validated.spec, validated, folder)
    sound = not any(d.severity == "error" for d in found)
    return Checked(package, Report.of(source, [*found, *lint(package, warnings=warnings, hints=sound)]))
