"""Parts of a data object: small references that a notebook sees as data frames and Loom reads by column."""

from __future__ import annotations

import copy
import pickle
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loom.dataio.frames import FrameRef, from_record, load, references
from loom.kernel.errors import LoomError
from tests.dataio.tables import bring_in, write

TEXT = """zip,n,big,x,b,day,at,word
00501,1,9007199254740993,1.5,true,2024-02-29,2024-02-29 01:02:03,NA
10001,,2,,,,,word
,3,3,2.5,false,2024-03-01,2024-03-01 00:00:00,
"""


@pytest.fixture
def ref(tmp_path: Path) -> FrameRef:
    """A part with every type that text has."""
    return bring_in(tmp_path, write(tmp_path / "t.csv", TEXT)).parts["train"]


def test_a_pickled_reference_is_small_and_becomes_a_data_frame(ref: FrameRef) -> None:
    packed = pickle.dumps(ref)
    assert len(packed) < 1_000
    frame = pickle.loads(packed)
    assert isinstance(frame, pd.DataFrame)
    assert frame["zip"].tolist()[:2] == ["00501", "10001"]
    assert frame["n"].tolist() == [1, pd.NA, 3] or frame["n"].isna().tolist() == [False, True, False]
    assert str(frame["n"].dtype) == "Int64"
    assert frame["big"].tolist() == [9007199254740993, 2, 3]
    assert str(frame["b"].dtype) == "boolean"
    assert frame["day"][0].date() == date(2024, 2, 29)
    assert frame["at"][0] == datetime(2024, 2, 29, 1, 2, 3)
    assert frame["word"].tolist()[:2] == ["NA", "word"]
    assert pd.isna(frame["x"][1])


def test_within_references_nothing_is_read(ref: FrameRef) -> None:
    packed = pickle.dumps({"train": ref})
    for blob in ref.store.root.rglob("*"):  # type: ignore[attr-defined]
        if blob.is_file():
            blob.unlink()
    with references():
        found = pickle.loads(packed)["train"]
    assert found == ref
    with pytest.raises(LoomError):
        pickle.loads(packed)


def test_copies_are_references(ref: FrameRef) -> None:
    assert copy.copy(ref) is ref
    assert copy.deepcopy([ref])[0] is ref


def test_columns_come_in_the_order_they_are_asked_for(ref: FrameRef) -> None:
    assert load(ref, ["x", "zip"]).columns == ["x", "zip"]
    assert load(ref, ["zip"], keys=True).columns == ["zip", "__loom_row_key__"]
    assert load(ref, []).columns == []
    assert ref.to_pandas(["n"]).columns.tolist() == ["n"]


def test_the_row_key_is_seen_by_nobody_who_does_not_ask(ref: FrameRef) -> None:
    assert "__loom_row_key__" not in load(ref).columns
    assert "__loom_row_key__" not in ref.to_pandas().columns


def test_a_column_that_is_not_there_is_an_error_that_names_those_that_are(ref: FrameRef) -> None:
    with pytest.raises(LoomError, match="no column `nope`") as caught:
        load(ref, ["zip", "nope"])
    assert "zip, n" in caught.value.why


def test_a_record_keeps_everything_but_the_store(ref: FrameRef) -> None:
    assert from_record(ref.record(), ref.store) == ref


def test_a_store_that_hands_over_streams_is_read_as_well(tmp_path: Path, ref: FrameRef) -> None:
    class Streams:
        def put(self, content: bytes | Path) -> str:
            raise NotImplementedError

        def open(self, key: str) -> Any:
            return ref.store.open(key).open("rb")  # type: ignore[union-attr]

    streamed = FrameRef(Streams(), ref.key, ref.rows, ref.columns, ref.categories)
    assert load(streamed).equals(load(ref))
    assert load(streamed, ["x"], keys=True).columns == ["x", "__loom_row_key__"]


def test_categories_survive_on_every_way_out(tmp_path: Path) -> None:
    levels = ["low", "high", "never"]
    array = pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int8()), levels, ordered=True)
    pq.write_table(pa.table({"c": array, "x": [1, 2, 3]}), tmp_path / "t.parquet")
    part = bring_in(tmp_path, tmp_path / "t.parquet").parts["train"]
    assert load(part)["c"].dtype == pl.Enum(levels)
    series = pickle.loads(pickle.dumps(part))["c"]
    assert (series.cat.categories.tolist(), series.cat.ordered) == (levels, True)
    assert part.to_pandas(["x"]).columns.tolist() == ["x"]


def test_plain_parquet_readers_read_it_too(ref: FrameRef) -> None:
    path = ref.store.open(ref.key)
    assert isinstance(path, Path)
    assert pq.read_table(path).num_rows == 3
    assert pl.read_parquet(path)["zip"].to_list() == ["00501", "10001", None]
