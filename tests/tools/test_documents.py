"""Markdown by its sections, and tables in files."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.tools.sections import Section, headings, update_document, write_document
from loom.tools.table import TableError, check_columns, lay_out, read_table, summarise, write_rows

DOCUMENT = """# Title

Intro.

## One

First.

### Detail

More.

```
## not a heading
```

## Two ##

Second.
"""


def test_a_document_is_its_title_and_its_sections() -> None:
    written = write_document("T", [Section("A", " text \n"), Section("B", "", 3)])
    assert written == "# T\n\n## A\n\ntext\n\n### B\n"


def test_headings_are_found_outside_code_only() -> None:
    assert [words for _, _, words in headings(DOCUMENT)] == ["Title", "One", "Detail", "Two"]


def test_a_section_is_replaced_with_its_subsections_and_the_rest_stays_to_the_letter() -> None:
    updated = update_document(DOCUMENT, [Section("one", "New.")])
    assert updated == "# Title\n\nIntro.\n\n## one\n\nNew.\n\n## Two ##\n\nSecond.\n"


def test_a_new_section_is_added_at_the_end_and_the_level_of_an_old_one_is_kept() -> None:
    assert update_document("", [Section("A", "x")]) == "## A\n\nx\n"
    updated = update_document(DOCUMENT, [Section("Three", "x"), Section("Detail", "y", 2)])
    assert updated.endswith("Second.\n\n## Three\n\nx\n") and "### Detail\n\ny\n\n## Two ##" in updated


def test_updating_twice_changes_nothing_more() -> None:
    once = update_document(DOCUMENT, [Section("Two", "x"), Section("New", "y")])
    assert update_document(once, [Section("Two", "x"), Section("New", "y")]) == once


def test_a_table_survives_the_way_into_a_file_and_back() -> None:
    rows = lay_out(("a", "b"), [["x, y", 1], {"b": 2.5}, {"a": 'say "hi"\nthere', "b": True}])
    table = read_table(write_rows([("a", "b"), *rows], ","), ",")
    assert table.columns == ("a", "b")
    assert table.rows == [["x, y", "1"], ["", "2.5"], ['say "hi"\nthere', "true"]]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=2))
)
def test_any_cells_survive(rows: list[list[str]]) -> None:
    assert read_table(write_rows([("a", "b"), *rows], "\t"), "\t").rows == rows


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no header"),
        (b"a,b\n1\n", "line 2 has 1 cells, not 2"),
        (b"a,b\n1,2\n1,2,3\n", "line 3"),
        (b"a,a\n", "two columns are called a"),
        (b"a,\n", "column 2 has no name"),
        (b"a\n\xff\n", "line 2 is not UTF-8"),
        (b'a\n"x\n', "line"),
    ],
)
def test_a_table_that_does_not_hold_together_is_an_error_with_its_place(content: bytes, why: str) -> None:
    with pytest.raises(TableError, match=why):
        read_table(content, ",")


def test_rows_that_do_not_fit_the_columns_are_named() -> None:
    with pytest.raises(TableError, match="row 2 has 1 cells"):
        lay_out(("a", "b"), [[1, 2], [1]])
    with pytest.raises(TableError, match="row 1: there is no column c"):
        lay_out(("a", "b"), [{"c": 1}])
    with pytest.raises(TableError):
        check_columns([])


def test_a_summary_tells_numbers_from_codes_and_counts_what_is_empty() -> None:
    table = read_table(b"n,code,t,none\n1,007,x,\n2.5,008,,\n-1,009,x,\n", ",")
    number, code, text, none = summarise(table)
    assert number == {
        "name": "n",
        "count": 3,
        "empty": 0,
        "distinct": 3,
        "type": "number",
        "min": -1,
        "max": 2.5,
        "sum": 2.5,
        "mean": 2.5 / 3,
    }
    assert code["type"] == "text" and (text["empty"], text["distinct"]) == (1, 1)
    assert none["type"] == "empty" and none["empty"] == 3
