"""Check packages, repair what is safe to repair, and check again when they change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loom.kernel.atomic import write_atomically
from loom.kernel.diagnostics import Report
from loom.kernel.document import read_document
from loom.process.check import FILE_NAME, Checked, check_file
from loom.process.edits import apply_edits, fixable
from loom.process.loader import ProcessLoader

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
    """The files that paths, folders of packages and names stand for, each once."""
    files: dict[Path, None] = {}
    for reference in references:
        path = Path(reference)
        if path.is_dir() and not (path / FILE_NAME).exists():
            inside = sorted(path.glob(f"*/{FILE_NAME}"))
            files.update(dict.fromkeys(inside or [path / FILE_NAME]))
        elif path.is_dir():
            files[path / FILE_NAME] = None
        elif path.exists() or path.suffix or "/" in reference:
            files[path] = None
        else:
            files[loader.find(reference).file] = None
    return list(files)


def check(files: Iterable[Path], *, fix: bool = False) -> Outcome:
    """Check files; with `fix`, first make every edit that is safe, until none is left."""
    checked, fixed = [], 0
    for file in files:
        result = check_file(file)
        for _ in range(MAX_FIX_ROUNDS if fix else 0):
            edits = fixable(result.report.diagnostics)
            if not edits:
                break
            _, _, source = read_document(file)
            repaired = apply_edits(source.text, edits)
            write_atomically(file, _as_written(file, repaired))
            fixed += len(edits)
            result = check_file(file)
        checked.append(result)
    return Outcome(tuple(checked), fixed)


def _as_written(file: Path, text: str) -> bytes:
    """The text as bytes, with the byte order mark the file had."""
    raw = file.read_bytes()
    return (b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b"") + text.encode()


def watch(
    files: Sequence[Path], *, fix: bool = False, wait: Callable[[float], None] = time.sleep
) -> Iterator[Outcome]:
    """A check now, and another each time one of the files changes."""
    seen: list[tuple[int, int] | None] | None = None
    while True:
        now = [_fingerprint(file) for file in files]
        if now != seen:
            yield check(files, fix=fix)
            # repairs change the files themselves; that is not a reason to look again
            seen = [_fingerprint(file) for file in files] if fix else now
        wait(POLL_SECONDS)


def _fingerprint(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
