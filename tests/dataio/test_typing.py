"""Types survive: what a cell of text means, decided by all cells of its column."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from loom.dataio.typing import TOKENS
from tests.dataio.tables import bring_in, dtypes, frame_of, read_text, write

MANY = 60_000


def column(tmp_path: Path, *cells: str) -> pl.Series:
    """A column of such cells, beside another one, so that an empty cell is a cell."""
    text = "".join(f"{cell},x\n" for cell in ("c", *cells))
    return read_text(tmp_path, text)["c"]


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        pytest.param(["00501", "10001"], pl.String, ["00501", "10001"], id="zero-padded codes"),
        pytest.param(["+49", "+1"], pl.String, ["+49", "+1"], id="plus signs"),
        pytest.param(["1", "-2", ""], pl.Int64, [1, -2, None], id="whole numbers"),
        pytest.param(["0", "0", "1"], pl.Int64, [0, 0, 1], id="zero is not padded"),
        pytest.param(["9007199254740993"], pl.Int64, [9007199254740993], id="beyond 2^53"),
        pytest.param(["9223372036854775808"], pl.UInt64, [2**63], id="beyond 2^63"),
        pytest.param([str(2**64)], pl.String, [str(2**64)], id="beyond 2^64"),
        pytest.param(["9223372036854775808", "-1"], pl.String, [str(2**63), "-1"], id="no type holds both"),
        pytest.param(["1", "2.5"], pl.Float64, [1.0, 2.5], id="decimals"),
        pytest.param(["1e3", "-0.5"], pl.Float64, [1000.0, -0.5], id="exponents"),
        pytest.param(["0.5", "00.7"], pl.String, ["0.5", "00.7"], id="padded decimals"),
        pytest.param(["1", "two"], pl.String, ["1", "two"], id="mixed is text"),
        pytest.param(["1_000", "2"], pl.String, ["1_000", "2"], id="underscores are no numbers"),
        pytest.param(["0x10", "2"], pl.String, ["0x10", "2"], id="hexadecimal is text"),
        pytest.param(["true", "False", ""], pl.Boolean, [True, False, None], id="truth values"),
        pytest.param(["true", "1"], pl.String, ["true", "1"], id="truth values and numbers"),
        pytest.param(["yes", "no"], pl.String, ["yes", "no"], id="yes and no are words"),
        pytest.param(["NA", "Namibia"], pl.String, ["NA", "Namibia"], id="NA is a word among words"),
        pytest.param(["NA", "1", "n/a"], pl.Int64, [None, 1, None], id="NA among numbers is missing"),
        pytest.param(["NA", "NA"], pl.String, ["NA", "NA"], id="nothing but NA is text"),
        pytest.param(["NaN", "1.5"], pl.Float64, [None, 1.5], id="NaN is missing"),
        pytest.param([" 7", "8 "], pl.Int64, [7, 8], id="blanks around numbers"),
        pytest.param([" a", "b "], pl.String, [" a", "b "], id="blanks around text stay"),
        pytest.param(["", ""], pl.String, [None, None], id="empty"),
        pytest.param(["2024-02-29", ""], pl.Date, [date(2024, 2, 29), None], id="dates"),
        pytest.param(["2024-02-30", "2024-01-01"], pl.String, ["2024-02-30", "2024-01-01"], id="no such day"),
        pytest.param(
            ["31/12/2024", "01/02/2024"], pl.Date, [date(2024, 12, 31), date(2024, 2, 1)], id="day first"
        ),
        pytest.param(
            ["12/31/2024", "01/02/2024"], pl.Date, [date(2024, 12, 31), date(2024, 1, 2)], id="month first"
        ),
        pytest.param(["01/02/2024", "03/04/2024"], pl.String, ["01/02/2024", "03/04/2024"], id="no guess"),
        pytest.param(["31.12.2024"], pl.Date, [date(2024, 12, 31)], id="dots"),
        pytest.param(["2024-1-5"], pl.Date, [date(2024, 1, 5)], id="short dates"),
        pytest.param(["20240105", "20240106"], pl.Int64, [20240105, 20240106], id="digits are numbers"),
    ],
)
def test_a_column_gets_the_type_that_loses_nothing(
    tmp_path: Path, cells: list[str], dtype: pl.DataType, values: list[object]
) -> None:
    found = column(tmp_path, *cells)
    assert found.dtype == dtype
    assert found.to_list() == values


def test_moments_keep_their_fractions_and_offsets_become_utc(tmp_path: Path) -> None:
    plain = column(tmp_path, "2024-02-29 23:59:59", "2024-03-01T00:00:00")
    assert plain.dtype == pl.String, "two ways of writing are no type"
    plain = column(tmp_path, "2024-02-29 23:59:59.123456", "2024-03-01 00:00:00")
    assert plain.to_list() == [datetime(2024, 2, 29, 23, 59, 59, 123456), datetime(2024, 3, 1)]
    zoned = column(tmp_path, "2024-03-01T00:30:00+01:00", "2024-03-01T00:30:00Z")
    assert zoned.to_list() == [
        datetime(2024, 2, 29, 23, 30, tzinfo=UTC),
        datetime(2024, 3, 1, 0, 30, tzinfo=UTC),
    ]


@pytest.mark.parametrize("token", TOKENS)
def test_every_word_for_missing_is_missing_in_numbers_and_a_word_in_text(tmp_path: Path, token: str) -> None:
    assert column(tmp_path, "1", token).to_list() == [1, None]
    assert column(tmp_path, "word", token).to_list() == ["word", token]


def test_infinity_is_kept_and_said(tmp_path: Path) -> None:
    found = bring_in(tmp_path, write(tmp_path / "t.csv", "c,d\n1.5,a\ninf,b\n"))
    assert frame_of(found)["c"].to_list() == [1.5, math.inf]
    assert found.schema["warnings"] == ["column `c`: 1 infinite value (first in row 2)"]


@pytest.mark.parametrize(
    ("late", "dtype", "kept"),
    [
        ("2.5", pl.Float64, 1.0),
        ("00501", pl.String, "1"),
        ("word", pl.String, "1"),
        (str(2**63), pl.UInt64, 1),
        (str(2**64), pl.String, "1"),
        ("NA", pl.Int64, 1),
        ("2024-01-01", pl.String, "1"),
    ],
)
def test_the_last_cell_of_a_long_column_decides_as_much_as_the_first(
    tmp_path: Path, late: str, dtype: pl.DataType, kept: object
) -> None:
    rows = "".join(f"1,{'x' * 80}\n" for _ in range(MANY))
    found = read_text(tmp_path, f"c,pad\n{rows}{late},x\n")
    assert (found["c"].dtype, found["c"][0], found.height) == (dtype, kept, MANY + 1)
    assert found["c"].cast(pl.String)[-1] == (None if late == "NA" else late)


def test_text_in_the_middle_between_the_places_that_are_looked_at_first_is_kept(tmp_path: Path) -> None:
    cells = [str(number) for number in range(MANY)]
    cells[31_234] = "0007"
    found = read_text(tmp_path, "c,pad\n" + "".join(f"{cell},{'x' * 70}\n" for cell in cells))
    assert found["c"].to_list() == cells


def test_a_person_is_told_how_a_column_was_read_by_counts_and_rows_and_never_by_a_cell(
    tmp_path: Path,
) -> None:
    text = "zip,big,day,n,word,mostly\n" + "\n".join(
        ["00501,99999999999999999999,01/02/2024,1,a,1", "10001,2,03/04/2024,NA,b,secret"]
        + [f"10001,2,03/04/2024,{number},c,{number}" for number in range(20)]
    )
    found = bring_in(tmp_path, write(tmp_path / "t.csv", text))
    assert found.schema["warnings"] == [
        "column `zip` is kept as text: numbers have leading zeros or plus signs (first in row 1)",
        "column `big` is kept as text: whole numbers exceed 64 bits (first in row 1)",
        "column `day` is kept as text: its dates can be read day first or month first (first in row 1)",
        "column `n`: 1 cell with a word for missing, such as NA, read as missing (first in row 2)",
        "column `mostly` is kept as text: 1 cell is not a number (first in row 2)",
    ]
    assert dtypes(found)["n"] == "int64"


def test_texts_that_a_person_declares_missing_are_missing_everywhere(tmp_path: Path) -> None:
    found = read_text(tmp_path, "a,b\nNA,NA\nx,1\n", missing=("NA",))
    assert found.to_dict(as_series=False) == {"a": [None, "x"], "b": [None, 1]}
