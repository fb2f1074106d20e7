"""Whether a run's process is still there, told apart from others that get its number."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loom.runtime import owner as module
from loom.runtime.owner import is_alive, owner


def child(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def owner_of(process: subprocess.Popen[bytes]) -> dict[str, object]:
    return {**owner(), "pid": process.pid, "started": module._started(process.pid)}


def test_this_process_is_alive() -> None:
    assert owner()["pid"] == os.getpid()
    assert is_alive(owner())


def test_nothing_that_a_process_does_changes_when_it_started() -> None:
    before = owner()
    with mmap.mmap(-1, 64 * 1024 * 1024) as memory:
        memory[::4096] = b"x" * len(range(0, len(memory), 4096))
        assert owner() == before


def test_another_process_is_alive_until_it_ends() -> None:
    with child("input()") as process:
        whose = owner_of(process)
        assert is_alive(whose)
        process.communicate(b"\n", timeout=60)
    assert not is_alive(whose)


def test_a_process_that_ended_and_was_not_waited_for_is_gone() -> None:
    process = child("input()")
    try:
        whose = owner_of(process)
        assert is_alive(whose)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(whose)
    finally:
        process.communicate(timeout=60)


def test_a_later_process_with_the_same_number_is_somebody_else() -> None:
    assert not is_alive({**owner(), "started": "1"})
    assert not is_alive({**owner(), "started": None})


def test_a_process_from_before_the_machine_was_restarted_is_gone() -> None:
    assert not is_alive({**owner(), "boot": "another"})


@pytest.mark.parametrize("of", [{}, {"pid": None}, {"pid": "1"}, {"pid": 1}])
def test_who_is_not_known_is_gone(of: dict[str, object]) -> None:
    assert not is_alive(of)


def test_the_name_of_a_program_may_hold_anything(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    program.symlink_to(sys.executable)
    code = "import ctypes; ctypes.CDLL(None).prctl(15, b'x) Z 1 (y', 0, 0, 0); print(flush=True); input()"
    with child(code) as process:
        assert process.stdout is not None and process.stdout.readline()
        assert is_alive(owner_of(process))
        assert str(module._started(process.pid)).isdigit()
        process.communicate(b"\n", timeout=60)


def test_where_nobody_says_when_processes_start_the_number_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BOOT", Path("/nowhere"))
    monkeypatch.setattr(module, "_started", lambda pid: None)
    assert owner() == {"pid": os.getpid(), "started": None, "boot": None}
    assert is_alive(owner())


def test_a_process_that_may_not_be_looked_at_is_taken_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert is_alive(owner())
