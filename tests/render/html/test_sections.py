"""Code on a page: as it was written, and never more than text."""

from __future__ import annotations

from typing import Any

import pytest

from loom.render.html.sections import sections_of
from loom.tools.card import code
from tests.render.html.pages import Page, shown


def drawn(written: Any) -> str:
    """The section of some code."""
    [section] = sections_of([{**code("Script", ""), "code": written}]).shown
    return section.html


def inside(written: Any) -> str:
    html = drawn(written)
    return html[html.index("<code>") + 6 : html.index("</code>")]


def page(written: Any) -> Page:
    return shown(drawn(written))


def test_code_keeps_its_lines_and_their_indent() -> None:
    assert inside("if x:\n    y = 1\n\n    z = 2\n") == "if x:\n    y = 1\n\n    z = 2"
    assert inside("if x:\r\n\ty = 1") == "if x:\n    y = 1"


def test_code_is_never_markup() -> None:
    written = "</code></pre><script>alert('1')</script>\n<b a=\"x\">&amp;"
    assert inside(written) == (
        "&lt;/code&gt;&lt;/pre&gt;&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;\n"
        "&lt;b a=&quot;x&quot;&gt;&amp;amp;"
    )
    assert not page(written).tags & {"script", "b"}


def test_control_characters_in_code_are_shown_and_do_nothing() -> None:
    assert inside("a\x1b[2J\nb\x07\x00") == "a\\x1b[2J\nb\\x07\\x00"


def test_code_is_bounded_by_its_length_and_by_that_of_each_line() -> None:
    assert len(inside("x = 1\n" * 100_000)) <= 100_000
    first, second = inside("y" * 90_000 + "\nshort").split("\n")
    assert (len(first), first[-1], second) == (2_000, "…", "short")


def test_code_can_be_reached_and_is_named_by_its_heading() -> None:
    [block] = page("x = 1").all("pre")
    [heading] = page("x = 1").all("h2")
    assert (block["tabindex"], block["aria-labelledby"]) == ("0", heading["id"])


@pytest.mark.parametrize("written", [None, 7, ["a"], {"a": "<b>"}])
def test_what_is_no_text_is_shown_as_far_as_it_goes(written: Any) -> None:
    assert not page(written).tags & {"b"}
