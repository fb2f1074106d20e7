"""A quick yes for everyday JSON Schemas, so that the slow full check is kept for unusual ones."""

from __future__ import annotations

from typing import Any

TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_TEXTS = frozenset({"title", "description", "$comment"})
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_SCHEMA = frozenset({"items", "additionalProperties", "not"})
_SCHEMAS_BY_NAME = frozenset({"properties", "$defs"})
_SCHEMA_LISTS = frozenset({"allOf", "anyOf", "oneOf"})


def is_plainly_valid(schema: Any) -> bool:
    """Whether a schema uses only everyday words, each in its right form; no means: ask the full check."""
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, bool):
            continue
        if not isinstance(node, dict):
            return False
        for key, value in node.items():
            if key in _SCHEMA:
                pending.append(value)
            elif key in _SCHEMAS_BY_NAME and isinstance(value, dict):
                pending.extend(value.values())
            elif key in _SCHEMA_LISTS and isinstance(value, list) and value:
                pending.extend(value)
            elif not _is_plain(key, value):
                return False
    return True


def _is_plain(key: str, value: Any) -> bool:
    if key == "type":
        names = [value] if isinstance(value, str) else value
        return _is_list_of_names(names) and bool(names) and set(names) <= TYPES
    if key == "required":
        return _is_list_of_names(value)
    if key in _TEXTS:
        return isinstance(value, str)
    if key in _NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if key in _COUNTS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key in ("enum", "examples"):
        return isinstance(value, list)
    return key in ("const", "default")


def _is_list_of_names(value: Any) -> bool:
    return (
        isinstance(value, list) and all(isinstance(n, str) for n in value) and len(set(value)) == len(value)
    )
