"""Runs of compiled flows by Metaflow itself: what comes back, what is told meanwhile, what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loom.flows.dispatch import MetaflowDispatcher
from loom.flows.fork import start_warm
from loom.flows.stock import Launcher, start_stock
from loom.kernel.errors import LoomError
from loom.runtime.dispatch import Dispatched, PreparedRun
from tests.flows.building import clean_environ, phases, planned, prepared

ONE = phases({"only-this": []})
DIAMOND = phases({"first": [], "left": ["first"], "each": ["first"], "last": ["left", "each"]}, each=["each"])
DEADLINE = 60.0
Told = list[tuple[str, Mapping[str, Any]]]

# one process carries out a run and is asked to end; a test of its own process could not be
SCRIPT = """
import json, os, sys
from pathlib import Path
from loom.flows.dispatch import MetaflowDispatcher
from tests.flows.building import phases, planned, prepared
tmp = Path(sys.argv[1])
run = prepared(tmp, planned(phases({"a": [], "b": []})), json.loads(sys.argv[2]))
done = MetaflowDispatcher(run.home, dict(os.environ)).dispatch(run, lambda kind, body: None)
print(json.dumps([done.interrupted, done.failure, sorted(done.outcomes)]))
"""


def dispatched(run: PreparedRun, tmp_path: Path, launch: Launcher = start_warm) -> tuple[Dispatched, Told]:
    told: Told = []
    dispatcher = MetaflowDispatcher(run.home, clean_environ(tmp_path), launch)
    return dispatcher.dispatch(run, lambda kind, body: told.append((kind, body))), told


def until(holds: Any) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def alive_in(session: int) -> list[int]:
    """The processes of a session that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("launch", [start_stock, start_warm])
def test_phases_run_in_order_and_their_outcomes_come_back(tmp_path: Path, launch: Launcher) -> None:
    script = {
        "first": {"environ": ["LOOM_HOME", "OMP_NUM_THREADS", "METAFLOW_DATASTORE_SYSROOT_LOCAL"]},
        "each": {"items": ["x", "y"]},
        "left": {"status": "rejected"},
    }
    run = prepared(tmp_path, planned(DIAMOND), script)
    done, told = dispatched(run, tmp_path, launch)
    assert (done.failure, done.interrupted, done.pathspec) == ("", False, "ExampleFlow/1")
    assert {name: outcome.status for name, outcome in done.outcomes.items()} == {
        "first": "accepted",
        "left": "rejected",
        "each": "accepted",
        "last": "accepted",
    }
    assert [part["input"] for part in done.outcomes["each"].data] == ["x", "y"]
    seen = done.outcomes["first"].data["environ"]
    assert seen["LOOM_HOME"] == seen["METAFLOW_DATASTORE_SYSROOT_LOCAL"] == str(run.home)
    assert int(seen["OMP_NUM_THREADS"]) >= 1
    started = [body["phase"] for kind, body in told if kind == "started"]
    assert started[0] == "first" and started[-1] == "last"
    assert sorted(started[1:-1]) == ["each.0", "each.1", "left"]
    assert {body["cwd"] for kind, body in told if kind == "started"} == {str(run.home)}
    (end,) = [body for kind, body in told if kind == "finish"]
    assert end["done"] == ["each.0", "each.1", "first", "last", "left"]
    # nothing but the flow is in the folder that Metaflow packs
    assert [path.name for path in (run.folder / "flow").iterdir()] == ["example_flow.py"]


def test_inputs_arrive_typed_and_runs_are_counted(tmp_path: Path) -> None:
    inputs = "inputs: {name: {type: text}, share: {type: number}, on: {type: flag}, many: {type: columns}}"
    text = ONE.replace(
        "phases:", f"verb: {{command: e, flow: CountedFlow, tier: read-only, {inputs}}}\nphases:"
    )
    of = planned("name: example\nversion: '1'\nschema_version: 2\nrisk_level: medium\n" + text)
    given = {"name": "-ü x", "share": 0.25, "on": False, "many": ["a", "b,c"]}
    for number in ("1", "2"):
        done, told = dispatched(prepared(tmp_path, of, {}, **given), tmp_path)
        assert done.pathspec == f"CountedFlow/{number}"
        (seen,) = [body for kind, body in told if kind == "begin"]
        assert seen == {"name_input": "-ü x", "share": 0.25, "on": False, "many": ["a", "b,c"]}


def test_a_process_that_dies_is_tried_again_as_often_as_the_phase_says(tmp_path: Path) -> None:
    retried = planned(ONE.replace("depends_on: []", "depends_on: [], retries: 1"))
    done, _ = dispatched(prepared(tmp_path, retried, {"only-this": {"dies": "SIGKILL"}}), tmp_path)
    assert (done.failure, sorted(done.outcomes)) == ("", ["only-this"])
    once = planned(ONE)
    run = prepared(tmp_path / "other", once, {"only-this": {"dies": "SIGKILL"}})
    done, _ = dispatched(run, tmp_path)
    assert done.failure.startswith("Metaflow ended with status 1: Step only_this (task-id 1) failed.; see ")
    assert done.outcomes == {}
    run = prepared(tmp_path / "third", once, {"only-this": {"raises": "the disk is full"}})
    done, _ = dispatched(run, tmp_path)
    assert "step only_this: RuntimeError: the disk is full; see" in done.failure


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    run = prepared(tmp_path, planned(ONE))
    (tmp_path / "file").touch()
    blocked = PreparedRun(run.request, run.plan, tmp_path / "file" / "r", tmp_path / "file")
    with pytest.raises(LoomError, match="the flow cannot be written"):
        dispatched(blocked, tmp_path)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_asked_to_end_it_leaves_no_process_behind(tmp_path: Path, name: str) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    script = {"a": {"waits_for": str(tmp_path / "never"), "leaves": stubborn}, "b": {}}
    with launched(tmp_path, script) as process:
        tasks = tmp_path / "home" / "runs" / "r1" / "tasks"
        until(lambda: begun(tasks, "a") and (tasks / "b.json").exists())
        sessions = {os.getsid(pid_of(tasks, "a"))}
        process.send_signal(getattr(signal, name))
        out, _ = process.communicate(timeout=DEADLINE)
        assert json.loads(out) == [True, "", ["b"]]
        assert [alive_in(session) for session in sessions] == [[]]


def test_when_it_is_killed_its_tasks_end_too(tmp_path: Path) -> None:
    with launched(tmp_path, {"a": {"waits_for": str(tmp_path / "never")}, "b": {}}) as process:
        tasks = tmp_path / "home" / "runs" / "r1" / "tasks"
        until(lambda: begun(tasks, "a"))
        session = os.getsid(pid_of(tasks, "a"))
        process.kill()
        process.communicate()
        until(lambda: not alive_in(session))


def test_a_killed_runtime_is_a_failure_and_takes_its_tasks_with_it(tmp_path: Path) -> None:
    with launched(tmp_path, {"a": {"waits_for": str(tmp_path / "never")}, "b": {}}) as process:
        tasks = tmp_path / "home" / "runs" / "r1" / "tasks"
        until(lambda: begun(tasks, "a"))
        session = os.getsid(pid_of(tasks, "a"))
        os.kill(session, signal.SIGKILL)
        out, _ = process.communicate(timeout=DEADLINE)
        interrupted, failure, _ = json.loads(out)
        assert not interrupted and failure.startswith("Metaflow was ended by SIGKILL")
        assert alive_in(session) == []


def test_a_second_dispatch_tells_only_what_is_new(tmp_path: Path) -> None:
    run = prepared(tmp_path, planned(ONE))
    _, told = dispatched(run, tmp_path)
    done, again = dispatched(run, tmp_path)
    assert done.pathspec == "ExampleFlow/2"
    assert sorted(kind for kind, _ in told) == sorted(kind for kind, _ in again)


@contextmanager
def launched(tmp_path: Path, script: Mapping[str, Any]) -> Iterator[subprocess.Popen[str]]:
    root = Path(__file__).parents[2]
    environ = clean_environ(tmp_path)
    environ["PYTHONPATH"] += os.pathsep + str(root)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), json.dumps(script)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def begun(tasks: Path, phase: str) -> bool:
    file = tasks / f"{phase}.events.jsonl"
    return file.exists() and "\n" in file.read_text()


def pid_of(tasks: Path, phase: str) -> int:
    first = json.loads((tasks / f"{phase}.events.jsonl").read_text().splitlines()[0])
    return int(first["body"]["pid"])
