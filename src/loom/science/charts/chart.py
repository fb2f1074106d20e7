"""A chart: what is drawn, said in words too, and the one frame that all charts share."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from loom.core.column_names import spoken
from loom.science.disclosure import may_show_level

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH = 420
_TITLE_SIGNS = 58
_NOTE_SIGNS = 74
_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture of aggregates: `name` for files, `title` says the finding, `alt` what is to be seen, with figures.

    `source` says what it was drawn from. `spec` is Vega-Lite with its few numbers inside. Its colours are roles
    (`@ink`, `@muted`, `@line`, `@accent`, `@bad`, `@wary`, `@fine`, `@class-1` to `@class-6`, `@rest`), which
    `loom.science.pictures` turns into those of a theme.
    """

    name: str
    title: str
    alt: str
    source: str
    spec: Spec

    def as_json(self) -> dict[str, Any]:
        """The chart as plain data."""
        return {
            "name": self.name,
            "title": self.title,
            "alt": self.alt,
            "source": self.source,
            "spec": self.spec,
        }


@runtime_checkable
class Told(Protocol):
    """A result that can be told as plain data."""

    def as_json(self) -> dict[str, Any]:
        """The result as plain data."""


Found = Told | Mapping[str, Any]


def plain(found: Found) -> Mapping[str, Any]:
    """A result, or what its `as_json` gave, as plain data."""
    return found if isinstance(found, Mapping) else found.as_json()


def framed(name: str, title: str, alt: str, source: str, drawing: Spec, *, note: str = "") -> Chart:
    """The chart of a drawing, with its title, a note on what is measured, and its words."""
    heading: Spec = {"text": textwrap.wrap(title, _TITLE_SIGNS)}
    if note:
        heading["subtitle"] = textwrap.wrap(note, _NOTE_SIGNS)
    spec: Spec = {
        "$schema": SCHEMA,
        "description": alt,
        "title": heading,
        "width": WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
    }
    return Chart(name, title, alt, source, spec | drawing)


def slug(*words: str) -> str:
    """A name for files: small letters, digits and `-`; what has none of them is told apart by its code points."""
    parts = []
    for word in words:
        folded = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
        part = _SLUG.sub("-", folded).strip("-")[:40].strip("-")
        parts.append(part or "-".join(f"{ord(sign):x}" for sign in word[:6]) or "blank")
    return "-".join(parts)


def distinct_slugs(charts: Iterable[Chart]) -> list[Chart]:
    """The charts with a number behind each name that was taken."""
    taken: set[str] = set()
    result = []
    for chart in charts:
        name, number = chart.name, 2
        while name in taken:
            name, number = f"{chart.name}-{number}", number + 1
        taken.add(name)
        result.append(Chart(name, chart.title, chart.alt, chart.source, chart.spec))
    return result


def labels(names: Sequence[str], most: int = 28) -> list[str]:
    """Names as they stand at an axis: on one line, short, and no two alike."""
    result: list[str] = []
    taken: set[str] = set()
    for name in names:
        said = spoken(name)
        said = said if len(said) <= most else said[: most - 1].rstrip() + "…"
        label, number = said, 2
        while label in taken:
            label, number = f"{said} ({number})", number + 1
        taken.add(label)
        result.append(label)
    return result


def may_draw(rows: int) -> bool:
    """Whether a bar may stand for so many rows: as many as a level needs to be named, however large the table."""
    return may_show_level(rows, 0)


def listed(words: Sequence[str], most: int = 3) -> str:
    """The first of some words in a sentence: `a, b and 4 more`."""
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most:,} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def percent(share: float) -> str:
    """A share in a sentence: more digits where it is small, and never 0 % of something."""
    shown = 100 * share
    if 0 < shown < 0.1:
        return "under 0.1 %"
    return f"{shown:.0f} %" if shown >= 9.95 or shown == 0 else f"{shown:.1f} %"


def figure(value: float) -> str:
    """A number in a sentence, to three digits."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e15 or size < 1e-4:
        return f"{value:.2e}"
    if size >= 10_000:
        return f"{value:,.0f}"
    if size >= 1_000:
        return f"{value:.0f}"
    return f"{value:.3g}"
