"""A folder of blobs: the same content has the same key, and a blob is there whole or not at all."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import pytest

from loom.dataio.blobs import BlobStore, DirectoryStore
from loom.kernel.errors import LoomError


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_key_is_the_content(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "blobs")
    assert isinstance(store, BlobStore)
    (tmp_path / "file").write_bytes(b"content")
    key = store.put(b"content")
    assert key == store.put(tmp_path / "file") == store.put(b"content")
    assert store.open(key).read_bytes() == b"content"
    assert len(files_in(tmp_path / "blobs")) == 1
    assert store.put(b"") != key


def test_it_travels_in_a_pickle(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    packed = pickle.dumps(store)
    assert len(packed) < 500
    assert pickle.loads(packed) == store


def test_many_at_once_keep_one_blob(tmp_path: Path) -> None:
    store, keys = DirectoryStore(tmp_path), []
    threads = [threading.Thread(target=lambda: keys.append(store.put(b"x" * 100_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(files_in(tmp_path)) == 1


def test_what_is_gone_is_said(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    key = store.put(b"x")
    store.open(key).unlink()
    with pytest.raises(LoomError, match="is gone"):
        store.open(key)


@pytest.mark.parametrize(
    "key", ["", "sha256:", "sha256:../../etc/passwd", "sha256:" + "g" * 64, "md5:" + "0" * 64]
)
def test_a_key_is_never_a_path(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        DirectoryStore(tmp_path).open(key)


def test_a_disk_that_is_full_is_an_error_and_leaves_no_blob(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(LoomError, match="cannot keep data") as caught:
        DirectoryStore(tmp_path).put(b"x")
    assert caught.value.why == "no space left on device"
    assert files_in(tmp_path) == []
