"""Files of one workspace: one gate for reads and writes, and nothing leads out of it."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
from pathlib import Path, PurePosixPath
from typing import Any

MAX_READ_BYTES = 64 * 1024 * 1024
MAX_WRITE_BYTES = 256 * 1024 * 1024

_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_BENEATH = 0x08


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class WorkspaceManager:
    """Reads and writes below one folder; anything else is refused with ValueError."""

    def __init__(self, workspace_dir: str | Path) -> None:
        self.workspace_dir = Path(workspace_dir)

    def resolve(self, file_ref: str) -> Path:
        """The absolute path of an existing file of the workspace."""
        path = self._inside(file_ref)
        if not path.exists():
            raise FileNotFoundError(f"no such file in the workspace: {file_ref}")
        return path

    def read_bytes(self, file_ref: str, limit: int = MAX_READ_BYTES) -> bytes:
        """The content of a file, refused above the limit."""
        with os.fdopen(self._open(file_ref, os.O_RDONLY), "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise ValueError(f"{file_ref} is larger than {limit:,} bytes")
        return content

    def read_text(self, file_ref: str) -> str:
        """The content of a UTF-8 file."""
        try:
            return self.read_bytes(file_ref).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{file_ref} is not UTF-8 text: byte {error.start}") from None

    def read_json(self, file_ref: str) -> Any:
        """The content of a JSON file."""
        return json.loads(self.read_text(file_ref))

    def write_bytes(self, file_ref: str, content: bytes) -> Path:
        """Replace a file in one step; a reader never sees half of it."""
        if len(content) > MAX_WRITE_BYTES:
            raise ValueError(f"{file_ref} would be larger than {MAX_WRITE_BYTES:,} bytes")
        path = self._inside(file_ref)
        parent = str(PurePosixPath(file_ref).parent)
        self._make_folders(parent)
        folder = self._open(parent, os.O_RDONLY | os.O_DIRECTORY)
        temporary = f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)
        finally:
            os.close(folder)
        return path

    def write_text(self, file_ref: str, content: str) -> Path:
        """Replace a text file in one step."""
        return self.write_bytes(file_ref, content.encode("utf-8"))

    def write_json(self, filename: str, data: Any) -> Path:
        """Replace a JSON file in one step; data that is not JSON writes nothing."""
        return self.write_text(filename, json.dumps(data, indent=2, allow_nan=False) + "\n")

    def _inside(self, file_ref: str) -> Path:
        _check_reference(file_ref)
        root = self.workspace_dir.resolve()
        path = (root / file_ref).resolve()
        if not path.is_relative_to(root):
            raise ValueError(f"{file_ref} leads out of the workspace")
        return path

    def _open(self, file_ref: str, flags: int) -> int:
        """Open below the workspace; the kernel refuses a link that was swapped in meanwhile."""
        path = self._inside(file_ref)
        root = os.open(self.workspace_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            relative = str(path.relative_to(self.workspace_dir.resolve()))
            handle = _open_beneath(root, relative, flags | os.O_CLOEXEC | os.O_NONBLOCK)
        finally:
            os.close(root)
        if handle is None:
            handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        return handle

    def _make_folders(self, parent: str) -> None:
        path = self._inside(parent)
        path.mkdir(parents=True, exist_ok=True)


def _check_reference(file_ref: str) -> None:
    if not isinstance(file_ref, str) or not file_ref:
        raise ValueError("a file reference is a text that is not empty")
    if "\0" in file_ref:
        raise ValueError("a file reference holds no NUL")
    if PurePosixPath(file_ref).is_absolute() or file_ref.startswith("~") or "\\" in file_ref:
        raise ValueError(f"{file_ref} is not relative to the workspace")


def _open_beneath(root: int, relative: str, flags: int) -> int | None:
    """openat2 with RESOLVE_BENEATH; None where the kernel does not have it."""
    if not sys.platform.startswith("linux"):
        return None
    how = _OpenHow(flags=flags, mode=0, resolve=_RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.syscall(_OPENAT2, root, relative.encode(), ctypes.byref(how), ctypes.sizeof(how))
    if handle >= 0:
        return int(handle)
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EPERM, errno.EINVAL):
        return None
    if code == errno.EXDEV:
        raise ValueError(f"{relative} leads out of the workspace")
    raise OSError(code, os.strerror(code), relative)
