"""Plots on a page: drawn in place, described, with their numbers beneath, and harmless whatever they hold."""

from __future__ import annotations

from typing import Any

import pytest

from loom.render.html.drawing import drawing_of
from loom.render.html.figures import SHOWN_CHARTS, figures_html
from loom.render.html.markup import Room
from tests.render.html.pages import Page

SPEC: dict[str, Any] = {
    "width": 200,
    "height": 80,
    "data": {"values": [{"name": "age", "missing": 0.2}, {"name": "<b>", "missing": 0.1}]},
    "mark": "bar",
    "encoding": {
        "x": {"field": "missing", "type": "quantitative"},
        "y": {"field": "name", "type": "nominal"},
    },
}
CHART = {
    "name": "gaps",
    "title": "Two columns have gaps",
    "alt": "Bars; age lacks 20 %.",
    "source": "a",
    "spec": SPEC,
}


def drawn(*charts: Any, room: int = 500_000) -> Page:
    """The plots by themselves."""
    return Page("\n".join(figures_html(list(charts), "s1", Room(room))))


def test_a_plot_is_drawn_with_a_title_and_a_description() -> None:
    page = drawn(CHART)
    assert page.words.startswith("Two columns have gaps") and "Bars; age lacks 20 %." in page.words
    (picture,) = page.all("svg")
    assert picture["role"] == "img" and picture["aria-label"] == "Two columns have gaps"
    marks = [told["aria-label"] for _, told in page.elements if told.get("class") == "mark"]
    assert sorted(marks) == ["missing: 0.1; name: <b>", "missing: 0.2; name: age"]


def test_its_numbers_are_a_table_beneath() -> None:
    page = drawn(CHART)
    assert "name missing age 0.2 <b> 0.1" in page.words
    assert page.all("details") and page.all("caption")


def test_numbers_are_told_once_and_without_how_they_are_drawn() -> None:
    data = {
        "values": [{"name": "age", "missing": 0.2, "tone": "bad", "said": "age lacks 20 %", "label": "20 %"}]
    }
    layers = {"layer": [{"data": data, "mark": "bar"}, {"data": data, "mark": "text"}], "data": SPEC["data"]}
    page = drawn({**CHART, "spec": layers})
    assert page.words.count("age 0.2") == 2, "two different tables, the second of them once"
    assert "lacks 20 %" not in page.words.replace(CHART["alt"], "")
    assert "tone" not in page.words


def test_the_same_plot_twice_shares_no_ids() -> None:
    clipped = {**SPEC, "mark": {"type": "bar", "clip": True, "color": {"gradient": "linear", "stops": []}}}
    page = drawn({**CHART, "spec": clipped}, {**CHART, "spec": clipped})
    assert len(page.ids) > 2


@pytest.mark.parametrize(
    "spec",
    [
        None,
        {},
        "text",
        {"mark": "nonsense"},
        {**SPEC, "data": {"url": "https://example.org/x.csv"}},
        {**SPEC, "mark": "image"},
        {**SPEC, "width": float("nan")},
    ],
    ids=["none", "empty", "text", "nonsense", "elsewhere", "image", "nan"],
)
def test_what_cannot_be_drawn_keeps_its_words(spec: Any) -> None:
    page = drawn({**CHART, "spec": spec})
    assert "Two columns have gaps" in page.words
    assert not page.all("svg")
    assert "example.org" not in page.html


def test_a_spec_nested_without_end_is_not_followed() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"spec": deep}
    assert "Two columns have gaps" in drawn({**CHART, "spec": deep}).words


def test_more_plots_than_there_is_room_for_are_counted() -> None:
    assert "6 more plots not shown here" in drawn(*([{**CHART, "spec": None}] * (SHOWN_CHARTS + 6))).words
    assert not drawn(CHART, room=10).tags


@pytest.mark.parametrize("charts", [None, 7, "text", {}, [3, None]], ids=repr)
def test_what_is_no_list_of_plots_shows_nothing(charts: Any) -> None:
    assert list(figures_html(charts, "s1", Room(9_999))) == []


HOSTILE = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10"
 onload="x()"><script>x()</script><style>*{}</style><a xlink:href="javascript:x()"><text>linked</text></a>
<image href="https://example.org/x.png"/><foreignObject><p>x</p></foreignObject><use href="#y"/>
<g class="role-mark"><path d="M0 0h1" fill="url(https://example.org)" style="x" onclick="x()" aria-label="a &lt;b&gt;"/></g>
<g clip-path="url(#c)"><text>1 &lt; 2</text></g><clipPath id="c"><rect width="1" height="1"/></clipPath></svg>"""


def test_only_what_draws_is_taken_over() -> None:
    html = drawing_of(HOSTILE, "f1", 'what "it" shows')
    page = Page(html)
    assert page.tags == {"svg", "g", "path", "text", "clippath", "rect"}
    assert not page.names & {"onload", "onclick", "href", "xlink:href"}
    assert "example.org" not in html and "javascript" not in html
    assert page.all("g", **{"clip-path": "url(#f1-c)"}) and page.ids == ["f1-c"]
    assert page.all("path", role="img")[0]["aria-label"] == "a <b>"
    assert page.words == "1 < 2"


@pytest.mark.parametrize("text", ["", "<svg", "<p/>", "<svg/>", '<svg viewBox="0 0 x y"/>'], ids=repr)
def test_what_is_no_drawing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no drawing"):
        drawing_of(text, "f1", "")
