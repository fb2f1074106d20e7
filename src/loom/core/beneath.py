"""Opening files below an open folder: no link is followed, whoever puts one there and whenever.

Linux checks the whole path at once (openat2); elsewhere the path is walked one folder at a time.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from contextlib import suppress
from functools import cache
from pathlib import PurePosixPath

_OPENAT2 = 437
_NO_MAGICLINKS = 0x02
_NO_SYMLINKS = 0x04
_BENEATH = 0x08
_TRIES = 16

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NOT_HERE = (errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.EAGAIN)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class EscapeError(ValueError):
    """A path that would lead out of the folder it has to stay in."""


def open_beneath(root: int, relative: str, flags: int) -> int:
    """Open an existing file or folder by its path below an open folder; a link on the way is refused."""
    handle = open_by_kernel(root, relative, flags)
    return open_by_walking(root, relative, flags) if handle is None else handle


def make_folders_beneath(root: int, relative: str) -> int:
    """Open a folder below an open folder, and make it and those above it where they are missing."""
    here = os.dup(root)
    for name in _parts(relative):
        try:
            with suppress(FileNotFoundError):
                here = _step(here, name)
                continue
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=here)
            here = _step(here, name)
        except (OSError, EscapeError):
            os.close(here)
            raise
    return here


def open_by_kernel(root: int, relative: str, flags: int) -> int | None:
    """Open with openat2; None where the kernel does not have it, or does not let us use it."""
    call = _syscall()
    if call is None:
        return None
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS)
    path = os.fsencode(relative)
    for _ in range(_TRIES):
        handle = call(_OPENAT2, root, path, ctypes.byref(how), ctypes.sizeof(how))
        if handle >= 0:
            return int(handle)
        code = ctypes.get_errno()
        # something was renamed meanwhile, or a signal came
        if code not in (errno.EAGAIN, errno.EINTR):
            break
    if code in _NOT_HERE:
        return None
    error = OSError(code, os.strerror(code), relative)
    raise _refusal(error) if code in (errno.EXDEV, errno.ELOOP) else error


def open_by_walking(root: int, relative: str, flags: int) -> int:
    """Open one folder after the other, each without following a link."""
    *folders, last = _parts(relative) or (".",)
    here = os.dup(root)
    try:
        for name in folders:
            here = _step(here, name)
        return _open(last, flags, here)
    finally:
        os.close(here)


def _step(here: int, name: str) -> int:
    """From one folder into the next; the first is closed."""
    below = _open(name, FOLDER, here)
    os.close(here)
    return below


def _open(name: str, flags: int, here: int) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK) and _is_link(name, here):
            raise _refusal(error) from None
        raise


def _is_link(name: str, here: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _refusal(error: OSError) -> EscapeError:
    return EscapeError(f"{error.filename} leads over a link that is not followed")


def _parts(relative: str) -> tuple[str, ...]:
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts:
        raise EscapeError(f"{relative} leads out of the folder")
    return path.parts


@cache
def _syscall() -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True).syscall
