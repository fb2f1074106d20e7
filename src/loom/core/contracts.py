"""Input and output contracts: JSON Schema, draft 2020-12, read the strict way.

True is never a number, and 1.0 is not an integer: data that crosses a boundary must mean the same on
both sides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

MAX_ERRORS = 50


def _is_integer(_: object, instance: object) -> bool:
    return isinstance(instance, int) and not isinstance(instance, bool)


def _is_number(_: object, instance: object) -> bool:
    return isinstance(instance, int | float) and not isinstance(instance, bool)


_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number})
_Strict: type[Validator] = extend(Draft202012Validator, type_checker=_CHECKER)


def validate_input(data: Any, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with an input, in words; empty when nothing is."""
    return _validate(data, schema, "input")


def validate_output(data: Any, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with an output, in words; empty when nothing is."""
    return _validate(data, schema, "output")


def check_schema(schema: Any) -> list[str]:
    """What is wrong with a schema itself, so that a bad one is refused when it is loaded."""
    if not isinstance(schema, Mapping):
        return [f"a schema is a mapping, not {type(schema).__name__}"]
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        return [f"{_place(error)}: {error.message}"]
    return []


def _validate(data: Any, schema: Mapping[str, Any], side: str) -> list[str]:
    try:
        validator = _validator(json.dumps(schema, sort_keys=True))
    except (TypeError, ValueError) as error:
        return [f"{side}: the schema is not JSON: {error}"]
    except SchemaError as error:
        return [f"{side}: the schema is not valid: {error.message}"]
    errors = sorted(validator.iter_errors(data), key=lambda e: [str(part) for part in e.absolute_path])
    said = [f"{side}{_place(error)}: {error.message}" for error in errors[:MAX_ERRORS]]
    return [*said, f"{side}: {len(errors) - MAX_ERRORS} more"] if len(errors) > MAX_ERRORS else said


@lru_cache(maxsize=256)
def _validator(schema: str) -> Validator:
    parsed = json.loads(schema)
    Draft202012Validator.check_schema(parsed)
    return _Strict(parsed)


def _place(error: ValidationError | SchemaError) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
