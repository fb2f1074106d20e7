"""Mends what can be mended without asking: only what is Loom's own, and only where nothing can be lost."""

from __future__ import annotations

import errno
import os
import shlex
import sqlite3
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from loom.app.surroundings import folder, history
from loom.runtime.journal import FILE_NAME


def mend(home: Path) -> dict[str, list[str]]:
    """Make the home folder, close what is too open, remove leftovers, write the journal's log into it."""
    done: list[str] = []
    failed: list[str] = []
    for what, act in _steps(home):
        try:
            said = act()
        except (OSError, sqlite3.Error) as error:
            failed.append(f"{what}: {getattr(error, 'strerror', None) or error}".lower())
        else:
            done.extend([said] if said else [])
    return {"done": done, "failed": failed}


def _steps(home: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    yield f"making {home}", partial(_make, home)
    for found in filter(lambda found: found["owned"], folder.too_open(home)):
        path, mode = Path(found["path"]), int(found["ought"])
        yield f"changing the mode of {path}", partial(_close, path, mode)
    for found in folder.leftovers(home):
        path = Path(found["path"])
        yield f"removing {path}", partial(_remove, path)
    journal = home / FILE_NAME
    yield f"writing the log of {journal} into it", partial(history.checkpoint, journal)


def _make(home: Path) -> str:
    if home.is_dir():
        return ""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"made {home}"


def _close(path: Path, mode: int) -> str:
    # whoever can write here could have put a link, or a second name of another file, in its place
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if status.st_uid != os.geteuid() or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1):
            raise PermissionError(errno.EPERM, "it is not Loom's alone")
        os.fchmod(handle, mode)
    finally:
        os.close(handle)
    return f"chmod {mode:o} {shlex.quote(str(path))}"


def _remove(path: Path) -> str:
    path.unlink(missing_ok=True)
    return f"removed {path}"
