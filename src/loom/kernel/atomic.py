"""Write a file so that a reader sees the old content or the new, never half of either."""

from __future__ import annotations

import os
import shlex
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from loom.kernel.errors import LoomError


def write_atomically(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace a file in one step: temporary file beside it, fsync, rename. Keeps its mode and its owner."""
    target = Path(os.path.realpath(path))
    temporary: str | None = None
    try:
        before = _status(target)
        if before is not None and not stat.S_ISREG(before.st_mode):
            # renaming over a device or a pipe would remove it
            kind = "a folder" if stat.S_ISDIR(before.st_mode) else "not a regular file"
            raise LoomError(f"{path} cannot be written", f"it is {kind}", "name a file")
        # the name of the file is not part of it: with an ending it could become too long
        handle, temporary = tempfile.mkstemp(prefix=".loom-", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _dress(Path(temporary), before, mode)
        Path(temporary).replace(target)
        temporary = None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(
            f"{path} cannot be written", why, f"ls -ld {shlex.quote(str(target.parent))}"
        ) from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()


def _status(target: Path) -> os.stat_result | None:
    try:
        return target.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _dress(temporary: Path, before: os.stat_result | None, mode: int | None) -> None:
    """Give the new file the owner and the mode that the old one had."""
    if before is not None:
        with suppress(OSError):
            os.chown(temporary, before.st_uid, before.st_gid)
    if mode is None:
        mode = stat.S_IMODE(before.st_mode) & 0o777 if before is not None else 0o666 & ~_umask()
    temporary.chmod(mode)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
