"""The root command: what it says, and which exit code each kind of outcome has."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

import loom as package
from loom.cli.context import CURRENT
from loom.cli.main import GROUPS, OVERVIEW, RUNS
from loom.cli.verbs import catalogue
from tests.cli.conftest import Loom

BIN = str(Path(sys.executable).parent / "loom")
ESCAPE = "\x1b"
GOOD = "name: note\nrisk_level: low\nphases:\n  - {id: a, description: Write it.}\n"
BAD = "name: note\nphases:\n  - {id: a, description: Write it., depends_on: [b]}\n"

SETUP_FAILURES: list[tuple[list[str], str]] = [
    (["nonsense"], "no such command 'nonsense'"),
    (["--nonsense"], "no such option: --nonsense"),
    (["-w"], "requires an argument"),
    (["-w", "missing", "process", "list"], "missing is not a folder"),
    (["process", "chek"], "no such command 'chek'"),
    (["process", "check"], "missing argument 'PATH'"),
    (["process", "check", "--format"], "requires an argument"),
    (["process", "check", "--format", "xml", "x"], "invalid value for '--format'"),
    (["process", "check", "nobody"], "no process is called nobody"),
    (["process", "check", ""], "no package is named"),
    (["process", "show", "nobody"], "no process is called nobody"),
    (["process", "show", "no/body"], "no/body does not exist"),
    (["process", "show", "."], ". is not a package"),
    (["process", "show", "x" * 300], "no process is called"),
    (["process", "show", "x" * 300 + "/y"], "has 1 error"),
    (["process", "show", "~nobody-here/x"], "does not exist"),
    (["process", "plan", "nobody"], "no process is called nobody"),
    (["process", "graph", "nobody"], "no process is called nobody"),
    (["process", "explain", "nobody", "name"], "no process is called nobody"),
    (["process", "explain", "eda"], "missing argument 'KEYPATH'"),
    (["process", "test", "train"], "the tests of train cannot run"),
    (["process", "test", "nobody"], "no process is called nobody"),
    (["process", "new", "../x"], "cannot be a package's name"),
    (["process", "new", "a", "b"], "got unexpected extra argument"),
    (["process", "new", "a", "-t", "poem"], "invalid value for '--template'"),
    (["process", "migrate", "missing.yaml"], "missing.yaml has 1 error"),
    (["process", "schema", "--out", "no/where.json"], "no/where.json cannot be written"),
    (["explain", "LM999"], "no rule has the code LM999"),
    (["explain", ""], "no rule has the code"),
    (["explain"], "missing argument 'CODE'"),
    (["config", "explain", "model.tier1"], "no setting is called `model.tier1`"),
    (["trust", "add", "missing"], "missing"),
    (["trust", "remove", "missing"], "is not in the trust store"),
    (["eda"], "missing option '--dataset'"),
    (["eda", "--dataset", "IngestDataset/7", "--mlops", "local"], "loom eda has no local way to run"),
    (["eda", "--config", "missing.yaml"], "missing.yaml does not exist"),
    (["eda", "--dataset", "IngestDataset/7", "--attach", "missing"], "missing cannot be attached"),
    (["eda", "--dataset", "IngestDataset/7", "--events", "no/where"], "no/where cannot be written"),
    (["-w", "missing", "eda", "--dataset", "IngestDataset/7"], "missing is not a folder"),
    (["optimize", "--seed", "many"], "--seed"),
    (["--process", "eda", "--input", "datset=x"], "no input is called `datset`"),
    (["--process", "eda", "find the leaks", "--input", "dataset"], "`dataset` is not an input"),
    (["--process", "eda", "find", "leaks"], "got unexpected extra argument"),
    (["--process"], "requires an argument"),
    (["--process", "nobody"], "no process is called nobody"),
    (["--process", ""], "no package is named"),
    (["show", "IngestDataset/7"], "no run is called IngestDataset/7"),
    (["show", "last"], "there is no last run"),
    (["logs", ""], "no run is called"),
    (["events", "last"], "there is no last run"),
    (["resume", "run-0"], "no run is called run-0"),
    (["runs", "--limit", "0"], "invalid value for '--limit'"),
    (["gc", "--keep", "-1"], "-1 runs cannot be kept"),
    (["compile", "nobody"], "no process is called nobody"),
]


def test_loom_alone_says_what_can_be_done_next(loom: Loom) -> None:
    answer = loom()
    assert (answer.code, answer.out, answer.err) == (0, OVERVIEW, "")
    for line in re.findall(r"^  loom (.+?)  +", answer.out, re.MULTILINE):
        assert line.split()[0] in (*GROUPS, *RUNS, *catalogue(), "--help")


def test_version_is_one_line(loom: Loom) -> None:
    answer = loom("--version")
    assert (answer.code, answer.out) == (0, f"loom {package.__version__}\n")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_groups_and_verbs_in_sections_without_cutting_a_line_short(flag: str, loom: Loom) -> None:
    answer = loom(flag)
    assert answer.code == 0
    packages, rest = answer.out.split("Packages:\n")[1].split("Runs:\n")
    runs, verbs = rest.split("Verbs:\n")
    assert re.findall(r"^  ([\w-]+)  ", packages, re.MULTILINE) == list(GROUPS)
    assert re.findall(r"^  ([\w-]+)  ", runs, re.MULTILINE) == list(RUNS)
    assert re.findall(r"^  ([\w-]+)  ", verbs, re.MULTILINE) == list(catalogue())
    assert "..." not in packages + runs + verbs
    for code in ("0 ran", "1 ran", "2 setup", "130 interrupted"):
        assert code in " ".join(answer.out.split())


@pytest.mark.parametrize("words", [["process"], ["trust"], ["config"]])
def test_a_group_without_a_command_answers_with_its_help(words: list[str], loom: Loom) -> None:
    answer = loom(*words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == loom(*words, "--help").out


@pytest.mark.parametrize(("words", "what"), SETUP_FAILURES, ids=[" ".join(w)[:40] for w, _ in SETUP_FAILURES])
def test_a_setup_failure_is_three_lines_on_stderr_and_exit_2(words: list[str], what: str, loom: Loom) -> None:
    answer = loom(*words)
    assert (answer.code, answer.out) == (2, "")
    lines = answer.err.splitlines()
    assert lines[0].startswith("error: ") and what in lines[0]
    assert [line for line in lines if line.startswith("  why: ")]
    assert lines[-1].startswith("  fix: ")
    assert len(lines) == 3 or "error[LM101]" in answer.err


@pytest.mark.parametrize(
    ("typed", "meant"), [("proces", "process"), ("validte", "validate"), ("trus", "trust")]
)
def test_an_unknown_command_gets_the_nearest_one(typed: str, meant: str, loom: Loom) -> None:
    answer = loom(typed)
    assert answer.code == 2
    assert f"did you mean '{meant}'" in answer.err
    assert f"fix: loom {meant} --help" in answer.err


def test_an_unknown_name_gets_the_nearest_one(loom: Loom) -> None:
    assert "did you mean ds-lifecycle?" in loom("process", "show", "ds-lifecycel").err


def test_exit_codes_tell_acceptable_from_not_acceptable_from_not_done(here: Path, loom: Loom) -> None:
    (here / "good.yaml").write_text(GOOD)
    (here / "bad.yaml").write_text(BAD)
    (here / "folder").mkdir()
    assert loom("process", "check", "good.yaml").code == 0
    assert loom("process", "check", "bad.yaml").code == 1
    assert loom("process", "check", "good.yaml", "bad.yaml").code == 1
    assert loom("process", "check", "missing.yaml").code == 2
    assert loom("process", "check", "bad.yaml", "missing.yaml").code == 2
    assert loom("process", "check", "folder").code == 2


def test_an_interrupt_is_exit_130(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(monkeypatch, KeyboardInterrupt())
    answer = loom("explain", "LM301")
    assert (answer.code, answer.out, answer.err) == (130, "", "")


def _raise(error: BaseException) -> NoReturn:
    raise error


def _broken(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    monkeypatch.setattr("loom.cli.explain.explain_rule", lambda code: _raise(error))


def test_a_bug_becomes_a_file_whose_path_is_printed(
    loom: Loom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    _broken(monkeypatch, ZeroDivisionError("seven by nothing"))
    answer = loom("explain", "LM301")
    assert (answer.code, answer.out) == (2, "")
    assert "Traceback" not in answer.err
    assert "ZeroDivisionError: seven by nothing" in answer.err
    file = Path(answer.err.rsplit(" ", 1)[1].strip())
    assert file.parent == tmp_path
    text = file.read_text()
    assert "Traceback" in text and "LM301" in text and package.__version__ in text


def test_a_bug_is_shown_whole_when_no_file_can_be_made(
    loom: Loom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    _broken(monkeypatch, ZeroDivisionError("seven by nothing"))
    answer = loom("explain", "LM301")
    assert answer.code == 2
    assert "Traceback" in answer.err


def test_a_full_disk_behind_the_output_is_no_bug(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    _broken(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    answer = loom("explain", "LM301")
    assert answer.code == 2
    assert answer.err.startswith("error: the output cannot be written\n  why: no space left on device")


def test_a_folder_that_was_removed_is_no_bug(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getcwd", lambda: _raise(FileNotFoundError(errno.ENOENT, "gone")))
    answer = loom("process", "list")
    assert answer.code == 2
    assert "the current folder is gone" in answer.err


def _shell(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line],
        env=os.environ | {"LOOM": BIN} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reader_that_has_gone_is_answered_with_silence(here: Path) -> None:
    # more than a pipe holds, so that the write does meet the closed end
    ran = _shell('"$LOOM" process schema | true; echo "${PIPESTATUS[0]}"')
    assert (ran.stdout, ran.stderr) == ("2\n", "")


def test_a_full_output_device_is_said_in_three_lines(here: Path) -> None:
    ran = _shell('"$LOOM" --version > /dev/full')
    assert ran.returncode == 2
    assert [line.split(":")[0] for line in ran.stderr.splitlines()] == ["error", "  why", "  fix"]


def test_a_terminal_without_the_character_gets_its_number(here: Path) -> None:
    ran = _shell('"$LOOM" process list', PYTHONIOENCODING="latin-1", COLUMNS="80")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\\u2026\n" in ran.stdout


def test_nothing_is_coloured_off_a_terminal(here: Path, loom: Loom) -> None:
    (here / "bad.yaml").write_text(BAD)
    for words in (["process", "check", "bad.yaml"], ["process", "list"], ["--help"], ["nonsense"]):
        answer = loom(*words)
        assert ESCAPE not in answer.out + answer.err


@pytest.mark.parametrize(
    ("environ", "flags", "coloured"),
    [
        ({}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": ""}, [], True),
        ({"TERM": "dumb"}, [], False),
        ({}, ["--no-color"], False),
    ],
    ids=["terminal", "NO_COLOR", "empty NO_COLOR", "dumb", "--no-color"],
)
def test_a_terminal_gets_colour_unless_somebody_says_no(
    environ: dict[str, str], flags: list[str], coloured: bool, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(CURRENT, "no_color", bool(flags))
    monkeypatch.setattr(sys, "stdout", _Terminal())
    assert CURRENT.color() is coloured


class _Terminal:
    def isatty(self) -> bool:
        return True


def test_a_closed_output_takes_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert CURRENT.color() is False


STEERING = "\x1b[31m\x07"


@pytest.mark.parametrize(
    "words",
    [
        ["process", "show", STEERING],
        ["process", "check", f"{STEERING}.yaml"],
        ["process", "new", STEERING],
        ["process", "explain", "eda", STEERING],
        ["process", "schema", "-o", f"{STEERING}/x"],
        ["-w", STEERING, "process", "list"],
        ["trust", "add", STEERING],
        ["config", "explain", STEERING],
        ["explain", STEERING],
        [STEERING],
        [f"--{STEERING}"],
        ["process", "graph", "eda", "-f", STEERING],
    ],
    ids=" ".join,
)
def test_a_word_that_was_typed_cannot_steer_the_terminal(
    words: list[str], loom: Loom, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as on a terminal, where nothing strips escapes
    monkeypatch.setattr(
        "typer.echo", lambda text="", err=False, nl=True: print(text, file=sys.stderr if err else None)
    )
    answer = loom(*words)
    assert answer.code == 2
    assert ESCAPE not in answer.out + answer.err and "\x07" not in answer.out + answer.err


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_name_that_is_no_text_is_still_a_name(form: str, here: Path) -> None:
    name = os.fsdecode(b"\xff.yaml")
    (here / name).write_text(BAD)
    ran = subprocess.run(
        [BIN, "process", "check", "--format", form, name], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "ff" in ran.stdout.lower()


def test_the_workspace_option_is_where_names_and_paths_are_looked_up(here: Path, loom: Loom) -> None:
    package_folder = here / "elsewhere" / "loom-processes" / "note"
    package_folder.mkdir(parents=True)
    (package_folder / "process.yaml").write_text(GOOD)
    assert loom("process", "show", "note").code == 2
    assert loom("-w", "elsewhere", "process", "show", "note").code == 0
    for reference in ("note", "loom-processes/note", "loom-processes/note/process.yaml", "loom-processes"):
        assert loom("-w", "elsewhere", "process", "check", reference).code == 0


def test_a_file_is_no_workspace(here: Path, loom: Loom) -> None:
    (here / "file").write_text("")
    answer = loom("-w", "file", "process", "list")
    assert (answer.code, answer.err.splitlines()[0]) == (2, "error: file is not a folder")


def test_quiet_prints_results_only(here: Path, loom: Loom) -> None:
    assert loom("-q", "process", "new", "mine").out == "created mine\n"
    assert loom("process", "check", "mine").out == "1 file checked: no findings\n"
    assert loom("-q", "process", "check", "mine").out == ""
