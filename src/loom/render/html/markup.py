"""Values as safe HTML: escaped, in one line, and never longer than they may be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.render.html.palette import TONES
from loom.render.tables import value_text

CELL = 220
_HUGE = 1e15
_ELLIPSIS = "…"
_QUOTED = re.compile("`([^`<>]{1,120})`")


def text(value: Any, most: int = CELL) -> str:
    """A value as text that a page may hold; nothing for None."""
    return escape(plain(value, most))


def plain(value: Any, most: int = CELL) -> str:
    """The same before it is escaped: for texts that are cut, counted or compared."""
    try:
        told = "" if value is None else value_text(value)
    except RecursionError:
        return _ELLIPSIS
    return told if len(told) <= most else told[: most - 1] + _ELLIPSIS


def prose(value: Any, most: int = CELL) -> str:
    """A sentence; what stands in backticks is code."""
    return _QUOTED.sub(r"<code>\1</code>", text(value, most))


def counted(value: Any, name: str = "") -> str:
    """A number as it is read best: thousands apart unless it is a year, and huge ones by their size."""
    known = number(value)
    if known is not None and abs(known) >= _HUGE:
        return f"{known:.4g}"
    if known is not None and isinstance(value, int) and "year" not in name.lower():
        return f"{value:,}"
    return plain(value, 160)


def lines(content: str) -> str:
    """A text of several lines, its control characters shown."""
    return escape("\n".join(map(clean, content.split("\n"))))


def number(value: Any) -> float | None:
    """A value as a finite number, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def percent(share: float) -> str:
    """A share as people read it: never 0 % or 100 % where it is neither."""
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    told = f"{100 * share:.1f}"
    return f"{told.removesuffix('.0')}%"


def tone(value: Any) -> str:
    """One of the four tones; calm where nothing known is said."""
    return value if isinstance(value, str) and value in TONES else "calm"


@dataclass(slots=True)
class Room:
    """How many bytes may still be written."""

    left: int

    def fits(self, html: str) -> bool:
        """Whether there is room for this; if so, it is taken."""
        size = len(html.encode())
        if size > self.left:
            return False
        self.left -= size
        return True

    def part(self, most: int) -> Room:
        """A room within this one."""
        return Room(min(self.left, most))

    def fitting(self, pieces: Iterable[str]) -> list[str]:
        """The pieces up to the first that does not fit."""
        found = []
        for piece in pieces:
            if not self.fits(piece):
                break
            found.append(piece)
        return found
