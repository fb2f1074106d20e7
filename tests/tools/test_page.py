"""Pages of HTML, read the forgiving way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.tools.page import MAX_DEPTH, parse_page
from loom.tools.selectors import SelectorError, select

PAGE = """<!doctype html><html><head><title> On  looms </title>
<meta property="article:published_time" content="2024-03-12T08:00"><style>p {}</style></head>
<body><!-- <p>hidden</p> --><h1>Looms</h1><p>One<p>two <b>three</b>
<ul id=list class="a b"><li data-n="1">x<li data-n="2 3">y</ul>
<table><tr><th>k<th>v<tr><td>1<td>2 &lt; 3</table>
<script>if (1 < 2) { "<p>not a paragraph</p>" }</script><textarea name=t><b>raw</b></textarea>
<div><div class=c><span>deep</span></div></div>
<a href="/next?a=1&amp;b=2#x">next</a><a href="#here">here</a><a href="mailto:x@y">mail</a> 1 < 2</body></html>"""


def test_what_a_reader_sees_is_in_lines_with_headings_items_and_cells_marked() -> None:
    page = parse_page(PAGE, "http://h/p")
    assert page.title == "On looms" and page.published_at == "2024-03-12T08:00"
    assert page.text.splitlines() == [
        *("# Looms", "One", "two three", "- x", "- y", "k | v", "1 | 2 < 3"),
        *("<b>raw</b>", "deep", "nextheremail 1 < 2"),
    ]
    assert page.links(10) == [{"url": "http://h/next?a=1&b=2", "text": "next"}]


def test_a_page_without_a_date_has_none_and_a_time_element_gives_one() -> None:
    assert parse_page("<p>x").published_at is None
    assert parse_page('<time datetime="2020-01-01">x</time>').published_at == "2020-01-01"


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("p", ["One", "two three"]),
        ("P b", ["three"]),
        ("#list > li", ["x", "y"]),
        ("ul.a.b li:nth-child(2)", ["y"]),
        ("li:first-child", ["x"]),
        ("li:last-child", ["y"]),
        ("[data-n='1']", ["x"]),
        ("li[data-n~=3]", ["y"]),
        ("a[href^='/next'], b", ["three", "next"]),
        ("a[href*=mailto]", ["mail"]),
        ("a[href$='here']", ["here"]),
        ("div span", ["deep"]),
        ("div > div > span", ["deep"]),
        ("body > span", []),
        ("*.c", ["deep"]),
        ("[data-n='2 3']", ["y"]),
        ("td[nothing]", []),
    ],
)
def test_selectors_find_what_they_say(selector: str, found: list[str]) -> None:
    assert [node.text() for node in select(parse_page(PAGE).root, selector)] == found


@pytest.mark.parametrize(
    "selector", ["", "  ", "p:hover", "p >", "> p", "p > > b", "a[b", "1x", "p::before", "x" * 600]
)
def test_a_selector_that_cannot_be_read_is_an_error(selector: str) -> None:
    with pytest.raises(SelectorError):
        select(parse_page(PAGE).root, selector)


def test_depth_is_bounded() -> None:
    page = parse_page("<div>" * 5_000 + "x")
    assert page.text == "x"
    assert len(list(page.root.elements())) == MAX_DEPTH


@pytest.mark.parametrize(
    "text",
    [
        *("<!--" * 9_000, "<a " * 9_000, "<" * 20_000, "<a b='" * 9_000, "&" * 20_000, "</a" * 9_000 + ">"),
        *(
            "<script>" + "</scrip" * 9_000,
            "<title>" * 9_000,
            "&#" + "9" * 5_000 + ";",
            "<p " + "=" * 20_000,
            "<![CDATA[",
        ),
    ],
    ids=lambda text: text[:9],
)
def test_hostile_text_is_read_without_a_word(text: str) -> None:
    page = parse_page(text)
    assert isinstance(page.text, str) and page.title is not None


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            ["<", ">", "/", "p", "div", "'", '"', "=", " ", "!--", "--", "a", "&amp;", "<li>", "</li>"]
        )
    )
)
def test_any_text_at_all_is_a_page(parts: list[str]) -> None:
    page = parse_page("".join(parts), "http://h/")
    assert (
        select(page.root, "*") == list(page.root.elements())
        and isinstance(page.text, str)
        and page.links(3) is not None
    )
