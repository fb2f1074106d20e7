"""Starting a package: all of it or nothing, and never over something that is there."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from loom.app.new import TEMPLATES, create_package
from loom.cli.process import Template
from loom.kernel.errors import LoomError
from loom.process.check import check_file


def _failing(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise error

    return fail


def test_the_command_line_offers_exactly_the_templates_there_are() -> None:
    assert {path.name for path in TEMPLATES.iterdir() if path.is_dir()} == set(Template)


@pytest.mark.parametrize("template", Template)
@pytest.mark.parametrize("name", ["a", "9-lives", "a--b-", "x" * 200, "class", "nul", "index"])
def test_every_template_checks_clean_under_every_name(template: str, name: str, tmp_path: Path) -> None:
    folder = create_package(name, template, tmp_path)
    assert check_file(folder).report.diagnostics == ()
    for file in folder.rglob("*"):
        if file.is_file():
            assert not re.search(r"\{\{\w+\}\}|NAME", file.name + file.read_text())


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("../x", "x"),
        ("", "my-process"),
        ("/etc/passwd", "etc-passwd"),
        ("A_b", "a-b"),
        ("--flag", "flag"),
        ("-x", "x"),
        (".", "my-process"),
        ("..", "my-process"),
        ("a/b", "a-b"),
        ("a\\b", "a-b"),
        ("a b", "a-b"),
        ("a\n", "a"),
        ("a\0b", "a-b"),
        ("ünï", "n"),
        ("日本", "my-process"),
        ("٣", "my-process"),
        ("~", "my-process"),
        ("a.yaml", "a-yaml"),
        ("\x1b[2J", "2j"),
    ],
)
def test_a_name_that_is_none_is_refused_with_one_that_is(name: str, fixed: str, tmp_path: Path) -> None:
    with pytest.raises(LoomError) as raised:
        create_package(name, "minimal", tmp_path / "into")
    assert raised.value.fix == f"loom process new {fixed}"
    assert "\x1b" not in str(raised.value)
    assert not (tmp_path / "into").exists()
    assert create_package(fixed, "minimal", tmp_path).is_dir()


@pytest.mark.parametrize("kind", ["folder", "full folder", "file", "link", "dangling link", "pipe"])
def test_what_is_there_is_never_touched(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    if "folder" in kind:
        target.mkdir()
    if kind == "full folder":
        (target / "process.yaml").write_text("mine")
    if kind == "file":
        target.write_text("mine")
    if "link" in kind:
        target.symlink_to(tmp_path if kind == "link" else tmp_path / "nothing")
    if kind == "pipe":
        os.mkfifo(target)
    before = sorted(path for path in tmp_path.rglob("*"))
    with pytest.raises(LoomError) as raised:
        create_package("mine", "minimal", tmp_path)
    assert (raised.value.what, raised.value.fix) == (f"{target} exists already", "loom process new mine-2")
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_missing_folders_on_the_way_are_made(tmp_path: Path) -> None:
    assert create_package("mine", "data", tmp_path / "a" / "b") == tmp_path / "a" / "b" / "mine"


def test_folder_and_files_have_the_modes_of_any_other(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        folder = create_package("mine", "data", tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*") if file.is_file()} == {0o640}


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("file", "file exists"),
        ("file/below", "not a directory"),
        ("/proc/self", "no such file or directory"),
        ("x" * 256, "file name too long"),
    ],
)
def test_a_place_that_takes_no_folder_is_refused(place: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LoomError) as raised:
        create_package("mine", "minimal", tmp_path / place)
    assert raised.value.what.endswith("/mine cannot be created")
    assert raised.value.why == why


def test_a_name_longer_than_the_disk_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="file name too long"):
        create_package("x" * 300, "minimal", tmp_path)
    assert list(tmp_path.iterdir()) == []


FAILURES = [
    (tempfile, "mkdtemp", OSError(errno.EROFS, "Read-only file system")),
    (tempfile, "mkdtemp", PermissionError(errno.EACCES, "Permission denied")),
    (Path, "write_text", OSError(errno.ENOSPC, "No space left on device")),
    (Path, "rename", OSError(errno.ENOTEMPTY, "Directory not empty")),
]


@pytest.mark.parametrize(
    ("owner", "name", "error"), FAILURES, ids=[str(error.strerror) for *_, error in FAILURES]
)
def test_a_failure_half_way_leaves_nothing(
    owner: Any, name: str, error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, _failing(error))
    with pytest.raises(LoomError) as raised:
        create_package("mine", "data", tmp_path)
    assert raised.value.why == str(error.strerror).lower()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "rename", _failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        create_package("mine", "data", tmp_path)
    assert list(tmp_path.iterdir()) == []
