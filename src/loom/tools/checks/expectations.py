"""What an answer over HTTP must be: the words for it, and what is wrong with one that is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import regex

from loom.tools.schema import many, number, text
from loom.tools.web import Answer

_REGEX_SECONDS = 2.0

EXPECT: dict[str, Any] = {
    "type": "object",
    "description": "What the answer must be; status 200 when left out.",
    "properties": {
        "status": {"type": "integer", "minimum": 100, "maximum": 599},
        "contains": many(text("A text."), "Texts that must occur.", maxItems=50),
        "not_contains": many(text("A text."), "Texts that must not occur.", maxItems=50),
        "matches": text("Regular expression that must match somewhere.", maxLength=1_000),
        "headers": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 50},
        "json": {
            "type": "object",
            "description": "Values by dotted path, such as `items[0].id`.",
            "maxProperties": 50,
        },
        "max_seconds": number("Slowest answer that is accepted.", exclusiveMinimum=0),
    },
    "additionalProperties": False,
}
_STEP = regex.compile(r"([^.\[\]]+)|\[(\d{1,9})\]")
_MISSING = object()


def unmet(name: str, answer: Answer, expect: Mapping[str, Any]) -> list[str]:
    """Everything about the answer of an address that is not as expected."""
    wrong = []
    status = expect.get("status", 200)
    if answer.status != status:
        wrong.append(f"{name} answered {answer.status}, not {status}")
    body = answer.text
    wrong += [f"{name} does not contain {part!r}" for part in expect.get("contains", ()) if part not in body]
    wrong += [f"{name} contains {part!r}" for part in expect.get("not_contains", ()) if part in body]
    if "matches" in expect and (why := _mismatch(expect["matches"], body)):
        wrong.append(f"{name}: {why}")
    for header, value in expect.get("headers", {}).items():
        actual = answer.headers.get(header.lower())
        if actual is None or value.lower() not in actual.lower():
            wrong.append(f"{name} sends {header}: {actual}, not {value}")
    if expect.get("json"):
        wrong += _json_errors(name, answer, expect["json"])
    if "max_seconds" in expect and answer.seconds > expect["max_seconds"]:
        wrong.append(f"{name} took {answer.seconds:.2f} s, more than {expect['max_seconds']:g} s")
    return wrong


def _mismatch(pattern: str, body: str) -> str:
    try:
        found = regex.search(pattern, body, timeout=_REGEX_SECONDS, concurrent=True)
    except regex.error as error:
        return f"the pattern {pattern!r} cannot be read: {error}"
    except TimeoutError:
        return f"the pattern {pattern!r} takes too long"
    return "" if found else f"nothing matches {pattern!r}"


def _json_errors(name: str, answer: Answer, wanted: Mapping[str, Any]) -> list[str]:
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return [f"{name} does not answer in JSON"]
    wrong = []
    for path, value in wanted.items():
        actual = _at(data, path)
        if actual is _MISSING:
            wrong.append(f"{name} has no {path}")
        elif actual != value or isinstance(actual, bool) != isinstance(value, bool):
            wrong.append(f"{name} has {path} = {json.dumps(actual)[:100]}, not {json.dumps(value)[:100]}")
    return wrong


def _at(data: Any, path: str) -> Any:
    for name, index in _STEP.findall(path):
        if name and isinstance(data, dict):
            data = data.get(name, _MISSING)
        elif index and isinstance(data, list) and int(index) < len(data):
            data = data[int(index)]
        else:
            return _MISSING
    return data
