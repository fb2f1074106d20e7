"""Opening, reading and writing what was resolved."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from loom.tools.files import MAX_WRITE, append_bytes, open_file, read_bytes, write_bytes
from loom.tools.paths import PathRefusedError


def test_a_read_stops_at_its_limit_and_says_whether_there_was_more(tmp_path: Path) -> None:
    file = tmp_path.resolve() / "f"
    file.write_bytes(b"12345")
    assert read_bytes(file, 5) == (b"12345", False)
    assert read_bytes(file, 4) == (b"1234", True)


def test_a_write_makes_folders_and_says_whether_anything_changed(tmp_path: Path) -> None:
    file = tmp_path.resolve() / "a/b/c.txt"
    assert write_bytes(file, b"one") and file.read_bytes() == b"one"
    identity = file.stat().st_ino
    assert not write_bytes(file, b"one")
    assert file.stat().st_ino == identity
    assert write_bytes(file, b"") and file.read_bytes() == b""


def test_a_write_keeps_the_permissions_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    file = tmp_path.resolve() / "f.sh"
    file.write_bytes(b"old")
    file.chmod(0o750)
    write_bytes(file, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert [each.name for each in tmp_path.iterdir()] == ["f.sh"]


def test_a_write_that_fails_leaves_the_old_content_and_no_part_of_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path.resolve() / "f"
    file.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(file, b"new")
    assert file.read_bytes() == b"old" and [each.name for each in tmp_path.iterdir()] == ["f"]


def test_a_hard_link_to_a_file_elsewhere_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path.resolve() / "ws/f"
    inside.parent.mkdir()
    outside.write_bytes(b"theirs")
    os.link(outside, inside)
    append_bytes(inside, b" and mine")
    assert outside.read_bytes() == b"theirs" and inside.read_bytes() == b"theirs and mine"


def test_appending_creates_a_file_and_adds_to_its_end(tmp_path: Path) -> None:
    file = tmp_path.resolve() / "log"
    assert append_bytes(file, b"a") and append_bytes(file, b"b")
    assert not append_bytes(file, b"")
    assert file.read_bytes() == b"ab"


def test_pipes_folders_and_links_are_not_opened(tmp_path: Path) -> None:
    top = tmp_path.resolve()
    os.mkfifo(top / "pipe")
    (top / "link").symlink_to("real")
    (top / "real").write_bytes(b"")
    (top / "folder").mkdir()
    for name in ("pipe", "link"):
        with pytest.raises(PathRefusedError):
            open_file(top / name)
    with pytest.raises(PathRefusedError):
        write_bytes(top / "pipe", b"")
    for act in (lambda: open_file(top / "folder"), lambda: write_bytes(top / "folder", b"")):
        with pytest.raises(IsADirectoryError):
            act()
    with pytest.raises(PathRefusedError):
        write_bytes(top / "real/below.txt", b"")


def test_only_a_resolved_path_is_opened_and_only_so_much_is_written(tmp_path: Path) -> None:
    for path in (Path("relative"), tmp_path / "a/../b"):
        with pytest.raises(ValueError):
            open_file(path)
    with pytest.raises(PathRefusedError):
        write_bytes(tmp_path.resolve() / "f", bytes(MAX_WRITE + 1))
