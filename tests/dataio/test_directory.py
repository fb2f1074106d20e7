"""A folder with train, test and a sample submission is one source."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from loom.dataio.frames import load
from tests.dataio.tables import bring_in, dtypes, frame_of, refusal, write

TRAIN = "id,zip,x,y\n" + "".join(
    f"{number},0050{number % 10},{number}.5,{number % 2}\n" for number in range(100, 150)
)
TEST = "id,zip,x\n900,00900,1\n901,00901,2\n"
SAMPLE = "id,y\n900,0\n901,0\n"


def folder_of(tmp_path: Path, **files: str) -> Path:
    """A folder with such CSV files."""
    for name, text in files.items():
        write(tmp_path / "data" / f"{name}.csv", text)
    return tmp_path / "data"


def test_its_parts_become_the_parts_of_one_object(tmp_path: Path) -> None:
    found = bring_in(
        tmp_path, folder_of(tmp_path, train=TRAIN, test=TEST, sample_submission=SAMPLE), share=0.2
    )
    assert {name: part.rows for name, part in found.parts.items()} == {
        "train": 40,
        "holdout": 10,
        "test": 2,
        "sample_submission": 2,
    }
    assert frame_of(found, "test")["zip"].to_list() == ["00900", "00901"]
    assert frame_of(found, "test")["x"].dtype == frame_of(found)["x"].dtype == pl.Float64
    assert found.schema["name"] == "data"
    assert found.schema["provenance"]["files"] == ["train.csv", "test.csv", "sample_submission.csv"]
    assert found.schema["counts"] == {
        "rows": 50,
        "columns": 4,
        "train": 40,
        "holdout": 10,
        "test": 2,
        "sample_submission": 2,
    }


def test_what_only_train_has_is_taken_for_the_target_when_rows_are_told_apart(tmp_path: Path) -> None:
    found = bring_in(tmp_path, folder_of(tmp_path, train=TRAIN, test=TEST), share=0.2)
    assert found.schema["holdout"]["left_out"] == ["id", "y"]


def test_a_cell_of_test_decides_the_type_in_train_too(tmp_path: Path) -> None:
    data = folder_of(tmp_path, train="c,y\n1,0\n2,1\n", test="c\n007\n")
    found = bring_in(tmp_path, data)
    assert dtypes(found)["c"] == "text"
    assert frame_of(found)["c"].to_list() == ["1", "2"]


def test_rows_of_test_have_the_keys_of_equal_rows_of_train(tmp_path: Path) -> None:
    data = folder_of(tmp_path, train="id,a,b,y\n1,x,1,0\n2,y,2,1\n3,z,3,0\n", test="b,a,id\n2,y,9\n5,w,8\n")
    found = bring_in(tmp_path, data, target="y")
    train = load(found.parts["train"], ["a"], keys=True)
    test = load(found.parts["test"], ["a"], keys=True)
    assert set(train["__loom_row_key__"]) & set(test["__loom_row_key__"]) == set()
    # ids and the target are left out of a key only where they are known to be such
    assert train.height == 3


def test_one_lone_table_is_the_training_table(tmp_path: Path) -> None:
    write(tmp_path / "data" / "notes.md", "# Notes")
    found = bring_in(tmp_path, folder_of(tmp_path, churn=TRAIN))
    assert found.schema["provenance"]["files"] == ["churn.csv"]


def test_parquet_and_packed_files_are_parts_too(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    pq.write_table(pa.table({"a": [1, 2], "y": [0, 1]}), tmp_path / "data/train.parquet")
    pq.write_table(pa.table({"a": [3.5]}), tmp_path / "data/Test.parquet")
    assert bring_in(tmp_path, tmp_path / "data").parts.keys() == {"train", "test"}


def test_a_folder_that_is_no_source_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert "no table at all" in refusal(tmp_path, tmp_path / "data").why
    error = refusal(tmp_path, folder_of(tmp_path, one=TRAIN, two=TRAIN))
    assert ("has no train.csv" in error.what, "one.csv, two.csv" in error.why) == (True, True)


def test_two_files_for_one_part_are_refused(tmp_path: Path) -> None:
    data = folder_of(tmp_path, train=TRAIN)
    write(data / "train.tsv", TRAIN)
    assert "has 2 files for train" in refusal(tmp_path, data).what


def test_train_and_test_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    data = folder_of(tmp_path, train=TRAIN, test="other\n1\n")
    assert "no column in common" in refusal(tmp_path, data).what
    (data / "test.csv").unlink()
    pq.write_table(pa.table({"x": ["text"]}), data / "test.parquet")
    assert "column `x` differs between train and test" in refusal(tmp_path, data).what


def test_a_bad_row_is_named_with_its_file(tmp_path: Path) -> None:
    error = refusal(tmp_path, folder_of(tmp_path, train=TRAIN, test="id,zip,x\n1,2\n"))
    assert error.what.startswith("test.csv: row 1 has 2 cells")


def test_columns_that_only_one_of_them_has_are_said(tmp_path: Path) -> None:
    data = folder_of(tmp_path, train="a,b,y\n1,2,0\n3,4,1\n", test="a,z\n1,1\n")
    assert bring_in(tmp_path, data).schema["warnings"] == [
        "test lacks 2 columns of train: b, y",
        "test has 1 columns that train lacks: z",
    ]
