"""Several commands at once, and commands that are cut short: as a person does it, with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.packages import ONE, write_package

LOOM = [sys.executable, "-m", "loom.cli.main"]
TABLE = "a,b,y\n" + "".join(f"{n},{n * 7 % 13},{n % 2}\n" for n in range(50))
HANGING = "{word: {type: text, default: hello}, mark: {type: text, required: true}, until: {type: text, required: true}}"
WAITS = "- {id: only, description: Wait., run: {tool: say, args: {word: x, mark: '${inputs.mark}', until: '${inputs.until}'}}}"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    return kept | {"HOME": str(tmp_path), "LOOM_HOME": str(tmp_path / "home")}


def start(words: list[str], environ: dict[str, str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*LOOM, *words],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def test_two_ingests_and_a_run_at_once_on_one_home_are_all_right(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    (tmp_path / "one.csv").write_text(TABLE)
    (tmp_path / "two.csv").write_text(TABLE.replace("a,b,y", "c,d,y"))
    package = write_package(tmp_path, ONE, last="only")
    started = [
        start(["ingest", "--source", "one.csv", "--target", "y", "--json"], environ, tmp_path),
        start(["ingest", "--source", "two.csv", "--target", "y", "--json"], environ, tmp_path),
        start(["--process", str(package), "--input", "word=hi", "--json"], environ, tmp_path),
    ]
    one, two, other = (answer(process) for process in started)
    assert {one["pathspec"], two["pathspec"]} == {"IngestDataset/1", "IngestDataset/2"}
    assert (one["summary"]["name"], two["summary"]["name"]) == ("one", "two")
    assert other["summary"] == {"said": "hi"}
    listed = answer(start(["datasets", "--json"], environ, tmp_path))["summary"]["datasets"]
    assert {(each["pathspec"], each["name"]) for each in listed} == {
        (one["pathspec"], "one"),
        (two["pathspec"], "two"),
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_an_interrupted_command_leaves_no_process_and_can_be_resumed(
    number: signal.Signals, tmp_path: Path, environ: dict[str, str]
) -> None:
    package = write_package(tmp_path, WAITS, last="only", inputs=HANGING)
    mark, until = tmp_path / "mark", tmp_path / "until"
    inputs = ["--input", f"mark={mark}", "--input", f"until={until}"]
    process = start(["--process", str(package), *inputs, "--json"], environ, tmp_path)
    wait_for(mark.exists)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert _named(str(tmp_path / "home")) == []
    until.write_text("")
    resumed = start(["resume", "last", "--json"], environ, tmp_path)
    assert answer(resumed)["VERDICT"] == "OK"


def test_whichever_process_of_a_run_is_killed_it_can_be_resumed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    """The command, Metaflow's runtime, the warm server, a task and its client: each in a run of its own."""
    package = write_package(tmp_path, WAITS, last="only", inputs=HANGING)
    killed = 0
    while True:
        home, mark, until = (tmp_path / f"{name}-{killed}" for name in ("home", "mark", "until"))
        own = environ | {"LOOM_HOME": str(home)}
        inputs = ["--input", f"mark={mark}", "--input", f"until={until}"]
        process = start(["--process", str(package), *inputs, "--json"], own, tmp_path)
        wait_for(mark.exists)
        pids = sorted(pid for pid, _ in _processes(str(home)))
        if killed == len(pids):
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            break
        os.kill(pids[killed], signal.SIGKILL)
        process.communicate(timeout=120)
        wait_for(lambda home=home: _named(str(home)) == [])  # type: ignore[misc]
        until.write_text("")
        resumed = answer(start(["resume", "last", "--json"], own, tmp_path))
        assert resumed["VERDICT"] == "OK", f"process {killed} of {len(pids)} was killed"
        killed += 1
    assert killed >= 4


def test_a_killed_ingest_registers_nothing_and_can_be_resumed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    rows = "".join(f"{n},{n * 7 % 13},{n % 2}\n" for n in range(200_000))
    (tmp_path / "big.csv").write_text("a,b,y\n" + rows)
    process = start(["ingest", "--source", "big.csv", "--target", "y"], environ, tmp_path)
    wait_for(lambda: any((tmp_path / "home" / "runs").glob("*/tasks/register.events.jsonl")))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    wait_for(lambda: _named(str(tmp_path / "home")) == [])
    assert answer(start(["datasets", "--json"], environ, tmp_path))["summary"]["datasets"] == []
    resumed = answer(start(["resume", "last", "--json"], environ, tmp_path))
    assert resumed["summary"]["n_rows"] == 200_000
    assert resumed["summary"]["dataset_ref"] == resumed["pathspec"]
    listed = answer(start(["datasets", "--json"], environ, tmp_path))["summary"]["datasets"]
    assert [each["pathspec"] for each in listed] == [resumed["pathspec"]]


def _named(part: str) -> list[str]:
    """The processes whose words or environment name a folder."""
    return [words for _, words in _processes(part)]


def _processes(part: str) -> list[tuple[int, str]]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            words = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
        except OSError:
            continue
        if state != "Z" and part.encode() + b"\0" in words + b"\0":
            said = words.split(b"\0\0")[0].replace(b"\0", b" ").decode(errors="replace")[:200]
            found.append((int(entry.name), said))
    return found
