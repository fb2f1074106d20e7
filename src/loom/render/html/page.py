"""The page of a run, from what the run answered: the first screen, then what it rests on, then how it came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.render.html.banner import banner_html, next_html, numbers_html, tone_of
from loom.render.html.facts import folded
from loom.render.html.generic import blocks_of
from loom.render.html.history import answer_html, lineage_html, phases_html
from loom.render.html.markup import text
from loom.render.html.script import POLICY, SCRIPT
from loom.render.html.sections import Section, Sections, sections_of
from loom.render.html.style import sheet

__all__ = ["MOST_BYTES", "card_html", "tone_of"]

MOST_BYTES = 950_000
"""No page is larger than this."""

_JSON = 200_000


def card_html(
    envelope: Mapping[str, Any],
    phases: Sequence[Mapping[str, Any]] = (),
    card: Mapping[str, Any] | None = None,
) -> str:
    """The whole page, under one megabyte and whatever it is given: what `card` lays out, else the summary."""
    summary = envelope.get("summary")
    fallback = blocks_of(summary) if isinstance(summary, Mapping) else {}
    laid_out = card if isinstance(card, Mapping) else {}
    sections = sections_of(laid_out.get("sections") or fallback.get("sections"))
    strip = "\n".join(numbers_html(laid_out.get("numbers"))) or "\n".join(
        numbers_html(fallback.get("numbers"))
    )
    known = [phase for phase in phases or () if isinstance(phase, Mapping)]
    banner = _banner(envelope, laid_out)
    parts = [
        *_head(banner),
        '<div class="top">',
        *banner_html(banner, sections.evidence),
        strip,
        *next_html(envelope.get("next")),
        "</div>",
        _navigation(sections.shown, has_phases=bool(known)),
        *(section.html for section in sections.shown),
        *phases_html(known),
        *_behind(envelope, known, sections),
    ]
    page = "\n".join(part for part in parts if part)
    foot = "\n".join(_foot(envelope))
    room = min(_JSON, MOST_BYTES - len(page.encode()) - len(foot.encode()) - 200)
    return "\n".join([page, answer_html(envelope, room), "</section>", foot]) + "\n"


def _banner(envelope: Mapping[str, Any], card: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer with the verdict and the reasons of the run that the page is about."""
    told = card.get("banner")
    if not isinstance(told, Mapping):
        return envelope
    return {**envelope, **{key: told.get(key) for key in ("VERDICT", "of", "reasons")}}


def _head(envelope: Mapping[str, Any]) -> Iterator[str]:
    verdict = text(envelope.get("VERDICT") or envelope.get("status") or "?", 60)
    verb, pathspec = text(envelope.get("verb"), 80), text(envelope.get("pathspec"), 120)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{' · '.join(part for part in (verdict, f'loom {verb}', pathspec) if part)}</title>"
    yield f"<style>{sheet()}</style>\n</head>\n<body>"
    yield '<a class="skip" href="#main">Skip to the content</a>'
    yield f'<header><p><b>loom</b> {verb}</p><p class="run">{pathspec}</p></header>\n<main id="main">'


def _navigation(sections: Sequence[Section], *, has_phases: bool) -> str:
    """Ways to the sections, where there are enough of them to get lost in."""
    if not sections:
        return ""
    places = [(section.place, section.title) for section in sections]
    places += [("phases", "Phases")] if has_phases else []
    links = "".join(
        f'<a href="#{place}">{title}</a>' for place, title in [*places, ("source", "Method and origin")]
    )
    return f'<nav aria-label="On this page">{links}</nav>'


def _behind(
    envelope: Mapping[str, Any], phases: Sequence[Mapping[str, Any]], sections: Sections
) -> Iterator[str]:
    """Methods, where it comes from, and the answer itself."""
    yield '<section id="source" aria-labelledby="sourceh"><h2 id="sourceh">Method and origin</h2>'
    for section in sections.facts:
        yield folded(section.title, section.html, is_open=not sections.shown)
    yield lineage_html(envelope, phases)


def _foot(envelope: Mapping[str, Any]) -> Iterator[str]:
    pathspec = envelope.get("pathspec")
    show = f" <code>loom show {text(pathspec, 120)} --open</code> brings it back." if pathspec else ""
    yield f"</main>\n<footer><p>This page needs no network.{show}</p></footer>"
    yield f"<script>{SCRIPT}</script>\n</body>\n</html>"
