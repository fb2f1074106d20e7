"""Finds elements by the part of CSS that checks need: tag, #id, .class, [attribute], and where they lie."""

from __future__ import annotations

import re
from dataclasses import dataclass

from loom.tools.page import Node

MAX_LENGTH = 500
_SIMPLE = re.compile(
    r"""(?P<tag>\*|[a-zA-Z][\w-]*)
    |\#(?P<id>[\w-]+)
    |\.(?P<class>[\w-]+)
    |\[\s*(?P<name>[\w:-]+)\s*(?:(?P<operator>[*^$~|]?=)\s*(?P<quote>["']?)(?P<value>[^"'\]]*)(?P=quote)\s*)?\]
    |:nth-child\((?P<nth>[0-9]{1,6})\)
    |:(?P<first>first-child)
    |:(?P<last>last-child)""",
    re.VERBOSE,
)


class SelectorError(ValueError):
    """A selector that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Test:
    """One thing an element must be."""

    kind: str
    name: str
    operator: str = ""
    value: str = ""

    def holds(self, node: Node) -> bool:
        match self.kind:
            case "tag":
                return self.name in ("*", node.tag)
            case "id":
                return node.attributes.get("id") == self.name
            case "class":
                return self.name in node.classes
            case "nth":
                return node.place == int(self.name)
            case "first":
                return node.place == 1
            case "last":
                return node.parent is not None and node.place == node.parent.size
        return self.name in node.attributes and _compares(
            node.attributes[self.name], self.operator, self.value
        )


@dataclass(frozen=True, slots=True)
class _Step:
    """What an element must be, and how it relates to the step before."""

    tests: tuple[_Test, ...]
    child: bool

    def holds(self, node: Node) -> bool:
        return all(test.holds(node) for test in self.tests)


def select(root: Node, selector: str, limit: int = 10_000) -> list[Node]:
    """The elements below a node that a selector matches, in the order of the document."""
    choices = [_steps(part) for part in _parts(selector)]
    found = []
    for node in root.elements():
        if any(_matches(node, steps) for steps in choices):
            found.append(node)
            if len(found) >= limit:
                break
    return found


def _parts(selector: str) -> list[str]:
    if not selector.strip() or len(selector) > MAX_LENGTH:
        raise SelectorError("a selector is a short text that is not empty")
    return [part.strip() for part in re.split(r",(?![^\[]*\])", selector)]


def _steps(text: str) -> list[_Step]:
    steps: list[_Step] = []
    # `a > b c` in pairs of relation and compound; blanks inside brackets belong to a value
    words = re.findall(r">|(?:\[[^\]]*\]|[^\s>\[])+|\[", text)
    child = False
    for word in words:
        if word == ">":
            if child or not steps:
                raise SelectorError(f"{text!r}: `>` stands between two elements")
            child = True
            continue
        steps.append(_Step(tuple(_tests(word)), child))
        child = False
    if not steps or child:
        raise SelectorError(f"{text!r} names no element")
    return steps


def _tests(word: str) -> list[_Test]:
    tests, at = [], 0
    while at < len(word):
        found = _SIMPLE.match(word, at)
        if found is None or (found["tag"] and at):
            raise SelectorError(
                f"{word[at:]!r} is not understood; use tag, #id, .class, [name=value], :nth-child(n)"
            )
        for kind in ("tag", "id", "class", "nth", "first", "last"):
            if found[kind]:
                name = found[kind].lower() if kind == "tag" else found[kind]
                tests.append(_Test(kind, name))
        if found["name"]:
            tests.append(
                _Test("attribute", found["name"].lower(), found["operator"] or "", found["value"] or "")
            )
        at = found.end()
    return tests


def _matches(node: Node, steps: list[_Step]) -> bool:
    """Whether a node fits the last step and its ancestors fit those before, tried from the inside out."""
    if not steps[-1].holds(node):
        return False
    pending = [(node, len(steps) - 1)]
    seen: set[tuple[int, int]] = set()
    while pending:
        here, index = pending.pop()
        if index == 0:
            return True
        above = here.parent
        while above is not None and above.tag != "#document":
            key = (id(above), index - 1)
            if steps[index - 1].holds(above) and key not in seen:
                seen.add(key)
                pending.append((above, index - 1))
            if steps[index].child:
                break
            above = above.parent
    return False


def _compares(actual: str, operator: str, value: str) -> bool:
    match operator:
        case "":
            return True
        case "=":
            return actual == value
        case "*=":
            return bool(value) and value in actual
        case "^=":
            return bool(value) and actual.startswith(value)
        case "$=":
            return bool(value) and actual.endswith(value)
        case "~=":
            return value in actual.split()
    return actual == value or actual.startswith(value + "-")
