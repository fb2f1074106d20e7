"""Data objects: the parts that were brought in and what is known of them, and the record that keeps both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loom.dataio.blobs import BlobStore
from loom.dataio.frames import FrameRef, from_record

FORMAT = 1
PARTS = ("train", "test", "holdout", "sample_submission")


@dataclass(frozen=True, slots=True)
class DataObject:
    """The parts of a data object by name, and what is known of them (`schema`, plain data without any cell)."""

    schema: dict[str, Any]
    parts: Mapping[str, FrameRef]

    def record(self) -> bytes:
        """The object as JSON without its store: schema and references."""
        parts = {name: part.record() for name, part in self.parts.items()}
        return json.dumps({"format": FORMAT, "schema": self.schema, "parts": parts}, sort_keys=True).encode()

    @classmethod
    def from_record(cls, record: bytes, store: BlobStore) -> DataObject:
        """The object that a record describes."""
        data = json.loads(record)
        parts = {name: from_record(part, store) for name, part in data["parts"].items()}
        return cls(data["schema"], parts)
