"""What pydantic refuses, in words an author can act on."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

from loom.kernel.diagnostics import Diagnostic, Edit, KeyPath, Span, dotted, suggest
from loom.kernel.document import Document
from loom.process.shape import child, keys_of, model_at

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}
_BOUNDS = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
_TRUTHS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}


def word(problem: ErrorDetails, path: KeyPath, document: Document) -> Diagnostic:
    """One refusal as a diagnostic at its place in the document."""
    kind, value, ctx = problem["type"], problem["input"], problem.get("ctx", {})
    span = document.value_at(path)
    if kind == "extra_forbidden":
        return _unknown_key(path, document)
    if kind in ("literal_error", "union_tag_invalid"):
        return _not_a_choice(value, path, ctx, document)
    if kind in _EXPECTED:
        return _wrong_type(kind, value, path, span, document)
    if kind.startswith("LM"):
        return _error(kind, str(ctx["message"]), span, path, str(ctx["detail"]), str(ctx["fix"]))
    if kind in ("missing", "union_tag_not_found"):
        return _error(
            "LM202", "missing key", span, path, f"`{path[-1]}` is required here", f"add `{path[-1]}:`"
        )
    if kind == "string_pattern_mismatch":
        detail = f"`{value}` does not match {ctx['pattern']}"
        return _error("LM208", "the name has the wrong form", span, path, detail, "rename it")
    if kind == "too_short":
        return _error("LM209", "the list is empty", span, path, "at least one entry is needed", "add one")
    bounds = " and ".join(f"{_BOUNDS[key]} {bound:g}" for key, bound in ctx.items() if key in _BOUNDS)
    detail = f"{_show(value)} is not {bounds}" if bounds else problem["msg"].lower()
    fix = f"write a value that is {bounds}" if bounds else "change it"
    return _error("LM206", "the value is out of range", span, path, detail, fix)


def _error(
    code: str, message: str, span: Span, path: KeyPath, detail: str, fix: str, edits: tuple[Edit, ...] = ()
) -> Diagnostic:
    return Diagnostic(code, "error", message, span, dotted(path), detail, fix, edits)


def _unknown_key(path: KeyPath, document: Document) -> Diagnostic:
    key = str(path[-1])
    model = model_at(path[:-1], document.data)
    known = keys_of(model) if model else []
    meant = suggest(key, known)
    span = document.key_at(path)
    edits = (Edit(span, meant),) if meant and meant not in _at(document, path[:-1]) else ()
    fix = f"did you mean `{meant}`?" if meant else "remove it"
    if not meant and known:
        fix += f"; known keys are {', '.join(known)}"
    parent = f"`{dotted(path[:-1])}`" if len(path) > 1 else "a process"
    return _error("LM201", "unknown key", span, path, f"`{key}` is not a key of {parent}", fix, edits)


def _not_a_choice(value: Any, path: KeyPath, ctx: dict[str, Any], document: Document) -> Diagnostic:
    if "tag" in ctx:
        value, path = child(value, "type"), (*path, "type")
    expected = str(ctx.get("expected") or ctx.get("expected_tags"))
    choices = [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]
    span = document.value_at(path)
    if value is None:
        expected = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
        detail, fix = f"expected {expected}, found nothing", f"write {expected}, or remove the key"
        return _error("LM204", "the value is missing", span, path, detail, fix)
    if isinstance(value, str) and value in choices:
        detail, fix = (
            f"expected the number {value}, found the text `{value}`",
            f"write {value} without quotes",
        )
        return _error("LM203", "wrong type", span, path, detail, fix, (Edit(span, value),))
    meant = suggest(value, choices) if isinstance(value, str) else None
    fix = f"did you mean `{meant}`?" if meant else f"choose one of: {', '.join(choices)}"
    edits = (Edit(span, meant),) if meant and span.line == span.end_line else ()
    detail = f"{_show(value)} is not one of {', '.join(choices)}"
    return _error("LM205", "the value is not one of the choices", span, path, detail, fix, edits)


def _wrong_type(kind: str, value: Any, path: KeyPath, span: Span, document: Document) -> Diagnostic:
    expected = _EXPECTED[kind]
    if value is None:
        detail, fix = f"expected {expected}, found nothing", f"write {expected}, or remove the key"
        return _error("LM204", "the value is missing", span, path, detail, fix)
    edits: tuple[Edit, ...] = ()
    fix = f"write {expected}"
    written = document.source.slice(span)
    if kind == "string_type" and isinstance(value, (int, float)) and _at(document, path) is value:
        fix, edits = f'quote it: "{written}"', (Edit(span, f'"{written}"'),)
    elif kind == "bool_type" and isinstance(value, str) and value.lower() in _TRUTHS:
        meant = _TRUTHS[value.lower()]
        fix, edits = f"write {meant} without quotes", (Edit(span, meant),)
    elif kind == "tuple_type" and isinstance(value, str) and not set(written) & set(",[]{}#\n"):
        fix, edits = f"write a list: [{written}]", (Edit(span, f"[{written}]"),)
    detail = f"expected {expected}, found {describe(value)}"
    return _error("LM203", "wrong type", span, path, detail, fix, edits)


def _at(document: Document, path: KeyPath) -> Any:
    node = document.data
    for part in path:
        node = child(node, part)
    return node


def _show(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return describe(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def describe(value: Any) -> str:
    """A value as one would name it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {_show(value).strip('`')}"
    if isinstance(value, str):
        return f"the text {_show(value)}"
    return "a list" if isinstance(value, list) else "a mapping"
