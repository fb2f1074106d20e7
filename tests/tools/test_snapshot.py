"""What changed in a folder between two looks."""

from __future__ import annotations

import os
from pathlib import Path

from loom.tools.snapshot import changes, take_snapshot


def test_files_that_were_made_written_or_removed_are_changes_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("same", "sub/edited", "removed", "grown"):
        (tmp_path / name).write_text("old")
    before = take_snapshot(tmp_path)
    (tmp_path / "made").write_text("new")
    (tmp_path / "sub/edited").write_text("new")
    (tmp_path / "grown").write_text("older")
    (tmp_path / "removed").unlink()
    after = take_snapshot(tmp_path)
    assert changes(before, after) == ["grown", "made", "removed", "sub/edited"]
    assert [name for name in ("same", "made", "removed", "sub/edited", "never") if before.differs(name)] == [
        "made",
        "removed",
        "sub/edited",
    ]


def test_a_change_that_leaves_no_trace_but_its_content_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("old")
    before = take_snapshot(tmp_path)
    found = file.stat()
    file.write_text("new")
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert before.differs("f") and changes(before, take_snapshot(tmp_path)) == ["f"]


def test_a_link_is_looked_at_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/f").write_text("")
    (tmp_path / "ws/link").symlink_to("../outside")
    before = take_snapshot(tmp_path / "ws")
    assert list(before.files) == ["link"]
    (tmp_path / "outside/f").write_text("changed")
    assert not before.differs("link")


def test_a_look_at_too_many_files_says_so_and_claims_nothing_about_the_rest(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"f{number}").write_text("")
    before = take_snapshot(tmp_path, limit=3, also=["f4", "absent"])
    assert not before.complete and set(before.files) == {"f4", "f0", "f1"}
    assert before.knows("f4") and not before.knows("f3")
    (tmp_path / "f3").write_text("changed")
    (tmp_path / "f4").write_text("changed")
    assert changes(before, take_snapshot(tmp_path)) == ["f4"]
