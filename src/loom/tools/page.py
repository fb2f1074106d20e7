"""A page of HTML as a tree: what it says, what it links to, and what a selector finds in it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from loom.tools.threads import Stop

MAX_NODES = 50_000
MAX_DEPTH = 200

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_SILENT = frozenset({"script", "style", "noscript", "template", "head", "svg"})
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "li", "main", "nav"),
        *("ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul", *_HEADINGS),
    }
)
_RAW = frozenset({"script", "style", "title", "textarea"})
# what an element ends without saying so
_PARAGRAPH = ("p",)
_ENDS = {
    "li": ("li", "p"),
    "option": ("option",),
    **dict.fromkeys(("td", "th"), ("td", "th", "p")),
    **dict.fromkeys(("tr", "tbody", "thead", "tfoot"), ("td", "th", "tr", "p")),
    **dict.fromkeys(("dt", "dd"), ("dt", "dd", "p")),
}
_START = re.compile(
    r"""<(?P<tag>[a-zA-Z][^\s/>]*+)(?P<rest>(?:[^>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?=[^"']))|["'])*+)>"""
)
_NAME_NEXT = re.compile(r"[a-zA-Z]")
_ATTRIBUTE = re.compile(r"""(?P<name>[^\s=/>"']++)(?:\s*+=\s*+(?P<value>"[^"]*+"|'[^']*+'|[^\s>"']*+))?""")
_SPACE = re.compile(r"\s+")
_DATE_NAMES = frozenset({"article:published_time", "datepublished", "date", "dc.date", "dcterms.created"})


@dataclass(slots=True, eq=False)
class Node:
    """An element with its attributes, and in order what is in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: Node | None = None
    children: list[Node | str] = field(default_factory=list)
    place: int = 1
    """Which element it is among those of its parent, from 1."""

    size: int = 0
    """How many elements are directly in it."""

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
            if names & _DATE_NAMES and (
                value := node.attributes.get("content") or node.attributes.get("datetime")
            ):
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
    """Read HTML the forgiving way, in one pass; what is too much or too deep is left out."""
    builder = _Builder()
    at, end = 0, len(text)
    while at < end:
        if stop is not None:
            stop.check()
        here = text.find("<", at)
        builder.text(text[at : end if here < 0 else here])
        if here < 0:
            break
        at = _markup(text, here, builder)
    return Page(url, builder.root)


def _markup(text: str, at: int, builder: _Builder) -> int:
    """Read what starts at a `<`, and answer where it ends. What never ends swallows the rest, as in browsers,
    so that no character is looked at twice."""
    if found := _START.match(text, at):
        return _start(text, found, builder)
    if text.startswith("<!--", at):
        end = text.find("-->", at + 4)
        return len(text) if end < 0 else end + 3
    if text.startswith(("<!", "<?", "</"), at):
        end = text.find(">", at)
        if end > 0 and text[at + 1] == "/":
            builder.close(text[at + 2 : end].split("/")[0].strip().lower())
        return len(text) if end < 0 else end + 1
    if _NAME_NEXT.match(text, at + 1):
        return len(text)
    builder.text("<")
    return at + 1


def _start(text: str, found: re.Match[str], builder: _Builder) -> int:
    tag = found["tag"].lower()
    attributes: dict[str, str] = {}
    for each in _ATTRIBUTE.finditer(found["rest"]):
        value = each["value"] or ""
        if value[:1] in ("'", '"'):
            value = value[1:-1]
        attributes.setdefault(each["name"].lower(), _unescape(value))
    builder.open(tag, attributes)
    if tag not in _RAW:
        return found.end()
    closing = re.compile(f"</{tag}", re.IGNORECASE).search(text, found.end())
    end = closing.start() if closing else len(text)
    content = text[found.end() : end]
    builder.text(content, raw=tag in ("script", "style"))
    return end


class _Builder:
    """Puts elements and text into a tree."""

    def __init__(self) -> None:
        self.root = Node("#document")
        self._open = [self.root]
        self._count = 0

    def open(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element; those that it ends silently are closed first."""
        ends = _ENDS.get(tag, _PARAGRAPH if tag in _BLOCKS else ())
        while self._open[-1].tag in ends:
            self._open.pop()
        self._count += 1
        if self._count > MAX_NODES or len(self._open) > MAX_DEPTH:
            return
        parent = self._open[-1]
        parent.size += 1
        node = Node(tag, attributes, parent, place=parent.size)
        parent.children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def close(self, tag: str) -> None:
        """End the nearest element of that name; one that was never begun is ignored."""
        for index in range(len(self._open) - 1, 0, -1):
            if self._open[index].tag == tag:
                del self._open[index:]
                return

    def text(self, data: str, *, raw: bool = False) -> None:
        """Add text."""
        if data:
            self._open[-1].children.append(data if raw else _unescape(data))


def _unescape(text: str) -> str:
    try:
        return html.unescape(text) if "&" in text else text
    except ValueError:
        return text  # a number with thousands of digits


def _readable(start: Node) -> str:
    """The lines a reader sees; white space counts as one space."""
    lines: list[list[str]] = [[]]
    pending: list[Node | str | None] = [start]
    while pending:
        item = pending.pop()
        if item is None:
            lines.append([])
        elif isinstance(item, str):
            lines[-1].append(item)
        elif item.tag == "br":
            lines.append([])
        elif item is start:
            pending += reversed(item.children)
        elif item.tag in ("td", "th"):
            lines[-1].append(" | " if item.place > 1 else "")
            pending += reversed(item.children)
        elif item.tag not in _SILENT:
            if item.tag in _BLOCKS:
                lines.append([_HEADINGS.get(item.tag, "- " if item.tag == "li" else "")])
                pending.append(None)
            pending += reversed(item.children)
    said = (_flat("".join(line)) for line in lines)
    return "\n".join(line for line in said if line.strip("-#| "))


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
