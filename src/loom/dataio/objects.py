"""Data objects: their parts, the files beside them and what is known of them, and the record that keeps it all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loom.dataio import files as stored
from loom.dataio.blobs import BlobStore
from loom.dataio.files import FileRef
from loom.dataio.frames import FrameRef, from_record

FORMAT = 1
PARTS = ("train", "test", "holdout", "sample_submission")


@dataclass(frozen=True, slots=True)
class DataObject:
    """The parts of a data object by name, and what is known of them (`schema`, plain data without any cell)."""

    schema: dict[str, Any]
    parts: Mapping[str, FrameRef]
    files: Mapping[str, FileRef] = field(default_factory=dict)
    """What belongs to it and is no table, by name: of features, the fitted `transformer`."""

    def record(self) -> bytes:
        """The object as JSON without its store: schema and references."""
        told: dict[str, Any] = {"format": FORMAT, "schema": self.schema}
        told["parts"] = {name: part.record() for name, part in self.parts.items()}
        if self.files:
            told["files"] = {name: file.record() for name, file in self.files.items()}
        return json.dumps(told, sort_keys=True).encode()

    @classmethod
    def from_record(cls, record: bytes, store: BlobStore) -> DataObject:
        """The object that a record describes."""
        data = json.loads(record)
        parts = {name: from_record(part, store) for name, part in data["parts"].items()}
        files = {name: stored.from_record(file, store) for name, file in data.get("files", {}).items()}
        return cls(data["schema"], parts, files)
