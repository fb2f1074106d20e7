"""docs/reference/keys.md: every key of a process.yaml, read off its JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from loom.app.reference.markdown import alternatives, anchor, link, page, table
from loom.process.jsonschema import Schema, process_schema

_INTRODUCTION = """\
One section per key of the file's top level, and one per mapping inside it. A list is written `key[]`, and a
name of your own choice `NAME`. Keys that start with `x-` are yours in every mapping that is described here.
A key that is written needs a value, and a text may be blank only where its default is.
`schemas/process.v2.json` says the same to editors."""
_KEBAB = "^[a-z0-9][a-z0-9-]*$"
_PLURALS = {"text": "texts", "mapping": "mappings", "list": "lists"}


def keys_page(_root: Path) -> str:
    """The page, in the order in which the keys are declared."""
    schema = process_schema()
    return page("Keys of process.yaml", "`src/loom/process/spec/`", _Keys(schema).blocks())


class _Keys:
    """Walks the schema; a mapping that occurs in several places is described at the first."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.heading_of: dict[str, str] = {}

    def blocks(self) -> Iterator[str]:
        """The introduction, a table of contents and the sections."""
        yield _INTRODUCTION
        properties = self.schema["properties"]
        rows = [(link(key), _need(key, self.schema), node["description"]) for key, node in properties.items()]
        yield table(("key", "", "what it is"), rows)
        for key, node in properties.items():
            yield from self._root_key(key, node)

    def _root_key(self, key: str, node: Schema) -> Iterator[str]:
        yield f"## {key}"
        yield node["description"]
        found = list(self._new_mappings(node, key))
        # the table stands right below; nobody needs a link to it
        kind = re.sub(rf"\[(mappings?)\]\(#{anchor(key)}\)", r"\1", self._words(node))
        need = _need(key, self.schema)
        yield f"Type: {kind}." + (
            f" Default: {need}." if need.startswith("`") else " Required." if need else ""
        )
        for path, name in found:
            yield from self._mapping(path, name, titled=anchor(path) != anchor(key))

    def _mapping(self, path: str, name: str, *, titled: bool = True) -> Iterator[str]:
        """The table of a mapping's keys, then the mappings below it."""
        model = self.schema["$defs"][name]
        if titled:
            yield f"### {self.heading_of[name]}"
        if titled or path.endswith("[]"):
            yield model["description"]
        below: list[tuple[str, str]] = []
        rows = []
        for key, node in model["properties"].items():
            below += self._new_mappings(node, f"{path}.{key}")
            rows.append((f"`{key}`", self._words(node), _need(key, model), node["description"]))
        yield table(("key", "type", "default", "meaning"), rows)
        if model.get("additionalProperties") is not False:
            yield "Other keys are kept as they are."
        for inner, each in below:
            yield from self._mapping(inner, each)

    def _new_mappings(self, node: Schema, path: str) -> Iterator[tuple[str, str]]:
        """Mappings of a key that have no section yet, each with its path."""
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            if name not in self.heading_of:
                self.heading_of[name] = path
                yield path, name
        for member in node.get("anyOf", ()):
            yield from self._new_mappings(member, path)
        for member in node.get("oneOf", ()):
            name = member["$ref"].rpartition("/")[2]
            self.heading_of[name] = f"{path} with type {self._kind(name)}"
            yield path, name
        if isinstance(node.get("items"), dict):
            yield from self._new_mappings(node["items"], f"{path}[]")
        if isinstance(node.get("additionalProperties"), dict):
            yield from self._new_mappings(node["additionalProperties"], f"{path}.NAME")

    def _kind(self, name: str) -> str:
        return str(self.schema["$defs"][name]["properties"]["type"]["const"])

    def _words(self, node: Schema) -> str:
        """The type of a value, as one would say it."""
        if "$ref" in node:
            return link(self.heading_of[node["$ref"].rpartition("/")[2]], "mapping")
        if "oneOf" in node:
            names = [member["$ref"].rpartition("/")[2] for member in node["oneOf"]]
            return "mapping: " + alternatives([link(self.heading_of[n], self._kind(n)) for n in names])
        if "anyOf" in node:
            return ", or ".join(self._words(member) for member in node["anyOf"])
        if "const" in node or "enum" in node:
            values = alternatives([f"`{value}`" for value in node.get("enum", [node.get("const")])])
            return f"{values} (deprecated)" if node.get("deprecated") else values
        match node.get("type"):
            case "string":
                return _text(node)
            case "integer" | "number":
                return _number(node)
            case "array":
                return self._list(node)
            case "object":
                return self._free_mapping(node)
            case "boolean":
                return "true or false"
            case list(kinds):
                return alternatives([self._words({"type": kind}) for kind in kinds])
        return "any value"

    def _list(self, node: Schema) -> str:
        if "items" not in node:
            return "list"
        kinds = node["items"].get("anyOf", [node["items"]])
        items = alternatives([_many(self._words(kind)) for kind in kinds])
        return f"list of {items}" + (", at least one" if node.get("minItems") else "")

    def _free_mapping(self, node: Schema) -> str:
        value = node.get("additionalProperties")
        if node.get("maxProperties") == 1:
            return "`name: text`"
        return f"mapping of names to {_many(self._words(value))}" if value else "mapping of your own"


def _many(words: str) -> str:
    """The plural of a type, where it has one."""
    for one, plural in _PLURALS.items():
        if words == one or words.startswith((f"{one} ", f"{one}:")):
            return plural + words[len(one) :]
        if words.startswith(f"[{one}]"):
            return f"[{plural}]" + words[len(one) + 2 :]
    return words


def _text(node: Schema) -> str:
    pattern = node.get("pattern")
    if pattern is None or "not" in node:
        return "text"
    return {r"\S": "text", _KEBAB: "text in kebab-case"}.get(pattern, f"text like `{pattern}`")


def _number(node: Schema) -> str:
    word = "whole number" if node["type"] == "integer" else "number"
    low, above, high = node.get("minimum"), node.get("exclusiveMinimum"), node.get("maximum")
    if low is not None and high is not None:
        return f"{word} from {low} to {high}"
    if above is not None:
        return f"{word} above {above}"
    return f"{word}, {low} or more" if low is not None else word


def _need(key: str, owner: Schema) -> str:
    """Whether a key must be written, or what holds when it is not."""
    node = owner["properties"][key]
    if key in owner.get("required", ()):
        return "required"
    return f"`{json.dumps(node['default'], ensure_ascii=False)}`" if "default" in node else ""
