"""Data to models: every structural mistake becomes a diagnostic, and what is left can still be linted."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from loom.kernel.diagnostics import Diagnostic, Edit, KeyPath, dotted, suggest
from loom.kernel.document import Document
from loom.process.spec.model import SpecModel
from loom.process.spec.process import ProcessSpec

MAX_ROUNDS = 12
MAX_REPORTED = 1000

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


@dataclass(slots=True)
class Validated:
    """The models of a document, if enough of it was sound, and what had to be left out of them."""

    spec: ProcessSpec | None
    diagnostics: list[Diagnostic]
    removed: tuple[KeyPath, ...] = ()
    kept: dict[int, list[int]] = field(default_factory=dict)
    data: Any = None

    def original(self, path: KeyPath) -> KeyPath:
        """The place in the document of a path in the models: items before it may have been left out."""
        if not self.kept:
            return path
        node, out = self.data, []
        for part in path:
            out.append(self.kept[id(node)][part] if isinstance(part, int) and id(node) in self.kept else part)
            node = _child(node, part)
        return tuple(out)


def validate(document: Document) -> Validated:
    """Check a document against the models; leave out what is broken until the rest holds."""
    data = document.data
    if not isinstance(data, dict):
        detail = f"expected a mapping of keys, found {_describe(data)}"
        fix = "start with `name: my-process`"
        return Validated(None, [Diagnostic("LM203", "error", "wrong type", document.value_at(()), "", detail, fix)])
    version_found, data = _settle_version(document, data)
    try:
        validated = Validated(ProcessSpec.model_validate(data), version_found, document.dropped, data=data)
    except ValidationError as error:
        validated = _Repair(document, data, version_found).run(error)
    if document.nulls:
        reported = {d.path for d in validated.diagnostics}
        validated.diagnostics += [d for d in _written_nulls(document) if d.path not in reported]
    return validated


def _written_nulls(document: Document) -> Iterator[Diagnostic]:
    """Keys that may be absent but must not be empty: an empty value is a slip, not a decision."""
    for path in document.nulls:
        model = model_at(path[:-1], document.data)
        fields = {info.alias or name: info for name, info in model.model_fields.items()} if model else {}
        if path and path[-1] in fields and fields[str(path[-1])].annotation is not JsonValue:
            detail, fix = "nothing is written here", "write a value, or remove the key"
            span = document.value_at(path)
            yield Diagnostic("LM204", "error", "the value is missing", span, dotted(path), detail, fix)


def _settle_version(document: Document, data: dict[str, Any]) -> tuple[list[Diagnostic], dict[str, Any]]:
    """Accept version 1 with a warning, refuse versions that do not exist yet."""
    written = data.get("schema_version", 1)
    if type(written) is not int or written == 2:
        return [], data
    span = document.value_at(("schema_version",)) if "schema_version" in data else document.key_at(("name",))
    rest = {key: value for key, value in data.items() if key != "schema_version"}
    if written == 1 and ("schema_version",) not in document.dropped:
        detail = "this file is read as version 2"
        fix = f"loom process migrate {document.source.name} --write"
        message = "schema_version 1 is deprecated"
        return [Diagnostic("LM212", "warning", message, span, "schema_version", detail, fix)], rest
    if written == 1:
        return [], rest
    detail = f"version {written} is not known to this release, which reads version 2"
    found = Diagnostic(
        "LM211", "error", "unsupported schema_version", span, "schema_version", detail, "write `schema_version: 2`"
    )
    return [found], rest


class _Repair:
    """Reports what validation refuses, takes it out, and validates again."""

    def __init__(self, document: Document, data: dict[str, Any], found: list[Diagnostic]) -> None:
        self.document = document
        self.data = copy.deepcopy(data)
        self.found = found
        self.removed: list[KeyPath] = list(document.dropped)
        # for each list that lost items: where the remaining ones stood
        self.kept: dict[int, list[int]] = {}
        self.reported: set[tuple[str, KeyPath]] = set()

    def run(self, error: ValidationError) -> Validated:
        for _ in range(MAX_ROUNDS):
            problems = error.errors(include_url=False)
            targets = {self._take(problem) for problem in problems}
            if () in targets:
                break
            self._remove(targets)
            try:
                spec = ProcessSpec.model_validate(self.data)
            except ValidationError as next_error:
                error = next_error
                continue
            return Validated(spec, self.found, tuple(self.removed), self.kept, self.data)
        return Validated(None, self.found, tuple(self.removed))

    def _take(self, problem: ErrorDetails) -> KeyPath:
        """Report one problem and name the node to leave out because of it."""
        missing = problem["type"] in ("missing", "union_tag_not_found")
        path = self._locate(problem["loc"], missing=missing)
        if problem["type"] == "union_tag_not_found":
            path = (*path, "type")
        original = self._original(path)
        free = problem["type"] == "extra_forbidden" and isinstance(path[-1], str) and path[-1].startswith("x-")
        known = any(original[: len(gone)] == gone for gone in self.removed)
        if not free and not known and (problem["type"], original) not in self.reported:
            self.reported.add((problem["type"], original))
            if len(self.found) < MAX_REPORTED:
                self.found.append(self._translate(problem, original))
        if not missing:
            return path
        parent = path[:-1]
        if not parent and path == ("name",):
            self.data["name"] = "unnamed"
            self.removed.append(path)
            return ("?",)
        return parent

    def _remove(self, targets: set[KeyPath]) -> None:
        for target in sorted(targets, key=lambda path: [(str(type(p)), p) for p in path], reverse=True):
            if target == ("?",):
                continue
            parent: Any = self.data
            for part in target[:-1]:
                parent = _child(parent, part)
            last = target[-1]
            if isinstance(parent, dict) and last in parent:
                self.removed.append(self._original(target))
                del parent[last]
            elif isinstance(parent, list) and isinstance(last, int) and last < len(parent):
                self.removed.append(self._original(target))
                self.kept.setdefault(id(parent), list(range(len(parent))))
                del parent[last], self.kept[id(parent)][last]

    def _locate(self, loc: tuple[int | str, ...], *, missing: bool) -> KeyPath:
        """A pydantic location without the labels that name a member of a union."""
        node: Any = self.data
        path: list[int | str] = []
        for position, part in enumerate(loc):
            if (isinstance(node, dict) and part in node) or (
                isinstance(node, list) and isinstance(part, int) and part < len(node)
            ):
                path.append(part)
                node = _child(node, part)
            elif missing and position == len(loc) - 1 and isinstance(part, str) and isinstance(node, dict):
                path.append(part)
        return tuple(path)

    def _original(self, path: KeyPath) -> KeyPath:
        return Validated(None, [], (), self.kept, self.data).original(path)

    def _translate(self, problem: ErrorDetails, path: KeyPath) -> Diagnostic:
        kind, value, ctx = problem["type"], problem["input"], problem.get("ctx", {})
        at_key = kind in ("extra_forbidden",)
        span = self.document.key_at(path) if at_key else self.document.value_at(path)
        where = dotted(path)

        def found(code: str, message: str, detail: str, fix: str, edits: tuple[Edit, ...] = ()) -> Diagnostic:
            return Diagnostic(code, "error", message, span, where, detail, fix, edits)

        if kind.startswith("LM"):
            return found(kind, str(ctx["message"]), str(ctx["detail"]), str(ctx["fix"]))
        if kind == "extra_forbidden":
            return self._unknown_key(found, path)
        if kind in ("missing", "union_tag_not_found"):
            return found("LM202", "missing key", f"`{path[-1]}` is required here", f"add `{path[-1]}:`")
        if kind in ("literal_error", "union_tag_invalid"):
            return self._not_a_choice(found, value, path, ctx)
        if kind in _EXPECTED:
            return self._wrong_type(found, kind, value, path)
        if kind == "string_pattern_mismatch":
            return found("LM208", "the name has the wrong form", f"`{value}` does not match {ctx['pattern']}", "rename it")
        if kind == "too_short":
            return found("LM209", "the list is empty", "at least one entry is needed", "add one")
        bounds = " and ".join(f"{_BOUNDS[key]} {bound:g}" for key, bound in ctx.items() if key in _BOUNDS)
        detail = f"{_show(value)} is not {bounds}" if bounds else problem["msg"].lower()
        return found("LM206", "the value is out of range", detail, f"write a value that is {bounds}" if bounds else "change it")

    def _unknown_key(self, found: Any, path: KeyPath) -> Diagnostic:
        key = str(path[-1])
        model = model_at(path[:-1], self.document.data)
        known = _keys_of(model) if model else []
        meant = suggest(key, known)
        fix = f"did you mean `{meant}`?" if meant else f"remove it; known keys are {', '.join(known)}" if known else "remove it"
        siblings = self.document.data
        for part in path[:-1]:
            siblings = _child(siblings, part)
        span = self.document.key_at(path)
        safe = meant is not None and meant not in siblings
        edits = (Edit(span, meant),) if safe and meant else ()
        diagnostic: Diagnostic = found("LM201", "unknown key", f"`{key}` is not a key of {_place(path[:-1])}", fix, edits)
        return diagnostic

    def _not_a_choice(self, found: Any, value: Any, path: KeyPath, ctx: dict[str, Any]) -> Diagnostic:
        if value is None:
            return self._wrong_type(found, "string_type", value, path)
        expected = str(ctx.get("expected") or ctx.get("expected_tags"))
        choices = [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]
        if "tag" in ctx:
            value = ctx["tag"]
            path = (*path, "type")
            span = self.document.value_at(path)
        else:
            span = self.document.value_at(path)
        meant = suggest(value, choices) if isinstance(value, str) else None
        fix = f"did you mean `{meant}`?" if meant else f"choose one of: {', '.join(choices)}"
        edits = (Edit(span, meant),) if meant else ()
        code, message = "LM205", "the value is not one of the choices"
        return Diagnostic(code, "error", message, span, dotted(path), f"{_show(value)} is not one of {', '.join(choices)}", fix, edits)

    def _wrong_type(self, found: Any, kind: str, value: Any, path: KeyPath) -> Diagnostic:
        expected = _EXPECTED[kind]
        span = self.document.value_at(path)
        edits: tuple[Edit, ...] = ()
        if value is None:
            detail, fix = f"expected {expected}, found nothing", f"write {expected}, or remove the key"
            diagnostic: Diagnostic = found("LM204", "the value is missing", detail, fix)
            return diagnostic
        fix = f"write {expected}"
        if kind == "string_type" and isinstance(value, (int, float)):
            written = self.document.source.slice(span)
            fix, edits = f'quote it: "{written}"', (Edit(span, f'"{written}"'),)
        elif kind == "bool_type" and isinstance(value, str) and value.lower() in ("true", "false", "yes", "no", "on", "off"):
            meant = "true" if value.lower() in ("true", "yes", "on") else "false"
            fix, edits = f"write {meant} without quotes", (Edit(span, meant),)
        elif kind == "tuple_type" and isinstance(value, str):
            written = self.document.source.slice(span)
            fix = f"write a list: [{written}]" if "\n" not in written else "write a list"
            edits = (Edit(span, f"[{written}]"),) if "\n" not in written and "," not in written else ()
        detail = f"expected {expected}, found {_describe(value)}"
        diagnostic = found("LM203", "wrong type", detail, fix, edits)
        return diagnostic


_BOUNDS = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}


def model_at(path: KeyPath, data: Any) -> type[SpecModel] | None:
    """The model that reads the mapping at a key path, so that its keys can be named."""
    model: type[SpecModel] | None = ProcessSpec
    node = data
    annotation: Any = None
    for part in path:
        node = _child(node, part)
        if isinstance(part, str) and model is not None:
            info = next((f for name, f in model.model_fields.items() if (f.alias or name) == part), None)
            annotation = info.annotation if info else None
        model = _model_in(annotation, node)
    return model


def _model_in(annotation: Any, node: Any) -> type[SpecModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, SpecModel):
        return annotation
    members = [m for m in (_model_in(arg, node) for arg in getattr(annotation, "__args__", ())) if m]
    if len(members) > 1 and isinstance(node, dict):
        kind = node.get("type")
        members = [m for m in members if kind in getattr(m.model_fields["type"].annotation, "__args__", ())]
    return members[0] if members else None


def _keys_of(model: type[SpecModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _child(node: Any, part: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(part)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return None


def _place(path: KeyPath) -> str:
    return f"`{dotted(path)}`" if path else "a process"


def _show(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def _describe(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {_show(value).strip('`')}"
    if isinstance(value, str):
        return f"the text {_show(value)}"
    return "a list" if isinstance(value, list) else "a mapping"
