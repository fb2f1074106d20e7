"""Rows for a deployed model: read as what they were at training, or refused by row and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.serving.inputs import InputColumn, conform, read_rows
from tests.science.serving.made import COLUMNS


def written(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text)
    return path


def test_cells_are_read_in_the_types_of_training(tmp_path: Path) -> None:
    text = "extra,joined,plan,age,spent\n1,2021-03-04,007, 31 ,2.5\n2,,,NA,\n3,2021-03-05,pro,40.0,1e3\n"
    frame = read_rows(written(tmp_path, text), COLUMNS)
    assert frame.columns == ["age", "spent", "plan", "joined"]
    assert frame.rows() == [
        (31, 2.5, "007", date(2021, 3, 4)),
        (None, None, None, None),
        (40, 1000.0, "pro", date(2021, 3, 5)),
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("age,spent,plan\n1,2,a\n", "the table lacks a column the model reads"),
        ("x\n1\n", "the table lacks 4 columns the model reads"),
        (
            "age,spent,plan,joined\n1,2,a,2021-01-01\nold,2,a,2021-01-01\n",
            "row 2, column `age`: 'old' is not int64",
        ),
        ("age,spent,plan,joined\n1.5,2,a,2021-01-01\n", "row 1, column `age`: '1.5' is not int64"),
        ("age,spent,plan,joined\n1,2,a,soon\n", "row 1, column `joined`: 'soon' is not date"),
        ("age,spent,plan,joined\n1,2,a,03/04/2021\n", "`joined` does not say which is the day"),
    ],
)
def test_what_the_model_does_not_know_is_refused_by_name(text: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(LoomError) as refused:
        read_rows(written(tmp_path, text), COLUMNS)
    assert refused.value.what.startswith(what)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe\x80binary\n", None])
def test_what_is_no_table_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LoomError):
        read_rows(path, COLUMNS)


def test_a_table_of_types_is_taken_by_its_types(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"flag": [True, None], "n": [1, 2], "when": [date(2021, 1, 1), None], "word": [1, 2]}
    )
    wanted = [
        InputColumn("flag", "boolean"),
        InputColumn("n", "float64"),
        InputColumn("when", "date"),
        InputColumn("word", "text"),
    ]
    frame.write_parquet(tmp_path / "rows.parquet")
    found = read_rows(tmp_path / "rows.parquet", wanted)
    assert found.rows() == [(True, 1.0, date(2021, 1, 1), "1"), (None, 2.0, None, "2")]
    whole = [InputColumn("n", "int64")]
    assert conform(pl.DataFrame({"n": [1.0, None]}), whole)["n"].to_list() == [1, None]
    with pytest.raises(LoomError, match=r"row 2, column `n`: '1\.5' is not int64"):
        conform(pl.DataFrame({"n": [1.0, 1.5]}), whole)
    with pytest.raises(LoomError, match="`flag` is not date"):
        conform(frame, [InputColumn("flag", "date")])


def test_truth_values_are_read_in_the_words_people_use() -> None:
    found = conform(pl.DataFrame({"flag": ["Yes", "0", " true ", ""]}), [InputColumn("flag", "boolean")])
    assert found["flag"].to_list() == [True, False, True, None]
    with pytest.raises(LoomError, match="'maybe' is not boolean"):
        conform(pl.DataFrame({"flag": ["maybe"]}), [InputColumn("flag", "boolean")])
