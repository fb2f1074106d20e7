"""A source is brought in whole or not at all, and what is known of it gives no cell away."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.dataio import scan
from loom.dataio.addresses import parse_address
from loom.dataio.blobs import DirectoryStore
from loom.dataio.frames import load
from loom.dataio.ingest import Request, ingest
from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from tests.dataio.tables import blocks_of, bring_in, frame_of, refusal, write

CANARY = "canary-7f3a"


def test_the_record_is_all_it_takes_to_open_an_object_again(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "blobs")
    source = write(tmp_path / "churn.csv", "a,y\n1,0\n2,1\n3,0\n")
    key, found = ingest(Request(parse_address(str(source)), target="y", share=0.5), store, tmp_path)
    again = DataObject.from_record(store.open(key).read_bytes(), store)
    assert again == found
    assert sum(load(part).height for part in again.parts.values()) == 3


def test_the_same_source_has_the_same_record_every_time(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "blobs")
    request = Request(parse_address(str(write(tmp_path / "t.csv", "a,y\n1,0\n2,1\n3,0\n"))))
    assert ingest(request, store, tmp_path)[0] == ingest(request, store, tmp_path)[0]
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 3


def test_no_cell_is_in_the_schema_and_the_schema_is_plain_json(tmp_path: Path) -> None:
    text = "id,word,n,day,y\n" + "".join(
        f"{CANARY}{row},{CANARY} {row},{7_040_000 + row},2031-07-{1 + row % 28:02d},{row % 2}\n"
        for row in range(60)
    )
    found = bring_in(tmp_path, write(tmp_path / "t.csv", text), target="y", time=("day",), share=0.2)
    said = json.dumps(found.schema)
    assert not any(secret in said for secret in (CANARY, "70400", "2031"))
    assert json.loads(said) == found.schema


def test_a_name_is_taken_from_the_source(tmp_path: Path) -> None:
    names = {"churn.csv": "churn", "My data (1).csv": "My-data-1", "a.b.csv.gz": "a", "ü.csv": "data"}
    for name, expected in names.items():
        plain = write(tmp_path / name.removesuffix(".gz"), "a\n1\n2\n")
        if name.endswith(".gz"):
            continue
        assert bring_in(tmp_path, plain).schema["name"] == expected
    assert bring_in(tmp_path, tmp_path / "churn.csv", name="Mine").schema["name"] == "Mine"


def test_targets_that_are_missing_are_counted(tmp_path: Path) -> None:
    found = bring_in(tmp_path, write(tmp_path / "t.csv", "a,y\n1,0\n2,\n3,1\n"), target="y")
    assert found.schema["warnings"] == ["target `y` is missing in 1 rows"]


@pytest.mark.parametrize("step", range(1, 4))
def test_a_store_that_breaks_leaves_no_record(tmp_path: Path, step: int) -> None:
    class Breaking(DirectoryStore):
        calls = 0

        def put(self, content: bytes | Path) -> str:
            Breaking.calls += 1
            if Breaking.calls == step:
                raise LoomError("the disk is full", "no space", "df -h")
            return super().put(content)

    source = parse_address(str(write(tmp_path / "t.csv", "a,y\n1,0\n2,1\n3,0\n")))
    with pytest.raises(LoomError, match="the disk is full"):
        ingest(Request(source), Breaking(tmp_path / "blobs"), tmp_path)
    kept = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert all(path.read_bytes()[:4] == b"PAR1" for path in kept), "a record was kept"
    assert not list(tmp_path.glob("loom-ingest-*"))


def test_a_scratch_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    source = parse_address(str(write(tmp_path / "t.csv", "a\n1\n2\n")))
    with pytest.raises(LoomError, match="cannot be brought in") as caught:
        ingest(Request(source), DirectoryStore(tmp_path), tmp_path / "nowhere")
    assert caught.value.fix.startswith("df -h")


@pytest.mark.parametrize("late", ["1,x\n", "word,x\n"])
def test_a_file_that_somebody_writes_to_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    path = write(tmp_path / "t.csv", "a,b\n" + "1,x\n" * 50_000 + late)
    settle = scan._settled

    def grow(*args: Any) -> Any:
        content = path.read_text()
        path.write_text("a,b\n" + content[104:])  # the first rows are gone
        return settle(*args)

    monkeypatch.setattr(scan, "_settled", grow)
    assert "changed while it was read" in refusal(tmp_path, path).what


WORDS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12),
    st.sampled_from(
        ["NA", "null", "00501", "1", "-1", "1.5", "1e9", "true", "2024-02-29", "inf", "nan", " 7 ", "+1"]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.dates().map(str),
)


def written(cell: str) -> str:
    """A cell as CSV writers write it."""
    return '"' + cell.replace('"', '""') + '"' if set('",\n') & set(cell) else cell


def same(cell: str, kept: object) -> bool:
    """Whether a typed cell still says what was written."""
    text = cell.strip()
    if kept is None:
        return text in ("", "NA", "null", "nan")
    if isinstance(kept, str):
        return kept == cell
    if isinstance(kept, bool):
        return str(kept).lower() == text.lower()
    if isinstance(kept, int):
        return int(text) == kept
    if isinstance(kept, float):
        return float(text) == kept
    return str(kept) == text


@settings(max_examples=60 if "LOOM_SOAK" not in os.environ else 1_000, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12))
def test_whatever_a_csv_holds_every_cell_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("typed")
    text = "a,b\n" + "".join(f"{written(one)},{written(other)}\n" for one, other in rows)
    frame = frame_of(bring_in(folder, write(folder / "t.csv", text)))
    assert frame.height == len(rows)
    for index, name in enumerate("ab"):
        for row, kept in zip(rows, frame[name].to_list(), strict=True):
            assert same(row[index], kept), (row[index], kept)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.integers(-(10**18), 10**18), st.none()), min_size=2, max_size=30),
    st.integers(1, 40),
)
def test_numbers_survive_whatever_the_size_of_a_block(
    tmp_path_factory: pytest.TempPathFactory, cells: list[int | None], size: int
) -> None:
    folder = tmp_path_factory.mktemp("blocks")
    source = write(folder / "t.csv", "n,x\n" + "".join(f"{'' if c is None else c},1\n" for c in cells))
    with blocks_of(size):
        found = frame_of(bring_in(folder, source))["n"].to_list()
    assert found == (cells if any(cell is not None for cell in cells) else [None] * len(cells))
