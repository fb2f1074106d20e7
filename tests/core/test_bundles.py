from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.core import archive, bundles
from loom.core.bundles import BundleError, deploy_bundle, read_bundle, verify_bundle
from loom.kernel.errors import LoomError
from loom.kernel.ids import digest

MANIFEST = """
name: my-app
version: "1.0.0"
description: An app
required_extras: [nothing-like-this]
python_package: {name: my-app, install_path: src}
entry_configs:
  workers: [{config: configs/worker.yaml, tier: local}]
  pipelines: [{config: configs/pipeline.yaml}, {config: configs/goal.yaml}]
scripts: [{path: scripts/setup.py}]
"""
APP = {
    "manifest.yaml": MANIFEST,
    "configs/worker.yaml": "name: w\nsystem_prompt: p\n",
    "configs/pipeline.yaml": "name: p\npipeline_stages: [{name: a, worker_type: w}]\n",
    "configs/goal.yaml": "name: o\nsystem_prompt: p\n",
    "scripts/setup.py": "print('hello')\n",
    "src/my_app/__init__.py": "",
}
Entry = str | zipfile.ZipInfo


def pack(folder: Path, entries: dict[str, str] | list[tuple[Entry, str]], name: str = "app.zip") -> Path:
    """Write a bundle; entries may repeat and may be as odd as ZipInfo lets them be."""
    path = folder / name
    pairs = list(entries.items()) if isinstance(entries, dict) else entries
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for entry, content in pairs:
            packed.writestr(entry, content)
    return path


def with_entry(folder: Path, entry: Entry, content: str = "x") -> Path:
    """A sound bundle with one more entry."""
    return pack(folder, [*APP.items(), (entry, content)])


def info(name: str, mode: int = 0, **fields: int) -> zipfile.ZipInfo:
    """An entry with a file type and raw fields."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _refused(path: Path, home: Path) -> str:
    """What a bundle is refused for, by all three; nothing may have been written."""
    said = verify_bundle(path)
    assert said
    with pytest.raises(BundleError):
        read_bundle(path)
    with pytest.raises(BundleError) as caught:
        deploy_bundle(path, home)
    assert isinstance(caught.value, LoomError)
    assert not (home / "apps" / "my-app").exists()
    assert [p.name for p in (home / "apps").glob("*")] in ([], [".lock"])
    return "; ".join(said)


def test_a_sound_bundle_is_read_and_deployed(tmp_path: Path) -> None:
    path = pack(tmp_path, APP)
    assert verify_bundle(path) == []
    bundle = read_bundle(path)
    assert bundle.manifest.name == "my-app"
    assert bundle.digest == digest(path.read_bytes())
    assert set(bundle.files) == set(APP)
    deployed = deploy_bundle(path, tmp_path / "home")
    assert deployed.folder == tmp_path / "home" / "apps" / "my-app"
    assert (deployed.bundle, deployed.replaced) == (bundle, False)
    assert deployed.unknown_extras == ("nothing-like-this",)
    assert _tree(deployed.folder) == {name: content.encode() for name, content in APP.items()}
    assert sorted(p.name for p in (tmp_path / "home" / "apps").iterdir()) == [".lock", "my-app"]


def test_entries_for_folders_are_welcome(tmp_path: Path) -> None:
    path = pack(tmp_path, [("empty/", ""), ("src/", ""), *APP.items()])
    assert verify_bundle(path) == []
    assert (deploy_bundle(path, tmp_path).folder / "empty").is_dir()


def test_no_file_of_a_bundle_becomes_executable(tmp_path: Path) -> None:
    path = with_entry(tmp_path, info("run.sh", stat.S_IFREG | 0o6755))
    mode = (deploy_bundle(path, tmp_path).folder / "run.sh").stat().st_mode
    assert not stat.S_IMODE(mode) & 0o7111


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/evil",
        "//evil",
        "./evil",
        "a//evil",
        "~/evil",
        "C:/evil",
        "..",
        ".",
        "a:b",
    ],
)
def test_absolute_names_and_names_that_lead_up_are_refused(tmp_path: Path, name: str) -> None:
    _refused(with_entry(tmp_path, name), tmp_path / "home")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (stat.S_IFLNK, "is a link"),
        (stat.S_IFIFO, "neither a file nor a folder"),
        (stat.S_IFCHR, "neither a file nor a folder"),
        (stat.S_IFBLK, "neither a file nor a folder"),
        (stat.S_IFSOCK, "neither a file nor a folder"),
        (stat.S_IFDIR, "neither a file nor a folder"),
    ],
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: int, said: str) -> None:
    assert said in _refused(with_entry(tmp_path, info("odd", kind | 0o777), "/etc/passwd"), tmp_path / "home")


def test_a_link_is_refused_whatever_system_the_archive_claims_to_come_from(tmp_path: Path) -> None:
    entry = info("odd", stat.S_IFLNK | 0o777, create_system=0)
    assert "is a link" in _refused(with_entry(tmp_path, entry), tmp_path / "home")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["README.md", "readme.md"], "where case does not count"),
        (["docs/a", "Docs/b"], "where case does not count"),
        (["\u00e4", "a\u0308"], "where case does not count"),
        (["straße", "STRASSE"], "where case does not count"),
        (["x", "x/y"], "both a file and a folder"),
        (["x/y", "x"], "both a file and a folder"),
        (["x/", "x"], "both a file and a folder"),
    ],
)
def test_names_that_collide_are_refused(tmp_path: Path, names: list[str], said: str) -> None:
    path = pack(tmp_path, [*APP.items(), *((name, "") for name in names)])
    assert said in _refused(path, tmp_path / "home")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert "there twice" in _refused(with_entry(tmp_path, "manifest.yaml", MANIFEST), tmp_path / "home")


def _patched(path: Path, old: bytes, new: bytes) -> Path:
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new))
    return path


@pytest.mark.parametrize("name", [b"ev\\il", b"ev\0il", b"ev\nil", b"\xe4vil_"])
def test_names_that_are_read_in_two_ways_are_refused(tmp_path: Path, name: bytes) -> None:
    placeholder = b"N" * len(name)
    path = with_entry(tmp_path, placeholder.decode())
    _refused(_patched(path, placeholder, name), tmp_path / "home")


def test_a_name_that_differs_between_the_table_and_the_entry_is_refused(tmp_path: Path) -> None:
    path = with_entry(tmp_path, "NNNN")
    raw = path.read_bytes()
    place = raw.rfind(b"NNNN")
    path.write_bytes(raw[:place] + b"good" + raw[place + 4 :])
    _refused(path, tmp_path / "home")


def _declare(path: Path, name: bytes, **fields: int) -> Path:
    """Change fields of one entry in the table of contents."""
    raw = bytearray(path.read_bytes())
    place = raw.rfind(name) - 46
    assert raw[place : place + 4] == b"PK\x01\x02"
    offsets = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "packed": (20, "<I"),
        "size": (24, "<I"),
        "crc": (16, "<I"),
    }
    for field, value in fields.items():
        offset, form = offsets[field]
        struct.pack_into(form, raw, place + offset, value)
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"flags": 1}, "encrypted"),
        ({"flags": 0x20}, "encrypted or a patch"),
        ({"method": 12}, "compressed in an unusual way"),
        ({"method": 99}, "compressed in an unusual way"),
        ({"size": 2**31}, "the limit is"),
        ({"size": 50_000_000}, "grows to more than 100 times"),
        ({"size": 3}, "damaged"),
        ({"size": 0}, ""),
        ({"crc": 1}, "damaged"),
        ({"packed": 1}, ""),
        ({"packed": 2**31}, "more bytes than the archive has"),
        ({"packed": 2**31, "size": 50_000_000}, "more bytes than the archive has"),
    ],
    ids=str,
)
def test_entries_that_are_not_what_they_say_are_refused(
    tmp_path: Path, fields: dict[str, int], said: str
) -> None:
    path = _declare(with_entry(tmp_path, "NNNN", "text" * 10), b"NNNN", **fields)
    assert said in _refused(path, tmp_path / "home")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = with_entry(tmp_path, "bomb", "0" * 5_000_000)
    assert "grows to more than 100 times" in _refused(path, tmp_path / "home")


def test_a_little_repetition_is_no_bomb(tmp_path: Path) -> None:
    assert verify_bundle(with_entry(tmp_path, "same", "0" * 500_000)) == []


def test_caps_hold_for_each_file_and_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = with_entry(tmp_path, "big", "x" * 1000)
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 999)
    assert "'big' has 1,000 bytes" in _refused(path, tmp_path / "home")
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 1000)
    assert verify_bundle(path) == []
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 1000)
    assert "the limit is 1,000" in _refused(path, tmp_path / "home")


def test_caps_hold_for_the_archive_and_the_number_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path, APP)
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", path.stat().st_size - 1)
    assert "larger than" in _refused(path, tmp_path / "home")
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", path.stat().st_size)
    assert verify_bundle(path) == []
    monkeypatch.setattr(archive, "MAX_MEMBERS", len(APP) - 1)
    assert "more than" in _refused(path, tmp_path / "home")


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b"",
        lambda raw: b"hello",
        lambda raw: raw[:-5],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw + b"more",
        lambda raw: b"#!/bin/sh\n" + raw,
        lambda raw: raw[:-22],
        lambda raw: raw[:-22] + b"PK\x06\x07" + bytes(16) + raw[-22:],
        lambda raw: b"PK\x05\x06" + bytes(18),
    ],
    ids=["empty", "text", "cut", "half", "tail", "script_before", "no_table", "zip64", "no_files"],
)
def test_what_is_not_just_a_zip_archive_is_refused(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = pack(tmp_path, APP)
    path.write_bytes(change(path.read_bytes()))
    _refused(path, tmp_path / "home")


def test_a_missing_file_a_folder_and_a_pipe_are_no_bundle(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("nothing", "pipe", "folder"):
        _refused(tmp_path / name, tmp_path / "home")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"manifest.yaml": None}, "there is no manifest.yaml"),
        ({"manifest.yaml": None, "sub/manifest.yaml": MANIFEST}, "there is no manifest.yaml"),
        ({"manifest.yaml": "name: a\n"}, "Missing required field: version"),
        ({"manifest.yaml": "a: 1\na: 2\n"}, "duplicate key"),
        (
            {"manifest.yaml": MANIFEST.replace("configs/worker", "../worker")},
            "is not a path inside the bundle",
        ),
        ({"configs/worker.yaml": None}, "names 'configs/worker.yaml', which is not there"),
        ({"scripts/setup.py": None}, "names 'scripts/setup.py', which is not there"),
        ({"src/my_app/__init__.py": None}, "installs 'src', which is not there"),
        ({"configs/worker.yaml": "name: w\n"}, "LLM worker missing required key 'system_prompt'"),
        ({"configs/worker.yaml": "a: [\n"}, "configs/worker.yaml: line"),
        ({"configs/pipeline.yaml": "name: p\npipeline_stages: []\n"}, "must not be empty"),
        (
            {"configs/goal.yaml": "name: o\nsystem_prompt: p\nzzz: 1\n"},
            "orchestrator config at configs/goal.yaml",
        ),
    ],
)
def test_a_bundle_has_to_hold_what_its_manifest_says(
    tmp_path: Path, changes: dict[str, str | None], said: str
) -> None:
    entries = {name: content for name, content in {**APP, **changes}.items() if content is not None}
    assert said in _refused(pack(tmp_path, entries), tmp_path / "home")


def test_an_app_for_another_loom_is_not_deployed(tmp_path: Path) -> None:
    path = pack(tmp_path, {**APP, "manifest.yaml": MANIFEST + 'loom_version: ">=9999"\n'})
    assert verify_bundle(path) == []
    with pytest.raises(BundleError, match="asks for Loom >=9999"):
        deploy_bundle(path, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def _second(folder: Path) -> Path:
    entries = {**APP, "manifest.yaml": MANIFEST.replace("1.0.0", "2.0.0"), "new.txt": "new"}
    return pack(folder, entries, "second.zip")


@pytest.mark.parametrize("exchange", [True, False], ids=["at_once", "in_two_steps"])
def test_an_app_is_replaced_only_when_asked_for_and_then_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(bundles, "_exchange", lambda one, other: False)
    deployed = deploy_bundle(pack(tmp_path, {**APP, "old.txt": "old"}), tmp_path)
    before = _tree(deployed.folder)
    with pytest.raises(BundleError, match="deployed already"):
        deploy_bundle(_second(tmp_path), tmp_path)
    assert _tree(deployed.folder) == before
    again = deploy_bundle(_second(tmp_path), tmp_path, replace=True)
    assert again.replaced
    assert set(_tree(again.folder)) == {*APP, "new.txt"}
    assert sorted(p.name for p in (tmp_path / "apps").iterdir()) == [".lock", "my-app"]


def test_a_replacement_that_fails_leaves_the_old_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = deploy_bundle(pack(tmp_path, APP), tmp_path)
    before = _tree(deployed.folder)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="no space left"):
        deploy_bundle(_second(tmp_path), tmp_path, replace=True)
    assert _tree(deployed.folder) == before
    assert sorted(p.name for p in (tmp_path / "apps").iterdir()) == [".lock", "my-app"]


def test_the_old_app_is_put_back_when_the_second_step_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = deploy_bundle(pack(tmp_path, APP), tmp_path)
    before = _tree(deployed.folder)
    rename = Path.rename

    def once(self: Path, target: Path) -> Path:
        if self.name == "app":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(bundles, "_exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(BundleError):
        deploy_bundle(_second(tmp_path), tmp_path, replace=True)
    assert _tree(deployed.folder) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux changes two folders at once")
def test_whoever_looks_during_a_replacement_sees_a_whole_app(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    if not bundles._exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system cannot change two folders at once")
    paths = [pack(tmp_path, APP), _second(tmp_path)]
    folder = deploy_bundle(paths[0], tmp_path).folder
    done = threading.Event()
    seen = set()

    def replace() -> None:
        for number in range(20):
            deploy_bundle(paths[(number + 1) % 2], tmp_path, replace=True)
        done.set()

    thread = threading.Thread(target=replace)
    thread.start()
    while not done.is_set():
        seen.add((folder / "manifest.yaml").read_text())
    thread.join()
    assert seen <= {MANIFEST, MANIFEST.replace("1.0.0", "2.0.0")}
    assert _tree(folder)["manifest.yaml"] == MANIFEST.encode()


def test_what_a_killed_deployment_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "apps" / ".staging-dead" / "app").mkdir(parents=True)
    deploy_bundle(pack(tmp_path, APP), tmp_path)
    assert sorted(p.name for p in (tmp_path / "apps").iterdir()) == [".lock", "my-app"]


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_not_a_deployed_folder_is_not_replaced(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "apps" / "my-app"
    place.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    if kind == "link":
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.touch()
    with pytest.raises(BundleError, match="is taken"):
        deploy_bundle(pack(tmp_path, APP), tmp_path, replace=True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_home_that_is_a_file_is_an_error_to_act_on(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(BundleError) as caught:
        deploy_bundle(pack(tmp_path, APP), tmp_path / "home")
    assert "ls -ld" in caught.value.fix


def test_deployments_at_once_leave_one_whole_app(tmp_path: Path) -> None:
    first, second = pack(tmp_path, APP), _second(tmp_path)
    code = (
        "import sys; from pathlib import Path; from loom.core.bundles import deploy_bundle\n"
        "deploy_bundle(Path(sys.argv[1]), Path(sys.argv[2]), replace=True)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(tmp_path)]) for path in (first, second)
    ]
    assert [process.wait() for process in running] == [0, 0]
    assert set(_tree(tmp_path / "apps" / "my-app")) in (set(APP), {*APP, "new.txt"})


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return pack(tmp_path_factory.mktemp("raw"), APP).read_bytes()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_damage_makes_it_raise_anything_else_or_write_outside(
    tmp_path: Path, raw: bytes, damage: list[tuple[int, int]]
) -> None:
    changed = bytearray(raw)
    for place, value in damage:
        changed[-1 - place % len(raw)] = value
    path, home = tmp_path / "damaged.zip", tmp_path / "home" / "deep"
    path.write_bytes(changed)
    shutil.rmtree(home, ignore_errors=True)
    said = verify_bundle(path)
    try:
        deployed = deploy_bundle(path, home)
    except BundleError:
        assert said
        assert not list((home / "apps").glob("[!.]*"))
    else:
        assert said == []
        assert deployed.folder.is_relative_to(home / "apps")
    assert sorted(p.name for p in tmp_path.iterdir()) in (["damaged.zip"], ["damaged.zip", "home"])
