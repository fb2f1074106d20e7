"""Where tools may read and write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.tools.files import open_file, read_bytes, write_bytes
from loom.tools.paths import PathRefusedError, logical_path, resolve_path, resolve_read_path
from loom.tools.registry import Tool, ToolContext, _resolve_path, _resolve_read_path

SECRET = b"secret"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with every kind of link in it, and beside it what nobody may touch."""
    top = tmp_path_factory.mktemp("world").resolve()
    for name in ("ws/sub/deep", "ws-secret", "outside", "attached/inner", "root"):
        (top / name).mkdir(parents=True)
    for name in (
        "ws/a.txt",
        "ws/sub/b.txt",
        "attached/c.txt",
        "attached/inner/d.txt",
        "root/e.txt",
        "root/a.txt",
    ):
        (top / name).write_bytes(name.encode())
    (top / "lone.csv").write_bytes(b"lone")
    for name in ("ws-secret/s.txt", "outside/s.txt"):
        (top / name).write_bytes(SECRET)
    links = {
        "ws/in": "sub",
        "ws/in.txt": "sub/b.txt",
        "ws/out": "../outside",
        "ws/out.txt": str(top / "outside/s.txt"),
        "ws/dangling": "../outside/new.txt",
        "ws/loop": "loop",
        "ws/ping": "pong",
        "ws/pong": "ping",
        "attached/out": "../outside",
        "root/out": "../outside",
    }
    for name, target in links.items():
        (top / name).symlink_to(target)
    return top


def _write(raw: str, world: Path) -> Path:
    return resolve_path(raw, world / "ws")


def _read(raw: str, world: Path) -> Path:
    aliases = {
        "data": world / "attached",
        "data/inner": world / "attached/inner",
        "one.csv": world / "lone.csv",
    }
    return resolve_read_path(raw, world / "ws", [world / "root"], aliases)


ESCAPES = (
    "..",
    "../ws-secret/s.txt",
    "../outside/s.txt",
    "sub/../../outside/s.txt",
    "out/s.txt",
    "out",
    "out.txt",
    "dangling",
    "in/../../outside/s.txt",
    # what `realpath` leaves unresolved behind a circle
    "loop/../out.txt",
    "ping/../out/s.txt",
    "loop",
    "loop/x",
    "a\0b",
    "",
    "  ",
    "~",
    "~/x",
    "~root/x",
    "..\\outside",
    "x" * 5000,
    "\ud800",
)


@pytest.mark.parametrize("raw", ESCAPES, ids=lambda raw: ascii(raw[:20]))
def test_a_path_that_leaves_the_workspace_is_refused_for_writing_and_reading(world: Path, raw: str) -> None:
    with pytest.raises(PathRefusedError):
        _write(raw, world)
    with pytest.raises(PathRefusedError):
        resolve_read_path(raw, world / "ws")


@pytest.mark.parametrize(
    "raw", ["/", "/etc/passwd", "{top}/outside/s.txt", "{top}/ws-secret/s.txt", "{top}/wsx"]
)
def test_an_absolute_path_elsewhere_is_refused(world: Path, raw: str) -> None:
    place = raw.format(top=world)
    with pytest.raises(PathRefusedError):
        _write(place, world)
    with pytest.raises(PathRefusedError):
        _read(place, world)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("a.txt", "ws/a.txt"),
        (" a.txt ", "ws/a.txt"),
        ("./sub//b.txt", "ws/sub/b.txt"),
        ("sub/../a.txt", "ws/a.txt"),
        ("in/b.txt", "ws/sub/b.txt"),
        ("in.txt", "ws/sub/b.txt"),
        ("new/file.txt", "ws/new/file.txt"),
        (".", "ws"),
        ("{top}/ws/a.txt", "ws/a.txt"),
    ],
)
def test_a_path_inside_the_workspace_is_answered_without_links(world: Path, raw: str, found: str) -> None:
    assert _write(raw.format(top=world), world) == world / found


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("data", "attached"),
        ("data/c.txt", "attached/c.txt"),
        ("./data//inner/d.txt", "attached/inner/d.txt"),
        ("one.csv", "lone.csv"),
        ("{top}/ws/data/c.txt", "attached/c.txt"),
        ("{top}/attached/c.txt", "attached/c.txt"),
        ("{top}/lone.csv", "lone.csv"),
        ("e.txt", "root/e.txt"),
        ("root/e.txt", "root/e.txt"),
        ("{top}/root/e.txt", "root/e.txt"),
        ("a.txt", "ws/a.txt"),
        ("nowhere.txt", "ws/nowhere.txt"),
        ("data/nowhere.txt", "attached/nowhere.txt"),
    ],
)
def test_what_is_attached_is_found_by_alias_by_root_and_by_its_own_place(
    world: Path, raw: str, found: str
) -> None:
    assert _read(raw.format(top=world), world) == world / found


@pytest.mark.parametrize("raw", ["data/../outside/s.txt", "data/out/s.txt", "data/inner/../../lone.csv"])
def test_nothing_behind_an_alias_or_a_root_leads_out_of_it(world: Path, raw: str) -> None:
    with pytest.raises(PathRefusedError):
        _read(raw, world)
    assert not _read("root/out/s.txt", world).exists()


def test_a_file_of_the_run_is_found_below_an_alias_that_does_not_have_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "ws/data").mkdir(parents=True)
    (tmp_path / "ws/data/made.csv").write_text("made")
    found = resolve_read_path("data/made.csv", tmp_path / "ws", [], {"data": tmp_path / "real"})
    assert found == tmp_path.resolve() / "ws/data/made.csv"


def test_the_longest_alias_wins(tmp_path: Path) -> None:
    for name in ("long", "short/b"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x").write_text(name)
    aliases = {"a": tmp_path / "short", "a/b": tmp_path / "long"}
    assert resolve_read_path("a/b/x", tmp_path, [], aliases).read_text() == "long"


def test_without_a_workspace_nothing_is_written_and_only_what_is_attached_is_read(world: Path) -> None:
    with pytest.raises(PathRefusedError):
        resolve_path("a.txt", None)
    with pytest.raises(PathRefusedError):
        resolve_read_path("a.txt", None, None, None)
    assert resolve_read_path("d/c.txt", None, None, {"d": world / "attached"}) == world / "attached/c.txt"


def test_the_name_that_is_shown_is_the_one_that_was_chosen_and_never_absolute(world: Path) -> None:
    aliases = {
        "data": world / "attached",
        "data/inner": world / "attached/inner",
        "one.csv": world / "lone.csv",
    }

    def shown(name: str) -> str:
        return logical_path(world / name, world / "ws", [world / "root"], aliases)

    assert shown("attached/inner/d.txt") == "data/inner/d.txt"
    assert shown("attached/c.txt") == "data/c.txt"
    assert shown("lone.csv") == "one.csv"
    assert shown("ws/sub/b.txt") == "sub/b.txt"
    assert shown("root/e.txt") == "root/e.txt"
    assert shown("outside/s.txt") == "s.txt"
    ctx = ToolContext(world / "ws", [], aliases)
    assert ctx.logical(world / "attached/c.txt", "./data/c.txt") == "data/c.txt"


def test_the_names_that_packages_import_are_these_functions(world: Path) -> None:
    assert _resolve_path is resolve_path is Tool._resolve_path
    assert _resolve_read_path is resolve_read_path is Tool._resolve_read_path


PARTS = st.sampled_from(
    [
        *(
            "..",
            ".",
            "",
            "a.txt",
            "sub",
            "b.txt",
            "deep",
            "in",
            "in.txt",
            "out",
            "out.txt",
            "s.txt",
            "loop",
            "ping",
        ),
        *(
            "pong",
            "dangling",
            "data",
            "inner",
            "c.txt",
            "one.csv",
            "e.txt",
            "root",
            "ws",
            "ws-secret",
            "outside",
            "x",
        ),
    ]
)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(parts=st.lists(PARTS, min_size=1, max_size=7), absolute=st.booleans())
def test_no_path_at_all_reaches_what_lies_outside(world: Path, parts: list[str], absolute: bool) -> None:
    raw = "/".join([str(world), *parts]) if absolute else "/".join(parts)
    allowed = [world / name for name in ("ws", "attached", "root", "lone.csv")]
    for resolve, within in ((_write, allowed[:1]), (_read, allowed)):
        try:
            found = resolve(raw, world)
        except PathRefusedError:
            continue
        assert os.path.realpath(found) == str(found)
        assert any(found.is_relative_to(each) for each in within)
        if found.is_file():
            assert read_bytes(found)[0] != SECRET
        if resolve is _read and found.exists():
            shown = logical_path(
                found,
                world / "ws",
                [world / "root"],
                {
                    "data": world / "attached",
                    "data/inner": world / "attached/inner",
                    "one.csv": world / "lone.csv",
                },
            )
            assert not shown.startswith("/") and _read(shown, world) == found


@pytest.mark.parametrize("swapped", ["sub", "sub/b.txt"])
def test_a_link_that_is_swapped_in_after_the_check_is_not_followed(tmp_path: Path, swapped: str) -> None:
    (tmp_path / "ws/sub").mkdir(parents=True)
    (tmp_path / "ws/sub/b.txt").write_text("mine")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/b.txt").write_bytes(SECRET)
    path = resolve_path("sub/b.txt", tmp_path / "ws")
    (tmp_path / "ws" / swapped).rename(tmp_path / "gone")
    target = tmp_path / "outside" if swapped == "sub" else tmp_path / "outside/b.txt"
    (tmp_path / "ws" / swapped).symlink_to(target)
    with pytest.raises(PathRefusedError):
        open_file(path)
    with pytest.raises(PathRefusedError):
        write_bytes(path, b"forged")
    assert (tmp_path / "outside/b.txt").read_bytes() == SECRET
