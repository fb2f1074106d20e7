"""A card on a terminal."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loom.render.card_text import card_blocks
from loom.render.envelope import answer_text
from loom.render.tables import PLAIN, joined
from loom.tools.card import card, charts, code, column, facts, level_spark, number, table, tag

COLUMNS = [
    column("name", "column", "code"),
    column("to_know", "to know", "tags"),
    column("missing", "missing", "share"),
    column("shape", "shape", "spark"),
]


def rows(count: int) -> list[dict[str, Any]]:
    tags = [tag("leak", "bad"), tag("empty")]
    return [
        {"name": f"c{at}", "to_know": tags, "missing": at / 1000, "shape": level_spark([0.5])}
        for at in range(count)
    ]


def text(**parts: Any) -> str:
    return joined(card_blocks(card(**parts), PLAIN, 100))


def test_numbers_come_with_what_they_are_compared_with_and_tables_with_their_worst_rows() -> None:
    page = card(
        numbers=[number("rows", 5634, note="1,409 more are sealed"), number("nothing", None)],
        sections=[
            table("Columns", COLUMNS, rows(20)),
            charts("Plots", [{}, {}]),
            facts("Method", {"seed": 1}),
        ],
    )
    answer = {"verb": "eda", "VERDICT": "OK", "summary": {"unread": 1}, "card": page, "next": ["loom viz"]}
    shown = answer_text(answer, acceptable=True).splitlines()
    assert shown[:6] == [
        "OK  eda",
        "",
        "rows  5634  (1,409 more are sealed)",
        "",
        "Columns",
        "column  to know      missing",
    ]
    assert shown[6] == "c0      leak, empty  0%"
    assert shown[7] == "c1      leak, empty  0.1%"
    assert shown[-5:] == [
        "… and 8 more; all are on the card",
        "",
        "2 plots on the card",
        "",
        "next  loom viz",
    ]


def test_a_card_without_anything_to_read_shows_nothing() -> None:
    assert text() == ""
    assert text(sections=[table("Empty", COLUMNS, [])]) == ""


def test_code_is_named_and_left_to_the_page() -> None:
    shown = text(sections=[code("Script", "import os\n" * 50), charts("Plots", [{}]), code("Printed", "x")])
    assert shown == "a plot and Script and Printed on the card"


def test_control_characters_never_reach_the_terminal() -> None:
    shown = text(
        numbers=[number("\x1b[31mred", "a\x07b")],
        sections=[table("\x1b[2J", [column("a", "b\x1b")], [{"a": "x\x1b[0m\ny"}])],
    )
    assert not set(shown) & {"\x1b", "\x07"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["kind", "title", "rows", "columns", "key", "label", "value", "note", "numbers", "sections", "charts", "table", "a"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["numbers", "sections", "other"]), JSON))
def test_whatever_stands_in_a_card_it_never_fails(page: dict[str, Any]) -> None:
    joined(card_blocks(page, PLAIN, 80))
