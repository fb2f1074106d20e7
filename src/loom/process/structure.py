"""Data to models: every structural mistake becomes a diagnostic, and what is left can still be linted."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from loom.kernel.diagnostics import Diagnostic, KeyPath, dotted, suggest
from loom.kernel.document import Document
from loom.process.shape import child, keys_of, model_at
from loom.process.spec.model import OpenModel
from loom.process.spec.process import ProcessSpec
from loom.process.wording import describe, word

MAX_ROUNDS = 12
MAX_REPORTED = 1000


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
            node = child(node, part)
        return tuple(out)


def validate(document: Document) -> Validated:
    """Check a document against the models; leave out what is broken until the rest holds."""
    data = document.data
    if not isinstance(data, dict):
        detail = f"expected a mapping of keys, found {describe(data)}"
        fix = "start with `name: my-process`"
        return Validated(
            None, [Diagnostic("LM203", "error", "wrong type", document.value_at(()), "", detail, fix)]
        )
    version_found, data = _settle_version(document, data)
    try:
        validated = Validated(ProcessSpec.model_validate(data), version_found, document.dropped, data=data)
    except ValidationError as error:
        validated = _Repair(document, data, version_found).run(error)
    if document.nulls:
        reported = {d.path for d in validated.diagnostics}
        found = islice(_written_nulls(document), MAX_REPORTED)
        nulls = {path: d for path, d in found if d.path not in reported}
        validated.diagnostics += nulls.values()
        validated.removed += tuple(nulls)
    return validated


def _is_free(annotation: Any) -> bool:
    return annotation is JsonValue


def _written_nulls(document: Document) -> Iterator[tuple[KeyPath, Diagnostic]]:
    """Keys that may be absent but must not be empty: an empty value is a slip, not a decision."""
    for path in document.nulls:
        model = model_at(path[:-1], document.data)
        fields = {info.alias or name: info for name, info in model.model_fields.items()} if model else {}
        if path and path[-1] in fields and not _is_free(fields[str(path[-1])].annotation):
            detail, fix = "nothing is written here", "write a value, or remove the key"
            span = document.value_at(path)
            yield path, Diagnostic("LM204", "error", "the value is missing", span, dotted(path), detail, fix)


def _settle_version(document: Document, data: dict[str, Any]) -> tuple[list[Diagnostic], dict[str, Any]]:
    """Accept version 1 with a warning, refuse versions that do not exist yet."""
    written = data.get("schema_version", 1)
    if type(written) not in (int, float) or (written == 2 and type(written) is int):
        return [], data
    span = document.value_at(("schema_version",)) if "schema_version" in data else document.key_at(("name",))
    rest = {key: value for key, value in data.items() if key != "schema_version"}
    if written == 1 and type(written) is int and ("schema_version",) not in document.dropped:
        detail = "this file is read as version 2"
        fix = f"loom process migrate {document.source.name} --write"
        message = "schema_version 1 is deprecated"
        return [Diagnostic("LM212", "warning", message, span, "schema_version", detail, fix)], rest
    if written == 1 and type(written) is int:
        return [], rest
    if isinstance(written, float):
        detail, fix = f"expected a whole number, found the number {written}", "write `schema_version: 2`"
        return [Diagnostic("LM203", "error", "wrong type", span, "schema_version", detail, fix)], rest
    detail = f"version {written} is not known to this release, which reads version 2"
    found = Diagnostic(
        "LM211",
        "error",
        "unsupported schema_version",
        span,
        "schema_version",
        detail,
        "write `schema_version: 2`",
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
            problems = [p for p in error.errors(include_url=False) if not self._is_free(p)]
            targets = {self._take(problem) for problem in problems[:MAX_REPORTED]}
            # a file with thousands of mistakes is not worth the time that mending it would take
            if () in targets or len(problems) > MAX_REPORTED:
                break
            self._remove(targets)
            try:
                spec = ProcessSpec.model_validate(self.data)
            except ValidationError as next_error:
                error = next_error
                continue
            return Validated(spec, self.found, tuple(self.removed), self.kept, self.data)
        return Validated(None, self.found, tuple(self.removed))

    def _is_free(self, problem: ErrorDetails) -> bool:
        """Whether the problem is a key of the author's own, which is taken out and is no mistake."""
        key = problem["loc"][-1] if problem["loc"] else ""
        if problem["type"] != "extra_forbidden" or not str(key).startswith("x-"):
            return False
        parent: Any = self.data
        for part in self._locate(problem["loc"][:-1], missing=False):
            parent = child(parent, part)
        if isinstance(parent, dict):
            parent.pop(key, None)
        return True

    def _take(self, problem: ErrorDetails) -> KeyPath:
        """Report one problem and name the node to leave out because of it."""
        if problem["type"] == "too_short" and problem["input"]:
            # pydantic counts the items that hold; the list is not empty, its items are broken
            return ("?",)
        missing = problem["type"] in ("missing", "union_tag_not_found")
        path = self._locate(problem["loc"], missing=missing)
        if problem["type"] == "union_tag_not_found":
            path = (*path, "type")
        original = self._original(path)
        known = any(original[: len(gone)] == gone for gone in self.removed)
        if problem["type"] == "too_short":
            # the author wrote entries; what is wrong with them is said at their places
            known = (
                known or bool(problem["input"]) or any(g[: len(original)] == original for g in self.removed)
            )
        elif missing:
            known = known or self._is_misspelt(original)
        if not known and (problem["type"], original) not in self.reported:
            self.reported.add((problem["type"], original))
            if len(self.found) < MAX_REPORTED:
                self.found.append(word(problem, original, self.document))
        if not missing:
            return path
        parent = path[:-1]
        if not parent and path == ("name",):
            self.data["name"] = "unnamed"
            self.removed.append(path)
            return ("?",)
        return parent

    def _is_misspelt(self, path: KeyPath) -> bool:
        """Whether a missing key is there under a name that is almost right, and reported as unknown."""
        model = model_at(path[:-1], self.document.data)
        if model is None or issubclass(model, OpenModel):
            return False
        written: Any = self.document.data
        for part in path[:-1]:
            written = child(written, part)
        known = keys_of(model)
        return any(key not in known and suggest(key, known) == path[-1] for key in written)

    def _remove(self, targets: set[KeyPath]) -> None:
        for target in sorted(targets, key=lambda path: [(str(type(p)), p) for p in path], reverse=True):
            if target == ("?",):
                continue
            parent: Any = self.data
            for part in target[:-1]:
                parent = child(parent, part)
            last = target[-1]
            if isinstance(parent, dict) and last in parent:
                self.removed.append(self._original(target))
                del parent[last]
            elif isinstance(parent, list) and isinstance(last, int) and last < len(parent):
                self.removed.append(self._original(target))
                if id(parent) not in self.kept:
                    self.kept[id(parent)] = list(range(len(parent)))
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
                node = child(node, part)
            elif isinstance(node, dict) and isinstance(part, int) and part < len(node):
                # a mapping by name that the models read as a list
                path.append(list(node)[part])
                node = node[path[-1]]
            elif missing and position == len(loc) - 1 and isinstance(part, str) and isinstance(node, dict):
                path.append(part)
        return tuple(path)

    def _original(self, path: KeyPath) -> KeyPath:
        return Validated(None, [], (), self.kept, self.data).original(path)
