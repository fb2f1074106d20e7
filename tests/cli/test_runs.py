"""`loom runs|show|logs|events|resume|gc|compile`, as somebody would type them."""

from __future__ import annotations

import ast
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loom.cli import options
from loom.settings.engine import engine_environment
from tests.app.past import Past
from tests.cli.calls import Calls
from tests.cli.conftest import Loom

PHASE = {
    "phase": "profile",
    "status": "accepted",
    "seconds": 1.0,
    "attempts": 2,
    "output": "3 rows",
    "reasons": [],
}
BAD = {**PHASE, "status": "rejected", "reasons": [{"code": "x", "what": "the file is gone"}]}
STARTED = ("run_started", {"verb": "eda", "flow": "EdaFlow", "phases": ["profile"]})
ENDED = ("phase_finished", {"phase": "profile", "status": "accepted", "seconds": 1.0})


@pytest.fixture
def past(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Past]:
    """What was run in the home of this test; times are shown in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield Past(tmp_path / "home")
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Metaflow keeps of runs, by pathspec; its configuration is that of before once the test has ended."""
    for name in engine_environment(Path("home"), {}):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    found: dict[str, Any] = {}
    monkeypatch.setattr("loom.dataio.metaflow_runs.left_by", found.get)
    return found


@pytest.mark.parametrize(
    "words", [["runs"], ["runs", "--json"], ["gc"], ["gc", "--json"], ["gc", "--keep", "3"]], ids=" ".join
)
def test_where_nothing_was_run_there_is_an_empty_answer_and_nothing_is_created(
    words: list[str], loom: Loom, tmp_path: Path
) -> None:
    answer = loom(*words)
    assert (answer.code, answer.err) == (0, "")
    if "--json" in words:
        told = json.loads(answer.out)
        assert told.get("runs", told.get("freed")) == []
    else:
        assert answer.out.startswith(("no runs yet", "nothing to free"))
    assert not (tmp_path / "home").exists()


def test_runs_are_a_table_with_the_newest_first(past: Past, loom: Loom) -> None:
    past.run("IngestDataset/1", "ingest", seconds=75)
    past.run("EdaFlow/1", verdict="FLAGGED")
    past.run("ValidateFlow/1", "validate", status="running")
    assert loom("runs").out.splitlines() == [
        "run              verb      outcome      experiment   started              took",
        "ValidateFlow/1   validate  interrupted  loom-abc123  2023-11-14 22:14:37  2.0 s",
        "EdaFlow/1        eda       FLAGGED      loom-abc123  2023-11-14 22:14:35  2.0 s",
        "IngestDataset/1  ingest    OK           loom-abc123  2023-11-14 22:13:20  1 min 15 s",
    ]
    assert loom("runs", "-n", "1").out.count("\n") == 2


def test_runs_for_machines_have_the_same_fields_whatever_became_of_them(past: Past, loom: Loom) -> None:
    past.run("EdaFlow/1", verdict="FLAGGED")
    past.running("EdaFlow/2")
    told = json.loads(loom("runs", "--json").out)
    assert told["schema_version"] == 1
    assert [(run["pathspec"], run["status"], run["verdict"]) for run in told["runs"]] == [
        ("EdaFlow/2", "running", None),
        ("EdaFlow/1", "ok", "FLAGGED"),
    ]
    assert set(told["runs"][0]) == set(told["runs"][1])


def test_an_alias_finds_the_runs_of_its_verb(past: Past, loom: Loom) -> None:
    past.run("OptimizeFlow/1", "optimize", verdict="BEST")
    assert "OptimizeFlow/1" in loom("runs", "--name", "run").out


def test_a_filter_that_finds_nothing_says_what_there_is(past: Past, loom: Loom) -> None:
    past.run("EdaFlow/1")
    assert loom("runs", "--name", "eda").out.count("EdaFlow/1") == 1
    assert loom("runs", "--name", "edda").out == "no runs of edda; there are runs of eda\n"
    assert json.loads(loom("runs", "--experiment", "loom-zzzzzz", "--json").out)["runs"] == []


def test_show_says_what_ran_on_what_under_which_policy_and_how_it_ended(past: Past, loom: Loom) -> None:
    leak = {"code": "leak", "severity": "warning", "what": "id knows the answer"}
    past.run(
        "EdaFlow/1",
        verdict="FLAGGED",
        reads=("IngestDataset/1",),
        phases=[PHASE],
        summary={"n_rows": 3},
        reasons=[leak],
        next=["loom features"],
        card_path="/x/card.html",
    )
    out = loom("show", "EdaFlow/1").out
    assert out.startswith("FLAGGED  eda EdaFlow/1\n")
    for line in (
        "process     eda 0.1.0",
        "tier        read-only",
        "plan        ab12",
        "reads       IngestDataset/1",
        "--dataset  IngestDataset/1",
    ):
        assert f"\n{line}\n" in out
    assert re.search(r"^profile +accepted +1.0 s +2$", out, re.MULTILINE)
    assert out.endswith(
        "rows  3\n\nwarning  id knows the answer\n\ncard  /x/card.html\nnext  loom features\n"
    )
    told = json.loads(loom("show", "last", "--json").out)
    assert told["pathspec"] == "EdaFlow/1"
    assert "secret" not in out + json.dumps(told)


def test_the_page_of_a_run_is_the_one_that_was_stored_with_it(past: Past, loom: Loom, here: Path) -> None:
    (here / "card.html").write_text("<p>stored</p>")
    past.run("EdaFlow/1", card_path=str(here / "card.html"))
    answer = loom("show", "EdaFlow/1", "--html", "page.html")
    assert (answer.code, answer.out, answer.err) == (0, f"{here / 'page.html'}\n", "")
    assert (here / "page.html").read_text() == "<p>stored</p>"


def test_a_run_without_a_stored_page_gets_one_from_the_journal(
    past: Past, loom: Loom, here: Path, kept: dict[str, Any]
) -> None:
    past.run(
        "EdaFlow/1",
        status="failed",
        verdict="ERROR",
        phases=[BAD],
        summary={"n_rows": 3},
        card_path=str(here / "gone"),
    )
    assert loom("show", "EdaFlow/1", "--html", "page.html").code == 0
    page = (here / "page.html").read_text()
    assert all(
        words in page
        for words in ("EdaFlow/1", "ERROR", "profile", "the file is gone", "loom resume EdaFlow/1")
    )
    assert "a secret" not in page


def test_a_page_is_made_of_what_metaflow_keeps_when_its_file_is_gone(
    past: Past, loom: Loom, here: Path, kept: dict[str, Any]
) -> None:
    left = {
        "envelope": {"verb": "eda", "VERDICT": "FLAGGED", "pathspec": "EdaFlow/1", "summary": {}},
        "phases": [],
        "card": {"numbers": [{"label": "Leaks", "value": 17}]},
    }
    kept["EdaFlow/1"] = left
    past.run("EdaFlow/1", card_path=str(here / "gone"))
    assert loom("show", "EdaFlow/1", "--html", "page.html").code == 0
    assert "Leaks</dt><dd>17<" in (here / "page.html").read_text()


@pytest.mark.parametrize(
    ("file", "why"), [(".", "it is a folder"), ("none/page.html", "no such file or directory")]
)
def test_a_page_that_cannot_be_written_is_three_lines(
    past: Past, loom: Loom, here: Path, file: str, why: str
) -> None:
    past.run("EdaFlow/1")
    answer = loom("show", "EdaFlow/1", "--html", file)
    assert (answer.code, answer.out) == (2, "")
    assert why in answer.err and [line.split(":")[0] for line in answer.err.splitlines()] == [
        "error",
        "  why",
        "  fix",
    ]
    assert list(here.iterdir()) == []


def test_a_page_is_opened_in_the_browser(
    past: Past, loom: Loom, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setenv("DISPLAY", ":0")
    key = past.run("EdaFlow/1")
    page = tmp_path / "home" / "runs" / key / "page.html"
    answer = loom("show", "last", "--open")
    assert (answer.code, answer.out, answer.err) == (0, f"{page}\n", "")
    assert opened == [page.as_uri()] and "EdaFlow/1" in page.read_text()
    told = json.loads(loom("show", "last", "--open", "--html", "my page.html", "--json").out)
    assert told == {
        "schema_version": 1,
        "run": "EdaFlow/1",
        "page": str(here / "my page.html"),
        "opened": True,
    }
    assert opened[1] == (here / "my page.html").as_uri()


def test_off_a_desktop_opening_a_page_says_where_it_is(
    past: Past, loom: Loom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    key = past.run("EdaFlow/1")
    shutil.rmtree(tmp_path / "home" / "runs" / key)
    answer = loom("show", "EdaFlow/1", "--open")
    assert answer.code == 0
    assert "open this file in yours" in answer.err
    assert "EdaFlow/1" in Path(answer.out.strip()).read_text()


def test_a_run_that_stopped_says_how_to_go_on(past: Past, loom: Loom) -> None:
    error = {
        "what": "phase profile did not end well",
        "why": "the file is gone",
        "fix": "loom logs EdaFlow/1",
    }
    past.run("EdaFlow/1", status="failed", verdict="ERROR", phases=[BAD], error=error)
    past.run("EdaFlow/2", status="running")
    out = loom("show", "EdaFlow/1").out
    assert "next  loom resume EdaFlow/1\n" in out
    assert out.endswith(
        "error: phase profile did not end well\n  why: the file is gone\n  fix: loom logs EdaFlow/1\n"
    )
    interrupted = loom("show", "EdaFlow/2").out
    assert interrupted.startswith("interrupted  eda EdaFlow/2\n")
    assert interrupted.endswith("next  loom resume EdaFlow/2\n")


def test_lineage_is_shown_as_two_trees(past: Past, loom: Loom) -> None:
    past.run("IngestDataset/1", "ingest", experiment="loom-aaaaaa")
    past.run("EdaFlow/1", reads=("IngestDataset/1",), verdict="FLAGGED")
    past.run("FeaturesFlow/1", "features", reads=("IngestDataset/1", "EdaFlow/1", "Gone/1"), verdict="BUILT")
    assert loom("show", "FeaturesFlow/1", "--lineage").out.splitlines() == [
        "FeaturesFlow/1  features  BUILT  loom-abc123",
        "",
        "made from",
        "  IngestDataset/1  ingest  OK  loom-aaaaaa",
        "  EdaFlow/1  eda  FLAGGED  loom-abc123",
        "    IngestDataset/1  ingest  OK  loom-aaaaaa",
        "  Gone/1  not in the journal",
        "",
        "used by",
        "  nothing that is known",
    ]
    told = json.loads(loom("show", "IngestDataset/1", "--lineage", "--json").out)
    assert [each["run"] for each in told["lineage"]["downstream"]] == ["EdaFlow/1", "FeaturesFlow/1"]


def test_logs_and_events_tell_what_happened(past: Past, loom: Loom) -> None:
    past.run("EdaFlow/1", phases=[PHASE], events=(STARTED, ENDED))
    assert loom("logs", "last").out.splitlines() == [
        "22:13:20  eda: EdaFlow, 1 phase",
        "22:13:20  profile: accepted in 1.0 s",
        "  | 3 rows",
    ]
    assert loom("logs", "EdaFlow/1", "--phase", "profile").out.count("\n") == 2
    assert "did you mean profile" in loom("logs", "EdaFlow/1", "--phase", "profil").err
    events = [json.loads(line) for line in loom("events", "EdaFlow/1").out.splitlines()]
    assert [event["kind"] for event in events] == ["run_started", "phase_finished"]


def test_resume_goes_on_with_the_run_that_was_meant(past: Past, loom: Loom, calls: Calls) -> None:
    past.run("EdaFlow/1", status="running")
    answer = loom("resume", "last", "--json", "--confirm", "ab12")
    assert (answer.code, json.loads(answer.out)["VERDICT"]) == (0, "OK")
    assert (calls.last.resume, calls.last.confirm) == ("EdaFlow/1", "ab12")
    assert calls.last.command == ("loom", "resume", "last", "--json", "--confirm", "ab12")


def test_gc_says_what_it_frees_and_a_dry_run_what_it_would(past: Past, loom: Loom) -> None:
    past.run("EdaFlow/1")
    past.run("EdaFlow/2")
    dry = loom("gc", "--keep", "1", "--dry-run").out
    assert "EdaFlow/1" in dry and dry.endswith("would free 2 bytes in 1 place\n")
    told = json.loads(loom("gc", "--keep", "1", "--json").out)
    assert [(each["kind"], each["name"], each["bytes"]) for each in told["freed"]] == [
        ("run", "EdaFlow/1", 2)
    ]
    assert loom("gc", "--keep", "1").out == "nothing to free\n"
    assert loom("runs").out.count("EdaFlow") == 1


def test_what_was_run_can_be_completed(past: Past, loom: Loom, capsys: pytest.CaptureFixture[str]) -> None:
    past.run("IngestDataset/1", "ingest")
    past.run("EdaFlow/1", verdict="FLAGGED", experiment="loom-bbbbbb")
    assert options.complete("pathspec", "Ing") == [("IngestDataset/1", "ingest OK")]
    assert [name for name, _ in options.complete("experiment", "")] == ["loom-bbbbbb", "loom-abc123"]


def test_completion_is_silent_where_there_is_nothing_to_read(here: Path, tmp_path: Path) -> None:
    assert options.complete("pathspec", "") == []
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "journal.db").write_text("no database")
    assert options.complete("pathspec", "") == []


def test_a_journal_that_is_none_is_three_lines(here: Path, tmp_path: Path, loom: Loom) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "journal.db").write_text("no database at all")
    answer = loom("runs")
    assert (answer.code, answer.out) == (2, "")
    assert [line.split(":")[0] for line in answer.err.splitlines()] == ["error", "  why", "  fix"]


def test_compile_prints_a_flow_that_is_python(loom: Loom) -> None:
    answer = loom("compile", "ingest")
    assert answer.code == 0
    names = [node.name for node in ast.parse(answer.out).body if isinstance(node, ast.ClassDef)]
    assert names == ["IngestDataset"]


def test_compile_writes_a_folder_and_leaves_the_folders_of_others_alone(here: Path, loom: Loom) -> None:
    assert loom("process", "new", "mine", "--template", "data").code == 0
    answer = loom("compile", "mine", "--out", "flow")
    assert answer.code == 0
    file = Path(answer.out.splitlines()[0].removeprefix("wrote "))
    ast.parse(file.read_text())
    assert (here / "flow" / "package" / "process.yaml").exists()
    assert loom("compile", "mine", "--out", "flow").code == 0
    theirs = here / "theirs" / "package"
    theirs.mkdir(parents=True)
    (theirs / "precious").write_text("")
    refused = loom("compile", "mine", "--out", "theirs")
    assert refused.code == 2
    assert "was not written by this command" in refused.err
    assert (theirs / "precious").exists()
