"""Data objects as a tool is given them: the sealed part is not among what it can open."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loom.dataio.catalogue import Catalogue, Entry
from loom.dataio.objects import DataObject

SEALED = "holdout"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A catalogue whose objects come without their holdout: a tool cannot read by mistake what it never gets."""

    whole: Catalogue

    def objects(self, limit: int, name: str | None = None) -> list[Entry]:
        """The newest first, at most `limit`; with `name`, those whose name contains it in any case."""
        return self.whole.objects(limit, name)

    def open(self, pathspec: str) -> DataObject:
        """A data object without its sealed part; a LoomError where there is none of that pathspec."""
        found = self.whole.open(pathspec)
        return replace(found, parts={name: part for name, part in found.parts.items() if name != SEALED})
