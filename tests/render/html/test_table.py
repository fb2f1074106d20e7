"""Tables of a page: cells by their kind, bounds, and the summary of a run as blocks."""

from __future__ import annotations

from typing import Any

import pytest

from loom.render.html.generic import blocks_of
from loom.render.html.markup import Room
from loom.render.html.sections import sections_of
from loom.render.html.table import SHOWN_COLUMNS, Evidence, table_html
from loom.tools.card import column, table, tag
from tests.render.html.pages import Page


def shown(*args: Any, evidence: Evidence | None = None) -> Page:
    """A table by itself."""
    block = table("Columns", *args)
    return Page("\n".join(table_html(block, "s1", Room(250_000), evidence or Evidence())))


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("text", "plain", "plain"),
        ("code", "a_b", "a_b"),
        ("number", 1234567, "1,234,567"),
        ("number", 0.123456, "0.1235"),
        ("number", 1e300, "1e+300"),
        ("number", "about 12", "about 12"),
        ("share", 0.0, "0%"),
        ("share", 0.125, "12.5%"),
        ("share", 0.00001, "<0.1%"),
        ("share", 0.99999, ">99.9%"),
        ("share", "unknown", "unknown"),
        ("score", 0.87, "0.870"),
        ("score", -0.2, "-0.200"),
        ("tags", [tag("leak", "bad"), "odd"], "leak odd"),
        ("spark", "none", "none"),
        ("text", None, ""),
    ],
)
def test_a_cell_is_shown_by_its_kind(kind: Any, value: Any, said: str) -> None:
    page = shown([column("a", "A"), column("b", "B", kind)], [{"a": "x", "b": value}, {"a": "y", "b": "z"}])
    assert page.words == f"Columns A B x {said} y z".replace("  ", " ")


def test_years_are_not_counted() -> None:
    page = shown([column("a", "A"), column("year", "Y", "number")], [{"a": "x", "year": 2014}])
    assert "2014" in page.words


def test_numbers_can_be_sorted_by_what_they_are() -> None:
    page = shown([column("a", "A"), column("b", "B", "share")], [{"a": "x", "b": 0.25}])
    assert page.all("td")[0]["data-v"] == "0.25"


def test_every_cell_belongs_to_a_named_row_and_column() -> None:
    page = shown([column("a", "A"), column("b", "B")], [{"a": "x", "b": "y"}])
    assert [told["scope"] for told in page.all("th")] == ["col", "col", "row"]
    assert page.all("caption") and page.all("div", role="region", tabindex="0")


def test_only_long_tables_can_be_filtered() -> None:
    rows = [{"a": f"x{at}"} for at in range(21)]
    assert shown([column("a", "A")], rows).all("div")[0]["data-filter"] == "21"
    assert "data-filter" not in shown([column("a", "A")], rows[:20]).all("div")[0]


def test_rows_that_do_not_fit_are_counted() -> None:
    block = table("Columns", [column("a", "A")], [{"a": "x" * 100}] * 50)
    page = Page("\n".join(table_html(block, "s1", Room(2_000), Evidence())))
    kept = len([told for told in page.all("tr") if "id" in told])
    assert 0 < kept < 50 and f"{50 - kept} more rows not shown here" in page.words


def test_only_so_many_columns_are_shown_and_empty_ones_are_not() -> None:
    keys = [f"k{at}" for at in range(90)]
    page = shown([column(key, key) for key in keys], [{key: key for key in keys if key != "k3"}])
    assert len(page.all("td")) == SHOWN_COLUMNS - 1 and "k3" not in page.words


def test_a_row_is_evidence_of_the_column_it_is_about() -> None:
    evidence = Evidence()
    rows = [{"at": 1, "name": "age"}, {"at": 2, "name": "pay\n"}]
    shown([column("at", "At", "number"), column("name", "Name")], rows, evidence=evidence)
    assert (evidence.of("age"), evidence.of("pay\n"), evidence.of(None, "x", "age")) == (
        "s1r0",
        "s1r1",
        "s1r0",
    )
    assert evidence.of("x") is None


def test_an_unknown_kind_of_block_is_shown_as_facts() -> None:
    found = sections_of([{"kind": "map", "title": "Where", "place": "Beijing"}, 7, {"kind": "facts"}])
    assert [(each.title, Page(each.html).words) for each in found.facts] == [("Where", "place Beijing")]
    assert found.shown == []


def test_a_summary_becomes_numbers_tables_and_facts() -> None:
    laid_out = blocks_of(
        {
            "n_rows": 7043,
            "digest": "sha256:" + "a" * 64,
            "holdout": {"rows": 1409, "how": "chosen by a hash of their features; equal rows stay together"},
            "columns": [
                {
                    "dtype": "int64",
                    "name": "tenure",
                    "missing": 0.0,
                    "quantiles": {"p1": 1.0, "p50": 29.0, "p99": 72.0},
                },
                {"dtype": "text", "name": "plan", "missing": 0.5, "levels": [{"level": "a", "share": 0.7}]},
            ],
            "warnings": ["one", "two"],
        }
    )
    assert [(each["label"], each["value"]) for each in laid_out["numbers"]] == [
        ("rows", 7043),
        ("holdout rows", 1409),
    ]
    columns, facts = laid_out["sections"]
    kinds = {each["key"]: each["kind"] for each in columns["columns"]}
    assert kinds == {
        "name": "text",
        "dtype": "text",
        "missing": "share",
        "quantiles": "spark",
        "levels": "spark",
    }
    assert set(facts["facts"]) == {"digest", "holdout how", "warnings"}


def test_of_many_single_values_eight_are_key_numbers_and_none_is_lost() -> None:
    summary = {f"word_{at}": "x" for at in range(9)} | {f"number_{at}": at + 1 for at in range(5)}
    laid_out = blocks_of(summary)
    labels = [each["label"] for each in laid_out["numbers"]]
    assert len(labels) == 8 and sum(each.startswith("number") for each in labels) == 5
    assert len(laid_out["sections"][0]["facts"]) == 6
