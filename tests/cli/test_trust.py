"""`loom trust`: what it takes before a workspace package replaces another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Loom

NOTE = "name: eda\nschema_version: 2\nrisk_level: low\nphases:\n  - {id: mine, description: Write it.}\n"


@pytest.fixture
def shadow(here: Path) -> Path:
    """A workspace package called like a builtin one."""
    folder = here / "loom-processes" / "eda"
    folder.mkdir(parents=True)
    (folder / "process.yaml").write_text(NOTE)
    return folder


def test_a_fresh_home_trusts_nothing_and_says_how(loom: Loom, tmp_path: Path) -> None:
    answer = loom("trust", "list")
    assert (answer.code, answer.out) == (0, "no folder is trusted; `loom trust add DIR` adds one\n")
    assert not (tmp_path / "home").exists()


def test_the_refusal_names_both_packages_and_a_command_that_settles_it(shadow: Path, loom: Loom) -> None:
    refused = loom("process", "show", "eda")
    assert (refused.code, refused.out) == (2, "")
    assert "loom-processes/eda/process.yaml would replace" in refused.err
    assert "builtin/eda/process.yaml" in refused.err
    command = refused.err.rsplit("fix: loom ", 1)[1].split()
    assert command == ["trust", "add", "loom-processes/eda"]
    added = loom(*command)
    assert added.code == 0
    assert added.out.startswith(f"trusted {shadow} as it is now (sha256:")
    assert "mine" in loom("process", "show", "eda").out


def test_a_change_after_trusting_is_noticed_everywhere(shadow: Path, loom: Loom) -> None:
    loom("trust", "add", str(shadow))
    assert loom("trust", "list").out == f"trusted  {shadow}\n"
    (shadow / "tools").mkdir()
    (shadow / "tools" / "x.py").write_text("")
    assert loom("trust", "list").out == f"changed  {shadow}\n"
    assert loom("process", "show", "eda").code == 2
    assert "not trusted" in loom("process", "list").out


def test_removing_takes_it_back_and_works_for_a_folder_that_is_gone(shadow: Path, loom: Loom) -> None:
    loom("trust", "add", "loom-processes/eda")
    (shadow / "process.yaml").unlink()
    shadow.rmdir()
    assert loom("trust", "list").out == f"changed  {shadow}\n"
    assert loom("trust", "remove", "loom-processes/eda").out == "no longer trusted: loom-processes/eda\n"
    again = loom("trust", "remove", "loom-processes/eda")
    assert (again.code, again.out) == (2, "")
    assert "no folder is trusted" in loom("trust", "list").out


@pytest.mark.parametrize("words", [["add"], ["remove"], ["add", "a", "b"], ["list", "x"], ["add", "missing"]])
def test_bad_arguments_are_exit_2_and_change_nothing(words: list[str], loom: Loom) -> None:
    answer = loom("trust", *words)
    assert (answer.code, answer.out) == (2, "")
    assert len(answer.err.splitlines()) == 3
    assert "no folder is trusted" in loom("trust", "list").out


def test_a_file_can_be_trusted_no_more_than_a_missing_folder(here: Path, loom: Loom) -> None:
    (here / "file").write_text("")
    answer = loom("trust", "add", "file")
    assert (answer.code, answer.out) == (2, "")
