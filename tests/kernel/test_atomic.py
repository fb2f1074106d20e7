"""A reader sees the old file or the new one, whatever happens to the writer."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError

ENDLESS = """
import sys
from pathlib import Path
from loom.kernel.atomic import write_atomically
file = Path(sys.argv[1])
print("ready", flush=True)
while True:
    for letter in b"ab":
        write_atomically(file, bytes([letter]) * 100_000)
"""


def _failing(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise error

    return fail


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_has_the_content_and_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "ordinary").touch()
    write_atomically(tmp_path / "new", b"content")
    assert (tmp_path / "new").read_bytes() == b"content"
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "ordinary").stat().st_mode
    assert _names(tmp_path) == ["new", "ordinary"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o444])
def test_a_file_that_was_there_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(mode)
    write_atomically(file, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert file.read_bytes() == b"new"


def test_a_mode_that_is_asked_for_wins(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    write_atomically(file, b"new", mode=0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_owner_stays_where_the_writer_may_give_files_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "chown", lambda _, user, group: given.append((user, group)))
    write_atomically(file, b"new")
    assert given == [(file.stat().st_uid, file.stat().st_gid)]
    monkeypatch.setattr(os, "chown", _failing(PermissionError(errno.EPERM, "not yours to give")))
    write_atomically(file, b"newer")
    assert file.read_bytes() == b"newer"


def test_a_link_stays_a_link_and_its_target_changes(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(Path("elsewhere") / "target")
    write_atomically(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to("made")
    write_atomically(dangling, b"new")
    assert dangling.is_symlink() and (tmp_path / "made").read_bytes() == b"new"


def test_a_name_as_long_as_names_may_be_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / ("x" * 255)
    write_atomically(file, b"new")
    write_atomically(file, b"newer")
    assert file.read_bytes() == b"newer"


FAILURES = [
    (tempfile, "mkstemp", OSError(errno.EROFS, "Read-only file system"), "read-only file system"),
    (tempfile, "mkstemp", PermissionError(errno.EACCES, "Permission denied"), "permission denied"),
    (os, "fsync", OSError(errno.ENOSPC, "No space left on device"), "no space left on device"),
    (Path, "chmod", OSError(errno.EIO, "Input/output error"), "input/output error"),
    (Path, "replace", OSError(errno.EXDEV, "Invalid cross-device link"), "invalid cross-device link"),
]


@pytest.mark.parametrize("existed", [False, True], ids=["new", "existing"])
@pytest.mark.parametrize(("owner", "name", "error", "why"), FAILURES, ids=[why for *_, why in FAILURES])
def test_a_failure_is_said_clearly_keeps_the_old_file_and_leaves_nothing_behind(
    owner: Any,
    name: str,
    error: OSError,
    why: str,
    existed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "file"
    if existed:
        file.write_bytes(b"old")
    monkeypatch.setattr(owner, name, _failing(error))
    with pytest.raises(LoomError) as raised:
        write_atomically(file, b"new")
    monkeypatch.undo()
    assert (raised.value.what, raised.value.why) == (f"{file} cannot be written", why)
    assert str(tmp_path) in raised.value.fix
    assert _names(tmp_path) == (["file"] if existed else [])
    assert not existed or file.read_bytes() == b"old"


def test_an_interrupt_in_the_middle_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", _failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"new")
    assert _names(tmp_path) == []


def test_a_failure_to_clean_up_does_not_hide_the_failure_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", _failing(OSError(errno.EIO, "Input/output error")))
    monkeypatch.setattr(Path, "unlink", _failing(OSError(errno.EROFS, "Read-only file system")))
    with pytest.raises(LoomError, match="input/output error"):
        write_atomically(tmp_path / "file", b"new")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("missing/file", "no such file or directory"),
        ("plain/file", "not a directory"),
        ("folder", "it is a folder"),
        ("pipe", "it is not a regular file"),
        ("x" * 256, "file name too long"),
        ("loop", "too many levels of symbolic links"),
    ],
)
def test_a_place_that_takes_no_file_is_refused_and_stays_what_it_is(
    place: str, why: str, tmp_path: Path
) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    before = _names(tmp_path)
    with pytest.raises(LoomError) as raised:
        write_atomically(tmp_path / place, b"new")
    assert raised.value.why == why
    assert _names(tmp_path) == before
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "folder").is_dir()


@pytest.mark.parametrize("place", ["/proc/loom-test", "/proc/self/status", "/dev/null"])
def test_the_kernels_own_files_are_left_alone(place: str) -> None:
    with pytest.raises(LoomError, match="cannot be written"):
        write_atomically(Path(place), b"new")
    assert Path("/dev/null").is_char_device()


def test_killing_the_writer_leaves_one_of_the_two_contents(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a" * 100_000)
    with subprocess.Popen([sys.executable, "-c", ENDLESS, str(file)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        seen = {file.read_bytes()}
        while len(seen) < 2 and writer.poll() is None:
            seen.add(file.read_bytes())
        writer.send_signal(signal.SIGKILL)
    seen.add(file.read_bytes())
    assert seen == {b"a" * 100_000, b"b" * 100_000}
