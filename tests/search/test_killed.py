"""A search that is killed goes on: the same tree, nothing that was over is touched again, and it finds its champion."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loom.search.bench import NODES
from loom.search.journal import FILE_NAME
from tests.sandbox.here import at_most
from tests.search.ground import PATIENCE_S
from tests.search.long_search import SCRIPTS

ROOT = Path(__file__).parents[2]
KILLED_AFTER = (0, 1, 2, 3, 5, 8, 13, 21, 30, 38, 40) if os.environ.get("LOOM_SOAK") else (9,)


@pytest.fixture(autouse=True)
def outer_limit() -> Iterator[None]:
    with at_most(240):
        yield


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.search.long_search", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(folder: Path, table: str, columns: str) -> list[tuple[object, ...]]:
    """Rows of the journal, in order; none where there is no journal yet."""
    try:
        with closing(sqlite3.connect(f"file:{folder / FILE_NAME}?mode=ro", uri=True)) as database:
            return database.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()
    except sqlite3.OperationalError:
        return []


def steps(folder: Path) -> list[tuple[object, ...]]:
    return told(folder, "steps", "number, node, folds, proposal")


def trials(folder: Path) -> dict[tuple[object, object], object]:
    return {(node, fold): trial for node, fold, trial in told(folder, "trials", "node, fold, trial")}


def marks(folder: Path, finished: dict[tuple[object, object], object]) -> dict[str, tuple[int, int]]:
    """What would change if a folder of a trial were made again or written to."""
    found: dict[str, tuple[int, int]] = {}
    for node, fold in finished:
        place = folder / NODES / str(node) / f"fold-{fold}"
        for path in (place, *place.iterdir()) if place.is_dir() else ():
            state = path.lstat()
            found[str(path)] = (state.st_ino, state.st_mtime_ns)
    return found


def kill_after(folder: Path, count: int) -> bool:
    """Kill a search once so many trials stand in its journal; false where it was over before."""
    process = start(folder)
    give_up = time.monotonic() + PATIENCE_S
    while process.poll() is None and (len(trials(folder)) < count or not steps(folder)):
        assert time.monotonic() < give_up, "the search does not get on"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    _, err = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), err
    return process.returncode != 0


@pytest.mark.parametrize("count", KILLED_AFTER)
def test_a_search_killed_after_any_trial_goes_on_with_the_same_tree_and_tries_nothing_again(
    tmp_path: Path, count: int
) -> None:
    if not kill_after(tmp_path, count):
        pytest.skip("NOT TESTED: the search was over before it could be killed")
    grown, finished = steps(tmp_path), trials(tmp_path)
    assert len(finished) >= count
    touched = marks(tmp_path, finished)
    assert len(touched) >= count

    again = start(tmp_path)
    out, err = again.communicate(timeout=2 * PATIENCE_S)
    assert again.returncode == 0, err
    found = json.loads(out)

    assert found["resumed"] is True
    assert found["best"] is not None and found["best"]["pathspec"]
    assert steps(tmp_path)[: len(grown)] == grown
    drafts = [node["family"] for node in found["nodes"] if node["operator"] == "draft"]
    assert drafts == [name for name, _ in SCRIPTS]
    assert {key: trials(tmp_path)[key] for key in finished} == finished
    assert marks(tmp_path, finished) == touched
    assert all(node["folds"] == found["nodes"][0]["folds"] for node in found["nodes"])
    assert not found["failures"]
