"""What both looks at a data object take."""

from __future__ import annotations

from typing import Any

PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "dataset": {"type": "string", "minLength": 1, "description": "Data object, such as IngestDataset/7."},
        "target": {"type": ["string", "null"], "description": "Column to predict; as ingested when null."},
        "time": {
            "type": ["array", "null"],
            "items": {"type": "string", "minLength": 1},
            "description": "Column of the time, or its parts; as ingested when null.",
        },
        "group": {"type": ["string", "null"], "description": "Column of the entity; as ingested when null."},
    },
    "required": ["dataset"],
    "additionalProperties": False,
}
