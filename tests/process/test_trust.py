from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.process.trust import Entry, TrustStore

ADD_MANY = """
import sys
from pathlib import Path
from loom.process.trust import TrustStore
store = TrustStore(Path(sys.argv[1]))
print("ready", flush=True)
for folder in sys.argv[2:]:
    store.add(Path(folder))
"""


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "home")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "packages" / "eda"
    (folder / "tools").mkdir(parents=True)
    (folder / "process.yaml").write_text("name: eda\n")
    return folder


def test_a_folder_nobody_added_is_unknown(store: TrustStore, package: Path) -> None:
    assert store.state(package) == "unknown"
    assert not store.is_trusted(package)
    assert store.entries() == ()
    assert not store.file.parent.exists(), "asking leaves nothing behind"


def test_an_added_folder_is_trusted_until_it_changes(store: TrustStore, package: Path) -> None:
    entry = store.add(package)
    assert store.entries() == (entry,) == (Entry(package, entry.tree_hash),)
    assert store.is_trusted(package)
    (package / "tools" / "new.py").write_text("pass\n")
    assert store.state(package) == "changed"
    assert not store.is_trusted(package)
    store.add(package)
    assert store.is_trusted(package)
    assert len(store.entries()) == 1


def test_a_folder_that_is_gone_counts_as_changed(store: TrustStore, package: Path) -> None:
    store.add(package)
    package.rename(package.with_name("elsewhere"))
    assert store.state(package) == "changed"
    assert store.state(package.with_name("elsewhere")) == "unknown"


def test_a_folder_that_can_no_longer_be_hashed_counts_as_changed(store: TrustStore, package: Path) -> None:
    store.add(package)
    os.mkfifo(package / "pipe")
    assert store.state(package) == "changed"


def test_every_package_under_a_trusted_folder_is_trusted_with_it(store: TrustStore, package: Path) -> None:
    store.add(package.parent)
    assert store.is_trusted(package)
    (package / "process.yaml").write_text("name: other\n")
    assert store.state(package) == "changed"
    assert store.state(package.parent.parent) == "unknown"


def test_a_neighbour_whose_name_begins_alike_is_not_trusted(store: TrustStore, package: Path) -> None:
    neighbour = package.with_name("eda-evil")
    neighbour.mkdir()
    store.add(package)
    assert store.state(neighbour) == "unknown"


@pytest.mark.parametrize("place", [".git/eda", "tools/__pycache__/eda"])
def test_a_package_where_the_hash_does_not_look_is_not_trusted(
    store: TrustStore, package: Path, place: str
) -> None:
    store.add(package)
    (package / place).mkdir(parents=True)
    (package / place / "process.yaml").write_text("name: eda\n")
    assert store.is_trusted(package)
    assert store.state(package / place) == "unknown"


def test_a_folder_is_known_by_where_it_really_is(
    store: TrustStore, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = package.parent / "link"
    link.symlink_to(package)
    monkeypatch.chdir(package)
    assert store.add(link).folder == package
    assert store.is_trusted(link)
    assert store.is_trusted(Path())
    link.unlink()
    link.mkdir()
    assert store.state(link) == "unknown"


def test_a_link_to_itself_is_simply_unknown(store: TrustStore, tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert store.state(loop) == "unknown"
    with pytest.raises(LoomError):
        store.add(loop)


def test_a_folder_with_a_link_that_leaves_cannot_be_trusted(store: TrustStore, package: Path) -> None:
    (package / "lib").symlink_to("../../home")
    with pytest.raises(LoomError, match="leads out of it") as raised:
        store.add(package)
    assert str(package / "lib") in raised.value.why
    assert store.entries() == ()


def test_a_folder_that_holds_the_store_cannot_be_trusted(store: TrustStore, tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="the store is inside it"):
        store.add(tmp_path)


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_only_a_folder_can_be_trusted(store: TrustStore, tmp_path: Path, kind: str) -> None:
    if kind == "file":
        (tmp_path / kind).write_text("")
    with pytest.raises(LoomError, match=f"{kind} cannot be hashed"):
        store.add(tmp_path / kind)
    assert not store.file.exists()


def test_a_removed_folder_is_unknown_even_when_it_is_gone(
    store: TrustStore, package: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    store.add(package)
    store.add(other)
    package.rename(package.with_name("elsewhere"))
    store.remove(package)
    assert [entry.folder for entry in store.entries()] == [other]
    assert store.state(package) == "unknown"


def test_removing_what_was_never_added_says_so(store: TrustStore, package: Path) -> None:
    with pytest.raises(LoomError, match="not in the trust store") as raised:
        store.remove(package)
    assert raised.value.fix == "loom trust list"


def test_the_store_is_readable_by_its_owner_only_and_leaves_no_rubbish(
    store: TrustStore, package: Path
) -> None:
    store.add(package)
    store.add(package)
    assert store.file.stat().st_mode & 0o777 == 0o600
    assert store.file.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in store.file.parent.iterdir()) == ["trust.json", "trust.lock"]


def test_a_folder_whose_name_is_not_utf8_can_be_trusted(store: TrustStore, package: Path) -> None:
    odd = package / os.fsdecode(b"\xff\n")
    odd.mkdir()
    store.add(odd)
    assert store.is_trusted(odd)
    assert store.entries()[0].folder == odd


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"version": 2, "folders": {}}',
        b'{"version": 1}',
        b'{"version": 1, "folders": []}',
        b'{"version": 1, "folders": {"/x": 1}}',
        b'{"version": 1, "folders": {"/x": "sha256:abc"}}',
        json.dumps({"version": 1, "folders": {"relative": "sha256:" + "0" * 64}}).encode(),
    ],
)
def test_a_damaged_store_is_named_with_the_way_out_and_left_alone(
    store: TrustStore, package: Path, content: bytes
) -> None:
    store.file.parent.mkdir()
    store.file.write_bytes(content)
    for ask in (
        store.entries,
        lambda: store.is_trusted(package),
        lambda: store.add(package),
        lambda: store.remove(package),
    ):
        with pytest.raises(LoomError) as raised:
            ask()
        assert raised.value.what == f"{store.file} cannot be understood"
        assert raised.value.fix == f"rm {store.file}, then trust each folder again: loom trust add DIR"
    assert store.file.read_bytes() == content


def test_a_store_that_is_a_folder_cannot_be_read(store: TrustStore) -> None:
    store.file.mkdir(parents=True)
    with pytest.raises(LoomError, match="cannot be read"):
        store.entries()


def test_a_home_that_cannot_be_made_is_an_error_and_no_traceback(tmp_path: Path, package: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(LoomError, match=r"trust\.json cannot be written"):
        TrustStore(tmp_path / "home").add(package)


def test_a_read_only_home_is_an_error_and_no_traceback(store: TrustStore, package: Path) -> None:
    store.file.parent.mkdir(mode=0o500)
    if os.access(store.file.parent, os.W_OK):
        pytest.skip("permissions do not stop this user")
    with pytest.raises(LoomError, match=r"trust\.json cannot be written"):
        store.add(package)


def test_a_full_disk_leaves_the_old_store_in_place(
    store: TrustStore, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(package)
    before = store.file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LoomError, match="no space left on device"):
        store.add(package / "tools")
    assert store.file.read_bytes() == before
    assert sorted(path.name for path in store.file.parent.iterdir()) == ["trust.json", "trust.lock"]


def test_two_processes_that_add_at_once_both_succeed(store: TrustStore, tmp_path: Path) -> None:
    shares = [[tmp_path / f"{who}{number}" for number in range(8)] for who in "ab"]
    for folder in (*shares[0], *shares[1]):
        folder.mkdir()
    store.file.parent.mkdir()
    with (store.file.parent / "trust.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        adders = [
            subprocess.Popen(
                [sys.executable, "-c", ADD_MANY, str(store.file.parent), *map(str, share)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for share in shares
        ]
        for adder in adders:  # both stand before the lock when it opens
            assert adder.stdout is not None
            assert adder.stdout.readline() == "ready\n"
    for adder in adders:
        assert adder.communicate()[0] == ""
        assert adder.returncode == 0
    assert {entry.folder for entry in store.entries()} == {*shares[0], *shares[1]}
