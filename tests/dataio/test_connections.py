"""Sources under a name: no secret is ever written down, and two that save at once both succeed."""

from __future__ import annotations

import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.connections import Connections
from loom.kernel.errors import LoomError


@pytest.fixture
def saved(tmp_path: Path) -> Connections:
    """An empty home."""
    return Connections(tmp_path / "home")


@pytest.mark.parametrize(
    ("text", "written", "variables"),
    [
        (
            "postgresql://reader:hunter2@h:5432/db?sslmode=require",
            "postgresql://reader:${env:SHOP_PASSWORD}@h:5432/db?sslmode=require",
            ("SHOP_PASSWORD",),
        ),
        ("postgresql://reader@h/db::s.t", "postgresql://reader@h/db::s.t", ()),
        (
            "postgresql:///db?password=hunter2&host=/run&sslpassword=hunter2",
            "postgresql:///db?password=${env:SHOP_PASSWORD}&host=/run&sslpassword=${env:SHOP_SSLPASSWORD}",
            ("SHOP_PASSWORD", "SHOP_SSLPASSWORD"),
        ),
        ("postgresql://u:${env:MINE}@h/db", "postgresql://u:${env:MINE}@h/db", ("MINE",)),
        ("https://hunter2@h/t.csv", "https://${env:SHOP_LOGIN}@h/t.csv", ("SHOP_LOGIN",)),
        ("https://h/t.csv?token=hunter2#x", "https://h/t.csv?${env:SHOP_QUERY}", ("SHOP_QUERY",)),
        ("sqlite:////srv/shop.db::orders", "sqlite:////srv/shop.db::orders", ()),
    ],
)
def test_what_is_written_holds_no_secret_and_says_which_variable_does(
    saved: Connections, text: str, written: str, variables: tuple[str, ...]
) -> None:
    found = saved.save("shop", parse_address(text))
    assert (found.address, found.variables) == (written, variables)
    assert saved.saved() == [found]
    assert b"hunter2" not in saved.file.read_bytes()
    assert stat.S_IMODE(saved.file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("postgresql://reader:p%40ss%2Fword@h/db", {"SHOP_PASSWORD": "p@ss/word"}),
        ("https://h/t.csv?token=a%20b&x=1", {"SHOP_QUERY": "token=a%20b&x=1"}),
        ("https://me:tok@h/t.csv", {"SHOP_LOGIN": "me:tok"}),
    ],
)
def test_with_its_variable_set_a_saved_source_is_what_was_saved(
    saved: Connections, text: str, environ: dict[str, str]
) -> None:
    saved.save("shop", parse_address(text))
    assert saved.resolve("shop", environ=environ).text == text


def test_a_variable_that_is_not_set_is_an_error_that_names_it(saved: Connections) -> None:
    saved.save("shop", parse_address("postgresql://reader:hunter2@h/db"))
    with pytest.raises(LoomError, match="cannot be opened") as caught:
        saved.resolve("shop::orders", environ={})
    assert caught.value.fix == "export SHOP_PASSWORD=..."


def test_files_and_folders_are_saved_with_their_whole_path(
    saved: Connections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t 1.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    saved.save("table", parse_address("t 1.csv"))
    saved.save("lake", parse_address("duckdb:///a b.duckdb::orders"))
    monkeypatch.chdir("/")
    assert saved.resolve("table").path == tmp_path / "t 1.csv"
    assert saved.resolve("lake").path == tmp_path / "a b.duckdb"
    assert saved.resolve("lake").table == "orders"
    assert saved.resolve("lake::other").table == "other"


def test_a_file_of_that_name_comes_before_a_connection(saved: Connections, tmp_path: Path) -> None:
    saved.save("churn", parse_address("sqlite:////srv/shop.db"))
    (tmp_path / "churn").mkdir()
    assert saved.resolve("churn", tmp_path).kind == "directory"
    assert saved.resolve("churn::t", tmp_path).kind == "database"


def test_a_connection_that_is_not_saved_is_refused_with_those_that_are(saved: Connections) -> None:
    with pytest.raises(LoomError, match="no connection `shop`") as caught:
        saved.resolve("shop::orders")
    assert "none is saved" in caught.value.why
    saved.save("store", parse_address("sqlite:////srv/shop.db"))
    with pytest.raises(LoomError, match="no connection `shop`") as caught:
        saved.resolve("shop::orders")
    assert "saved are store" in caught.value.why
    with pytest.raises(LoomError, match="does not exist"):
        saved.resolve("shop")


@pytest.mark.parametrize("name", ["", "1shop", "a b", "a.b", "../x", "ü", "x" * 65, "a]\nb"])
def test_a_name_that_is_none_is_refused(saved: Connections, name: str) -> None:
    with pytest.raises(LoomError, match="cannot be the name"):
        saved.save(name, parse_address("sqlite:////srv/shop.db"))


def test_the_last_of_the_same_name_stays_and_others_are_kept(saved: Connections) -> None:
    for name, file in (("a", "1"), ("b", "2"), ("a", "3")):
        saved.save(name, parse_address(f"sqlite:////srv/{file}.db"))
    assert [each.address for each in saved.saved()] == ["sqlite:////srv/3.db", "sqlite:////srv/2.db"]


def test_many_that_save_at_once_all_succeed(saved: Connections) -> None:
    address = parse_address("sqlite:////srv/shop.db")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: saved.save(f"shop-{number}", address), range(60)))
    assert len(saved.saved()) == 60
    assert len(tomllib.loads(saved.file.read_text())) == 60


@pytest.mark.parametrize("content", ["[shop]\nurl = 'x'\n", "shop = 1\n", "[shop\n", "[shop]\naddress = 7\n"])
def test_a_file_that_was_spoilt_is_an_error_that_names_it(saved: Connections, content: str) -> None:
    saved.home.mkdir()
    saved.file.write_text(content)
    with pytest.raises(LoomError) as caught:
        saved.resolve("shop")
    assert str(saved.file) in caught.value.what


def test_a_home_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(LoomError, match="cannot be written"):
        Connections(tmp_path / "home").save("shop", parse_address("sqlite:////srv/shop.db"))
