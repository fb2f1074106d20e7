"""Bad input is refused with its row and its column, and nothing is kept of it."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from tests.dataio.tables import refusal, refusal_of, write

SECRET = "nobody-may-see-this"
LONG = "".join(f"{number},{'x' * 90},w\n" for number in range(60_000))  # several blocks


@pytest.mark.parametrize(
    ("text", "what", "why"),
    [
        pytest.param(
            "a,b,c\n1,2,3\n1,2\n",
            "row 2 has 2 cells, not 3",
            "nothing stands in column 3, `c`",
            id="short",
        ),
        pytest.param(
            "a,b,c\n1,2,3\n1,2,3,4\n",
            "row 2 has 4 cells, not 3",
            "what follows column 3, `c`, has no name",
            id="long",
        ),
        pytest.param('a,b\n"x\ny",1\n1\n', "row 2 has 1 cell, not 2", "column 2, `b`", id="after a line end"),
        pytest.param(f"a,b,c\n{LONG}1,2\n", "row 60001 has 2 cells, not 3", "column 3, `c`", id="far down"),
        pytest.param(
            "a,b,a\n1,2,3\n",
            "row 0 (the header), column 3 cannot be used",
            "`a` is already the name of column 1",
            id="same name twice",
        ),
        pytest.param("a,,c\n1,2,3\n", "row 0 (the header), column 2", "it has no name", id="no name"),
        pytest.param("a, ,c\n1,2,3\n", "row 0 (the header), column 2", "it has no name", id="blank name"),
        pytest.param("a,b,\n1,2,3\n", "row 0 (the header), column 3", "it has no name", id="no last name"),
        pytest.param("a,__loom_x\n1,2\n", "column 2", "names that begin with __loom_", id="our name"),
        pytest.param("", "is empty", "no row 0", id="nothing"),
        pytest.param(" \n\n", "is empty", "no row 0", id="only blanks"),
        pytest.param("a,b\n", "has no rows", "it ends after row 0", id="only a header"),
        pytest.param("a,b\n\n\n", "has no rows", "it ends after row 0", id="only blank rows"),
        pytest.param(
            b"a,b\nx,1\n\xff\xfe,2\n",
            "row 2, column 1, `a` cannot be read",
            "byte 0xff is not UTF-8 text",
            id="undecodable",
        ),
        pytest.param(b"a,b\nx,1\ny,caf\xe9\n", "row 2, column 2, `b`", "byte 0xe9 is not UTF-8", id="latin"),
        pytest.param(b"a,b\xe9\nx,1\n", "row 0 (the header), column 2", "not UTF-8", id="latin name"),
        pytest.param("a,b\nx,1\n".encode("utf-16"), "row 0 (the header), column 1", "UTF-16", id="utf-16"),
        pytest.param(b"a,b\nx,1\ny,\x002\n", "row 2, column 2, `b`", "NUL byte", id="nul"),
        pytest.param(b"a\0,b\nx,1\n", "row 0 (the header), column 1", "NUL byte", id="nul in a name"),
        pytest.param('a,b\nx,1\n"y,2\nz,3\n', "a quote is opened", "one cell", id="open quote"),
        pytest.param('a,b\nx,"1"\n"y,2\nz,3\n', "a quote is opened", "one cell", id="open quote later"),
        pytest.param("a,b\r\nx,1\r\ny,2\n", "row 2, column 2, `b`", "line ends are mixed", id="mixed ends"),
        pytest.param("a,b\nx,1\r\ny,2\n", "row 1, column 2, `b`", "line ends are mixed", id="mixed from one"),
    ],
)
def test_a_malformed_table_is_refused_with_row_and_column(
    tmp_path: Path, text: str | bytes, what: str, why: str
) -> None:
    error = refusal_of(tmp_path, text)
    assert what in error.what
    assert why in error.why
    assert error.what.startswith(str(tmp_path / "table.csv"))


def test_an_undecodable_byte_far_down_is_found_by_row_and_column(tmp_path: Path) -> None:
    error = refusal_of(tmp_path, b"a,b,c\n" + LONG.encode() + b"1,\xff,3\n")
    assert "row 60001, column 2, `b`" in error.what


def test_a_table_that_ends_inside_its_compression_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + LONG.encode())
    error = refusal_of(tmp_path, packed[: len(packed) // 2], "t.csv.gz")
    assert "cannot be read to its end" in error.what


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zst", "t.parquet", "t.arrow", "t.feather", "t.jsonl"])
def test_bytes_that_are_no_table_are_refused_in_every_format(tmp_path: Path, name: str) -> None:
    noise = random.Random(7).randbytes(70_000)
    assert str(tmp_path / name) in refusal_of(tmp_path, noise, name).what


def test_an_image_called_csv_is_refused_by_row_and_column(tmp_path: Path) -> None:
    error = refusal_of(
        tmp_path, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01" + random.Random(7).randbytes(5_000)
    )
    assert "row 0 (the header), column 1" in error.what


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.jsonl", "t.parquet.gz", "t.csv.gz"])
def test_an_empty_file_is_refused_in_every_format(tmp_path: Path, name: str) -> None:
    assert refusal_of(tmp_path, b"", name).what.startswith(str(tmp_path / name))


@pytest.mark.parametrize("name", ["t.json", "t.xlsx", "t", "t.csv.bz2"])
def test_a_format_that_loom_does_not_read_is_refused_with_those_it_does(tmp_path: Path, name: str) -> None:
    error = refusal_of(tmp_path, "a,b\n1,2\n", name)
    assert "not a format Loom reads" in error.what
    assert "parquet" in error.fix


def test_a_cell_beyond_all_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loom.dataio.records.MAX_RECORD_BYTES", 10_000_000)
    error = refusal_of(tmp_path, 'a,b\n1,2\n"' + "x\n" * 10_000_000)
    assert "a quote is opened" in error.what


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["1", "1", "1"], "every row from 1 to 3 has the same value"),
        (["yes", "", "yes"], "every row from 1 to 3 has the same value or none"),
        (["", "", ""], "no row has a value"),
    ],
)
def test_a_target_that_never_changes_is_refused(tmp_path: Path, cells: list[str], why: str) -> None:
    error = refusal_of(tmp_path, "".join(f"{cell},x\n" for cell in ("y", *cells)), target="y")
    assert "column `y` cannot be the target" in error.what
    assert why in error.why


@pytest.mark.parametrize("asked", [{"target": "chrun"}, {"time": ("chrun",)}, {"group": "chrun"}])
def test_a_column_that_is_not_there_is_refused_with_the_one_that_was_meant(
    tmp_path: Path, asked: dict[str, object]
) -> None:
    error = refusal_of(tmp_path, "churn,b\n1,2\n0,3\n", **asked)
    assert "has no column `chrun`" in error.what
    assert error.fix == f"--{next(iter(asked))} churn"


def test_the_target_cannot_be_the_group(tmp_path: Path) -> None:
    assert "cannot be the target" in refusal_of(tmp_path, "a,b\n1,2\n0,3\n", target="a", group="a").what


@pytest.mark.parametrize("source", ["nowhere.csv", "", "\0"])
def test_a_source_that_is_not_there_is_refused(tmp_path: Path, source: str) -> None:
    refusal(tmp_path, source and str(tmp_path / source))


def test_no_refusal_repeats_what_a_cell_holds(tmp_path: Path) -> None:
    for number, text in enumerate(
        (
            f"a,b\n{SECRET},1\n{SECRET}\n",
            f"a,b\n{SECRET},1\n{SECRET},\xff\n".encode("latin1"),
            f'a,b\n{SECRET},1\n"{SECRET},2\n',
            f"a,b\n{SECRET},1\n{SECRET},\0\n",
        )
    ):
        assert SECRET not in str(refusal_of(tmp_path, text, f"{number}.csv"))


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t.csv", "a,b\n1,2\n")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "you may not read it" in refusal(tmp_path, path).why
