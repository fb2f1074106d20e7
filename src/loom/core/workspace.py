"""Files of one workspace: one gate for reads and writes, and nothing leads out of it."""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NoReturn

from loom.core.beneath import FOLDER, EscapeError, make_folders_beneath, open_beneath

MAX_READ_BYTES = 64 * 1024 * 1024
MAX_WRITE_BYTES = 256 * 1024 * 1024
MAX_REFERENCE_BYTES = 1024
MAX_NAME_BYTES = 255


class WorkspaceManager:
    """Reads and writes below one folder; a reference that leads out of it is refused with ValueError."""

    def __init__(
        self,
        workspace_dir: str | Path,
        *,
        max_read_bytes: int = MAX_READ_BYTES,
        max_write_bytes: int = MAX_WRITE_BYTES,
    ) -> None:
        # settled once: a later change of directory must not change what a reference means
        self.workspace_dir = Path(os.path.realpath(workspace_dir))
        self.max_read_bytes = max_read_bytes
        self.max_write_bytes = max_write_bytes

    def resolve(self, file_ref: str) -> Path:
        """The absolute path of an existing file of the workspace.

        What lies there can change until it is opened; to read it, prefer the methods that read.
        """
        path = self._inside(file_ref)
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, "no such file in the workspace", file_ref)
        return path

    def read_bytes(self, file_ref: str) -> bytes:
        """The content of a file, refused above the limit."""
        with self._open(file_ref) as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(self.max_read_bytes + 1) if size <= self.max_read_bytes else b""
        if max(size, len(content)) > self.max_read_bytes:
            raise ValueError(f"{file_ref} is larger than {self.max_read_bytes:,} bytes")
        return content

    def read_text(self, file_ref: str) -> str:
        """The content of a UTF-8 file."""
        try:
            return self.read_bytes(file_ref).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{file_ref} is not UTF-8 text: byte {error.start:,}") from None

    def read_json(self, file_ref: str) -> Any:
        """The content of a JSON file; anything JSON does not know is a JSONDecodeError."""
        text = self.read_text(file_ref)

        def refuse(number: str) -> NoReturn:
            raise json.JSONDecodeError(f"{file_ref} holds {number}, which is no JSON", text, 0)

        try:
            return json.loads(text, parse_constant=refuse)
        except RecursionError:
            raise json.JSONDecodeError(f"{file_ref} is nested too deeply", text, 0) from None

    def write_bytes(self, file_ref: str, content: bytes) -> Path:
        """Replace a file in one step: a reader never sees half of it, and a failure changes nothing."""
        if len(content) > self.max_write_bytes:
            raise ValueError(f"{file_ref} would be larger than {self.max_write_bytes:,} bytes")
        path = self._inside(file_ref)
        if path == self.workspace_dir:
            raise ValueError(f"{file_ref} is the workspace itself")
        root = os.open(self.workspace_dir, FOLDER)
        try:
            folder = make_folders_beneath(root, str(path.relative_to(self.workspace_dir).parent))
        finally:
            os.close(root)
        try:
            _replace(folder, path.name, content)
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
        """Where a reference leads once all links are followed."""
        _check_reference(file_ref)
        path = Path(os.path.realpath(self.workspace_dir / file_ref))
        if not path.is_relative_to(self.workspace_dir):
            raise EscapeError(f"{file_ref} leads out of the workspace")
        return path

    def _open(self, file_ref: str) -> BinaryIO:
        """Open a regular file; what is put in its place between check and opening is refused as well."""
        relative = str(self._inside(file_ref).relative_to(self.workspace_dir))
        root = os.open(self.workspace_dir, FOLDER)
        try:
            # a pipe is not waited for
            handle = open_beneath(root, relative, os.O_RDONLY | os.O_NONBLOCK)
        finally:
            os.close(root)
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            os.close(handle)
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file_ref)
            raise ValueError(f"{file_ref} is not a regular file")
        return os.fdopen(handle, "rb")


def _check_reference(file_ref: str) -> None:
    if not isinstance(file_ref, str) or not file_ref:
        raise ValueError("a file reference is a text that is not empty")
    if "\0" in file_ref:
        raise ValueError("a file reference holds no NUL")
    parts = [part.encode("utf-8", "surrogatepass") for part in PurePosixPath(file_ref).parts]
    if sum(map(len, parts)) + len(parts) > MAX_REFERENCE_BYTES or any(len(p) > MAX_NAME_BYTES for p in parts):
        raise ValueError(f"a file reference is too long: {file_ref[:40]}…")
    if any("\ud800" <= letter <= "\udfff" for letter in file_ref):
        raise ValueError("a file reference is UTF-8 text")
    if PurePosixPath(file_ref).is_absolute() or file_ref.startswith("~") or "\\" in file_ref:
        raise EscapeError(f"{file_ref} is not relative to the workspace")


def _replace(folder: int, name: str, content: bytes) -> None:
    """Write a file beside the one it replaces, sync it, and rename it over."""
    mode = _mode_to_keep(folder, name)
    temporary = f".loom-{os.urandom(8).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(temporary, flags, 0o666 if mode is None else 0o600, dir_fd=folder)
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(handle, mode)
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        # after the rename there is nothing left to remove
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
    os.fsync(folder)


def _mode_to_keep(folder: int, name: str) -> int | None:
    """The permissions of the file that is replaced; one that nobody may write is left alone."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    if not stat.S_ISREG(mode):
        return None
    if not mode & 0o222:
        raise PermissionError(errno.EACCES, "the file is read-only", name)
    return stat.S_IMODE(mode) & 0o777
