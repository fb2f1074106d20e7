"""The parameters of a tool: short words to write them, whether they can be trusted, and whether arguments fit."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.core.plain import why_not_json
from loom.tools.plain_schema import is_plainly_valid, plainly_fits

Schema = dict[str, Any]


def takes(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    """The parameters of a tool: exactly these arguments, and no other."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def text(description: str, **more: Any) -> Schema:
    """An argument that is a text."""
    return {"type": "string", "description": description, **more}


def whole(description: str, **more: Any) -> Schema:
    """An argument that is a whole number."""
    return {"type": "integer", "description": description, **more}


def number(description: str, **more: Any) -> Schema:
    """An argument that is a number."""
    return {"type": "number", "description": description, **more}


def flag(description: str) -> Schema:
    """An argument that is true or false."""
    return {"type": "boolean", "description": description}


def many(items: Schema, description: str, **more: Any) -> Schema:
    """An argument that is a list."""
    return {"type": "array", "items": items, "description": description, **more}


def schema_errors(parameters: Any) -> list[str]:
    """What is wrong with the parameters of a tool; a reference that leads out of the schema is wrong too."""
    if not isinstance(parameters, dict) or parameters.get("type") != "object":
        return ["parameters is not a JSON Schema of type object"]
    foreign = [ref for ref in _references(parameters) if not ref.startswith("#")]
    if foreign:
        # whoever validates with it would have to fetch it
        return [f"parameters refers to {foreign[0][:80]}, which is not in it"]
    if is_plainly_valid(parameters) and not why_not_json(parameters):
        return []
    return [f"parameters{line}" for line in _contracts().check_schema(parameters)]


def argument_errors(args: dict[str, Any], parameters: dict[str, Any]) -> list[str]:
    """What of the arguments does not fit the parameters, in words; empty when all does."""
    if plainly_fits(args, parameters) and not why_not_json(args):
        return []
    return [line.replace("input", "args", 1) for line in _contracts().validate_input(args, parameters)]


def _contracts() -> Any:
    # a fifth of a second to import, and most calls do without
    return importlib.import_module("loom.core.contracts")


def _references(node: Any) -> Iterator[str]:
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            for key in ("$ref", "$dynamicRef"):
                if isinstance(current.get(key), str):
                    yield current[key]
            pending += current.values()
        elif isinstance(current, list):
            pending += current
