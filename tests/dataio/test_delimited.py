"""Delimited text: every dialect a table may be written in, and rows that are larger than a block."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from loom.dataio import records
from loom.dataio.addresses import parse_address
from loom.dataio.blobs import DirectoryStore
from loom.dataio.frames import load
from loom.dataio.ingest import Request, ingest
from loom.dataio.records import Dialect, record_blocks
from tests.dataio.tables import bring_in, dtypes, frame_of, read, read_text, write


def zstd(content: bytes) -> bytes:
    """The content in one frame of zstd."""
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


PLAIN = {"a": ["x", "y"], "b": [1, 2]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", "a,b\nx,1\ny,2\n"),
        ("t.csv", "a,b\nx,1\ny,2"),
        ("t.csv", "a,b\r\nx,1\r\ny,2\r\n"),
        ("t.csv", "a,b\rx,1\ry,2\r"),
        ("t.csv", "\ufeffa,b\nx,1\ny,2\n"),
        ("t.csv", "\n\na,b\nx,1\n\ny,2\n\n"),
        ("t.csv", "a;b\nx;1\ny;2\n"),
        ("t.csv", "a|b\nx|1\ny|2\n"),
        ("t.csv", "a\tb\nx\t1\ny\t2\n"),
        ("t.csv", '"a","b"\n"x","1"\n"y","2"\n'),
        ("t.txt", "a,b\nx,1\ny,2\n"),
        ("t.tsv", "a\tb\nx\t1\ny\t2\n"),
        ("T.CSV", "a,b\nx,1\ny,2\n"),
        ("t.csv.gz", gzip.compress(b"a,b\nx,1\ny,2\n", mtime=0)),
        ("t.csv.gz", gzip.compress(b"a,b\nx,1\n", mtime=0) + gzip.compress(b"y,2\n", mtime=0)),
        ("t.tsv.zst", zstd(b"a\tb\nx\t1\ny\t2\n")),
    ],
)
def test_a_table_is_the_same_however_it_is_written(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert read(tmp_path, write(tmp_path / name, content)).to_dict(as_series=False) == PLAIN


def test_a_comma_in_a_tsv_is_text(tmp_path: Path) -> None:
    found = read_text(tmp_path, "a\tb\nx,y\t1\n", "t.tsv")
    assert found.to_dict(as_series=False) == {"a": ["x,y"], "b": [1]}


def test_quoted_cells_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    found = read_text(tmp_path, 'a,b\n"x, ""y""\nz",1\n"\r\n",2\n')
    assert found["a"].to_list() == ['x, "y"\nz', "\r\n"]


def test_a_name_may_be_quoted_and_hold_anything(tmp_path: Path) -> None:
    found = read_text(tmp_path, '"a, ""b""\nc",größe\n1,2\n')
    assert found.columns == ['a, "b"\nc', "größe"]


def test_a_column_of_one_keeps_its_empty_rows(tmp_path: Path) -> None:
    assert read_text(tmp_path, "a\n1\n\n3\n")["a"].to_list() == [1, None, 3]


def test_blanks_and_quotes_around_nothing_are_missing(tmp_path: Path) -> None:
    found = read_text(tmp_path, 'a,b\n"",1\nx,2\n')
    assert found["a"].to_list() == [None, "x"]


def test_a_cell_that_is_larger_than_a_block_is_one_cell(tmp_path: Path) -> None:
    huge = "line\n" * (records.BLOCK_BYTES // 4)
    found = read_text(tmp_path, f'a,b\n"{huge}",1\nx,2\n')
    assert found["a"].to_list() == [huge, "x"]


def test_compressed_and_plain_have_one_digest(tmp_path: Path) -> None:
    text = "a,b\n" + "".join(f"{number},w{number % 7}\n" for number in range(5_000))
    plain = bring_in(tmp_path, write(tmp_path / "t.csv", text), share=0.2)
    packed = bring_in(tmp_path, write(tmp_path / "t.csv.zst", zstd(text.encode())), share=0.2)
    assert plain.schema["digest"] == packed.schema["digest"]
    assert plain.schema["holdout"] == packed.schema["holdout"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 1_000])
@pytest.mark.parametrize(
    "text",
    [
        b"a,b\nc,d\n",
        b'"a\n",b\n"c""\n","d"\n',
        b'a"b,c\nd,"e\nf"\n',
        b'a,b "c" d\n"e\n\n",f\n',
        b"\n\n\n",
        b'"\n"\n"\n"\n',
    ],
)
def test_blocks_end_where_rows_end_whatever_their_size(text: bytes, size: int) -> None:
    dialect = Dialect(b",", b"\n")
    blocks = [block.body for block in record_blocks(io.BytesIO(text), dialect, size=size)]
    assert b"".join(blocks) == text
    whole = [cell[0] for cell in records.cells(text, dialect)]
    assert [cell[0] for block in blocks for cell in records.cells(block, dialect)] == whole


def test_a_stray_quote_inside_a_cell_is_part_of_it(tmp_path: Path) -> None:
    found = read_text(tmp_path, 'a,b\n5" pipe,1\n6" pipe,2\n')
    assert found["a"].to_list() == ['5" pipe', '6" pipe']


def test_a_wide_table_keeps_all_its_columns(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(500)]
    text = ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n"
    found = bring_in(tmp_path, write(tmp_path / "t.csv", text))
    assert list(dtypes(found)) == names
    assert frame_of(found).dtypes == [pl.Int64] * 500


def test_a_column_may_have_the_name_of_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("*,^b$,a\n" + "".join(f"{n},{n:03d},x\n" for n in range(20)))
    store = DirectoryStore(tmp_path / "blobs")
    _, found = ingest(Request(parse_address(str(path)), time=("*",)), store)
    frame = load(found.parts["train"], ["^b$", "*"])
    assert frame.columns == ["^b$", "*"]
    assert frame["^b$"].to_list() == [f"{n:03d}" for n in range(16)]
    assert found.parts["train"].to_pandas().columns.tolist() == ["*", "^b$", "a"]
