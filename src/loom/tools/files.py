"""Opens what `loom.tools.paths` answered, in such a way that nothing can be swapped in between.

A resolved path has no links in it. Walking it folder by folder and refusing every link therefore reaches
exactly the file that was checked, or nothing.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from loom.tools.paths import PathRefusedError

MAX_READ = 1024 * 1024
MAX_WRITE = 64 * 1024 * 1024

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# enough to pass through a folder that may be entered and not listed
_PASS = _FOLDER | getattr(os, "O_PATH", os.O_RDONLY)
_LINK_ERRORS = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})


def open_file(path: Path) -> BinaryIO:
    """Open a resolved path for reading; links, pipes and devices are refused, and nothing is waited for."""
    with open_folder(path.parent) as folder:
        try:
            handle = os.open(
                path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
            )
        except OSError as error:
            raise _refused(error, path) from None
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", path.name)
    raise PathRefusedError(f"{path.name} is not a regular file")


@contextmanager
def open_folder(path: Path, *, create: bool = False) -> Iterator[int]:
    """A handle of a resolved folder while the block runs, entered step by step without following a link."""
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError("only a resolved path can be opened")
    here = os.open(path.anchor, _PASS)
    try:
        for part in path.parts[1:]:
            try:
                there = _enter(part, here, create=create)
            except OSError as error:
                raise _refused(error, path) from None
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


def read_bytes(path: Path, limit: int = MAX_READ) -> tuple[bytes, bool]:
    """The content of a resolved path up to a limit, and whether there was more."""
    with open_file(path) as file:
        content = file.read(limit + 1)
    return content[:limit], len(content) > limit


def write_bytes(path: Path, content: bytes) -> bool:
    """Replace a resolved path in one step, folders included; False when it held exactly that before."""
    if len(content) > MAX_WRITE:
        raise PathRefusedError(f"{path.name} would be larger than {MAX_WRITE:,} bytes")
    with open_folder(path.parent, create=True) as folder:
        mode = _mode_of(path.name, folder)
        if mode is not None and _holds(path, content):
            return False
        temporary = f".{path.name[:100]}.{os.urandom(6).hex()}.part"
        handle = os.open(
            temporary,
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
            0o666,
            dir_fd=folder,
        )
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                if mode is not None:
                    os.fchmod(handle, mode)
                os.fsync(handle)
            os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(temporary, dir_fd=folder)
            raise
    return True


def append_bytes(path: Path, content: bytes) -> bool:
    """Add to the end of a resolved path, in one step; False when there is nothing to add."""
    before, more = read_bytes(path, MAX_WRITE) if path.exists() else (b"", False)
    if more:
        raise PathRefusedError(f"{path.name} is larger than {MAX_WRITE:,} bytes")
    return write_bytes(path, before + content)


def _mode_of(name: str, folder: int) -> int | None:
    """The permissions of the file that is about to be replaced; None when there is none."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", name)
    if not stat.S_ISREG(found.st_mode):
        raise PathRefusedError(f"{name} is not a regular file")
    return stat.S_IMODE(found.st_mode)


def _holds(path: Path, content: bytes) -> bool:
    try:
        found, more = read_bytes(path, len(content))
    except PermissionError:
        return False
    return not more and found == content


def _enter(part: str, here: int, *, create: bool) -> int:
    try:
        return os.open(part, _PASS, dir_fd=here)
    except FileNotFoundError:
        if not create:
            raise
    # somebody else may make it meanwhile; whether it is a folder shows next
    with suppress(FileExistsError):
        os.mkdir(part, 0o777, dir_fd=here)
    return os.open(part, _PASS, dir_fd=here)


def _refused(error: OSError, path: Path) -> Exception:
    """A link on the way means that somebody put it there after the path was checked."""
    if error.errno in _LINK_ERRORS:
        return PathRefusedError(f"{path.name} is reached through a link or a file that is no folder")
    return error
