"""Parquet, Arrow and Feather: tables that know their types keep them, levels included."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from tests.dataio.tables import bring_in, dtypes, frame_of, read, refusal

TYPED = {
    "i8": (pa.array([1, None], pa.int8()), "int8"),
    "u64": (pa.array([2**64 - 1, 0], pa.uint64()), "uint64"),
    "f32": (pa.array([1.5, None], pa.float32()), "float32"),
    "text": (pa.array(["00501", "NA"]), "text"),
    "large": (pa.array(["x", None], pa.large_string()), "text"),
    "view": (pa.array(["x", "y"], pa.string_view()), "text"),
    "day": (pa.array([date(2024, 2, 29), None]), "date"),
    "at": (pa.array([datetime(2024, 2, 29, 1, 2, 3, 4), None], pa.timestamp("us")), "datetime"),
    "zoned": (
        pa.array([datetime(2024, 2, 29, tzinfo=UTC), None], pa.timestamp("ns", "UTC")),
        "datetime[UTC]",
    ),
    "clock": (pa.array([time(1, 2, 3), None]), "time"),
    "span": (pa.array([timedelta(seconds=5), None]), "duration"),
    "money": (pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)), "decimal(10,2)"),
    "flag": (pa.array([True, None]), "boolean"),
}


def save(path: Path, table: pa.Table) -> Path:
    """The table in the format that the name tells."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".feather":
        feather.write_feather(table, path, compression="zstd")
    elif path.suffix == ".arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    return path


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.arrow", "t.ipc"])
def test_every_type_of_a_typed_table_survives(tmp_path: Path, name: str) -> None:
    table = pa.table({column: array for column, (array, _) in TYPED.items()})
    found = bring_in(tmp_path, save(tmp_path / name, table), share=0.5)
    assert dtypes(found) == {column: dtype for column, (_, dtype) in TYPED.items()}
    parts = pl.concat([frame_of(found), frame_of(found, "holdout")])
    for column, (array, _) in TYPED.items():
        assert sorted(parts[column].to_list(), key=str) == sorted(array.to_pylist(), key=str), column


@pytest.mark.parametrize("ordered", [False, True])
def test_a_categorical_keeps_its_levels_in_order_also_those_no_row_has(tmp_path: Path, ordered: bool) -> None:
    levels = ["low", "mid", "high", "never"]
    array = pa.DictionaryArray.from_arrays(pa.array([2, 0, None], pa.int8()), levels, ordered=ordered)
    found = bring_in(tmp_path, save(tmp_path / "t.parquet", pa.table({"c": array, "x": [1, 2, 3]})))
    assert dtypes(found)["c"] == "category"
    column = frame_of(found)["c"]
    assert column.to_list() == ["high", "low", None]
    assert column.dtype == pl.Enum(levels)
    seen = found.parts["train"].to_pandas()["c"]
    assert seen.cat.ordered is ordered
    assert (seen.tolist()[:2], seen.cat.categories.tolist()) == (["high", "low"], levels)


def test_levels_that_grow_from_batch_to_batch_are_all_kept(tmp_path: Path) -> None:
    chunks = [
        pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), levels)
        for levels in (["a", "b"], ["b", "c"], ["d", "a"])
    ]
    table = pa.table({"c": pa.chunked_array(chunks), "x": range(6)})
    column = read(tmp_path, save(tmp_path / "t.ipc", table.unify_dictionaries()))["c"]
    assert column.to_list() == ["a", "b", "b", "c", "d", "a"]


def test_a_column_of_numbers_that_was_a_dictionary_is_numbers(tmp_path: Path) -> None:
    array = pa.array([10, 20, 10]).dictionary_encode()
    found = bring_in(tmp_path, save(tmp_path / "t.arrow", pa.table({"c": array})))
    assert (dtypes(found), frame_of(found)["c"].to_list()) == ({"c": "int64"}, [10, 20, 10])


def test_too_many_levels_are_text_and_said(tmp_path: Path) -> None:
    array = pa.array([f"v{number}" for number in range(10_001)]).dictionary_encode()
    found = bring_in(tmp_path, save(tmp_path / "t.arrow", pa.table({"c": array})))
    assert dtypes(found) == {"c": "text"}
    assert found.schema["warnings"] == ["column `c` has 10,001 levels; kept as text"]


def test_there_is_one_way_to_be_missing(tmp_path: Path) -> None:
    table = pa.table({"c": pa.array(np.array([1.0, np.nan])), "n": pa.nulls(2)})
    found = bring_in(tmp_path, save(tmp_path / "t.parquet", table))
    assert frame_of(found).to_dict(as_series=False) == {"c": [1.0, None], "n": [None, None]}
    assert found.schema["warnings"] == ["column `c`: 1 NaN read as missing"]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([[1], [2]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([b"x", b"y"]),
        pa.array([Decimal(1), Decimal(2)], pa.decimal256(60, 2)),
    ],
    ids=lambda array: str(array.type),
)
def test_a_column_without_one_value_per_cell_is_refused_by_name(tmp_path: Path, array: pa.Array) -> None:
    error = refusal(tmp_path, save(tmp_path / "t.arrow", pa.table({"x": [1, 2], "nested": array})))
    assert "column `nested` cannot be kept" in error.what
    assert "from row 1 on" in error.why


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    assert "`a` is already the name of column 1" in refusal(tmp_path, save(tmp_path / "t.arrow", table)).why


def test_a_table_without_rows_or_columns_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path, save(tmp_path / "t.parquet", pa.table({"a": pa.array([], pa.int64())})))
    refusal(tmp_path, save(tmp_path / "t.arrow", pa.table({})))


def test_packed_parquet_is_read_too(tmp_path: Path) -> None:
    plain = save(tmp_path / "t.parquet", pa.table({"a": [1, 2]}))
    packed = tmp_path / "t.parquet.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(tmp_path, packed)["a"].to_list() == [1, 2]


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.arrow", "t.ipc"])
def test_a_file_that_ends_early_is_refused(tmp_path: Path, name: str, cut: float) -> None:
    path = save(
        tmp_path / name, pa.table({"a": range(10_000), "b": [str(number) for number in range(10_000)]})
    )
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    assert str(path) in refusal(tmp_path, path).what
