"""Where bytes are kept by their content: the port a datastore implements, and a folder that does."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from loom.kernel.errors import LoomError

_CHUNK = 1024 * 1024


@runtime_checkable
class BlobStore(Protocol):
    """Keeps bytes and gives them back. Must survive pickling and stay small: references carry their store."""

    def put(self, content: bytes | Path) -> str:
        """Keep bytes, or a file's bytes, durably; the key is the same for the same content."""

    def open(self, key: str) -> BinaryIO | Path:
        """The bytes of a key, as a file to read or as a path that stays as long as it is read."""


@dataclass(frozen=True, slots=True)
class DirectoryStore:
    """A folder of blobs named by their SHA-256; a blob is there whole or not at all."""

    root: Path

    def put(self, content: bytes | Path) -> str:
        """Keep bytes or a file's bytes; one that is there already is not written again."""
        try:
            return self._put(content)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"{self.root} cannot keep data", why, f"df -h {self.root}") from None

    def open(self, key: str) -> Path:
        """The path of a blob; a LoomError where it is gone."""
        path = self._path(key)
        if not path.is_file():
            raise LoomError(
                f"the data {key} is gone", f"{self.root} does not hold it", "loom ingest --source SOURCE"
            )
        return path

    def _put(self, content: bytes | Path) -> str:
        key = _digest(content)
        path = self._path(key)
        if path.exists():
            return key
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            with temporary.open("xb") as file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, file, _CHUNK)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
        return key

    def _path(self, key: str) -> Path:
        kind, _, digits = key.partition(":")
        if kind != "sha256" or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
            raise ValueError(f"not a key of this store: {key!r}")
        return self.root / digits[:2] / digits


def _digest(content: bytes | Path) -> str:
    whole = hashlib.sha256()
    if isinstance(content, bytes):
        whole.update(content)
    else:
        with content.open("rb") as file:
            while chunk := file.read(_CHUNK):
                whole.update(chunk)
    return "sha256:" + whole.hexdigest()
