"""A data object as the artifacts of a Metaflow run: small references that a notebook sees as data."""

from __future__ import annotations

import json
from pathlib import Path

from loom.dataio.blobs import BlobStore
from loom.dataio.objects import DataObject

RECORD = "data_object"
SCHEMA = "schema"


def artifacts_of(record_key: str, store: BlobStore) -> dict[str, object]:
    """What a step sets so that its run is a data object: its parts and files as references, the schema, the record."""
    source = store.open(record_key)
    if isinstance(source, Path):
        record = source.read_bytes()
    else:
        with source:
            record = source.read()
    found = DataObject.from_record(record, store)
    return {**found.parts, **found.files, SCHEMA: found.schema, RECORD: json.loads(record)}
