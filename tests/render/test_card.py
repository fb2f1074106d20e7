"""The card of a run: what it shows, that nothing in it can act, and that it needs nothing but itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.verdict import Verdict
from loom.render.card import MOST_BYTES, card_html, tone_of

REASON = {"code": "leak", "severity": "error", "what": "knows the answer", "value": 0.998, "threshold": 0.9}
ANSWER: dict[str, Any] = {
    "schema_version": 1,
    "verb": "eda",
    "status": "ok",
    "VERDICT": "FLAGGED",
    "pathspec": "EdaFlow/7",
    "card_path": None,
    "summary": {
        "n_rows": 1_048_576,
        "target": {"name": "churned", "balance": 0.183},
        "leakage_flags": [{"column": "cancel_date", "score": 0.998}],
        "leakage_suspects": ["account_age"],
        "warnings": [],
    },
    "gate": {"tier": "read-only"},
    "reasons": [{**REASON, "column": "cancel_date"}],
    "next": ["loom features --dataset IngestDataset/3 --from EdaFlow/7"],
    "error": None,
    "run": "run-1",
}
PHASES = [
    {"phase": "profile", "status": "accepted", "seconds": 3.0, "attempts": 1, "reasons": []},
    {
        "phase": "leakage",
        "status": "rejected",
        "seconds": 130.0,
        "attempts": 2,
        "reasons": [{"what": "too slow"}],
    },
    {
        "phase": "each",
        "status": "skipped",
        "seconds": 0,
        "attempts": 0,
        "items": [],
        "data_objects": ["sha256:ab"],
    },
]


class Page(HTMLParser):
    """The tags, texts and attributes of a page; whether every tag that opens is closed in order."""

    VOID = frozenset({"meta", "path", "circle", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._open[-1:]):
            self.text += data + " "


def test_the_first_screen_says_verdict_reasons_numbers_and_next_step() -> None:
    text = " ".join(Page(card_html(ANSWER, PHASES)).text.split())
    places = [
        text.index(words)
        for words in (
            "loom eda EdaFlow/7 FLAGGED",
            "cancel_date : knows the answer 0.998 · limit 0.9",
            "rows 1,048,576",
            "target balance 0.183",
            "loom features --dataset IngestDataset/3 --from EdaFlow/7",
            "cancel_date 0.998",
            "leakage rejected · 2 attempts 2 min too slow",
            "sha256:ab",
            "The whole answer as JSON",
        )
    ]
    assert places == sorted(places)


def test_at_most_five_reasons_are_shown_the_worst_first() -> None:
    reasons = [{**REASON, "severity": "warning", "what": f"warning {at}"} for at in range(6)]
    reasons.append({**REASON, "what": "an error"})
    page = card_html({**ANSWER, "reasons": reasons})
    banner = Page(page[: page.index("</header>")] + "</header></body></html>").text
    assert banner.index("an error") < banner.index("warning 0")
    assert banner.count("knows") == 0 and "warning 4" not in banner and "and 2 more" in banner


def test_a_failure_is_shown_in_its_three_lines() -> None:
    error = {"what": "it broke", "why": "line 17 <b>bad</b>", "fix": "loom logs EdaFlow/7"}
    text = Page(
        card_html({**ANSWER, "VERDICT": "ERROR", "error": error, "summary": None, "reasons": []})
    ).text
    assert all(line in text for line in error.values())


def test_the_page_needs_nothing_but_itself() -> None:
    html = card_html(ANSWER, PHASES)
    page = Page(html)
    assert not page.tags & {"link", "img", "iframe", "object", "base", "form"}
    assert not page.attributes & {"src", "href", "onclick", "srcset", "action"}
    assert not re.search(r"https?:|@import|url\(", html)
    assert "prefers-color-scheme:dark" in html


@pytest.mark.parametrize("verdict", [*Verdict, "REFUSED_NO_GPU", "ODD", ""])
def test_every_verdict_has_a_tone(verdict: str) -> None:
    tone = tone_of(verdict)
    assert tone in {"PASS": "fine", "FLAGGED": "wary", "REVIEW": "wary", "FAIL": "bad", "ODD": "calm"}.get(
        verdict, ("fine", "wary", "bad", "calm")
    )
    Page(card_html({**ANSWER, "VERDICT": verdict}))


def test_a_huge_answer_still_fits() -> None:
    row = {f"column {at}": "ü<" * 1000 for at in range(40)}
    summary = {f"table {at}": [row] * 500 for at in range(20)}
    many = [{**PHASES[1], "phase": f"p{at}", "reasons": [{"what": "&" * 5000}] * 9} for at in range(500)]
    html = card_html({**ANSWER, "summary": summary, "reasons": [{**REASON, "what": "<" * 9000}] * 99}, many)
    assert len(html.encode()) < 1_000_000
    assert html.endswith("</html>\n") and len(html.encode()) > MOST_BYTES // 2


texts = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", "</style>", "\"' onload=x", "&amp;", "\x00\x1b[31m\u202e", "]]>", "-->"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
tables = st.lists(st.dictionaries(texts, values, max_size=3), max_size=3)


# a verdict of each tone, so that every sign is known
TONES = [Page(card_html({**ANSWER, "VERDICT": verdict}, PHASES)) for verdict in ("OK", "REVIEW", "FAIL", "?")]


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "VERDICT": texts,
            "verb": texts,
            "pathspec": st.none() | texts,
            "summary": st.none() | st.dictionaries(texts, values | tables, max_size=4),
            "gate": st.none() | st.dictionaries(texts, values, max_size=2),
            "reasons": st.lists(
                st.fixed_dictionaries(
                    {
                        "code": texts,
                        "severity": texts,
                        "what": texts,
                        "value": values,
                        "column": st.none() | texts,
                    }
                ),
                max_size=7,
            ),
            "next": st.lists(texts, max_size=3),
            "error": st.none() | st.fixed_dictionaries({"what": texts, "why": texts, "fix": texts}),
        }
    ),
    st.lists(
        st.fixed_dictionaries(
            {
                "phase": texts,
                "status": texts,
                "seconds": st.floats(0, 1e6),
                "attempts": st.integers(0, 9),
                "reasons": st.lists(st.fixed_dictionaries({"what": texts}), max_size=2),
            }
        ),
        max_size=3,
    ),
)
def test_nothing_that_a_run_says_becomes_markup(answer: dict[str, Any], phases: list[dict[str, Any]]) -> None:
    html = card_html(answer, phases)
    page = Page(html)
    assert page.tags <= set().union(*(each.tags for each in TONES), {"p", "section", "b", "br", "ul", "li"})
    assert page.attributes <= set().union(*(each.attributes for each in TONES))
    assert html.count("<script>") == html.count("<style>") == 1
    assert not set(html) & {"\x00", "\x1b", "\u202e"}
