from __future__ import annotations

import errno
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core import beneath
from loom.core.beneath import EscapeError, make_folders_beneath, open_beneath, open_by_kernel, open_by_walking
from loom.core.workspace import WorkspaceManager

SECRET = b"outside"


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspaceManager:
    """A workspace `ws` beside a folder whose name begins alike, both with files."""
    for folder in ("ws", "ws-secret"):
        (tmp_path / folder / "sub").mkdir(parents=True)
    (tmp_path / "ws/sub/data.json").write_text('{"a": 1}')
    (tmp_path / "ws-secret/key").write_bytes(SECRET)
    (tmp_path / "ws-secret/sub/data.json").write_bytes(SECRET)
    return WorkspaceManager(tmp_path / "ws")


def _gates(workspace: WorkspaceManager) -> list[Callable[[str], object]]:
    """Every way in."""
    return [
        workspace.resolve,
        workspace.read_bytes,
        workspace.read_text,
        workspace.read_json,
        lambda ref: workspace.write_bytes(ref, b"x"),
        lambda ref: workspace.write_text(ref, "x"),
        lambda ref: workspace.write_json(ref, {}),
    ]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


ESCAPES = {
    "parent": "../ws-secret/key",
    "parent_further_in": "sub/../../ws-secret/key",
    "sibling_that_begins_alike": "../ws-secret",
    "the_parent_itself": "..",
    "absolute": "/etc/passwd",
    "double_slash": "//etc/passwd",
    "home": "~/.ssh/id_rsa",
    "other_home": "~root/x",
    "nul": "sub/data.json\0.txt",
    "only_nul": "\0",
    "empty": "",
    "backslashes": "..\\ws-secret\\key",
    "drive": "C:\\x",
    "long_name": "a" * 256,
    "long_reference": "a/" * 600 + "b",
    "half_a_surrogate_pair": "\ud800",
    "very_long": "a" * 1_000_000,
}


@pytest.mark.parametrize("reference", ESCAPES.values(), ids=ESCAPES.keys())
def test_a_reference_that_leads_out_is_refused_at_every_gate(
    workspace: WorkspaceManager, tmp_path: Path, reference: str
) -> None:
    before = _snapshot(tmp_path)
    for gate in _gates(workspace):
        with pytest.raises(ValueError):
            gate(reference)
    assert _snapshot(tmp_path) == before


@pytest.mark.parametrize("reference", [None, 5, b"sub", Path("sub"), ["sub"], True])
def test_a_reference_that_is_no_text_is_refused(workspace: WorkspaceManager, reference: object) -> None:
    for gate in _gates(workspace):
        with pytest.raises(ValueError):
            gate(reference)  # type: ignore[arg-type]


def test_a_sibling_whose_name_begins_with_that_of_the_workspace_is_outside(
    workspace: WorkspaceManager,
) -> None:
    with pytest.raises(EscapeError):
        workspace.read_bytes("../ws-secret/key")


@pytest.mark.parametrize("place", ["link", "sub/link", "link/sub/data.json", "link/key", "sub/link/key"])
@pytest.mark.parametrize("relative", [True, False])
def test_a_link_that_leaves_is_refused_in_every_component(
    workspace: WorkspaceManager, tmp_path: Path, place: str, relative: bool
) -> None:
    outside = tmp_path / "ws-secret"
    for link in (workspace.workspace_dir / "link", workspace.workspace_dir / "sub" / "link"):
        link.symlink_to(os.path.relpath(outside, link.parent) if relative else outside)
    before = _snapshot(outside)
    for gate in _gates(workspace):
        with pytest.raises(ValueError):
            gate(place)
    assert _snapshot(outside) == before


def test_a_link_to_a_missing_file_outside_creates_nothing(
    workspace: WorkspaceManager, tmp_path: Path
) -> None:
    (workspace.workspace_dir / "link").symlink_to(tmp_path / "ws-secret" / "new")
    with pytest.raises(ValueError):
        workspace.write_text("link", "x")
    assert not (tmp_path / "ws-secret" / "new").exists()


def test_a_link_that_stays_inside_is_followed_and_its_target_replaced(workspace: WorkspaceManager) -> None:
    root = workspace.workspace_dir
    (root / "near").symlink_to("sub/data.json")
    (root / "far").symlink_to(root / "sub")
    assert workspace.read_json("near") == {"a": 1}
    assert workspace.write_json("near", {"a": 2}) == root / "sub/data.json"
    assert workspace.read_json("far/data.json") == {"a": 2}
    assert (root / "near").is_symlink()


def test_a_circle_of_links_is_refused_without_a_traceback_of_its_own(workspace: WorkspaceManager) -> None:
    (workspace.workspace_dir / "one").symlink_to("two")
    (workspace.workspace_dir / "two").symlink_to("one")
    with pytest.raises((ValueError, OSError)):
        workspace.read_bytes("one/x")
    with pytest.raises(FileNotFoundError):
        workspace.resolve("one")
    with pytest.raises((ValueError, OSError)):
        workspace.write_bytes("one/x", b"")


names = st.sampled_from(
    ["sub", "data.json", "..", ".", "~", "ws-secret", "key", "link", "", "/", "new", "a\0b"]
)


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.lists(names, max_size=6).map("/".join), st.text(max_size=12)))
def test_no_reference_reads_or_writes_outside(reference: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outside = Path(folder, "ws-secret")
        root = Path(folder, "ws")
        (root / "sub").mkdir(parents=True)
        (outside / "sub").mkdir(parents=True)
        (outside / "key").write_bytes(SECRET)
        (root / "link").symlink_to("../ws-secret")
        (root / "sub" / "link").symlink_to(outside / "key")
        workspace = WorkspaceManager(root)
        with suppress(ValueError, OSError):
            workspace.write_bytes(reference, b"mine")
        for read in (workspace.read_bytes, lambda ref: workspace.resolve(ref).read_bytes()):
            with suppress(ValueError, OSError):
                assert read(reference) != SECRET
        assert _snapshot(outside) == {"key": SECRET}
        assert _names(Path(folder)) == ["ws", "ws-secret"]


OPENERS = [pytest.param(open_by_walking, id="walking")]
if sys.platform == "linux" and beneath._syscall() is not None:
    OPENERS.append(pytest.param(open_by_kernel, id="kernel"))
Opener = Callable[[int, str, int], int | None]


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    handle = os.open(path, beneath.FOLDER)
    try:
        yield handle
    finally:
        os.close(handle)


def _read(opener: Opener, root: Path, relative: str) -> bytes:
    with _folder(root) as handle:
        opened = opener(handle, relative, os.O_RDONLY)
        if opened is None:
            pytest.skip("this kernel has no openat2")
        with os.fdopen(opened, "rb") as file:
            return file.read()


@pytest.mark.parametrize("opener", OPENERS)
def test_both_openers_read_what_is_inside(workspace: WorkspaceManager, opener: Opener) -> None:
    assert _read(opener, workspace.workspace_dir, "sub/data.json") == b'{"a": 1}'
    with pytest.raises(FileNotFoundError):
        _read(opener, workspace.workspace_dir, "sub/nothing")
    with pytest.raises(NotADirectoryError):
        _read(opener, workspace.workspace_dir, "sub/data.json/x")


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("swapped", ["sub", "sub/data.json"])
def test_a_link_put_in_place_after_the_check_is_not_followed(
    workspace: WorkspaceManager, tmp_path: Path, opener: Opener, swapped: str
) -> None:
    place = workspace.workspace_dir / swapped
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "ws-secret" / swapped)
    with pytest.raises(EscapeError):
        _read(opener, workspace.workspace_dir, "sub/data.json")


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("relative", ["..", "../ws-secret/key", "/etc/passwd", "sub/../../ws-secret/key"])
def test_both_openers_refuse_what_leads_up(
    workspace: WorkspaceManager, opener: Opener, relative: str
) -> None:
    with pytest.raises(EscapeError):
        _read(opener, workspace.workspace_dir, relative)


def test_folders_are_not_made_through_a_link(workspace: WorkspaceManager, tmp_path: Path) -> None:
    (workspace.workspace_dir / "link").symlink_to(tmp_path / "ws-secret")
    with _folder(workspace.workspace_dir) as root:
        with pytest.raises(EscapeError):
            make_folders_beneath(root, "link/new")
        with pytest.raises(NotADirectoryError):
            make_folders_beneath(root, "sub/data.json/new")
    assert not (tmp_path / "ws-secret/new").exists()


def test_a_file_is_opened_where_the_kernel_has_no_openat2(
    workspace: WorkspaceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beneath, "_syscall", lambda: None)
    with _folder(workspace.workspace_dir) as root:
        os.close(open_beneath(root, "sub/data.json", os.O_RDONLY))
    assert workspace.read_json("sub/data.json") == {"a": 1}


_SWAPPER = """
import os, sys
here, outside = sys.argv[1:]
os.symlink(outside, here + ".link")
print("ready", flush=True)
while True:
    os.rename(here, here + ".real"); os.rename(here + ".link", here)
    os.rename(here, here + ".link"); os.rename(here + ".real", here)
"""


@pytest.mark.parametrize("kernel", [True, False], ids=["openat2", "walking"])
def test_a_process_that_swaps_a_folder_for_a_link_never_gets_a_read_or_a_write_out(
    workspace: WorkspaceManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: bool
) -> None:
    if not kernel:
        monkeypatch.setattr(beneath, "_syscall", lambda: None)
    outside = tmp_path / "ws-secret" / "sub"
    before = _snapshot(outside)
    swapper = subprocess.Popen(
        [sys.executable, "-c", _SWAPPER, str(workspace.workspace_dir / "sub"), str(outside)],
        stdout=subprocess.PIPE,
    )
    refused = 0
    try:
        assert swapper.stdout is not None
        assert swapper.stdout.readline() == b"ready\n"
        # until it was caught in the act often enough
        for number in range(40_000):
            if refused >= 100 and number >= 3_000:
                break
            try:
                assert workspace.read_bytes("sub/data.json") != SECRET
                workspace.write_bytes(f"sub/{number}.txt", b"mine")
            except (ValueError, OSError):
                refused += 1
    finally:
        swapper.send_signal(signal.SIGKILL)
        swapper.communicate()
    assert refused
    assert _snapshot(outside) == before


def test_a_thread_that_swaps_a_file_for_a_link_never_gets_a_read_out(
    workspace: WorkspaceManager, tmp_path: Path
) -> None:
    place, link = workspace.workspace_dir / "sub/data.json", workspace.workspace_dir / "link"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            link.symlink_to(tmp_path / "ws-secret" / "key")
            link.replace(place)
            link.write_text("{}")
            link.replace(place)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(700):
            with suppress(ValueError, OSError):
                assert workspace.read_bytes("sub/data.json") != SECRET
    finally:
        stop.set()
        thread.join()


def test_a_file_is_read_as_bytes_text_and_json(workspace: WorkspaceManager) -> None:
    assert workspace.resolve("sub/data.json") == workspace.workspace_dir / "sub/data.json"
    assert workspace.read_bytes("sub/data.json") == b'{"a": 1}'
    assert workspace.read_text("./sub/../sub//data.json") == '{"a": 1}'
    assert workspace.read_json("sub/data.json") == {"a": 1}


def test_a_missing_file_is_file_not_found(workspace: WorkspaceManager) -> None:
    for gate in _gates(workspace)[:4]:
        with pytest.raises(FileNotFoundError):
            gate("sub/nothing.json")
    with pytest.raises(FileNotFoundError):
        workspace.resolve("sub/data.json/below")


@pytest.mark.parametrize("text", ["{", "NaN", "[1, Infinity]", "-Infinity", "", "[" * 100_000, "\ufeff{}"])
def test_what_is_not_json_is_a_decode_error(workspace: WorkspaceManager, text: str) -> None:
    workspace.write_text("x.json", text)
    with pytest.raises(json.JSONDecodeError):
        workspace.read_json("x.json")


def test_text_is_utf_8_whatever_the_locale(workspace: WorkspaceManager) -> None:
    workspace.write_text("täxt.txt", "späß ☃")
    assert workspace.read_bytes("täxt.txt") == "späß ☃".encode()
    assert workspace.read_text("täxt.txt") == "späß ☃"
    workspace.write_bytes("bad", b"ab\xff")
    with pytest.raises(ValueError, match="byte 2"):
        workspace.read_text("bad")


@settings(deadline=None, max_examples=60)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_comes_back_as_it_was_written(data: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = WorkspaceManager(folder)
        workspace.write_json("x.json", data)
        assert workspace.read_json("x.json") == data


@pytest.mark.parametrize("data", [float("nan"), {"a": float("inf")}, {"a": object()}, {"a": {1, 2}}])
def test_data_that_is_not_json_writes_nothing(workspace: WorkspaceManager, data: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        workspace.write_json("sub/data.json", data)
    assert workspace.read_json("sub/data.json") == {"a": 1}
    assert _names(workspace.workspace_dir / "sub") == ["data.json"]


def test_a_folder_a_pipe_and_the_workspace_itself_are_no_files(workspace: WorkspaceManager) -> None:
    os.mkfifo(workspace.workspace_dir / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        workspace.read_bytes("pipe")
    for name in ("sub", "."):
        with pytest.raises(IsADirectoryError):
            workspace.read_bytes(name)
    with pytest.raises(IsADirectoryError):
        workspace.write_bytes("sub", b"")
    for name in (".", "sub/..", "new/.."):
        with pytest.raises(ValueError, match="the workspace itself"):
            workspace.write_bytes(name, b"")
    assert _names(workspace.workspace_dir) == ["pipe", "sub"]


def test_missing_folders_are_made(workspace: WorkspaceManager) -> None:
    path = workspace.write_text("a/b/c.txt", "x")
    assert path == workspace.workspace_dir / "a/b/c.txt"
    assert path.read_text() == "x"


def test_a_workspace_that_is_not_there_is_not_invented(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        WorkspaceManager(tmp_path / "none").write_text("x", "x")
    assert _names(tmp_path) == []


def test_a_change_of_directory_does_not_move_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ws").mkdir()
    monkeypatch.chdir(tmp_path)
    workspace = WorkspaceManager("ws")
    monkeypatch.chdir("/")
    assert workspace.write_text("x", "x") == tmp_path / "ws" / "x"


def test_files_above_the_limits_are_refused(tmp_path: Path) -> None:
    workspace = WorkspaceManager(tmp_path, max_read_bytes=3, max_write_bytes=4)
    workspace.write_bytes("three", b"123")
    workspace.write_bytes("four", b"1234")
    assert workspace.read_bytes("three") == b"123"
    with pytest.raises(ValueError, match="larger than 3 bytes"):
        workspace.read_bytes("four")
    with pytest.raises(ValueError, match="larger than 4 bytes"):
        workspace.write_bytes("three", b"12345")
    assert workspace.read_bytes("three") == b"123"


def test_a_huge_hole_is_refused_without_being_read(workspace: WorkspaceManager) -> None:
    with (workspace.workspace_dir / "hole").open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(ValueError, match="larger than"):
        workspace.read_bytes("hole")


def test_a_device_that_reports_no_size_is_no_file(workspace: WorkspaceManager) -> None:
    with pytest.raises(ValueError):
        workspace.read_bytes("/dev/zero")


def test_a_replaced_file_keeps_its_permissions(workspace: WorkspaceManager) -> None:
    file = workspace.workspace_dir / "sub/data.json"
    file.chmod(0o660)
    workspace.write_text("sub/data.json", "{}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o660


def test_a_read_only_file_stays_as_it_is(workspace: WorkspaceManager) -> None:
    file = workspace.workspace_dir / "sub/data.json"
    file.chmod(0o444)
    with pytest.raises(PermissionError):
        workspace.write_text("sub/data.json", "{}")
    assert file.read_text() == '{"a": 1}'


def test_a_hard_link_to_a_file_outside_is_replaced_not_written_through(
    workspace: WorkspaceManager, tmp_path: Path
) -> None:
    os.link(tmp_path / "ws-secret/key", workspace.workspace_dir / "twin")
    workspace.write_text("twin", "mine")
    assert (tmp_path / "ws-secret/key").read_bytes() == SECRET


def test_a_reader_never_sees_half_a_file(workspace: WorkspaceManager) -> None:
    old, new = b"o" * 300_000, b"n" * 300_000
    workspace.write_bytes("big", old)
    seen = set()
    done = threading.Event()

    def write() -> None:
        for number in range(40):
            workspace.write_bytes("big", new if number % 2 else old)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not done.is_set():
        seen.add(workspace.read_bytes("big"))
    thread.join()
    assert seen <= {old, new}


def _left_alone(workspace: WorkspaceManager) -> None:
    assert workspace.read_json("sub/data.json") == {"a": 1}
    assert _names(workspace.workspace_dir / "sub") == ["data.json"]


def test_a_full_disk_is_an_os_error_and_changes_nothing(workspace: WorkspaceManager) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError) as caught:
            workspace.write_bytes("sub/data.json", b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    _left_alone(workspace)


def test_a_failing_sync_is_an_os_error_and_changes_nothing(
    workspace: WorkspaceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as caught:
        workspace.write_text("sub/data.json", "{}")
    assert caught.value.errno == errno.ENOSPC
    _left_alone(workspace)


def test_an_interrupt_leaves_no_temporary_file(
    workspace: WorkspaceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        workspace.write_text("sub/data.json", "{}")
    _left_alone(workspace)


def test_a_read_only_folder_is_an_os_error_and_changes_nothing() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "x").write_text("old")
        (root / "x").chmod(0o666)
        user = os.geteuid()
        root.chmod(0o555)
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(PermissionError):
                WorkspaceManager(root).write_text("x", "new")
            with pytest.raises(PermissionError):
                WorkspaceManager(root).write_text("sub/x", "new")
        finally:
            os.seteuid(user)
            root.chmod(0o755)
        assert _names(root) == ["x"]
        assert (root / "x").read_text() == "old"


def test_no_descriptor_is_left_open(workspace: WorkspaceManager, tmp_path: Path) -> None:
    (workspace.workspace_dir / "link").symlink_to(tmp_path)
    os.mkfifo(workspace.workspace_dir / "pipe")
    before = len(_names(Path("/proc/self/fd")))
    for reference in ("sub/data.json", "sub", "pipe", "link/x", "nothing", "sub/data.json/x", "a/b"):
        for gate in _gates(workspace):
            with suppress(ValueError, OSError):
                gate(reference)
    assert len(_names(Path("/proc/self/fd"))) == before
