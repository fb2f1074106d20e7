"""Tables of a real PostgreSQL server: types as declared, one read-only transaction, no password shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import polars as pl
import psycopg
import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.sources import describe_source
from tests.dataio.postgres_server import Server, running
from tests.dataio.tables import bring_in, dtypes, frame_of, read, refusal

TYPED = """
CREATE TYPE size AS ENUM ('small', 'large', 'never');
CREATE TABLE typed (
  id bigint, zip text, code varchar(5), money numeric(10, 2), free numeric, x double precision, f real,
  paid boolean, day date, at timestamp, zoned timestamptz, clock time, level size, who uuid, "a ""b"", c" integer
);
INSERT INTO typed VALUES
  (9223372036854775807, '00501', '007', 1.10, 7, 0.1, 0.1, true, '2024-02-29', '2024-02-29 01:02:03.000004',
   '2024-02-29 01:02:03+02', '01:02:03', 'large', '00000000-0000-0000-0000-000000000001', 1),
  (1, '', 'NA', NULL, 8, 'NaN', NULL, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, E'line\\nend, "quoted"', NULL, -0.50, 9, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'small', NULL, 2);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with some tables."""
    with running() as started:
        started.execute(
            TYPED,
            "CREATE TABLE empty (a integer)",
            "CREATE TABLE compound (a integer[], b bytea)",
            "INSERT INTO compound VALUES ('{1}', 'x')",
            "CREATE TABLE odd (day date, at timestamp, n numeric)",
            "INSERT INTO odd VALUES ('infinity', '0044-03-15 BC', 1), ('2024-01-01', '2024-01-01', 'NaN')",
            "CREATE SCHEMA other",
            "CREATE TABLE other.numbers AS SELECT n, n % 3 AS y FROM generate_series(1, 30000) n",
            "CREATE VIEW seven AS SELECT 7 AS seven",
        )
        yield started


def test_every_declared_type_survives(tmp_path: Path, server: Server) -> None:
    found = bring_in(tmp_path, f"{server.address}::typed")
    assert dtypes(found) == {
        "id": "int64", "zip": "text", "code": "text", "money": "decimal(10,2)", "free": "int64", "x": "float64",
        "f": "float64", "paid": "boolean", "day": "date", "at": "datetime", "zoned": "datetime[UTC]",
        "clock": "text", "level": "category", "who": "text", 'a "b", c': "int64",
    }  # fmt: skip
    assert frame_of(found).row(0) == (
        2**63 - 1, "00501", "007", Decimal("1.10"), 7, 0.1, 0.1, True, date(2024, 2, 29),
        datetime(2024, 2, 29, 1, 2, 3, 4), datetime(2024, 2, 28, 23, 2, 3, tzinfo=UTC), str(time(1, 2, 3)),
        "large", "00000000-0000-0000-0000-000000000001", 1,
    )  # fmt: skip
    assert frame_of(found)["zip"].to_list() == ["00501", "", 'line\nend, "quoted"']
    assert frame_of(found)["code"].to_list() == ["007", "NA", None]
    assert frame_of(found)["x"].to_list() == [0.1, None, None]
    assert frame_of(found)["level"].dtype == pl.Enum(["small", "large", "never"])


def test_a_large_table_of_another_schema_is_streamed(tmp_path: Path, server: Server) -> None:
    found = bring_in(tmp_path, f"{server.address}::other.numbers", share=0.2, target="y")
    assert found.schema["counts"] == {"rows": 30_000, "columns": 2, "train": 24_000, "holdout": 6_000}
    assert found.schema["name"] == "other-numbers"
    assert found.schema["holdout"]["left_out"] == ["y"], "the id is all there is to tell rows apart"


def test_a_view_is_a_table(tmp_path: Path, server: Server) -> None:
    assert read(tmp_path, f"{server.address}::seven")["seven"].to_list() == [7]


def test_values_that_no_type_holds_are_kept_as_their_text(tmp_path: Path, server: Server) -> None:
    found = read(tmp_path, f"{server.address}::odd")
    assert found["day"].to_list() == ["infinity", "2024-01-01"]
    assert found["at"].to_list() == ["0044-03-15 00:00:00 BC", "2024-01-01 00:00:00"]


def test_the_shapes_hold_no_cell(tmp_path: Path, server: Server) -> None:
    shapes = {shape.name: shape for shape in describe_source(parse_address(server.address), tmp_path)}
    assert {name: shape.rows for name, shape in shapes.items()} == {
        "typed": 3, "empty": 0, "compound": 1, "odd": 2, "seven": 1, "other.numbers": 30_000
    }  # fmt: skip
    columns = dict(shapes["typed"].columns)
    assert (columns["zip"], columns["money"], columns["level"]) == ("text", "numeric", "size")
    (one,) = describe_source(parse_address(f"{server.address}::empty"), tmp_path)
    assert one.name == "empty"


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("", "has 6 tables"),
        ("::nope", "has no table `nope`"),
        ("::empty", "has no rows"),
        ("::compound", "column `a` cannot be kept"),
    ],
)
def test_a_table_that_cannot_be_kept_is_refused(
    tmp_path: Path, server: Server, table: str, what: str
) -> None:
    error = refusal(tmp_path, server.address + table)
    assert what in error.what
    assert server.password not in str(error)


def test_nothing_is_written_even_where_a_view_would(tmp_path: Path, server: Server) -> None:
    server.execute(
        "CREATE FUNCTION grow() RETURNS integer LANGUAGE sql AS 'INSERT INTO empty VALUES (1) RETURNING a'",
        "CREATE VIEW growing AS SELECT grow()",
    )
    error = refusal(tmp_path, f"{server.address}::growing")
    assert "read-only transaction" in error.why
    server.execute("DROP VIEW growing", "DROP FUNCTION grow")
    with psycopg.connect(server.address) as connection:
        assert connection.execute("SELECT count(*) FROM empty").fetchone() == (0,)


def test_a_wrong_password_is_refused_and_never_repeated(tmp_path: Path, server: Server) -> None:
    wrong = f"postgresql://postgres:hunter2%21@127.0.0.1:{server.port}/postgres"
    error = refusal(tmp_path, f"{wrong}::typed")
    assert "password authentication failed" in error.why
    assert "hunter2" not in str(error)
    assert error.what.startswith(f"postgresql://127.0.0.1:{server.port}/postgres")


def test_a_server_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "postgresql://reader:hunter2@127.0.0.1:1/none::t")
    assert "refused" in error.why.lower()
    assert "hunter2" not in str(error)
