"""Files that a run kept beside its data, such as a fitted model, by the name `ValidateFlow/12/model`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loom.dataio.blobs import BlobStore
from loom.dataio.files import FileRef, from_record
from loom.dataio.frames import references
from loom.dataio.metaflow_client import last_task
from loom.kernel.errors import LoomError

KEPT = "kept"
"""What a tool returns of the files it kept: their records by name."""

_REFERENCE = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,99}/[A-Za-z0-9][A-Za-z0-9_.-]{0,99})/([a-z][a-z_]{0,40})")
Find = Callable[[str, str], FileRef | None]


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """Opens what runs kept, wherever their engine keeps it."""

    find: Find

    def open(self, reference: str) -> FileRef:
        """The file of that name; a LoomError where there is none."""
        named = _REFERENCE.fullmatch(reference)
        found = self.find(named[1], named[2]) if named else None
        if found is None:
            why = (
                "a run names its files as FLOW/NUMBER/NAME"
                if named is None
                else f"{named[1]} did not keep it"
            )
            raise LoomError(f"there is no {reference[:200]}", why, "loom runs")
        return found


def in_metaflow(pathspec: str, name: str) -> FileRef | None:
    """The file a run of Metaflow kept as an artifact of its last task."""
    task = last_task(pathspec)
    if task is None or name not in task:
        return None
    with references():
        found = task[name].data
    return found if isinstance(found, FileRef) else None


def in_folder(kept_by: Callable[[str], Mapping[str, Any]], store: BlobStore) -> Find:
    """Files that a folder keeps; `kept_by` says which ones a run did."""

    def find(pathspec: str, name: str) -> FileRef | None:
        record = kept_by(pathspec).get(name)
        return None if record is None else from_record(record, store)

    return find
