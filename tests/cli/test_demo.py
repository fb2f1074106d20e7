"""`loom demo` goes from a table to a verdict, catches the leak on the way, and says where to look."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from loom.app.demo import FOLDER, VERDICT, Demo
from loom.kernel.errors import LoomError

LEFT = ("customers.csv", "report.html", "search.html", "stages.html", "verdict.html")


def test_the_demo_catches_the_leak_reaches_its_verdict_and_shows_where_to_look(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    done = subprocess.run(
        [sys.executable, "-m", "loom.cli.main", "demo", "--budget", "60s", "--steps", "3"],
        cwd=tmp_path,
        env=kept | {"HOME": str(tmp_path / "empty"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout
    assert done.returncode == 0, said + done.stderr
    assert "`final_bill` gives the answer away: whether `final_bill` is empty tells the target" in said
    assert "It was dropped before anything was built" in said
    assert f"Verdict: {VERDICT}" in said
    assert "rows sealed before anybody looked" in said
    for name in LEFT:
        assert (tmp_path / FOLDER / name).stat().st_size > 1000
        assert f"{FOLDER}/{name}" in said
    assert f"export LOOM_HOME={tmp_path / FOLDER / 'home'}" in said
    assert "deploy --validate ValidateFlow/1" in said
    assert "Traceback" not in said + done.stderr
    assert not (tmp_path / "empty").exists(), "it touches nobody's home"
    next_one = next(line for line in said.splitlines() if "show OptimizeFlow/1" in line)
    words = shlex.split(next_one, comments=True)[-2:]
    shown = subprocess.run(
        [sys.executable, "-m", "loom.cli.main", *words],
        env=kept | {"LOOM_HOME": str(tmp_path / FOLDER / "home"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith("BEST  optimize OptimizeFlow/1")


def test_a_second_demo_begins_anew(tmp_path: Path) -> None:
    demo = Demo(tmp_path / FOLDER)
    assert not demo.prepare()
    (demo.home / "journal.db").write_bytes(b"")
    (demo.folder / "notes.txt").write_text("mine")
    table = (demo.folder / "customers.csv").read_bytes()
    assert demo.prepare()
    assert not (demo.home / "journal.db").exists()
    assert (demo.folder / "notes.txt").read_text() == "mine"
    assert (demo.folder / "customers.csv").read_bytes() == table


def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file")
    with pytest.raises(LoomError, match="cannot be written"):
        Demo(tmp_path / FOLDER).prepare()
