"""Grants are kept, spent once by whoever comes first, and sealed with a key of this home."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loom.kernel.errors import LoomError
from loom.runtime.grants import Clearance, Grant, GrantRecord, GrantStore, HomeKey, SqliteGrants
from tests.fakes.approval import MemoryGrants

RECORD = GrantRecord(
    "a" * 32, "run-1", "deploy", "sha256:1", "irreversible", "terminal", 100.5, 200.25, "seal"
)
Open = Callable[[], GrantStore]


@pytest.fixture(params=["memory", "sqlite", "sqlite in autocommit mode"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store as often as it is asked to."""
    memory = MemoryGrants()
    connections: list[sqlite3.Connection] = []

    def connect() -> GrantStore:
        if request.param == "memory":
            return memory
        mode: dict[str, Any] = {} if request.param == "sqlite" else {"isolation_level": None}
        connections.append(
            sqlite3.connect(tmp_path / "journal.sqlite", timeout=30, check_same_thread=False, **mode)
        )
        return SqliteGrants(connections[-1])

    yield connect
    for connection in connections:
        connection.close()


def test_a_store_gives_back_what_it_was_given(opened: Open) -> None:
    opened().add(RECORD)
    assert opened().get(RECORD.id) == RECORD
    assert opened().get("b" * 32) is None


def test_the_grants_of_a_run_come_oldest_first(opened: Open) -> None:
    store = opened()
    later = replace(RECORD, id="b" * 32, minted=101.0)
    for record in (later, RECORD, replace(RECORD, id="c" * 32, run_id="run-2")):
        store.add(record)
    assert opened().of_run("run-1") == (RECORD, later)
    assert opened().of_run("run-3") == ()


def test_a_grant_is_spent_once_and_stays_spent(opened: Open) -> None:
    opened().add(RECORD)
    assert opened().spend(RECORD.id, 150.0)
    assert not opened().spend(RECORD.id, 151.0)
    assert opened().get(RECORD.id) == replace(RECORD, spent=150.0)
    assert not opened().spend("b" * 32, 150.0)


def test_of_many_who_spend_a_grant_at_once_one_succeeds(opened: Open) -> None:
    opened().add(RECORD)
    stores = [opened() for _ in range(8)]
    ready = threading.Barrier(len(stores))
    answers: list[bool] = []

    def spend(store: GrantStore) -> None:
        ready.wait()
        answers.append(store.spend(RECORD.id, 150.0))

    threads = [threading.Thread(target=spend, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 7 + [True]


def test_a_grant_does_not_tell_its_key_when_it_is_printed() -> None:
    assert "a" * 32 not in repr(Grant("a" * 32))


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    seal = HomeKey(home).seal({"a": 1})
    assert HomeKey(home).fits({"a": 1}, seal)
    assert not HomeKey(home).fits({"a": 2}, seal)
    assert not HomeKey(tmp_path / "elsewhere").fits({"a": 1}, seal)
    assert (home / "approval.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == ["approval.key"]


@pytest.mark.parametrize("seal", ["", "0" * 64, "\ud800", "é"])
def test_any_other_text_is_no_seal(tmp_path: Path, seal: str) -> None:
    assert not HomeKey(tmp_path).fits({"a": 1}, seal)


def test_two_who_make_the_key_at_once_end_up_with_the_same(tmp_path: Path) -> None:
    ready = threading.Barrier(8)
    seals: list[str] = []

    def make() -> None:
        key = HomeKey(tmp_path)
        ready.wait()
        seals.append(key.seal("value"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seals) == 8
    assert len(set(seals)) == 1


def _shared(path: Path) -> None:
    path.write_bytes(b"k" * 32)
    path.chmod(0o644)


def _short(path: Path) -> None:
    path.write_bytes(b"k" * 31)
    path.chmod(0o600)


def _link(path: Path) -> None:
    (path.parent / "other").write_bytes(b"k" * 32)
    path.symlink_to(path.parent / "other")


@pytest.mark.parametrize("broken", [_shared, _short, _link, Path.mkdir, os.mkfifo])
def test_a_key_that_others_could_have_made_is_refused(
    tmp_path: Path, broken: Callable[[Path], object]
) -> None:
    broken(tmp_path / "approval.key")
    with pytest.raises(LoomError) as refused:
        HomeKey(tmp_path).seal("value")
    assert str(tmp_path) in refused.value.fix


def test_a_home_that_is_no_folder_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(LoomError, match=r"approval\.key cannot be"):
        HomeKey(tmp_path / "home").seal("value")


def test_a_clearance_travels_as_text() -> None:
    clearance = Clearance("run-1", "sha256:1", "expensive", ("a.org",), (("tool pays", "expensive"),), "seal")
    assert Clearance.from_token(clearance.token()) == clearance


@pytest.mark.parametrize(
    "token",
    ["", "yes", "[]", "{}", "null", '{"run_id": 1}', "[" * 100_000]
    + [
        Clearance("r", "d", "expensive").token().replace(old, new)
        for old, new in (('"expensive"', '"god"'), ('"expensive"', "3"), ("[]", "7"), ("[]", "[1]"))
    ],
)
def test_a_text_that_is_no_clearance_is_refused(token: str) -> None:
    with pytest.raises(ValueError):
        Clearance.from_token(token)


def test_the_table_lies_beside_others_in_one_database(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as database:
        SqliteGrants(database)
        SqliteGrants(database).add(RECORD)
        assert not database.in_transaction
        assert database.execute("SELECT count(*) FROM grants").fetchone() == (1,)
