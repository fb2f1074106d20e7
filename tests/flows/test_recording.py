"""Runs that Metaflow keeps without having carried them out: its own client sees runs like any other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.settings.engine import engine_environment
from tests.dataio.metaflow_home import reading
from tests.flows.building import clean_environ, metaflow

KEEP = """
import json, sys

from loom.flows.program import import_metaflow
from loom.flows.recording import keep_run

import_metaflow()
sys.stdin.readline()
who, count = sys.argv[1], int(sys.argv[2])
logs = {"stdout": f"{who} was here\\n\\nand then gone".encode(), "stderr": "hélas\\n".encode()}
print(json.dumps([keep_run("EvalCandidate", {"who": who, "at": at}, logs) for at in range(count)]))
"""
COUNT = 4


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """A home of the embedded engine in which two processes kept runs at once: the pathspecs that each was given."""
    folder = tmp_path_factory.mktemp("recording")
    home = folder / "home"
    home.mkdir()
    environ = clean_environ(folder)
    environ |= engine_environment(home, environ)
    started = {
        who: subprocess.Popen(
            [sys.executable, "-c", KEEP, who, str(COUNT)],
            env=environ,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for who in ("one", "other")
    }
    found: dict[str, list[str]] = {}
    for process in started.values():
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for who, process in started.items():
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        found[who] = json.loads(out)
    return home, found


def test_numbers_count_up_and_two_processes_at_once_never_get_the_same(
    kept: tuple[Path, dict[str, list[str]]],
) -> None:
    _, found = kept
    numbers = {
        who: [int(name.removeprefix("EvalCandidate/")) for name in names] for who, names in found.items()
    }
    assert sorted(numbers["one"] + numbers["other"]) == list(range(1, 2 * COUNT + 1))
    assert all(taken == sorted(taken) for taken in numbers.values())


def test_the_client_sees_what_was_left_and_written_and_that_it_ended_well(
    kept: tuple[Path, dict[str, list[str]]],
) -> None:
    home, found = kept
    with reading(home):
        client: Any = metaflow()
        client.namespace(None)
        for who, names in found.items():
            for at, name in enumerate(names):
                run = client.Run(name)
                assert (run.successful, run.finished) == (True, True)
                assert run.finished_at is not None
                assert (run.data.who, run.data.at) == (who, at)
                assert run.end_task.stdout == f"{who} was here\n\nand then gone\n"
                assert run.end_task.stderr == "hélas\n"
        assert len(list(client.Flow("EvalCandidate"))) == 2 * COUNT
