"""Processes of cases: several at a time, and none left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from loom.app.package_tests.pool import Ended, Job, carry_out_all
from tests.app.package_tests.packages import is_alive, number_in, wait_until

GOOD = 'print(\'{"exit_code": 0, "reason": "", "strays": 0, "seconds": 0.5}\')'
PATIENT = """
import os, pathlib, sys
pathlib.Path(sys.argv[1], "pid").write_text(str(os.getpid()))
sys.stdin.read()
"""


def keeper(code: str) -> tuple[str, ...]:
    """A keeper that does what a test says."""
    return (sys.executable, "-I", "-c", code)


def jobs(folder: Path, count: int, started: list[int] | None = None) -> list[Callable[[], Job]]:
    """So many jobs, each in a folder of its own."""

    def start(number: int) -> Job:
        (folder / str(number)).mkdir()
        if started is not None:
            started.append(number)
        return Job(folder / str(number), 5, dict(os.environ), folder)

    return [partial(start, number) for number in range(count)]


def test_every_job_is_carried_out_once(tmp_path: Path) -> None:
    ended = dict(carry_out_all(jobs(tmp_path, 5), 2, keeper(GOOD)))
    assert ended == {number: Ended(0, "", 0, 0.5) for number in range(5)}


def test_a_keeper_that_is_killed_loses_its_case_and_no_other(tmp_path: Path) -> None:
    code = f"import os, sys\nif sys.argv[1].endswith('1'): os.kill(os.getpid(), 9)\n{GOOD}"
    ended = dict(carry_out_all(jobs(tmp_path, 3), 3, keeper(code)))
    assert [ended[number].reason for number in range(3)] == ["", "lost", ""]


def test_no_more_run_at_once_than_may(tmp_path: Path) -> None:
    started: list[int] = []
    seen = [len(started) for _ in carry_out_all(jobs(tmp_path, 4, started), 1, keeper(GOOD))]
    assert seen == [1, 2, 3, 4]


def test_whoever_leaves_early_leaves_nothing_running(tmp_path: Path) -> None:
    first = f"import sys\nif sys.argv[1].endswith('0'): {GOOD}; sys.exit()\n{PATIENT}"
    running = carry_out_all(jobs(tmp_path, 3), 3, keeper(first))
    assert next(running) == (0, Ended(0, "", 0, 0.5))
    files = [tmp_path / "1" / "pid", tmp_path / "2" / "pid"]
    wait_until(lambda: all(number_in(file) for file in files))
    running.close()
    assert not any(is_alive(number_in(file)) for file in files)


def test_a_job_that_cannot_be_laid_out_ends_those_that_run(tmp_path: Path) -> None:
    def refuse() -> Job:
        wait_until(lambda: number_in(tmp_path / "0" / "pid") > 0)
        raise ValueError("no room")

    with pytest.raises(ValueError, match="no room"):
        list(carry_out_all([*jobs(tmp_path, 1), refuse], 2, keeper(PATIENT)))
    assert not is_alive(number_in(tmp_path / "0" / "pid"))
