"""One digest for a folder's content, the same on every machine that holds the same files."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from loom.kernel.errors import LoomError

_CHUNK = 1024 * 1024
_FORMAT = b"loom-tree-1\n"
_IGNORED = frozenset({".git", "__pycache__"})
_BYTECODE = ".pyc"


def tree_hash(folder: Path) -> str:
    """Hash relative paths, contents, executable bits and link targets below a folder.

    Bytecode, `.git` and empty folders do not count.
    """
    whole = hashlib.sha256(_FORMAT)
    found = ((os.fsencode(path.relative_to(folder)), path, mode) for path, mode in _walk(folder))
    for name, path, mode in sorted(found):
        kind, content = _link(path) if stat.S_ISLNK(mode) else _file(path, mode)
        # every field has a fixed width or its length before it, so no two trees can be written alike
        whole.update(kind + len(name).to_bytes(8, "big") + name + content)
    return "sha256:" + whole.hexdigest()


def is_hashed(relative: Path) -> bool:
    """Whether what lies at this relative path counts in the hash of the folder it is relative to."""
    return relative.suffix != _BYTECODE and _IGNORED.isdisjoint(relative.parts)


def links_leaving(folder: Path) -> list[Path]:
    """Symbolic links that lead out of the folder: its hash cannot vouch for what they lead to."""
    inside = os.path.realpath(folder)
    links = (path for path, mode in _walk(folder) if stat.S_ISLNK(mode))
    return sorted(link for link in links if not Path(os.path.realpath(link)).is_relative_to(inside))


def _walk(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file and link below a folder with its mode, without recursion and without following links."""
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            with os.scandir(here) as listing:
                entries = [(entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in listing]
        except (OSError, ValueError) as error:
            raise _cannot_hash(here, _why(error)) from None
        for name, mode in entries:
            if stat.S_ISDIR(mode):
                if name not in _IGNORED:
                    pending.append(here / name)
            elif not (stat.S_ISREG(mode) and (name == ".git" or name.endswith(_BYTECODE))):
                yield here / name, mode


def _link(path: Path) -> tuple[bytes, bytes]:
    try:
        return b"l", hashlib.sha256(os.fsencode(path.readlink())).digest()
    except OSError as error:
        raise _cannot_hash(path, _why(error)) from None


def _file(path: Path, seen: int) -> tuple[bytes, bytes]:
    """The kind and content digest of one regular file."""
    refusal = _cannot_hash(path, "it is neither a regular file, a folder nor a symbolic link")
    if not stat.S_ISREG(seen):
        raise refusal
    content = hashlib.sha256()
    try:
        # a link or a pipe that takes the file's place in between is neither followed nor waited for
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb", buffering=0) as file:
            mode = os.fstat(handle).st_mode
            if not stat.S_ISREG(mode):
                raise refusal
            while chunk := file.read(_CHUNK):
                content.update(chunk)
    except OSError as error:
        raise _cannot_hash(path, _why(error)) from None
    return b"x" if mode & stat.S_IXUSR else b"f", content.digest()


def _why(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _cannot_hash(path: Path, why: str) -> LoomError:
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    return LoomError(
        f"{shown} cannot be hashed", why, f"make it readable, or move it out of the folder: ls -l {shown}"
    )
