"""What a source is, told from its text, with nothing opened and no secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.dataio.addresses import may_reach_out, parse_address, secrets_of
from loom.kernel.errors import LoomError


def test_files_folders_databases_and_the_web_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "t.csv").touch()
    assert parse_address(str(tmp_path)).kind == "directory"
    assert parse_address(str(tmp_path / "t.csv")).kind == "file"
    assert parse_address("t.csv", base=tmp_path).path == tmp_path / "t.csv"
    assert parse_address("https://example.org/t.csv").kind == "web"
    assert parse_address("postgres://h/db").engine == "postgresql"
    assert parse_address("SQLITE:///a.db").engine == "sqlite"


def test_three_slashes_are_relative_and_four_absolute(tmp_path: Path) -> None:
    assert parse_address("sqlite:///a%20b.db").path == Path("a b.db")
    assert parse_address("sqlite:///a.db", base=tmp_path).path == tmp_path / "a.db"
    assert parse_address("duckdb:////srv/a.db").path == Path("/srv/a.db")


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("sqlite:///a.db::orders", "orders"),
        ("sqlite:///a.db::", None),
        ("sqlite:///a::b/c.db", None),
        ("postgresql://u:p@h/db::s.orders", "s.orders"),
        ("postgresql://[::1]:5432/db", None),
        ("postgresql://[::1]/db::orders", "orders"),
        ("postgresql://u:a::b@h/db", None),
    ],
)
def test_a_table_is_named_behind_two_colons(text: str, table: str | None) -> None:
    assert parse_address(text).table == table
    assert parse_address(text, "other").table == "other"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://user:hunter2@h:5432/db::t", "postgresql://h:5432/db"),
        ("postgresql://user:hunter2@h1:1,h2:2/db?sslmode=require", "postgresql://h1:1,h2:2/db?sslmode=…"),
        ("postgresql:///db?host=/run&password=hunter2", "postgresql:///db?host=…&password=…"),
        ("https://hunter2@h/t.csv", "https://h/t.csv"),
        ("https://h/t.csv?token=hunter2#hunter2", "https://h/t.csv?token=…"),
        ("https://h/@scope/t.csv", "https://h/@scope/t.csv"),
        # what was not understood is not shown
        ("postgresql://user:hunter/2@h/db", "postgresql://…"),
        ("postgresql://user:hunter2?x@h/db", "postgresql://…"),
        ("postgresql://user:12?hunter2@h/db", "postgresql://…"),
        ("postgresql://user:hunter2#x@h/db", "postgresql://…"),
        ("postgresql://[hunter2@h/db", "postgresql://…"),
    ],
)
def test_no_password_token_or_user_is_shown(text: str, shown: str) -> None:
    address = parse_address(text)
    assert address.shown == shown
    assert "hunter2" not in repr(address)


def test_the_secrets_of_an_address_are_known_as_written_and_as_spoken() -> None:
    text = "postgresql://u:a%40b@h/db?sslpassword=c%20d&sslmode=require"
    assert set(secrets_of(text)) == {"a%40b", "a@b", "c d"}


@pytest.mark.parametrize("text", ["ftp://h/t.csv", "s3" + "://bucket/t.csv", "mysql://h/db"])
def test_another_scheme_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(LoomError, match="not a source Loom can read") as caught:
        parse_address(text)
    assert "sqlite, duckdb and postgresql" in caught.value.why


@pytest.mark.parametrize("text", ["https://h/t.csv", "."])
def test_a_table_of_what_has_none_is_refused(text: str) -> None:
    with pytest.raises(LoomError, match="has no tables"):
        parse_address(text, "t")


@pytest.mark.parametrize(
    ("source", "reaches"),
    [
        ("./churn", False),
        ("churn.csv", False),
        ("sqlite:///a.db::t", False),
        ("duckdb:///a.db", False),
        ("postgresql://h/db", True),
        ("https://h/t.csv", True),
        ("shop::orders", True),
        ("shop", True),
    ],
)
def test_a_file_needs_no_network_and_a_saved_name_may(source: str, reaches: bool) -> None:
    assert may_reach_out(source) is reaches
