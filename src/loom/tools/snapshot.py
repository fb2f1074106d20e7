"""What lies in a folder at one moment, so that a later look tells what has changed since."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

MAX_FILES = 20_000
_RECENT_NS = 2_000_000_000
_HASHED_BYTES = 256 * 1024
_HASHED_IN_ALL = 256 * _HASHED_BYTES

State = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a folder by relative name, each with what changes when it is written."""

    root: Path
    files: dict[str, State] = field(default_factory=dict)
    complete: bool = True
    """False when the folder holds more files than were looked at."""

    def knows(self, name: str) -> bool:
        """Whether it can be said what this file was: it was seen, or everything was."""
        return self.complete or name in self.files

    def differs(self, name: str) -> bool:
        """Whether a file is now anything but what it was; a file that appeared or went counts."""
        before = self.files.get(name)
        return before != _state(self.root / name, hashed=before is not None and len(before) > 1)


def take_snapshot(root: Path, limit: int = MAX_FILES, also: Iterable[str] = ()) -> Snapshot:
    """Look at every file below a folder, links not followed, up to a number; `also` names some for sure."""
    files: dict[str, State] = {}
    recent, hashed = time.time_ns() - _RECENT_NS, 0
    for name in chain(also, _names(root)):
        if name in files:
            continue
        if len(files) >= limit:
            return Snapshot(root, files, complete=False)
        state = _state(root / name, recent_after=recent if hashed < _HASHED_IN_ALL else None)
        if state is not None:
            files[name] = state
            hashed += _HASHED_BYTES if len(state) > 1 else 0
    return Snapshot(root, files)


def _names(root: Path) -> Iterator[str]:
    """The files below a folder, folder by folder."""
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(root / prefix) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append(f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name


def changes(before: Snapshot, after: Snapshot) -> list[str]:
    """The files that were written, made or removed between two looks at one folder."""
    names = before.files.keys() | after.files.keys()
    if not (before.complete and after.complete):
        # what only one of two partial looks has seen need not have changed
        names = {name for name in names if before.knows(name) and after.knows(name)}
    return sorted(name for name in names if _changed(before, after, name))


def _changed(before: Snapshot, after: Snapshot, name: str) -> bool:
    old, new = before.files.get(name), after.files.get(name)
    if old is None or new is None or old[0] != new[0]:
        return True
    if len(old) == 1:
        return False
    # in the same tick of the clock a file can change without any sign but its content
    return old != _state(after.root / name, hashed=True)


def _state(path: Path, *, recent_after: int | None = None, hashed: bool = False) -> State | None:
    """What of a file changes when it is written; with its content where the clock is too coarse to tell."""
    try:
        found = path.lstat()
    except OSError:
        return None
    signs = (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    recent = recent_after is not None and found.st_ctime_ns >= recent_after
    if not (hashed or recent) or not stat.S_ISREG(found.st_mode) or found.st_size > _HASHED_BYTES:
        return (signs,)
    try:
        return (signs, hashlib.sha256(path.read_bytes()).digest())
    except OSError:
        return (signs,)
