from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.kernel.errors import LoomError
from loom.kernel.treehash import is_hashed, links_leaving, tree_hash

names = st.sampled_from(["a", "b", "A", "a.py", "ä", "a b", "-", "x.yaml"])
trees = st.dictionaries(
    st.lists(names, min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=8), st.booleans()),
    max_size=6,
)


def _plant(folder: Path, tree: dict[str, tuple[bytes, bool]]) -> dict[str, tuple[bytes, bool]]:
    """Write a tree; returns what fits, since a file and a folder cannot share a name."""
    written = {}
    for name, (content, executable) in tree.items():
        path = folder / name
        if path.exists() or any(parent.is_file() for parent in path.parents):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if executable else 0o644)
        written[name] = (content, executable)
    return written


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(trees, trees)
def test_two_trees_share_a_hash_exactly_when_they_hold_the_same(
    one: dict[str, tuple[bytes, bool]], other: dict[str, tuple[bytes, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        held = _plant(Path(first), one), _plant(Path(second), dict(reversed(other.items())))
        assert (tree_hash(Path(first)) == tree_hash(Path(second))) == (held[0] == held[1])


def test_the_hash_of_a_known_tree_never_changes(tmp_path: Path) -> None:
    _plant(tmp_path, {"process.yaml": (b"name: x\n", False), "tools/x.py": (b"pass\n", True)})
    (tmp_path / "link").symlink_to("tools/x.py")
    assert tree_hash(tmp_path) == "sha256:8a81f1a4b25207e3a4c4a32292884e0343a6ae7888665ef2e5141347cf411a81"


def test_renaming_a_file_changes_the_hash(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    before = tree_hash(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert tree_hash(tmp_path) != before


def test_a_file_moved_into_a_folder_of_the_same_letters_changes_the_hash(tmp_path: Path) -> None:
    (tmp_path / "ab").write_bytes(b"x")
    before = tree_hash(tmp_path)
    (tmp_path / "ab").unlink()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x")
    assert tree_hash(tmp_path) != before


def test_caches_git_and_empty_folders_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "x.py").write_bytes(b"pass")
    before = tree_hash(tmp_path)
    for folder in (".git/objects", "tools/__pycache__", "empty/folder"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_bytes(b"ref")
    (tmp_path / "tools" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"code")
    (tmp_path / "tools" / "y.pyc").write_bytes(b"code")
    assert tree_hash(tmp_path) == before


def test_a_link_counts_by_its_target_and_is_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to("../outside")
    (folder / "loop").symlink_to("loop")
    before = tree_hash(folder)
    (outside / "new").write_bytes(b"x")
    assert tree_hash(folder) == before
    (folder / "link").unlink()
    (folder / "link").symlink_to("../elsewhere")
    assert tree_hash(folder) != before


def test_a_link_and_a_file_that_holds_its_target_differ(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("target")
    before = tree_hash(tmp_path)
    (tmp_path / "x").unlink()
    (tmp_path / "x").write_bytes(b"target")
    assert tree_hash(tmp_path) != before


def test_a_link_named_like_a_cache_counts(tmp_path: Path) -> None:
    before = tree_hash(tmp_path)
    (tmp_path / "__pycache__").symlink_to("elsewhere")
    with_folder = tree_hash(tmp_path)
    (tmp_path / "x.pyc").symlink_to("elsewhere")
    assert len({before, with_folder, tree_hash(tmp_path)}) == 3


def test_links_that_leave_are_found_however_they_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "inside").symlink_to("../other")
    (folder / "loop").symlink_to("loop")
    (folder / "relative").symlink_to("../outside")
    (folder / "deep" / "absolute").symlink_to(tmp_path)
    (folder / "through").symlink_to("deep/absolute")
    assert [str(link.relative_to(folder)) for link in links_leaving(folder)] == [
        "deep/absolute",
        "relative",
        "through",
    ]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LoomError, match="neither a regular file") as raised:
        tree_hash(tmp_path)
    assert str(tmp_path / "pipe") in raised.value.what


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with pytest.raises(LoomError, match="neither a regular file"):
            tree_hash(tmp_path)


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_what_is_no_folder_cannot_be_hashed(tmp_path: Path, kind: str) -> None:
    if kind == "file":
        (tmp_path / kind).write_bytes(b"")
    with pytest.raises(LoomError, match=f"{kind} cannot be hashed"):
        tree_hash(tmp_path / kind)


def test_a_name_that_is_not_utf8_is_hashed(tmp_path: Path) -> None:
    before = tree_hash(tmp_path)
    (tmp_path / os.fsdecode(b"\xff")).write_bytes(b"")
    assert tree_hash(tmp_path) != before


def test_the_way_to_the_folder_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    monkeypatch.chdir(tmp_path / "a")
    assert tree_hash(tmp_path / "a") == tree_hash(tmp_path / "link") == tree_hash(Path())


def test_what_the_hash_leaves_out_is_known_by_its_path() -> None:
    assert is_hashed(Path())
    assert is_hashed(Path("tools/x.py"))
    assert not any(map(is_hashed, map(Path, (".git/hooks", "a/__pycache__/b", "x.pyc"))))
