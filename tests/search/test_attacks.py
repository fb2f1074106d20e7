"""Whatever a candidate does: it ends in time, gains nothing, leaves nothing, and is named."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loom.sandbox.policy import Level
from loom.search.executor import Executor
from loom.search.jobs import Finished
from tests.sandbox.here import at_most, need
from tests.search.ground import ANSWER, ATTACKS, CELL, PATIENCE_S, ROWS, Ground, result, submission_of

MIB = 1 << 20
SHORT_S = 0.4


@dataclass(frozen=True)
class Expected:
    """What becomes of an attack."""

    status: str
    kind: str | None = None
    """The type of the error, where it ends by one."""
    bounds: dict[str, float] = field(default_factory=dict)


def _named(kind: str, **bounds: float) -> Expected:
    return Expected("error", kind, bounds)


TOO_LITTLE_DISK = {"disk_bytes": 8 * MIB}
EXPECTED = {
    "loops_forever": Expected("deadline", bounds={"seconds": SHORT_S}),
    "ignores_termination": Expected("deadline", bounds={"seconds": SHORT_S}),
    "stops_itself": Expected("deadline", bounds={"seconds": SHORT_S}),
    "forks_without_end": _named("PermissionError"),
    "starts_threads_without_end": _named("TooManyThreads", memory_bytes=1 << 33),
    "takes_ten_gigabytes": Expected("memory", "MemoryError"),
    "shares_memory_with_nobody": Expected("memory", bounds={"memory_bytes": 64 * MIB}),
    "hides_memory_in_files": _named("PermissionError"),
    "writes_one_large_file": Expected("disk", "OSError", TOO_LITTLE_DISK),
    "writes_many_files": Expected("disk", bounds=TOO_LITTLE_DISK),
    "writes_files_without_names": Expected("disk", bounds=TOO_LITTLE_DISK),
    "digs_folders_without_end": Expected("disk"),
    "prints_without_end": Expected("disk"),
    "kills_its_parent": Expected("error"),
    "reads_its_parent": Expected("ok"),
    "reads_the_answers": Expected("ok"),
    "reads_another_node": Expected("ok"),
    "calls_out": Expected("ok"),
    "leaves_something_behind": Expected("ok"),
    "deletes_its_input": Expected("ok"),
    "replaces_its_folder": _named("PermissionError"),
    "leaves_without_a_word": Expected("ok"),
    "crashes": Expected("error"),
    "speaks_in_names": _named("Exception"),
}
LEVELS: tuple[Level, ...] = ("isolated", "restricted")


@pytest.fixture(autouse=True)
def outer_limit() -> Iterator[None]:
    with at_most(120):
        yield


@pytest.fixture(scope="module", params=LEVELS)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Level, Ground]:
    need(request.param)
    return request.param, Ground.at(tmp_path_factory.mktemp("attacks"))


@pytest.fixture(scope="module")
def executor(ground: tuple[Level, Ground]) -> Iterator[Executor]:
    level, place = ground
    with Executor([place.inputs], place.nodes, workers=2, seconds=300, level=level, imports=()) as executor:
        yield executor


def test_every_attack_is_expected_to_fail_in_some_way() -> None:
    assert {path.stem for path in ATTACKS.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_attack_ends_in_time_gains_nothing_leaves_nothing_and_is_named(
    name: str, executor: Executor, ground: tuple[Level, Ground]
) -> None:
    _, place = ground
    expected = EXPECTED[name]
    with _listening(place) as reached:
        job = place.job(name, (ATTACKS / f"{name}.py").read_text(), **expected.bounds)
        finished = result(executor, job)
        assert not reached()
    assert (finished.status, finished.error.get("type")) == (expected.status, expected.kind), finished
    assert finished.seconds < job.seconds + 5
    assert finished.told.get("reached") == (
        0 if "reached" in (job.folder / "solution.py").read_text() else None
    )
    assert _nothing_gained(finished, place, job.folder)
    assert _alive(executor, place, f"after-{name}")
    assert not _processes_in(job.folder)


def _nothing_gained(finished: Finished, place: Ground, folder: Path) -> bool:
    """Whether everything that was not the candidate's is as it was, and it left nothing that we would read."""
    other = place.nodes / "other" / "fold-0" / "working"
    assert (place.root / "answers.csv").read_text() == ANSWER
    assert (other / "submission.csv").read_text() == ANSWER
    assert [path.name for path in other.iterdir()] == ["submission.csv"]
    for fold in (0, 1):
        train = place.inputs / f"fold-{fold}" / "train.csv"
        assert train.read_text() == ROWS
        assert train.stat().st_mode & 0o777 and train.stat().st_nlink == 1
    assert other.stat().st_mode & 0o777
    assert submission_of(folder) is None
    assert ANSWER.encode() not in finished.stdout + finished.stderr
    assert CELL not in json.dumps([finished.error, finished.told])
    assert sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) < 64 * MIB
    return True


def _alive(executor: Executor, place: Ground, name: str) -> bool:
    return result(executor, place.job(name, "print('alive')")).stdout == b"alive\n"


def _processes_in(folder: Path) -> list[str]:
    """Processes whose working folder is the candidate's, on this whole machine."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                where = os.readlink(path / "cwd")  # noqa: PTH115 - what is gone is no path
            except OSError:
                continue
            if where.startswith(str(folder)):
                found.append(path.name)
    return found


class _listening:  # noqa: N801 - reads as a word of the test
    """A port that should never hear of the candidate; its number is in the input."""

    def __init__(self, place: Ground) -> None:
        self._context = place.inputs / "fold-0" / "ctx.json"

    def __enter__(self) -> _listening:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._context.write_text(json.dumps({"port": self._socket.getsockname()[1]}))
        return self

    def __call__(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self._socket.close()


@pytest.mark.parametrize("name", ["reads_the_answers", "reads_another_node", "deletes_its_input"])
def test_without_a_sandbox_the_attacks_on_files_succeed_so_that_they_prove_something(
    name: str, tmp_path: Path
) -> None:
    place = Ground.at(tmp_path)
    bounds = {"workers": 1, "seconds": 60, "level": "none", "allow_unsandboxed": True, "imports": ()}
    with Executor([place.inputs], place.nodes, **bounds) as executor:  # type: ignore[arg-type]
        finished = result(executor, place.job(name, (ATTACKS / f"{name}.py").read_text()))
    assert finished.status == "ok"
    assert finished.told["reached"] > 0


def test_candidates_at_once_are_ended_each_for_its_own_reason(
    executor: Executor, ground: tuple[Level, Ground]
) -> None:
    _, place = ground
    codes = {name: (ATTACKS / f"{name}.py").read_text() for name in ("loops_forever", "takes_ten_gigabytes")}
    for name, code in codes.items():
        executor.start(place.job(f"both-{name}", code, seconds=SHORT_S))
    ended: dict[str, str] = {}
    while executor.running:
        ended |= {finished.id: finished.status for finished in executor.wait(PATIENCE_S)}
    assert ended == {"both-loops_forever": "deadline", "both-takes_ten_gigabytes": "memory"}
