"""Check packages, repair what is safe to repair, and check again when they change."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loom.kernel.atomic import write_atomically
from loom.kernel.diagnostics import Report
from loom.kernel.document import read_document
from loom.process.check import FILE_NAME, Checked, check_file, check_text, kind_of
from loom.process.edits import applicable, apply_edits, encoded_like
from loom.process.loader import ENDINGS, ProcessLoader, packages_in

POLL_SECONDS = 0.1
MAX_FIX_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found in all files together."""

    checked: tuple[Checked, ...]
    fixed: int = 0

    @property
    def reports(self) -> tuple[Report, ...]:
        """One report per file, in the order they were named."""
        return tuple(item.report for item in self.checked)

    def exit_code(self, *, strict: bool = False) -> int:
        """2 when a file could not be read, 1 when something is wrong with one, else 0."""
        if any(item.unreadable for item in self.checked):
            return 2
        wrong = any(report.errors or (strict and report.warnings) for report in self.reports)
        return 1 if wrong else 0


def files_of(references: Sequence[str], loader: ProcessLoader) -> list[Path]:
    """The files that paths, folders of packages and names stand for, each once; a path counts before a name."""
    files: dict[Path, None] = {}
    for reference in references:
        path = loader.locate(reference) if reference.strip() else Path(reference)
        kind = kind_of(path) if reference.strip() else None
        if kind == "folder" and not kind_of(path / FILE_NAME):
            files.update(dict.fromkeys(_inside(path, loader) or [path / FILE_NAME]))
        elif kind == "folder":
            files[path / FILE_NAME] = None
        elif kind == "file" or path.suffix in ENDINGS or os.sep in reference:
            files[path] = None
        else:
            files[loader.find(reference).file] = None
    return list(files)


def _inside(folder: Path, loader: ProcessLoader) -> list[Path]:
    """The packages of a folder. Single files are packages only where a name would find them."""
    named = any(_same(folder, root) for root, _ in loader.roots())
    return [found.file for found in packages_in(folder, "path") if named or found.file.name == FILE_NAME]


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def check(files: Iterable[Path], *, fix: bool = False) -> Outcome:
    """Check files; with `fix`, first make every edit that is safe, until none is left."""
    checked, fixed = [], 0
    for file in files:
        result = check_file(file)
        if fix:
            result, edits = _repaired(file, result)
            fixed += edits
        checked.append(result)
    return Outcome(tuple(checked), fixed)


def _repaired(file: Path, result: Checked) -> tuple[Checked, int]:
    """The file after all its edits, and how many were made; an edit that helps nothing is left undone."""
    fixed = 0
    for _ in range(MAX_FIX_ROUNDS):
        edits = applicable(result.report.diagnostics)
        if not edits:
            break
        source, folder = result.report.source, file.parent if file.name == FILE_NAME else None
        raw = encoded_like(file, apply_edits(source.text, edits))
        better = check_text(raw, source.name, folder)
        if better.report.errors > result.report.errors:
            break
        if read_document(file, source.name)[2].text == source.text:
            write_atomically(file, raw)
            fixed += len(edits)
        # otherwise somebody else has just written it: look at what it says now
        result = check_file(file)
    return result, fixed


def watch(
    files: Sequence[Path], *, fix: bool = False, wait: Callable[[float], None] = time.sleep
) -> Iterator[Outcome]:
    """A check now, and another each time one of the files changes."""
    seen: list[tuple[int, int] | None] | None = None
    while True:
        now = [_fingerprint(file) for file in files]
        if now != seen:
            outcome = check(files, fix=fix)
            # repairs change the files themselves; that is not a reason to look again
            seen = [_fingerprint(file) for file in files] if outcome.fixed else now
            yield outcome
        wait(POLL_SECONDS)


def _fingerprint(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
