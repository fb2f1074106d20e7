"""What the measuring is asked for: its arguments."""

from __future__ import annotations

from typing import Any


def _text(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "minLength": 1, "description": description}


def _names(description: str) -> dict[str, Any]:
    items = {"type": "string", "minLength": 1}
    return {"type": ["array", "null"], "items": items, "description": description}


PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "dataset": {"type": "string", "minLength": 1, "description": "Data object, such as FeaturesFlow/9."},
        "target": _text("Column to predict; as ingested when null."),
        "solution": _text("A run that kept a solution, or a Python file; the default portfolio when null."),
        "sensitive": _names("Columns to assess fairness by."),
        "metric": _text("Metric, or a threshold to reach; the usual one of the task when null."),
        "time": _names("Column of the time, or its parts; must match the sealed holdout."),
        "group": _text("Column of the entity; must match the sealed holdout."),
        "horizon": _text("How far ahead the target looks, such as 7d."),
        "embargo": _text("Gap kept after each test block."),
    },
    "required": ["dataset"],
    "additionalProperties": False,
}
