"""Input and output contracts: JSON Schema, draft 2020-12, read the strict way.

True is never a number, 1.0 is not an integer, NaN is nothing at all: data that crosses a boundary must
mean the same on both sides. A schema is complete in itself; no reference is ever fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it has no stubs
from referencing.exceptions import NoSuchResource, Unresolvable
from referencing.jsonschema import DRAFT202012

from loom.core.plain import why_not_json

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_ERRORS = 50
MAX_LETTERS = 400
MAX_REASONS = 3
MATCH_SECONDS = 2.0
_SPECIFICATIONS = "https://json-schema.org/"
_REFERENCES = ("$ref", "$dynamicRef")
_ENDLESS = "the schema refers to itself without end, or is nested too deeply"


def validate_input(data: Any, schema: dict[str, Any]) -> list[str]:
    """What is wrong with an input, in words; empty when nothing is."""
    return _validate(data, schema, "input")


def validate_output(data: Any, schema: dict[str, Any]) -> list[str]:
    """What is wrong with an output, in words; empty when nothing is."""
    return _validate(data, schema, "output")


def check_schema(schema: Any) -> list[str]:
    """What is wrong with a schema itself, so that a bad one is refused when it is loaded."""
    try:
        return _check(schema)
    except RecursionError:
        return [_ENDLESS]


def _check(schema: Any) -> list[str]:
    if not isinstance(schema, dict):
        return [f"a schema is a mapping, not {type(schema).__name__}"]
    wrong = why_not_json(schema)
    if wrong:
        return [f"the schema is not JSON: {wrong}"]
    errors = list(islice(_META.iter_errors(schema), MAX_ERRORS))
    if errors:
        return _said("schema", errors)
    return _check_parts(schema)[:MAX_ERRORS]


def _validate(data: Any, schema: dict[str, Any], side: str) -> list[str]:
    wrong = why_not_json(schema)
    if wrong:
        return [f"{side}: the schema is not JSON: {wrong}"]
    try:
        checked = _prepare(json.dumps(schema, sort_keys=True))
        if isinstance(checked, tuple):
            return [f"{side}: the schema is not valid: {complaint}" for complaint in checked]
        wrong = why_not_json(data)
        if wrong:
            return [f"{side}: {wrong}"]
        errors = list(islice(checked.iter_errors(data), MAX_ERRORS + 1))
    except RecursionError:
        return [f"{side}: {_ENDLESS}"]
    said = _said(side, errors[:MAX_ERRORS])
    return [*said, f"{side}: and more"] if len(errors) > MAX_ERRORS else said


@lru_cache(maxsize=256)
def _prepare(schema: str) -> Validator | tuple[str, ...]:
    parsed = json.loads(schema)
    complaints = _check(parsed)
    if complaints:
        return tuple(complaints)
    # with `$schema` in it, jsonschema would go on with its own validator below a reference to the root
    parsed.pop("$schema", None)
    return _Strict(parsed, registry=REGISTRY)


def _check_parts(schema: dict[str, Any]) -> list[str]:
    """What the schema of schemas cannot see: dialects, patterns, references that lead nowhere."""
    complaints = []
    if schema.get("$schema", DIALECT) not in (DIALECT, f"{DIALECT}#"):
        complaints.append(f"the schema is written for {_short(str(schema['$schema']))}; Loom reads {DIALECT}")
    pending: list[tuple[Any, Any]] = [
        (schema, REGISTRY.resolver_with_root(DRAFT202012.create_resource(schema)))
    ]
    seen = {id(schema)}
    while pending:
        part, resolver = pending.pop()
        if "$schema" in part and part is not schema:
            complaints.append("`$schema` is only read at the root")
        complaints += _check_patterns(part)
        below = [(inner, _inside(inner, resolver)) for inner in DRAFT202012.subresources_of(part)]
        for word in [word for word in _REFERENCES if word in part]:
            found, there = _follow(part[word], resolver)
            if not isinstance(found, dict | bool):
                complaints.append(f"the reference {_short(part[word])!r} leads to no schema")
            elif isinstance(found, dict) and not part[word].startswith(_SPECIFICATIONS):
                # it may lead to a place where nobody has looked for a schema
                complaints += _said("schema", list(islice(_META.iter_errors(found), MAX_ERRORS)))
                below.append((found, there))
        below = [
            (inner, there) for inner, there in below if isinstance(inner, dict) and id(inner) not in seen
        ]
        seen.update(id(inner) for inner, _ in below)
        pending += below if not complaints else []
    return complaints


def _inside(part: Any, resolver: Any) -> Any:
    """The resolver of a schema in another: one with an id of its own has its own base."""
    if isinstance(part, dict) and "$id" in part:
        return resolver.in_subresource(DRAFT202012.create_resource(part))
    return resolver


def _follow(reference: str, resolver: Any) -> tuple[Any, Any]:
    """Where a reference leads, and the resolver there; nothing when it leads nowhere."""
    try:
        found = resolver.lookup(reference)
    except (Unresolvable, NoSuchResource, ValueError, TypeError):
        return None, resolver
    return found.contents, found.resolver


def _check_patterns(part: dict[str, Any]) -> Iterator[str]:
    names = part.get("patternProperties", {})
    for pattern in [*([part["pattern"]] if "pattern" in part else []), *names]:
        try:
            re.compile(pattern)
            _compile(pattern)
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            yield f"the pattern {_short(pattern)!r} is not a regular expression: {error}"


def _is_integer(_: object, instance: object) -> bool:
    return isinstance(instance, int) and not isinstance(instance, bool)


def _is_number(_: object, instance: object) -> bool:
    return isinstance(instance, int | float) and not isinstance(instance, bool)


def _match(_: Validator, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    if not isinstance(instance, str):
        return
    try:
        if not _compile(pattern).search(instance, timeout=MATCH_SECONDS):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")
    except TimeoutError:
        yield ValidationError(f"{instance!r} takes too long to match against {pattern!r}")


@lru_cache(maxsize=512)
def _compile(pattern: str) -> regex.Pattern[str]:
    # in JSON Schema `$` is the end; in Python a line break may follow it
    end = regex.sub(
        r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*+\])|\$", lambda found: found[1] or r"\Z", pattern, flags=regex.S
    )
    return regex.compile(end)


_META = Draft202012Validator(Draft202012Validator.META_SCHEMA)
_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number})
_Strict: type[Validator] = extend(  # type: ignore[no-untyped-call]  # the stubs leave its types out
    Draft202012Validator, {"pattern": _match}, type_checker=_CHECKER
)


def _said(side: str, errors: list[ValidationError]) -> list[str]:
    """Each complaint once, at its place, in the order of places."""
    placed = sorted(([str(part) for part in e.absolute_path], f"{_place(e)}: {_reason(e)}") for e in errors)
    return list(dict.fromkeys(side + complaint for _, complaint in placed))


def _reason(error: ValidationError) -> str:
    """What is wrong; where no alternative fits, also why."""
    reasons = dict.fromkeys(_short(below.message) for below in error.context or [])
    why = "; ".join(list(reasons)[:MAX_REASONS])
    return f"{_short(error.message)} ({why})" if why else _short(error.message)


def _place(error: ValidationError) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)


def _short(text: str) -> str:
    # a message repeats the value it complains about, which may be a whole file
    half = MAX_LETTERS // 2
    return text if len(text) <= MAX_LETTERS else f"{text[:half]} … {text[-half:]}"
