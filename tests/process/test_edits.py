"""Repairs touch what they mean to touch and nothing else."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.diagnostics import Diagnostic, Edit, Span
from loom.process.edits import applicable, apply_edits, encoded_like, newline_of


def edit(line: int, column: int, end_line: int, end_column: int, text: str) -> Edit:
    """An edit by its place."""
    return Edit(Span(line, column, end_line, end_column), text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_are_counted_as_editors_count_them(end: str) -> None:
    text = end.join(["name: ä😀b", "", "version: 1.10", "last"])
    changed = apply_edits(text, [edit(1, 8, 1, 9, "x"), edit(3, 10, 3, 14, '"1.10"'), edit(4, 5, 4, 5, "!")])
    assert changed == end.join(["name: äxb", "", 'version: "1.10"', "last!"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_inserted_line_ends_as_the_others_do(end: str) -> None:
    text = end.join(["name: a", "phases: []", ""])
    assert apply_edits(text, [edit(2, 1, 2, 1, "risk_level: low\n")]) == end.join(
        ["name: a", "risk_level: low", "phases: []", ""]
    )
    assert newline_of(text) == end


def test_an_edit_may_span_lines_and_reach_the_end() -> None:
    assert apply_edits("a: 1\nb:\n  c\nd", [edit(2, 1, 4, 1, "")]) == "a: 1\nd"
    assert apply_edits("a\nb", [edit(1, 2, 2, 2, "")]) == "a"


def test_of_two_edits_that_overlap_the_first_one_counts() -> None:
    assert apply_edits("abcdef", [edit(1, 3, 1, 6, "Y"), edit(1, 1, 1, 4, "X")]) == "Xdef"
    assert apply_edits("abc", [edit(1, 1, 1, 2, "X"), edit(1, 1, 1, 2, "X")]) == "Xbc"
    assert apply_edits("abc", [edit(1, 2, 1, 3, "Y"), edit(1, 1, 1, 2, "X")]) == "XYc"


def test_edits_that_can_be_made_together_are_each_counted_once() -> None:
    first, same, over, far = (
        edit(1, 1, 1, 4, "x"),
        edit(1, 1, 1, 4, "x"),
        edit(1, 3, 1, 5, "y"),
        edit(2, 1, 2, 2, "z"),
    )
    found = [
        Diagnostic("LM1", "error", "m", Span(1, 1, 1, 1), edits=(far, first)),
        Diagnostic("LM2", "error", "m", Span(1, 1, 1, 1), edits=(same, over)),
        Diagnostic("LM3", "error", "m", Span(1, 1, 1, 1)),
    ]
    assert applicable(found) == [first, far]


@settings(max_examples=100, deadline=None)
@given(
    st.text(alphabet="ab \n\r", max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5),
)
def test_everything_outside_the_edits_stays(text: str, places: list[tuple[int, int]]) -> None:
    spots = {}
    line, column = 1, 1
    for offset in range(len(text) + 1):
        spots[offset] = (line, column)
        ends = text[offset : offset + 1] == "\n" or (
            text[offset : offset + 1] == "\r" and text[offset + 1 : offset + 2] != "\n"
        )
        line, column = (line + 1, 1) if ends else (line, column + 1)
    edits, expected, at = [], "", 0
    for a, b in sorted((min(p), max(p)) for p in places if max(p) <= len(text)):
        if a < at or (a, b) == (at, at):
            continue
        edits.append(Edit(Span(*spots[a], *spots[b]), "#"))
        expected += text[at:a] + "#"
        at = b
    assert apply_edits(text, edits) == expected + text[at:]


def test_a_byte_order_mark_stays(tmp_path: Path) -> None:
    marked, plain = tmp_path / "marked", tmp_path / "plain"
    marked.write_bytes(codecs.BOM_UTF8 + b"old")
    plain.write_bytes(b"old")
    assert encoded_like(marked, "nü") == codecs.BOM_UTF8 + "nü".encode()
    assert encoded_like(plain, "nü") == "nü".encode()
    assert encoded_like(tmp_path / "missing", "new") == b"new"
