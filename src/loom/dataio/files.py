"""Files of a data object beside its tables: bytes in a blob store, and the small references that stand for them.

A reference pickles to a few hundred bytes. Unpickled in a notebook it is what the bytes mean, such as a fitted
transformer; Loom itself asks the reference for either.
"""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.dataio.blobs import BlobStore
from loom.dataio.frames import wants_references
from loom.kernel.errors import LoomError

# a record may come from anywhere: it chooses among readers of Loom's own, and names nothing else
_READER = re.compile(r"(loom(?:\.[a-z][a-z_]*)+):([A-Za-z]\w*(?:\.[a-z]\w*)?)")


@dataclass(frozen=True, slots=True)
class FileRef:
    """One file of a data object: its key in a store, its size and digest, and what in Loom makes sense of its bytes."""

    store: BlobStore
    key: str
    size: int
    digest: str
    reader: str
    """`module:name` of what turns the bytes into a thing."""

    @classmethod
    def put(cls, content: bytes, reader: str, store: BlobStore) -> FileRef:
        """Keep bytes in a store."""
        _check(reader)
        return cls(store, store.put(content), len(content), digest_of(content), reader)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.store, self.key, self.size, self.digest, self.reader)

    def __copy__(self) -> FileRef:
        return self

    def __deepcopy__(self, memo: Mapping[int, Any]) -> FileRef:
        return self

    def read(self) -> bytes:
        """The bytes; a LoomError where they are not those that were kept."""
        source = self.store.open(self.key)
        if isinstance(source, Path):
            content = source.read_bytes()
        else:
            with source:
                content = source.read()
        if digest_of(content) != self.digest:
            raise LoomError(
                f"the file {self.key} is damaged",
                f"its digest is not {self.digest}",
                "make the data object again: loom datasets",
            )
        return content

    def load(self) -> Any:
        """What the bytes mean."""
        return self._meaning(self.read())

    def _meaning(self, content: bytes) -> Any:
        module, name = _check(self.reader)
        found: Any = importlib.import_module(module)  # only who wants the thing needs what made it
        for part in name.split("."):
            found = getattr(found, part)
        return found(content)

    def record(self) -> dict[str, Any]:
        """The reference as plain data, without its store."""
        return {"key": self.key, "size": self.size, "digest": self.digest, "reader": self.reader}


def from_record(record: Mapping[str, Any], store: BlobStore) -> FileRef:
    """The reference that plain data describes."""
    return FileRef(store, record["key"], record["size"], record["digest"], record["reader"])


def digest_of(content: bytes) -> str:
    """The address of bytes by what they are."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _check(reader: str) -> tuple[str, str]:
    found = _READER.fullmatch(reader)
    if found is None:
        raise ValueError(f"not a reader of Loom's own: {reader[:80]!r}")
    return found[1], found[2]


def _restore(store: BlobStore, key: str, size: int, digest: str, reader: str) -> Any:
    ref = FileRef(store, key, size, digest, reader)
    return ref if wants_references() else ref.load()
