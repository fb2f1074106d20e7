"""The few shapes that reference pages are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def page(title: str, origin: str, blocks: Iterable[str]) -> str:
    """A whole page; readers are told not to edit it, and where its words come from."""
    head = (f"<!-- Generated from {origin} by `make generate`. Edit that, not this. -->", f"# {title}")
    return "\n\n".join([*head, *blocks]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar inside a cell does not end it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def fence(text: str, language: str) -> str:
    """A block of code, with control characters made visible."""
    shown = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    bar = "```"
    while bar in shown:
        bar += "`"
    return f"{bar}{language}\n{shown}\n{bar}"


def anchor(heading: str) -> str:
    """The fragment by which a heading is reached."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def link(heading: str, text: str = "") -> str:
    """A link to a heading of the same page."""
    return f"[{text or heading}](#{anchor(heading)})"


def alternatives(words: Sequence[str]) -> str:
    """Words as a choice between them."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
