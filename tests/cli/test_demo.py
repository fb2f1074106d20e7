"""`make demo` types commands that work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.app import demo
from tests.cli.conftest import Loom


def test_every_step_prints_something_and_none_fails_to_run(here: Path, loom: Loom) -> None:
    (here / "churn-report.yaml").write_text(demo.BROKEN)
    for title, words in demo.STEPS:
        answer = loom(*words)
        assert answer.code in (0, 1), f"{title}\n{answer.err}"
        assert answer.out.strip() and not answer.err


def test_the_broken_package_shows_several_kinds_of_mistakes_and_some_are_repaired(
    here: Path, loom: Loom
) -> None:
    (here / "churn-report.yaml").write_text(demo.BROKEN)
    before = loom("process", "check", "churn-report.yaml").out.count("error[")
    fixed = loom("process", "check", "--fix", "churn-report.yaml").out
    assert before > fixed.count("error[") >= 1
    assert fixed.rstrip().endswith("repaired")


def test_the_demo_works_in_a_scratch_folder_and_touches_no_home(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed: list[list[str]] = []

    def run(command: list[str], *, cwd: Path, env: dict[str, str], check: bool) -> Any:
        typed.append(command)
        assert (cwd / "churn-report.yaml").read_text() == demo.BROKEN
        assert Path(env["LOOM_HOME"]).parent == cwd

    monkeypatch.setattr(subprocess, "run", run)
    demo.demo()
    assert typed == [[sys.executable, "-m", "loom.cli.main", *words] for _, words in demo.STEPS]
    said = capsys.readouterr().out
    assert all(f"$ loom {' '.join(words)}\n" in said for _, words in demo.STEPS)
