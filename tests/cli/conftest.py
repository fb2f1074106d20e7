"""A command line to type into: an empty folder, an empty home, and what came back."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from loom.cli.main import main
from tests.cli.calls import Calls


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


Loom = Callable[..., Answer]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, with an empty home beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in list(os.environ):
        if name.startswith(("LOOM_", "_LOOM_")) or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LOOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    return folder


@pytest.fixture
def loom(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Loom:
    """Type words after `loom`, in this process."""

    def type_words(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["loom", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return Answer(int(left.value.code or 0), said.out, said.err)

    return type_words


@pytest.fixture
def calls(here: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The runtime, replaced by one that remembers what it was asked for."""
    fake = Calls()
    monkeypatch.setattr("loom.app.run.carry_out", fake.carry_out)
    monkeypatch.setattr("loom.app.run.preview", fake.show)
    return fake
