"""The arguments of bubblewrap: what is mounted, in which order, and what is never there."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.sandbox import bubblewrap, roots


@pytest.fixture(autouse=True)
def new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "version", lambda _: (0, 8, 0))


def _prefix(**changes: object) -> list[str]:
    asked: dict[str, object] = {"read": [], "write": [], "network": False, "scratch_bytes": 4096}
    return bubblewrap.prefix("bwrap", **(asked | changes))  # type: ignore[arg-type]


def _mounts(arguments: list[str]) -> list[tuple[str, str]]:
    """How and where, in the order in which they are made."""
    found = []
    for at, word in enumerate(arguments):
        if word in ("--ro-bind", "--bind", "--symlink"):
            found.append((word, arguments[at + 2]))
        elif word in ("--tmpfs", "--proc", "--dev"):
            found.append((word, arguments[at + 1]))
    return found


def test_every_namespace_is_its_own_and_it_dies_with_us() -> None:
    arguments = _prefix()
    for word in ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-net", "--die-with-parent"):
        assert word in arguments
    assert "--new-session" in arguments
    assert arguments[arguments.index("--cap-drop") + 1] == "ALL"
    assert "--unshare-net" not in _prefix(network=True)


def test_nothing_of_the_machine_is_mounted_but_the_system_and_what_was_given(tmp_path: Path) -> None:
    places = {place for _, place in _mounts(_prefix(write=[tmp_path]))}
    allowed = {*roots.SYSTEM, *roots.needed(False), *roots.own_code(), "/proc", "/dev", "/dev/shm", "/tmp"}
    assert places <= {*allowed, str(tmp_path)}
    assert not places & {"/", "/etc", "/home", "/root", "/var", "/run", "/sys"}


def test_what_lies_deeper_is_mounted_later(tmp_path: Path) -> None:
    (tmp_path / "working").mkdir()
    mounts = _mounts(_prefix(read=[tmp_path], write=[tmp_path / "working"]))
    order = [place for _, place in mounts]
    assert order.index("/tmp") < order.index(str(tmp_path)) < order.index(str(tmp_path / "working"))
    assert ("--ro-bind", str(tmp_path)) in mounts
    assert ("--bind", str(tmp_path / "working")) in mounts


def test_a_link_that_was_given_leads_to_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to("real")
    arguments = _prefix(write=[tmp_path / "way"])
    at = arguments.index(str(tmp_path / "way"))
    assert arguments[at - 2 : at] == ["--bind", str((tmp_path / "real").resolve())]


def test_private_folders_in_memory_are_sized_where_bubblewrap_can(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _prefix().count("--size") == 2
    assert "--size" not in _prefix(scratch_bytes=None)
    monkeypatch.setattr(bubblewrap, "version", lambda _: (0, 6, 1))
    assert "--size" not in _prefix()


def test_names_are_resolved_only_with_the_network() -> None:
    assert not {"/etc/hosts", "/etc/resolv.conf"} & {place for _, place in _mounts(_prefix())}
    if Path("/etc/hosts").exists():
        assert "/etc/hosts" in {place for _, place in _mounts(_prefix(network=True))}


def test_a_program_that_does_not_say_its_version_is_taken_for_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    (tmp_path / "silent").write_text("#!/bin/sh\n")
    (tmp_path / "silent").chmod(0o755)
    assert bubblewrap.version(str(tmp_path / "silent")) == (0,)
    assert bubblewrap.version("/no/such/bwrap") == (0,)
