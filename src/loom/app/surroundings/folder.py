"""Loom's home folder: whether it can be used, who can read what must stay private, and what was left lying."""

from __future__ import annotations

import fnmatch
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from loom.app.surroundings.machine import nearest

PRIVATE = ("*.key", "secrets*", "credentials*", "auth.*", "connections.toml")
"""Files that only their owner may read."""

RELIED_ON = ("trust.json", "loom.toml", "journal.*")
"""Files that nobody else may change: what they say is believed."""

TEMPORARY = (".loom-*", ".*.key.*")
STALE_SECONDS = 3600.0
_MOST = 10_000


def home(path: Path) -> dict[str, Any]:
    """Whether the home folder is there and can be written to, found out by writing."""
    facts: dict[str, Any] = {"path": str(path), "exists": False, "writable": False, "problem": ""}
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return {**facts, **_could_be_made(path)}
    except OSError as error:
        return {**facts, "problem": _why(error)}
    facts |= {"exists": True, "mode": stat.S_IMODE(status.st_mode), "owned": _owned(status)}
    if not stat.S_ISDIR(status.st_mode):
        return {**facts, "problem": "it is not a folder"}
    try:
        with tempfile.NamedTemporaryFile(prefix=".loom-", dir=path) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return {**facts, "problem": _why(error)}
    return {**facts, "writable": True}


def _could_be_made(path: Path) -> dict[str, Any]:
    try:
        above = nearest(path)
    except OSError as error:
        return {"problem": _why(error)}
    if not above.is_dir():
        return {"problem": f"{above} is not a folder"}
    writable = os.access(above, os.W_OK | os.X_OK)
    return {"writable": writable, "problem": "" if writable else f"{above} cannot be written to"}


def too_open(folder: Path) -> list[dict[str, Any]]:
    """What others can read or change below the home folder, and the mode it ought to have."""
    found = []
    for path, status in _entries(folder):
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISREG(status.st_mode) and _named(path, PRIVATE):
            ought = mode & 0o700
        elif path == folder or (stat.S_ISREG(status.st_mode) and _named(path, RELIED_ON)):
            ought = mode & ~0o022
        else:
            continue
        if ought != mode:
            found.append({"path": str(path), "mode": mode, "ought": ought, "owned": _owned(status)})
    return found


def leftovers(folder: Path) -> list[dict[str, Any]]:
    """Temporary files of writes that were killed, old enough that nobody is at work on them."""
    now = time.time()
    return [
        {"path": str(path), "hours": round((now - status.st_mtime) / 3600, 1)}
        for path, status in _entries(folder)
        if stat.S_ISREG(status.st_mode) and _named(path, TEMPORARY) and now - status.st_mtime > STALE_SECONDS
    ]


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The folder and what lies directly in it; links are not followed."""
    with suppress(OSError):
        yield folder, folder.stat()
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count >= _MOST:
                    return
                with suppress(OSError):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)


def _named(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(path.name, pattern) for pattern in patterns)


def _owned(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid()


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
