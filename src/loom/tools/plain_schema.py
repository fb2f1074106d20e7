"""Quick answers about everyday JSON Schemas, so that the full check, which is slow to import, is seldom needed.

Only a yes is an answer: no means that the full check has to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TYPES = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_NOTES = frozenset({"title", "description", "$comment", "default", "examples"})
_TEXTS = frozenset({"title", "description", "$comment"})
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_SCHEMA = frozenset({"items", "additionalProperties", "not"})
_SCHEMAS_BY_NAME = frozenset({"properties", "$defs"})
_SCHEMA_LISTS = frozenset({"allOf", "anyOf", "oneOf"})


def is_plainly_valid(schema: Any) -> bool:
    """Whether a schema uses only everyday words, each in its right form."""
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


def plainly_fits(value: Any, schema: Any) -> bool:
    """Whether a value fits a valid schema, as far as its everyday words can say."""
    if not isinstance(schema, dict):
        return schema is True
    return all(word in _NOTES or _fits_word(value, word, schema) for word in schema)


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


def _fits_word(value: Any, word: str, schema: dict[str, Any]) -> bool:
    said = schema[word]
    match word:
        case "type":
            return any(_IS[name](value) for name in ([said] if isinstance(said, str) else said))
        case "enum":
            return any(_same(value, each) for each in said)
        case "const":
            return _same(value, said)
        case "required":
            return not isinstance(value, dict) or all(name in value for name in said)
        case "properties":
            return not isinstance(value, dict) or all(
                name not in value or plainly_fits(value[name], inner) for name, inner in said.items()
            )
        case "additionalProperties":
            known = schema.get("properties", ())
            # patterns of names would have a say in what is additional
            return "patternProperties" not in schema and (
                not isinstance(value, dict)
                or all(name in known or plainly_fits(inner, said) for name, inner in value.items())
            )
        case "items":
            return "prefixItems" not in schema and (
                not isinstance(value, list) or all(plainly_fits(each, said) for each in value)
            )
        case "anyOf":
            return any(plainly_fits(value, each) for each in said)
        case "allOf":
            return all(plainly_fits(value, each) for each in said)
    bound = _BOUNDS.get(word)
    return bound is not None and bound(value, said)


def _same(value: Any, other: Any) -> bool:
    # true is not 1, neither here nor inside a list
    return type(value) is type(other) and not isinstance(value, list | dict) and bool(value == other)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_IS: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": _is_whole,
    "number": _is_number,
}
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, said: not _is_number(value) or value >= said,
    "maximum": lambda value, said: not _is_number(value) or value <= said,
    "exclusiveMinimum": lambda value, said: not _is_number(value) or value > said,
    "exclusiveMaximum": lambda value, said: not _is_number(value) or value < said,
    "minItems": lambda value, said: not isinstance(value, list) or len(value) >= said,
    "maxItems": lambda value, said: not isinstance(value, list) or len(value) <= said,
    "minLength": lambda value, said: not isinstance(value, str) or len(value) >= said,
    "maxLength": lambda value, said: not isinstance(value, str) or len(value) <= said,
    "minProperties": lambda value, said: not isinstance(value, dict) or len(value) >= said,
    "maxProperties": lambda value, said: not isinstance(value, dict) or len(value) <= said,
}
