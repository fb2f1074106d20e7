"""An answer for people: the verdict, the numbers, the reasons, and what to do next."""

from __future__ import annotations

from typing import Any

import pytest

from loom.render.envelope import answer_text
from loom.render.preview import preview_text
from loom.render.tables import pairs, size_text, table, value_text

DIGEST = "sha256:" + "ab" * 32


def answer(**parts: Any) -> str:
    """An answer as text."""
    told = {"verb": "ingest", "VERDICT": "OK", "pathspec": "IngestDataset/7", **parts}
    return answer_text(told, acceptable=True)


def test_the_verdict_comes_first_and_its_colour_says_whether_it_is_acceptable() -> None:
    assert answer() == "OK  ingest IngestDataset/7"
    told = {"verb": "validate", "VERDICT": "FAIL"}
    assert answer_text(told, acceptable=False, color=True) == "\x1b[1;31mFAIL\x1b[0m  validate"
    assert answer_text(told, acceptable=True, color=True).startswith("\x1b[1;32mFAIL")


def test_key_numbers_are_a_small_table_and_what_is_absent_is_left_out() -> None:
    summary = {"dataset_ref": "IngestDataset/7", "n_rows": 12000, "target": None, "time": ["year", "month"]}
    summary |= {
        "holdout": {"rows": 2400, "how": "content", "digest": DIGEST},
        "score": 0.98765,
        "warnings": [],
    }
    assert answer(summary=summary).splitlines()[2:] == [
        "dataset ref  IngestDataset/7",
        "rows         12,000",
        "time         year, month",
        "holdout      rows 2400, how content, digest sha256:abababababab",
        "score        0.9877",
    ]


def test_a_list_of_flat_mappings_becomes_a_table() -> None:
    rows = [
        {"pathspec": "IngestDataset/2", "name": "churn", "rows": 120000, "cols": 12},
        {"pathspec": "IngestDataset/1", "name": "中文", "rows": 5, "cols": None},
    ]
    assert answer(summary={"datasets": rows}).splitlines()[2:] == [
        "pathspec         name      rows  cols",
        "IngestDataset/2  churn  120,000    12",
        "IngestDataset/1  中文         5",
    ]


def test_an_empty_list_is_said_to_be_empty() -> None:
    assert answer(summary={"datasets": []}).endswith("\n\ndatasets  none")


def test_a_table_shows_twenty_rows_and_says_how_many_there_are() -> None:
    lines = answer(summary={"rows": [{"n": number} for number in range(1234)]}).splitlines()
    assert len(lines) == 2 + 1 + 20 + 1
    assert lines[-1] == "… and 1,214 more; --json lists all of them"


def test_the_columns_of_the_only_table_of_a_source_are_shown_as_rows() -> None:
    one = {
        "name": "churn",
        "rows": 10,
        "columns": [{"name": "id", "dtype": "int"}, {"name": "b", "dtype": "text"}],
    }
    alone = answer(summary={"kind": "file", "tables": [one]})
    assert "columns\nname  dtype\nid    int\nb     text" in alone
    several = answer(summary={"kind": "database", "tables": [one, {**one, "name": "other"}]})
    assert "name   rows  columns\nchurn    10  id, b\nother    10  id, b" in several


def test_reasons_come_worst_first_and_no_more_than_five() -> None:
    reasons = [{"code": f"i{n}", "severity": "info", "what": f"note {n}"} for n in range(5)]
    leak = {
        "code": "leak",
        "severity": "error",
        "what": "knows the answer",
        "value": 0.991,
        "threshold": 0.95,
    }
    lines = answer(reasons=[*reasons, {**leak, "column": "id"}]).splitlines()[2:]
    assert lines[0] == "error    id: knows the answer (0.991, threshold 0.95)"
    assert lines[1] == "info     note 0"
    assert lines[-1] == "… and 1 more; --json lists all of them"
    assert len(lines) == 6


def test_what_is_said_as_the_error_is_not_said_again() -> None:
    reasons = [{"code": "x", "severity": "error", "what": "row 4 is ragged"}]
    told = {"what": "it failed", "why": "row 4 is ragged; save it again", "fix": "loom logs X/1"}
    assert "ragged" not in answer(reasons=reasons, error=told)


def test_next_commands_and_the_card_close_the_answer_unless_it_is_to_be_quiet() -> None:
    told = {
        "verb": "eda",
        "VERDICT": "OK",
        "card_path": "/x/card.html",
        "next": ["loom features", "loom viz"],
    }
    text = answer_text(told, acceptable=True)
    assert text.splitlines()[2:] == ["card  /x/card.html", "next  loom features", "next  loom viz"]
    assert answer_text(told, acceptable=True, quiet=True) == "OK  eda"


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_table_keeps_to_its_width_as_far_as_its_columns_allow(width: int) -> None:
    rows = [{"name": "x" * 50, "what": "y" * 50}]
    assert max(map(len, table(rows, width=width))) <= max(width, 8 + 2 + 8)


def test_a_value_is_never_cut_where_it_is_to_be_typed() -> None:
    assert pairs({"folder": "/" + "x" * 300}, width=40, whole=True) == ["folder  /" + "x" * 300]
    assert len(pairs({"folder": "/" + "x" * 300}, width=40)[0]) == 40


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (2024, "2024"),
        (-1234567, "-1,234,567"),
        (0.000012345, "1.234e-05"),
        (12345.6, "12,346"),
        (float("inf"), "inf"),
        (list(range(9)), "0, 1, 2, 3, 4, 5, … (9 in all)"),
        ({"a": None, "b": 1}, "b 1"),
        (DIGEST, "sha256:abababababab"),
        ("a\nb", "a\\x0ab"),
    ],
    ids=str,
)
def test_a_value_is_one_line(value: Any, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (5 * 1024**2, "5.0 MiB"),
        (3 * 1024**4, "3,072.0 GiB"),
    ],
)
def test_a_size_is_said_as_people_say_it(size: int, text: str) -> None:
    assert size_text(size) == text


def test_a_preview_shows_arguments_as_far_as_they_are_known() -> None:
    phase = {
        "id": "fit",
        "executor": "tool",
        "calls": "fit_model",
        "after": ["load"],
        "args": {"a": "${inputs.a}", "b": "${phases.load.data.b}"},
    }
    other = {
        "id": "judge",
        "executor": "process",
        "process": "validate",
        "would": "reuse",
        "why": "nothing changed",
    }
    text = preview_text(
        {
            "process": "p",
            "version": "1.0.0",
            "tier": "expensive",
            "digest": "ab12",
            "inputs": {"a": 7},
            "phases": [phase, other],
            "cost": {"minutes": 3},
            "why_tier": ["the verb says so"],
        }
    )
    assert "because  the verb says so" in text
    assert "plan     ab12  agree to it with --confirm ab12\n" in text
    assert "cost     minutes 3" in text
    assert "a=7, b=${phases.load.data.b}" in text
    assert "reuse" in text and "process validate" in text and "nothing changed" in text
