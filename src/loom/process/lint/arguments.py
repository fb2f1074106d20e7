"""Whether the arguments written for a tool fit the parameters it declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loom.kernel.diagnostics import suggest
from loom.process.lint.references import is_one_reference

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_SHOWN = 6
MAX_SUGGESTED = 100


@dataclass(frozen=True, slots=True)
class Misfit:
    """One argument that does not fit; `key` is None when it is missing."""

    key: str | None
    detail: str
    fix: str = ""
    meant: str | None = None


def misfits(args: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Misfit]:
    """Every way in which arguments do not fit a JSON Schema of an object, as far as that can be known."""
    properties = parameters.get("properties")
    properties = properties if isinstance(properties, dict) else None
    required = parameters.get("required")
    required = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    missing = [name for name in required if name not in args]
    for key, value in args.items():
        if properties is None:
            break
        if key in properties:
            why = _misfit(value, properties[key])
            if why:
                yield Misfit(key, f"`{key}` {why}")
        elif not (parameters.get("additionalProperties") or parameters.get("patternProperties")):
            # a name that is still missing is the likelier one
            few = len(properties) <= MAX_SUGGESTED
            free = [name for name in properties if name not in args] if few else []
            meant = suggest(key, missing if few else []) or suggest(key, free)
            known = f"it takes {_listed(list(properties))}" if properties else "it takes none"
            fix = f"did you mean `{meant}`?" if meant else known
            missing = [name for name in missing if name != meant]
            yield Misfit(key, f"it has no argument `{key}`", fix, meant)
    for name in missing:
        yield Misfit(None, f"it needs `{name}`", f"add `{name}:`")


def _misfit(value: Any, schema: Any) -> str | None:
    if not isinstance(schema, dict) or (isinstance(value, str) and is_one_reference(value)):
        return None
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds if isinstance(kinds, list) else []
    words = [_WORDS[kind] for kind in kinds if isinstance(kind, str) and kind in _WORDS]
    if words and not any(_is(value, kind) for kind in kinds):
        return f"takes {' or '.join(words)}, not {show(value)}"
    choices = schema.get("enum")
    inside_text = isinstance(value, str) and "${" in value
    if isinstance(choices, list) and not inside_text and not any(_same(value, each) for each in choices):
        return f"is one of {_listed([show(each) for each in choices])}; not {show(value)}"
    return None


def _listed(words: list[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")


def _is(value: Any, kind: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return not isinstance(value, bool) and (isinstance(value, int) or _whole(value))
        case "number":
            return not isinstance(value, bool) and isinstance(value, (int, float))
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "null":
            return value is None
    # a word that JSON Schema does not know settles nothing
    return True


def _whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _same(value: Any, choice: Any) -> bool:
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def show(value: Any) -> str:
    """A value as it is written in YAML, cut short."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"
