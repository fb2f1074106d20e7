"""A page of HTML as a tree: what it says, what it links to, and what a selector finds in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from loom.tools.threads import Stop

MAX_NODES = 200_000
MAX_DEPTH = 400
_CHUNK = 16 * 1024

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_SILENT = frozenset("script style noscript template head svg".split())
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body caption dd details div dl dt fieldset figcaption figure footer form "
    "header hr html li main nav ol p pre section summary table tbody tfoot thead tr ul".split()
) | set(_HEADINGS)
# an element that the next one of its kind ends without saying so
_ENDS_ITSELF = {
    **{tag: (tag,) for tag in ("p", "li", "tr", "option")},
    **{tag: ("td", "th") for tag in ("td", "th")},
    **{tag: ("dt", "dd") for tag in ("dt", "dd")},
}
_SPACE = re.compile(r"\s+")
_DATE_NAMES = frozenset({"article:published_time", "datepublished", "date", "dc.date", "dcterms.created"})


@dataclass(slots=True, eq=False)
class Node:
    """An element with its attributes, and in order what is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: Node | None = None
    children: list[Node | str] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        """The words of its `class`."""
        return frozenset(self.attributes.get("class", "").split())

    def elements(self) -> Iterator[Node]:
        """Every element below it, in the order of the document."""
        pending = list(reversed(self.children))
        while pending:
            child = pending.pop()
            if isinstance(child, Node):
                yield child
                pending += reversed(child.children)

    def text(self) -> str:
        """What a reader sees of it, in lines."""
        return _readable(self)


@dataclass(frozen=True, slots=True)
class Page:
    """One document, and the address it came from."""

    url: str
    root: Node

    @property
    def title(self) -> str:
        """What the document calls itself."""
        for node in self.root.elements():
            if node.tag == "title":
                return _flat("".join(child for child in node.children if isinstance(child, str)))
        return ""

    @property
    def text(self) -> str:
        """What a reader sees, in lines; headings and list items are marked."""
        return self.root.text()

    @property
    def published_at(self) -> str | None:
        """The date the document gives itself, if it does."""
        for node in self.root.elements():
            names = {node.attributes.get(key, "").lower() for key in ("property", "name", "itemprop")}
            if names & _DATE_NAMES and (value := node.attributes.get("content") or node.attributes.get("datetime")):
                return value.strip()
        for node in self.root.elements():
            if node.tag == "time" and "datetime" in node.attributes:
                return node.attributes["datetime"].strip()
        return None

    def links(self, limit: int) -> list[dict[str, str]]:
        """Where the document leads, with the words of each link."""
        found: dict[str, str] = {}
        for node in self.root.elements():
            target = node.attributes.get("href", "") if node.tag == "a" else ""
            if not target or target.startswith(("#", "javascript:", "mailto:", "data:")):
                continue
            found.setdefault(urljoin(self.url, target).partition("#")[0], _flat(node.text())[:200])
            if len(found) >= limit:
                break
        return [{"url": url, "text": words} for url, words in found.items()]


def parse_page(text: str, url: str = "", stop: Stop | None = None) -> Page:
    """Read HTML the forgiving way; what is too much or too deep is left out."""
    builder = _Builder()
    for start in range(0, len(text), _CHUNK):
        if stop is not None:
            stop.check()
        builder.feed(text[start : start + _CHUNK])
    builder.close()
    return Page(url, builder.root)


class _Builder(HTMLParser):
    """Puts the events of the parser into a tree."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("#document")
        self._open = [self.root]
        self._count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        while self._open[-1].tag in _ENDS_ITSELF.get(tag, ()):
            self._open.pop()
        self._count += 1
        if self._count > MAX_NODES or len(self._open) > MAX_DEPTH:
            return
        node = Node(tag, {name: value or "" for name, value in reversed(attrs)}, self._open[-1])
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that closes itself, as far as HTML allows that."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Close the nearest element of that name; one that was never opened is ignored."""
        for index in range(len(self._open) - 1, 0, -1):
            if self._open[index].tag == tag:
                del self._open[index:]
                return

    def handle_data(self, data: str) -> None:
        """Text."""
        self._open[-1].children.append(data)


def _readable(start: Node) -> str:
    """The lines a reader sees; white space counts as one space, except in `pre`."""
    lines: list[str] = [""]
    pending: list[Node | str | None] = [start]
    while pending:
        item = pending.pop()
        if item is None:
            lines.append("")
        elif isinstance(item, str):
            lines[-1] += _SPACE.sub(" ", item)
        elif item.tag == "br":
            lines.append("")
        elif item.tag in ("td", "th"):
            lines[-1] += " | " if lines[-1].strip() else ""
            pending += reversed(item.children)
        elif item is start or item.tag not in _SILENT:
            if item.tag in _BLOCKS:
                lines.append(_HEADINGS.get(item.tag, "- " if item.tag == "li" else ""))
                pending.append(None)
            pending += reversed(item.children)
    return "\n".join(flat for line in lines if (flat := _flat(line)) and flat not in ("-", "#"))


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
