"""JSON lines: every line counts, keys are columns, dates are found in text."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.dataio.tables import bring_in, dtypes, frame_of, read_text, refusal_of, write


def lines(*rows: object) -> str:
    """One JSON value per line."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_values_keep_their_types_and_dates_are_found(tmp_path: Path) -> None:
    text = lines(
        {"zip": "00501", "n": 1, "x": 1.5, "b": True, "d": "2024-02-29", "t": "NA", "z": None},
        {"zip": "10001", "n": 2**53 + 1, "x": 2, "b": None, "d": None, "t": "1", "z": None},
    )
    found = read_text(tmp_path, text, "t.jsonl")
    assert found.schema == {
        "zip": pl.String, "n": pl.Int64, "x": pl.Float64, "b": pl.Boolean, "d": pl.Date, "t": pl.String, "z": pl.String
    }  # fmt: skip
    assert found.rows() == [
        ("00501", 1, 1.5, True, date(2024, 2, 29), "NA", None),
        ("10001", 2**53 + 1, 2.0, None, None, "1", None),
    ]


def test_a_key_that_a_line_leaves_out_is_missing_there(tmp_path: Path) -> None:
    found = read_text(tmp_path, lines({"a": 1}, {"b": "x"}, {"a": 3, "b": "y"}), "t.ndjson")
    assert found.to_dict(as_series=False) == {"a": [1, None, 3], "b": [None, "x", "y"]}


def test_a_key_that_first_appears_far_down_is_a_column(tmp_path: Path) -> None:
    rows = [{"a": number, "pad": "x" * 100} for number in range(50_000)]
    found = read_text(tmp_path, lines(*rows, {"a": 1, "pad": "", "late": 7}), "t.jsonl")
    assert found["late"].null_count() == 50_000
    assert found["late"][-1] == 7


@pytest.mark.parametrize(
    ("values", "dtype", "kept"),
    [
        ([1, 2.5], "float64", [1.0, 2.5]),
        ([1, "x"], "text", ["1", "x"]),
        ([True, 1], "text", ["true", "1"]),
        ([2**63, 1], "text", [str(2**63), "1"]),
        ([2**100, 1], "text", [str(2**100), "1"]),
        (["2024-01-01", "soon"], "text", ["2024-01-01", "soon"]),
        (["1", "2"], "text", ["1", "2"]),
    ],
)
def test_a_column_of_several_types_is_kept_without_loss(
    tmp_path: Path, values: list[object], dtype: str, kept: list[object]
) -> None:
    text = lines(*({"c": value, "i": index} for index, value in enumerate(values)))
    found = bring_in(tmp_path, write(tmp_path / "t.jsonl", text))
    assert dtypes(found)["c"] == dtype
    assert frame_of(found)["c"].to_list() == kept


def test_line_ends_of_windows_and_packed_files_are_read(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"a": 1}\r\n\r\n{"a": 2}\r\n')
    assert read_text(tmp_path, packed, "t.jsonl.gz")["a"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("bad", "what", "why"),
    [
        ('{"a": 1,}', "row 3 cannot be read", "not one JSON object"),
        ("[1, 2]", "row 3 cannot be read", "no object"),
        ("7", "row 3 cannot be read", "no object"),
        ('{"a": [1]}', "row 3, column `a`", "a list or an object"),
        ('{"a": {"b": 1}}', "row 3, column `a`", "a list or an object"),
        ('{"a": 1} {"a": 2}', "row 3 cannot be read", "not one JSON object"),
        ('{"a": 1e400}', "row 3, column `a`", "too large"),
        ('{"a": NaN}', "row 3 cannot be read", "not one JSON object"),
        ('{"a": "\\u0000"}', "row 3, column `a`", "NUL"),
        ('{"a": "\\ud800"}', "row 3, column `a`", "half of a character"),
        ('{"a": [1], "a": 2}', "row 3, column `a`", "a list"),
        ("[" * 100_000, "row 3 cannot be read", "not one JSON object"),
        ('{"": 1}', "column 2 cannot be used", "no name"),
    ],
)
def test_a_bad_line_is_refused_by_its_row(tmp_path: Path, bad: str, what: str, why: str) -> None:
    error = refusal_of(tmp_path, lines({"a": 1}, {"a": 2}) + bad + "\n", "t.jsonl")
    assert what in error.what
    assert why in error.why


def test_undecodable_bytes_are_refused_by_their_row(tmp_path: Path) -> None:
    error = refusal_of(tmp_path, b'{"a": "x"}\n{"a": "\xff"}\n', "t.jsonl")
    assert "row 2" in error.what


def test_a_mark_at_the_beginning_and_characters_of_two_escapes_are_read(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + b'{"a": "\\ud83d\\ude00"}\n{"a": "x"}\n'
    assert read_text(tmp_path, text, "t.jsonl")["a"].to_list() == ["😀", "x"]


def test_numbers_that_may_be_rounded_are_said(tmp_path: Path) -> None:
    found = bring_in(tmp_path, write(tmp_path / "t.jsonl", lines({"a": 2**53 + 1}, {"a": 0.5})))
    assert found.schema["warnings"] == ["column `a`: whole numbers beyond 2^53 may be rounded"]


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loom.dataio.jsonl.MAX_RECORD_BYTES", 1_000_000)
    assert "a line has no end" in refusal_of(tmp_path, b"x" * 5_000_000, "t.jsonl").why


def test_keys_that_read_like_patterns_of_names_are_columns(tmp_path: Path) -> None:
    rows = [{"*": 1.5, "^a.*$": row / 2, "plain": row} for row in range(30)]
    found = read_text(tmp_path, lines(*rows), "t.jsonl")
    assert found.columns == ["*", "^a.*$", "plain"]
    assert found.rows()[29] == (1.5, 14.5, 29)


def test_infinities_of_both_signs_in_one_column_are_told(tmp_path: Path) -> None:
    cells = "".join(f"{each}\n" for each in ["inf", "-inf", *range(30)])
    found = bring_in(tmp_path, write(tmp_path / "t.csv", "x\n" + cells))
    assert any("infinite" in warning for warning in found.schema["warnings"])
