"""A data object made from another one: the rows of its parent, with their keys and types, and no sealed row."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loom.dataio.blobs import DirectoryStore
from loom.dataio.derive import Making, derive, root_of
from loom.dataio.files import FileRef, digest_of
from loom.dataio.frames import load, references
from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from tests.dataio.tables import bring_in, frame_of

MEANING = "loom.kernel.ids:digest"
ROWS = 60


def source(folder: Path) -> Path:
    """A table with a column of every type that has to survive."""
    sizes = pa.array(["small", "large", None] * (ROWS // 3)).dictionary_encode()
    levels = pa.DictionaryArray.from_arrays(
        sizes.indices, pa.array(["small", "large", "unheard"]), ordered=True
    )
    path = folder / "shop.parquet"
    columns = {
        "zip": [f"{501 + row % 7:05d}" for row in range(ROWS)],
        "day": [date(2024, 1, 1 + row % 28) for row in range(ROWS)],
        "price": pa.array([Decimal(row) / 100 for row in range(ROWS)], pa.decimal128(12, 2)),
        "seats": pa.array([None if row % 5 == 0 else row for row in range(ROWS)], pa.int64()),
        "size": levels,
    }
    pq.write_table(pa.table(columns), path)
    return path


def parent(folder: Path, **asked: Any) -> DataObject:
    """The data object that is built on."""
    return bring_in(folder, source(folder), **{"target": "size", "share": 0.2, "group": "zip", **asked})


def making(found: DataObject, **other: Any) -> Making:
    """One number for every row, with the columns that later verbs need."""
    frames = {
        name: pl.DataFrame({"n": pl.Series(range(found.parts[name].rows), dtype=pl.Float32)})
        for name in ("train", "test")
        if name in found.parts
    }
    about = Making(found, "IngestDataset/1", frames, ("day", "zip", "price", "seats", "size"), "size")
    return replace(about, **other)


def test_what_is_kept_keeps_its_type_its_levels_and_every_cell(tmp_path: Path) -> None:
    found = parent(tmp_path)
    _, made = derive(making(found), DirectoryStore(tmp_path / "blobs"), tmp_path)
    kept = ["day", "zip", "price", "seats", "size"]
    assert frame_of(made).columns == ["n", *kept]
    assert frame_of(made).select(kept).equals(frame_of(found).select(kept))
    assert frame_of(made).select(kept).schema == frame_of(found).select(kept).schema
    assert frame_of(made)["zip"][0].startswith("00")
    assert frame_of(made)["n"].dtype == pl.Float32
    categories = made.parts["train"].to_pandas()["size"].cat
    assert (list(categories.categories), categories.ordered) == (["small", "large", "unheard"], True)
    known = {column["name"]: column for column in made.schema["columns"]}
    for column in found.schema["columns"]:
        assert known[column["name"]]["dtype"] == column["dtype"]
        assert known[column["name"]]["role"] == column["role"]
    assert known["n"] == {"name": "n", "dtype": "float32", "role": "numeric", "missing": 0}


def test_nothing_sealed_comes_along_and_the_lineage_leads_to_it(tmp_path: Path) -> None:
    found = parent(tmp_path)
    _, made = derive(making(found, lineage={"recipe": "mine"}), DirectoryStore(tmp_path / "blobs"), tmp_path)
    assert made.parts.keys() == {"train"}
    assert made.parts["train"].rows == found.parts["train"].rows < ROWS
    assert (made.schema["holdout"]["rows"], made.schema["counts"]["rows"]) == (0, made.parts["train"].rows)
    lineage = made.schema["lineage"]
    assert (lineage["source"], lineage["root"], lineage["recipe"]) == ("IngestDataset/1",) * 2 + ("mine",)
    assert lineage["source_digest"] == found.schema["digest"]
    assert lineage["holdout"]["digest"] == found.schema["holdout"]["digest"]
    assert (made.schema["target"], made.schema["group"], made.schema["time"]) == ("size", "zip", None)
    _, again = derive(
        making(made, source="FeaturesFlow/1", kept=("zip", "size")),
        DirectoryStore(tmp_path / "blobs"),
        tmp_path,
    )
    assert again.schema["lineage"]["root"] == root_of(made.schema, "FeaturesFlow/1") == "IngestDataset/1"


def test_rows_keep_their_keys_so_that_equal_ones_stay_together(tmp_path: Path) -> None:
    found = parent(tmp_path)
    _, made = derive(making(found), DirectoryStore(tmp_path / "blobs"), tmp_path)
    before, after = (load(each.parts["train"], [], keys=True) for each in (found, made))
    assert after.equals(before)


def test_a_test_part_is_made_too_and_a_sample_comes_along(tmp_path: Path) -> None:
    for name, text in {
        "train": "zip,x,y\n" + "".join(f"0050{row % 9},{row},{row % 2}\n" for row in range(40)),
        "test": "zip,x\n00501,1\n00502,2\n00503,3\n",
        "sample_submission": "zip,y\n00501,0\n00502,0\n00503,0\n",
    }.items():
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / f"{name}.csv").write_text(text)
    found = bring_in(tmp_path, tmp_path / "data", target="y", share=0.2)
    elsewhere = DirectoryStore(tmp_path / "other")
    _, made = derive(making(found, kept=("zip", "y"), target="y"), elsewhere, tmp_path)
    assert {name: part.store for name, part in made.parts.items()} == dict.fromkeys(
        ("train", "test", "sample_submission"), elsewhere
    )
    assert frame_of(made, "test").columns == ["n", "zip"]
    assert frame_of(made, "test")["zip"].to_list() == ["00501", "00502", "00503"]
    assert frame_of(made, "sample_submission").equals(frame_of(found, "sample_submission"))
    rows = found.parts["train"].rows
    counts = {"rows": rows, "columns": 3, "train": rows, "test": 3, "sample_submission": 3}
    assert made.schema["counts"] == counts


def test_the_digest_is_that_of_the_content_wherever_it_is_made(tmp_path: Path) -> None:
    digests, keys = set(), set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found = parent(tmp_path / name)
        _, made = derive(making(found), DirectoryStore(tmp_path / name / "blobs"), tmp_path / name)
        digests.add(made.schema["digest"])
        keys.add(made.parts["train"].key)
    assert (len(digests), len(keys)) == (1, 1)


def test_the_record_gives_the_object_back_with_its_files(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "blobs")
    key, made = derive(making(parent(tmp_path), files={"learned": (b"bytes", MEANING)}), store, tmp_path)
    assert DataObject.from_record(store.open(key).read_bytes(), store) == made
    assert made.files["learned"].read() == b"bytes"
    assert (made.files["learned"].size, made.files["learned"].digest) == (5, digest_of(b"bytes"))
    assert made.files["learned"].load() == digest_of(b"bytes")


def test_a_file_unpickles_to_what_it_means_and_for_loom_to_a_reference(tmp_path: Path) -> None:
    ref = FileRef.put(b"bytes", MEANING, DirectoryStore(tmp_path))
    packed = pickle.dumps(ref)
    assert len(packed) < 600
    assert pickle.loads(packed) == digest_of(b"bytes")
    with references():
        assert pickle.loads(packed) == ref


def test_a_file_that_was_changed_is_not_read(tmp_path: Path) -> None:
    ref = FileRef.put(b"bytes", MEANING, DirectoryStore(tmp_path))
    path = ref.store.open(ref.key)
    assert isinstance(path, Path)
    path.write_bytes(b"other")
    with pytest.raises(LoomError, match="is damaged"):
        ref.load()


@pytest.mark.parametrize(
    "reader", ["os:system", "loom:x", "loom.kernel.ids", "loom.kernel.ids:a.b.c", "loom..x:y"]
)
def test_only_what_is_of_loom_reads_a_file(tmp_path: Path, reader: str) -> None:
    with pytest.raises(ValueError, match="not a reader"):
        FileRef.put(b"bytes", reader, DirectoryStore(tmp_path))
    with pytest.raises(ValueError, match="not a reader"):
        FileRef(DirectoryStore(tmp_path), "sha256:" + "0" * 64, 0, digest_of(b""), reader)._meaning(b"")


@pytest.mark.parametrize("name", ["train", "holdout", "schema", "data_object"])
def test_a_file_never_takes_the_place_of_a_part(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be called"):
        derive(
            making(parent(tmp_path), files={name: (b"", MEANING)}), DirectoryStore(tmp_path / "b"), tmp_path
        )


def test_rows_that_came_or_went_are_refused(tmp_path: Path) -> None:
    found = parent(tmp_path)
    with pytest.raises(ValueError, match="3 rows were made"):
        derive(
            making(found, frames={"train": pl.DataFrame({"n": [1, 2, 3]})}),
            DirectoryStore(tmp_path),
            tmp_path,
        )


class Dying:
    """A store that is interrupted when it is to keep something for the nth time."""

    def __init__(self, inner: DirectoryStore, lives: int) -> None:
        self.inner, self.lives = inner, lives

    def put(self, content: bytes | Path) -> str:
        self.lives -= 1
        if self.lives < 0:
            raise KeyboardInterrupt
        return self.inner.put(content)

    def open(self, key: str) -> BinaryIO | Path:
        return self.inner.open(key)


def test_the_record_is_kept_last_so_that_half_of_it_is_nothing(tmp_path: Path) -> None:
    found = parent(tmp_path)
    wanted = making(found, files={"learned": (b"bytes", MEANING)})
    whole = DirectoryStore(tmp_path / "whole")
    key, _ = derive(wanted, whole, tmp_path)
    for lives in range(3):
        store = DirectoryStore(tmp_path / f"half-{lives}")
        with pytest.raises(KeyboardInterrupt):
            derive(wanted, Dying(store, lives), tmp_path)
        assert not (store.root / key.partition(":")[2][:2] / key.partition(":")[2]).exists()
    assert not list(tmp_path.glob("loom-derive-*")), "scratch files were left behind"


def test_a_disk_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(LoomError) as caught:
        derive(making(parent(tmp_path)), DirectoryStore(tmp_path / "blobs"), tmp_path / "file")
    assert "cannot be kept" in caught.value.what
