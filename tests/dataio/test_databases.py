"""Tables of SQLite and DuckDB files, read as they are declared and never written to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.sources import describe_source
from tests.dataio.tables import bring_in, dtypes, frame_of, refusal

SHOP = '''
CREATE TABLE orders (id INTEGER PRIMARY KEY, zip TEXT, amount REAL, paid BOOLEAN, day TEXT, "a ""b""" NUMERIC);
INSERT INTO orders VALUES (1, '00501', 1.5, 1, '2024-02-29', 7), (2, '10001', 2, 0, '2024-03-01', NULL),
  (3, NULL, NULL, NULL, NULL, 9007199254740993);
CREATE TABLE empty (a INTEGER);
CREATE VIEW big AS SELECT id, amount FROM orders WHERE amount > 1.7;
'''


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A SQLite file with two tables and a view."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SHOP)
    return path


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A DuckDB file with a table in two schemas."""
    path = tmp_path / "lake.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT 1::BIGINT AS id, '00501' AS zip, DATE '2024-02-29' AS day, "
            "TIMESTAMP '2024-02-29 01:02:03' AS at, 1.10::DECIMAL(10,2) AS money, true AS paid, 'lo'::ENUM('lo','hi') AS level "
            "UNION ALL SELECT 9223372036854775807, NULL, NULL, NULL, NULL, NULL, NULL;"
            "CREATE SCHEMA other; CREATE TABLE other.orders AS SELECT 7 AS seven; CREATE VIEW v AS SELECT * FROM orders"
        )
    return path


def test_a_table_of_sqlite_keeps_its_types(tmp_path: Path, shop: Path) -> None:
    before = shop.read_bytes()
    found = bring_in(tmp_path, f"sqlite:///{shop}::orders")
    assert dtypes(found) == {
        "id": "int64", "zip": "text", "amount": "float64", "paid": "boolean", "day": "date", 'a "b"': "int64"
    }  # fmt: skip
    assert frame_of(found).rows() == [
        (1, "00501", 1.5, True, date(2024, 2, 29), 7),
        (2, "10001", 2.0, False, date(2024, 3, 1), None),
        (3, None, None, None, None, 9007199254740993),
    ]
    assert found.schema["name"] == "orders"
    assert found.schema["provenance"]["table"] == "orders"
    assert shop.read_bytes() == before


def test_a_view_is_a_table(tmp_path: Path, shop: Path) -> None:
    assert frame_of(bring_in(tmp_path, f"sqlite:///{shop}::big"))["id"].to_list() == [2]


def test_cells_of_several_types_are_kept_as_their_text(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t (c); INSERT INTO t VALUES (1), ('x'), (2.5), (NULL)")
    found = bring_in(tmp_path, f"sqlite:///{path}")
    assert frame_of(found)["c"].to_list() == ["1", "x", "2.5", None]
    assert found.schema["warnings"] == ["column `c` holds text and numbers (1 of them text); kept as text"]


def test_the_shapes_of_sqlite_hold_no_cell(tmp_path: Path, shop: Path) -> None:
    shapes = describe_source(parse_address(f"sqlite:///{shop}"), tmp_path)
    assert {shape.name: shape.rows for shape in shapes} == {"big": 1, "empty": 0, "orders": 3}
    assert dict(shapes[2].columns)["zip"] == "text"
    assert "00501" not in repr(shapes)


@pytest.mark.parametrize(
    ("suffix", "what"),
    [("", "has 3 tables"), ("::nope", "has no table `nope`"), ("::empty", "has no rows")],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path: Path, shop: Path, suffix: str, what: str) -> None:
    assert what in refusal(tmp_path, f"sqlite:///{shop}{suffix}").what


def test_bytes_and_text_that_is_none_are_refused_by_column_and_row(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE b (c); INSERT INTO b VALUES (x'00');"
            "CREATE TABLE t (c); INSERT INTO t VALUES ('x'), (CAST(x'ff' AS TEXT))"
        )
    assert "column `c` cannot be kept" in refusal(tmp_path, f"sqlite:///{path}::b").what
    error = refusal(tmp_path, f"sqlite:///{path}::t")
    assert ("row 2, column `c`" in error.what, "not UTF-8" in error.why) == (True, True)


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_a_file_that_is_no_database_is_refused_and_one_that_is_not_there_not_made(
    tmp_path: Path, engine: str
) -> None:
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"noise" * 1_000)
    assert "cannot be read" in refusal(tmp_path, f"{engine}:///{noise}").what
    assert "does not exist" in refusal(tmp_path, f"{engine}:///{tmp_path}/none.db").what
    assert not (tmp_path / "none.db").exists()
    assert "names no database file" in refusal(tmp_path, f"{engine}://").what


def test_a_table_of_duckdb_keeps_its_types(tmp_path: Path, lake: Path) -> None:
    found = bring_in(tmp_path, f"duckdb:///{lake}::orders")
    assert dtypes(found) == {
        "id": "int64", "zip": "text", "day": "date", "at": "datetime", "money": "decimal(10,2)",
        "paid": "boolean", "level": "category",
    }  # fmt: skip
    frame = frame_of(found)
    assert frame.row(0) == (
        1, "00501", date(2024, 2, 29), datetime(2024, 2, 29, 1, 2, 3), Decimal("1.10"), True, "lo"
    )  # fmt: skip
    assert frame["id"][1] == 2**63 - 1
    assert frame["level"].dtype == pl.Enum(["lo", "hi"])


def test_a_table_of_another_schema_has_its_schema_in_front(tmp_path: Path, lake: Path) -> None:
    assert frame_of(bring_in(tmp_path, f"duckdb:///{lake}::other.orders"))["seven"].to_list() == [7]
    shapes = describe_source(parse_address(f"duckdb:///{lake}"), tmp_path)
    assert {shape.name: shape.rows for shape in shapes} == {"orders": 2, "other.orders": 1, "v": 2}


def test_names_that_look_like_sql_are_names(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    name = 'x"; DROP TABLE t; --'
    quoted = name.replace('"', '""')
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.execute(f'CREATE TABLE "{quoted}" (a)')
        connection.execute(f'INSERT INTO "{quoted}" VALUES (1)')
        connection.commit()
    assert frame_of(bring_in(tmp_path, f"sqlite:///{path}::{name}"))["a"].to_list() == [1]


def test_truth_values_and_large_numbers_of_sqlite_lose_nothing_unsaid(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE t (flag BOOLEAN, no_flag BOOLEAN, n REAL, x);"
            f"INSERT INTO t VALUES (0, 0, 1, 1.5), (1, 2, {2**53 + 1}, {2**53 + 1})"
        )
    found = bring_in(tmp_path, f"sqlite:///{path}")
    assert dtypes(found) == {"flag": "boolean", "no_flag": "int64", "n": "float64", "x": "float64"}
    assert frame_of(found)["no_flag"].to_list() == [0, 2]
    assert found.schema["warnings"] == ["column `x`: 1 whole numbers beyond 2^53 may be rounded"]


def test_a_view_of_a_duckdb_file_reads_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    path = tmp_path / "t.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(f"CREATE VIEW v AS SELECT * FROM read_csv('{tmp_path}/secret.csv')")
    assert "disabled by configuration" in refusal(tmp_path, f"duckdb:///{path}").why
