"""The page of a run: what it shows in which order, that nothing in it can act, and that it needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.verdict import Verdict
from loom.render.html.page import MOST_BYTES, card_html, tone_of
from loom.tools.card import card, charts, column, facts, number, quantile_spark, table, tag
from tests.render.html.pages import ANSWER, PHASES, REASON, Page

CARD = card(
    numbers=[number("Rows", 7043), number("Leaks", 1, note="dropped by features", tone="bad")],
    sections=[
        table(
            "Columns",
            [
                column("name", "column", "code"),
                column("tags", "notes", "tags"),
                column("shape", "shape", "spark"),
            ],
            [
                {
                    "name": "tenure",
                    "shape": quantile_spark({"p1": 1, "p25": 9, "p50": 29, "p75": 55, "p99": 72}),
                },
                {"name": "cancel_date", "tags": [tag("leak", "bad")]},
            ],
            note="The worst first; `tenure` is fine.",
        ),
        facts("Method", {"seed": 17}),
    ],
)


def test_the_first_screen_says_verdict_reasons_numbers_and_next_step() -> None:
    text = Page(card_html(ANSWER, PHASES)).words
    places = [
        text.index(words)
        for words in (
            "loom eda EdaFlow/7 FLAGGED",
            "cancel_date knows the answer 0.998 limit 0.9",
            "rows 1,048,576",
            "target balance 0.183",
            "loom features --dataset IngestDataset/3 --from EdaFlow/7",
            "cancel_date 0.998",
            "leakage rejected · 2 attempts too slow 2 min",
            "account_age",
            "sha256:ab",
            "The whole answer as JSON",
        )
    ]
    assert places == sorted(places)


def test_what_a_tool_lays_out_takes_the_place_of_the_summary() -> None:
    page = Page(card_html(ANSWER, PHASES, CARD))
    places = [
        page.words.index(words)
        for words in (
            "Rows 7,043",
            "Leaks 1 dropped by features",
            "The worst first; tenure is fine.",
            "Method seed 17",
        )
    ]
    assert places == sorted(places)
    assert "1,048,576" not in page.words  # the JSON says it as it is
    assert "1048576" in page.words


def test_a_card_without_numbers_or_sections_borrows_those_of_the_summary() -> None:
    assert "rows 1,048,576" in Page(card_html(ANSWER, (), {"sections": CARD["sections"]})).words
    assert "account_age" in Page(card_html(ANSWER, (), {"numbers": CARD["numbers"]})).words


def test_a_reason_leads_to_the_row_that_shows_its_column() -> None:
    page = Page(card_html(ANSWER, PHASES, CARD))
    assert "#s1r1" in page.links and "s1r1" in page.ids
    unknown = {**ANSWER, "reasons": [{**REASON, "column": "elsewhere"}]}
    assert not any(link.startswith("#s1r") for link in Page(card_html(unknown, PHASES, CARD)).links)


def test_every_link_stays_on_the_page_and_leads_somewhere() -> None:
    many = [{**REASON, "what": f"reason {at}", "column": "cancel_date"} for at in range(9)]
    page = Page(card_html({**ANSWER, "reasons": many}, PHASES, CARD))
    assert len(page.links) == 10
    assert {link[:1] for link in page.links} == {"#"}
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_headings_go_down_one_step_at_a_time_and_landmarks_are_there_once() -> None:
    chart = {
        "name": "c",
        "title": "Missing",
        "alt": "None is missing.",
        "spec": {"data": {"values": [{"a": 1}]}},
    }
    page = Page(card_html(ANSWER, PHASES, {"sections": [charts("Plots", [chart])]}))
    assert page.headings[0] == 1 and page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert all(len(page.all(landmark)) == 1 for landmark in ("header", "main", "nav", "footer"))
    assert page.all("html", lang="en")
    assert page.all("a", class_="skip", href="#main") and page.all("main", id="main")


def test_at_most_five_reasons_are_shown_the_worst_first() -> None:
    reasons = [{**REASON, "severity": "warning", "what": f"warning {at}"} for at in range(6)]
    reasons.append({**REASON, "what": "an error"})
    text = Page(card_html({**ANSWER, "reasons": reasons, "summary": {}})).words
    banner = text[: text.index("What to do next")]
    assert banner.index("an error") < banner.index("warning 0")
    assert banner.count("knows") == 0 and "warning 4" not in banner and "and 2 more" in banner


def test_a_failure_is_shown_in_its_three_lines() -> None:
    error = {"what": "it broke", "why": "line 17 <b>bad</b>", "fix": "loom logs EdaFlow/7"}
    answer = {**ANSWER, "VERDICT": "ERROR", "error": error, "summary": None, "reasons": []}
    text = Page(card_html(answer)).text
    assert all(line in text for line in error.values())


def test_the_page_needs_nothing_but_itself() -> None:
    html = card_html(ANSWER, PHASES, CARD)
    page = Page(html)
    assert not page.tags & {"link", "img", "iframe", "object", "base", "form", "image", "use"}
    assert not page.names & {"src", "onclick", "srcset", "action", "xlink:href"}
    assert not re.search(r"https?:|@import|url\((?!#)", html)
    assert "prefers-color-scheme:dark" in html and "@media print" in html


def test_a_browser_may_run_the_one_script_and_load_nothing() -> None:
    html = card_html(ANSWER, PHASES, CARD)
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    (policy,) = Page(html).all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert "default-src 'none'" in policy["content"]
    assert f"script-src 'sha256-{digest}'" in policy["content"]


def test_controls_that_need_the_script_are_made_by_the_script() -> None:
    assert not Page(card_html(ANSWER, PHASES, CARD)).tags & {"button", "input", "label"}


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
    answer = {
        **ANSWER,
        "summary": summary,
        "reasons": [{**REASON, "what": "<" * 9000}] * 99,
        "next": ["&" * 999] * 99,
    }
    html = card_html(answer, many)
    assert MOST_BYTES // 2 < len(html.encode()) <= MOST_BYTES
    assert html.endswith("</html>\n")
    Page(html)


def test_a_huge_card_still_fits_and_says_what_it_leaves_out() -> None:
    rows = [
        {"name": f"feature_{at}", "shape": quantile_spark({"p1": at, "p50": at + 1, "p99": at + 9})}
        for at in range(5000)
    ]
    columns = [column("name", "column", "code"), column("shape", "shape", "spark")]
    html = card_html(
        ANSWER, PHASES, card(sections=[table(f"Columns {at}", columns, rows) for at in range(30)])
    )
    assert len(html.encode()) <= MOST_BYTES
    page = Page(html)
    assert "4,600 more rows not shown here" in page.words
    assert "The whole answer as JSON" in page.words


texts = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</style>",
        "\"' onload=x",
        "&amp;",
        "\x00\x1b[31m\u202e",
        "]]>",
        "-->",
        "`a` `<b>`",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
tables = st.lists(st.dictionaries(texts, values, max_size=3), max_size=3)
reasons = st.fixed_dictionaries(
    {"code": values, "severity": texts, "what": values, "value": values, "column": st.none() | texts}
)
answers = st.fixed_dictionaries(
    {
        "VERDICT": texts,
        "verb": texts,
        "pathspec": st.none() | texts,
        "summary": st.none() | st.dictionaries(texts, values | tables, max_size=4),
        "gate": st.none() | st.dictionaries(texts, values, max_size=2),
        "reasons": st.lists(reasons, max_size=7),
        "next": st.lists(texts, max_size=3),
        "error": st.none() | st.fixed_dictionaries({"what": texts, "why": texts, "fix": texts}),
    }
)
known_phases = st.fixed_dictionaries(
    {
        "phase": texts,
        "status": texts,
        "seconds": st.floats(0, 1e6),
        "attempts": st.integers(0, 9),
        "reasons": st.lists(st.fixed_dictionaries({"what": texts}), max_size=2),
    }
)
sparks = st.fixed_dictionaries(
    {
        "spark": st.sampled_from(["quantiles", "levels", "other"]),
        "values": st.dictionaries(st.sampled_from(["p1", "p5", "p25", "p50", "p75", "p99", "x"]), values)
        | st.lists(values, max_size=4),
    }
)
kinds = st.sampled_from(["text", "code", "number", "share", "score", "spark", "tags", "unknown"])
keys = st.sampled_from(["a", "b", "column"])
blocks = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["table", "charts", "facts", "other"]) | values,
        "title": values,
        "columns": st.lists(st.fixed_dictionaries({"key": keys, "label": values, "kind": kinds}), max_size=4)
        | values,
        "rows": st.lists(st.dictionaries(keys, sparks | values | st.lists(sparks), max_size=3), max_size=4)
        | values,
        "charts": st.lists(st.fixed_dictionaries({"title": values, "alt": values}), max_size=2) | values,
        "facts": values,
        "note": values,
    }
)
malformed = st.fixed_dictionaries(
    {
        "numbers": st.lists(
            st.fixed_dictionaries({"label": values, "value": values, "note": values, "tone": values})
            | values,
            max_size=3,
        )
        | values,
        "sections": st.lists(blocks | values, max_size=4) | values,
    }
)


@settings(max_examples=150, deadline=None)
@given(answers, st.lists(known_phases, max_size=3))
def test_nothing_that_a_run_says_becomes_markup(answer: dict[str, Any], phases: list[dict[str, Any]]) -> None:
    _check_harmless(card_html(answer, phases))


@settings(max_examples=150, deadline=None)
@given(malformed | values)
def test_no_card_is_too_malformed_to_be_shown(laid_out: Any) -> None:
    _check_harmless(card_html(ANSWER, PHASES, laid_out))


@pytest.mark.parametrize("wrong", [None, 7, "text", [], [None, 3], {"a": 1}], ids=repr)
@pytest.mark.parametrize(
    "key", ["summary", "gate", "reasons", "next", "error", "VERDICT", "verb", "pathspec"]
)
def test_an_answer_of_another_shape_is_shown_as_far_as_it_goes(key: str, wrong: Any) -> None:
    _check_harmless(card_html({**ANSWER, key: wrong}, [wrong]))


def test_values_nested_without_end_are_shown_as_far_as_it_goes() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    laid_out = {
        "sections": [{"kind": "facts", "facts": {"a": deep}}, {"kind": "table", "rows": [{"a": deep}]}]
    }
    _check_harmless(card_html({**ANSWER, "summary": {"a": deep}}, [{"phase": deep}], laid_out))


TAGS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body a header p b i main div span h1 h2 h3 ul li dl dt dd ol section nav table caption "
        "thead tbody tr th td code svg path circle rect details summary pre footer script figure figcaption",
    )
)
NAMES = frozenset(
    re.findall(
        r"[\w-]+",
        "lang charset http-equiv content name class href id role aria-label aria-hidden aria-labelledby style scope tabindex "
        "data-kind data-v data-filter data-tone title open viewbox width height fill stroke stroke-width stroke-linecap "
        "stroke-linejoin d cx cy r x y opacity",
    )
)


def _check_harmless(html: str) -> None:
    page = Page(html)
    assert page.tags <= TAGS
    assert page.names <= NAMES
    assert html.count("<script>") == html.count("<style>") == 1
    assert not set(html) & {"\x00", "\x1b", "\u202e"}
    assert json.dumps(page.links).count("#") == len(page.links)
