"""Landlock: this process, and all it starts, can open only the files it was given.

What it does not close: the names, sizes and modes of files can be asked for, and the modes and times of
files of the same user can be changed (no version restricts `stat`, `chmod`, `utime`). Versions below 3 let
`truncate` through, below 4 TCP, below 6 signals and abstract sockets; the filter in seccomp.py closes the
first, the second and the last.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys

from loom.sandbox import linux

# This file runs before every sandboxed program: it imports nothing that is slow to import.

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, _TRUNCATE), (5, _IOCTL_DEV))
"""The version of the interface, and the file rights it added."""
_TCP = 0b11
_SCOPES = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The version of Landlock's interface in this kernel; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    try:
        return linux.syscall(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(read: list[str], write: list[str], *, network: bool, version: int | None = None) -> None:
    """Close this thread in for good; OSError when the kernel has no Landlock.

    Call it in a process of one thread, just before it runs what is not trusted. Paths that do not exist are
    passed over. `version` pretends to an older kernel.
    """
    version = min(abi(), version if version is not None else 1 << 16)
    if version < 1:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock")
    handled = sum(rights for since, rights in _RIGHTS if version >= since)
    rules = _Ruleset(handled, _TCP if version >= 4 and not network else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = linux.syscall(_CREATE_RULESET, ctypes.byref(rules), size, 0)
    try:
        for path in read:
            _allow(ruleset, path, handled & _READ)
        for path in write:
            _allow(ruleset, path, handled & ~(_MAKE_CHAR | _MAKE_BLOCK | _MAKE_SOCK | _IOCTL_DEV))
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # what cannot be reached needs no permission
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= _OF_FILES
        rule = _PathBeneath(rights, handle)
        linux.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(handle)
