"""Looks through folders by name and by content, within a time and a number of files."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import regex

from loom.tools.files import open_folder, read_bytes
from loom.tools.paths import PathRefusedError
from loom.tools.threads import Stop

MAX_FILES = 50_000
MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_LINE = 300
_SKIPPED = frozenset(
    {".git", "__pycache__", "node_modules", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)


class PatternError(ValueError):
    """A pattern that cannot be read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for."""

    glob: str
    content: str | None = None
    ignore_case: bool = False
    hidden: bool = False
    limit: int = 200
    seconds: float = 20.0


@dataclass(slots=True)
class Found:
    """What was found, and why the search ended before it was through, if it did."""

    matches: list[dict[str, object]] = field(default_factory=list)
    files: int = 0
    skipped: int = 0
    stopped: str = ""


def search(roots: Sequence[tuple[str, Path]], wanted: Wanted, stop: Stop) -> Found:
    """Look below each root, a prefix to show and a folder or file. PatternError for a pattern that is none."""
    names = _glob(wanted.glob)
    content = None
    if wanted.content is not None:
        try:
            flags = regex.IGNORECASE if wanted.ignore_case else 0
            content = regex.compile(wanted.content, flags)
        except regex.error as error:
            raise PatternError(f"the pattern cannot be read: {error}") from None
    deadline = time.monotonic() + wanted.seconds
    found = Found()
    seen: set[Path] = set()
    try:
        for prefix, root in roots:
            for shown, path in _files(prefix, root, wanted.hidden, stop):
                if path in seen:
                    continue
                seen.add(path)
                found.files += 1
                target = shown if "/" in wanted.glob else path.name
                if names.fullmatch(target, timeout=_left(deadline)) is not None:
                    _look(shown, path, content, found, deadline)
                if len(found.matches) >= wanted.limit:
                    del found.matches[wanted.limit :]
                    found.stopped = f"{wanted.limit} matches"
                    return found
                if len(seen) >= MAX_FILES:
                    found.stopped = f"{MAX_FILES:,} files"
                    return found
    except TimeoutError:
        found.stopped = f"{wanted.seconds:g} s"
    return found


def _look(shown: str, path: Path, content: regex.Pattern[str] | None, found: Found, deadline: float) -> None:
    if content is None:
        found.matches.append({"path": shown})
        return
    try:
        raw, more = read_bytes(path, MAX_FILE_BYTES)
    except (OSError, PathRefusedError):
        found.skipped += 1
        return
    if more or b"\0" in raw[:8192]:
        found.skipped += 1
        return
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        hit = content.search(line, timeout=_left(deadline), concurrent=True)
        if hit is not None:
            at = max(0, hit.start() - MAX_LINE // 2)
            found.matches.append({"path": shown, "line": number, "text": line[at : at + MAX_LINE]})


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _files(prefix: str, root: Path, hidden: bool, stop: Stop) -> Iterator[tuple[str, Path]]:
    """Every regular file below a root, links not followed, in order of name."""
    if root.is_file():
        yield prefix, root
        return
    with open_folder(root) as handle:
        for folder, folders, files, here in os.fwalk(".", dir_fd=handle):
            stop.check()
            folders[:] = sorted(n for n in folders if n not in _SKIPPED and (hidden or n[0] != "."))
            below = PurePosixPath(folder)
            start = "/".join(part for part in (prefix, below.as_posix()) if part not in ("", "."))
            for name in sorted(files):
                if (hidden or name[0] != ".") and _is_regular(name, here):
                    yield f"{start}/{name}" if start else name, root / below / name


def _is_regular(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False  # it went meanwhile


def _glob(pattern: str) -> regex.Pattern[str]:
    """A glob as an expression: `*` stays within a folder, `**` does not; without `/` it is about the name."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            parts.append("(?:.*/)?")
            at += 3
        elif pattern.startswith("**", at):
            parts.append(".*")
            at += 2
        else:
            simple = {"*": "[^/]*+" if at == len(pattern) - 1 else "[^/]*", "?": "[^/]"}
            parts.append(simple.get(pattern[at], regex.escape(pattern[at])))
            at += 1
    return regex.compile("".join(parts), regex.DOTALL)
