"""From words to a call, and from its outcome to what is printed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.app.envelope import Envelope
from loom.cli import verbs
from loom.kernel.errors import LoomError
from loom.runtime.approval import NotApprovedError
from loom.runtime.consent import CALLER_VARIABLE, CallPlan
from tests.cli.calls import EVENTS, Calls
from tests.cli.conftest import Loom

INGEST = ("ingest", "--source", "t.csv")
SHARED = ("--config", "--experiment-id", "--attach", "--json", "--events", "--dry-run", "--confirm")


@pytest.mark.parametrize("name", verbs.catalogue())
def test_every_verb_has_the_options_of_a_call_apart_from_its_inputs(name: str, loom: Loom) -> None:
    own, shared = loom(name, "--help").out.split("Options of every verb:\n")
    for option in SHARED:
        place = own if option[2:] in {item["name"] for item in verbs.catalogue()[name]["inputs"]} else shared
        assert f"  {option}" in place


def test_a_call_knows_where_it_was_made_by_whom_and_with_what(here: Path, loom: Loom, calls: Calls) -> None:
    (here / "notes.txt").write_text("")
    (here / "a=b").write_text("")
    words = (
        *INGEST,
        "--goal",
        "find out",
        "--experiment-id",
        "loom-abc123",
        "--seed",
        "7",
        "--confirm",
        "ab12",
    )
    assert loom(*words, "--attach", "notes.txt", "--attach", "notes.txt=more", "--attach", "a=b").code == 0
    call = calls.last
    assert (call.workspace, call.goal, call.experiment_id, call.seed) == (here, "find out", "loom-abc123", 7)
    assert (call.confirm, call.caller, call.transport) == ("ab12", "person", "metaflow")
    assert call.attached == {"notes.txt": here / "notes.txt", "more": here / "notes.txt", "a=b": here / "a=b"}


def test_options_that_are_inputs_of_a_verb_count_as_both(loom: Loom, calls: Calls) -> None:
    words = ("--dataset", "IngestDataset/7", "--goal", "g", "--seed", "3", "--experiment-id", "loom-abc123")
    assert loom("optimize", *words, "--mlops", "local").code == 0
    call = calls.last
    assert (call.goal, call.seed, call.experiment_id, call.transport) == ("g", 3, "loom-abc123", "local")
    assert call.inputs["seed"] == 3 and call.inputs["mlops"] == "local"


def test_a_program_that_a_tool_started_is_no_person(
    loom: Loom, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CALLER_VARIABLE, "agent")
    loom(*INGEST)
    assert calls.last.caller == "agent"


def test_the_workspace_is_the_folder_of_the_call(here: Path, loom: Loom, calls: Calls) -> None:
    (here / "there").mkdir()
    assert loom("-w", "there", *INGEST, "--events", "e.jsonl").code == 0
    assert calls.last.workspace == here / "there"
    assert (here / "there" / "e.jsonl").exists()


@pytest.mark.parametrize("alias", ["a/b", "..", "."])
def test_an_alias_that_is_no_name_is_refused(alias: str, here: Path, loom: Loom, calls: Calls) -> None:
    (here / "x").write_text("")
    assert f"{alias!r} cannot be an alias" in loom(*INGEST, "--attach", f"x={alias}").err


def test_two_attachments_need_two_names(here: Path, loom: Loom, calls: Calls) -> None:
    (here / "x").write_text("")
    answer = loom(*INGEST, "--attach", "x", "--attach", "x")
    assert (answer.code, calls.made) == (2, [])
    assert "two attachments are called x" in answer.err


FILES = {
    "in.yaml": "source: t.csv\ntime: [year, month]\nholdout: 0.3\n",
    "in.toml": 'source = "t.csv"\ntime = ["year", "month"]\nholdout = 0.3\n',
    "in.json": '{"source": "t.csv", "time": ["year", "month"], "holdout": 0.3}',
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_inputs_with_their_types_even_required_ones(
    name: str, here: Path, loom: Loom, calls: Calls
) -> None:
    (here / name).write_text(FILES[name])
    assert loom("ingest", "--config", name).code == 0
    assert calls.last.inputs == {"source": "t.csv", "time": ["year", "month"], "holdout": 0.3}


def test_what_is_typed_wins_over_the_file_wherever_it_stands(here: Path, loom: Loom, calls: Calls) -> None:
    (here / "in.yaml").write_text(FILES["in.yaml"] + "name: theirs\n")
    assert loom("ingest", "--name", "mine", "--config", "in.yaml", "--source", "other.csv").code == 0
    assert calls.last.inputs == {
        "source": "other.csv",
        "name": "mine",
        "time": ["year", "month"],
        "holdout": 0.3,
    }


def test_a_file_fills_arguments_flags_and_inputs_that_repeat(here: Path, loom: Loom, calls: Calls) -> None:
    (here / "a.yaml").write_text("source: t.csv\nsave: mine\n")
    assert loom("connect", "--config", "a.yaml").code == 0
    assert calls.last.inputs == {"source": "t.csv", "save": "mine"}
    (here / "b.yaml").write_text("fix: true\nrequire_addon: browser\n")
    assert loom("doctor", "--config", "b.yaml").code == 0
    assert calls.last.inputs == {"fix": True, "require-addon": "browser"}
    (here / "c.yaml").write_text("runs: [EdaFlow/1, EdaFlow/2]\n")
    assert loom("report", "--config", "c.yaml").code == 0
    assert calls.last.inputs == {"runs": ["EdaFlow/1", "EdaFlow/2"]}


WRONG_FILES = [
    ("in.yaml", "sorce: t.csv\n", "in.yaml: no input is called `sorce`", "did you mean `source`?"),
    ("in.yaml", "colour: red\n", "in.yaml: no input is called `colour`", "the inputs are source, name"),
    ("in.yaml", "- source\n", "in.yaml holds no inputs", "names and their values"),
    ("in.yaml", "source: [a\n", "in.yaml:", ""),
    ("in.json", "{", "in.json is not valid JSON", "line 1"),
    ("in.toml", "source = ", "in.toml:1 is not valid TOML", ""),
    ("in.yaml", "name: x\n", "missing option '--source'", ""),
    ("in.yaml", "source: t.csv\nholdout: much\n", "invalid value for '--holdout'", ""),
]


@pytest.mark.parametrize(
    ("name", "text", "what", "why"), WRONG_FILES, ids=[text for _, text, _, _ in WRONG_FILES]
)
def test_a_file_that_does_not_fit_is_named(
    name: str, text: str, what: str, why: str, here: Path, loom: Loom, calls: Calls
) -> None:
    (here / name).write_text(text)
    answer = loom("ingest", "--config", name)
    assert (answer.code, answer.out, calls.made) == (2, "", [])
    assert what in answer.err.splitlines()[0]
    assert why in answer.err.splitlines()[1]


def test_an_input_that_stands_twice_in_a_file_is_refused(here: Path, loom: Loom, calls: Calls) -> None:
    (here / "in.yaml").write_text("require-addon: a\nrequire_addon: b\n")
    assert "`require-addon` is given twice" in loom("doctor", "--config", "in.yaml").err


OUTCOMES: list[tuple[Envelope, int]] = [
    (Envelope("ingest", "OK", True, "IngestDataset/7"), 0),
    (Envelope("validate", "FAIL", False, "ValidateFlow/1"), 1),
    (Envelope("deploy", "BLOCKED", False, ended="blocked"), 1),
    (Envelope("ingest", "ERROR", False, ended="error", error={"what": "w", "why": "y", "fix": "f"}), 2),
    (Envelope("ingest", "ERROR", False, "IngestDataset/7", ended="interrupted"), 130),
]


@pytest.mark.parametrize(("envelope", "code"), OUTCOMES, ids=[f"{e.verdict} {c}" for e, c in OUTCOMES])
def test_json_is_exactly_one_object_and_the_exit_code_is_that_of_the_outcome(
    envelope: Envelope, code: int, loom: Loom, calls: Calls
) -> None:
    calls.envelope = envelope
    answer = loom(*INGEST, "--json")
    assert json.loads(answer.out) == envelope.as_json()
    assert answer.code == code == loom(*INGEST).code


def test_people_get_the_verdict_first_and_progress_beside_it(loom: Loom, calls: Calls) -> None:
    calls.envelope = Envelope(
        "ingest", "OK", True, "IngestDataset/7", summary={"n_rows": 12000}, next=("loom eda",)
    )
    answer = loom(*INGEST)
    assert answer.out == "OK  ingest IngestDataset/7\n\nrows  12,000\n\nnext  loom eda\n"
    assert answer.err.splitlines()[0] == "ingest: IngestDataset, 1 phase, loom-abc123"
    assert answer.err.splitlines()[-1] == "finished in 1.5 s: OK, IngestDataset/7"
    quiet = loom("-q", *INGEST)
    assert (quiet.out, quiet.err) == ("OK  ingest IngestDataset/7\n\nrows  12,000\n", "")


def test_a_run_that_could_not_be_carried_out_is_three_lines(loom: Loom, calls: Calls) -> None:
    calls.envelope = OUTCOMES[3][0]
    answer = loom("-q", *INGEST)
    assert (answer.out, answer.err) == ("", "error: w\n  why: y\n  fix: f\n")


FAILURES: list[tuple[list[str], BaseException | None, str, int]] = [
    ([*INGEST], LoomError("it is not built yet", "no tools", "loom verbs"), "it is not built yet", 2),
    ([*INGEST], ZeroDivisionError("seven"), "Loom met a bug of its own", 2),
    ([*INGEST], KeyboardInterrupt(), "the call was interrupted", 130),
    (["ingest"], None, "missing option '--source'", 2),
    (["ingest", "--source", "x", "--holdout", "much"], None, "invalid value for '--holdout'", 2),
    (["ingest", "--source", "x", "--bogus"], None, "no such option: --bogus", 2),
    ([*INGEST, "--events", "-"], None, "standard output cannot hold both the answer and the events", 2),
    ([*INGEST, "--config", "missing.yaml"], None, "", 2),
    (
        [*INGEST, "--dry-run"],
        LoomError("it is not built yet", "no tools", "loom verbs"),
        "it is not built yet",
        2,
    ),
    (["resume", "IngestDataset/9"], None, "no run is called IngestDataset/9", 2),
    (["--process", "nobody"], None, "no process is called nobody", 2),
    (["--process", "eda", "--input", "x=1"], None, "no input is called `x`", 2),
]


@pytest.mark.parametrize(
    ("words", "error", "what", "code"), FAILURES, ids=[f"{w} {c}" for w, _, _, c in FAILURES]
)
def test_even_a_failure_is_one_object_when_json_was_asked_for(
    words: list[str],
    error: BaseException | None,
    what: str,
    code: int,
    loom: Loom,
    calls: Calls,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    calls.error = error
    answer = loom(*words, "--json")
    told: dict[str, Any] = json.loads(answer.out)
    assert answer.code == code
    assert (told["status"], told["VERDICT"], told["schema_version"]) == ("error", "ERROR", 1)
    assert told["error"]["what"].startswith(what)
    assert set(told["error"]) == {"what", "why", "fix"}
    if code == 2:
        assert answer.err.splitlines()[-3].startswith("error: ")


def test_events_are_json_lines_in_a_file(here: Path, loom: Loom, calls: Calls) -> None:
    answer = loom(*INGEST, "--events", "e.jsonl", "--json")
    lines = [json.loads(line) for line in (here / "e.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == [event["kind"] for event in EVENTS]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    json.loads(answer.out)


def test_events_on_standard_output_leave_no_room_for_prose(loom: Loom, calls: Calls) -> None:
    answer = loom(*INGEST, "--events", "-")
    assert [json.loads(line)["kind"] for line in answer.out.splitlines()] == [
        event["kind"] for event in EVENTS
    ]
    assert "OK  ingest IngestDataset/7" in answer.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_event_file_ends_the_writing_and_not_the_run(loom: Loom, calls: Calls) -> None:
    answer = loom(*INGEST, "--events", "/dev/full", "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["VERDICT"] == "OK"
    assert answer.err.count("events are no longer written: no space left on device") == 1


PREVIEW = {
    "process": "ingest",
    "version": "0.1.0",
    "tier": "workspace-write",
    "digest": "ad0c8a49558847a1",
    "why_tier": [{"source": "verb", "tier": "workspace-write", "because": ""}],
    "inputs": {"source": "t.csv", "name": None, "holdout": 0.2},
    "phases": [
        {
            "id": "register",
            "executor": "tool",
            "calls": "ingest_dataset",
            "after": [],
            "args": {"source": "${inputs.source}", "name": "${inputs.name}"},
        }
    ],
    "cost": "at most 120 minutes",
}


def test_a_dry_run_shows_what_would_run_and_runs_nothing(loom: Loom, calls: Calls) -> None:
    calls.preview = PREVIEW
    answer = loom(*INGEST, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    for said in (
        "ingest 0.1.0  nothing has been done yet",
        "workspace-write",
        "ad0c8a49558847a1",
        "120 minutes",
    ):
        assert said in answer.out
    assert "register  tool ingest_dataset  source=t.csv\n" in answer.out
    assert json.loads(loom(*INGEST, "--dry-run", "--json").out) == PREVIEW


class Terminal(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("y\n", True), ("YES\n", True), ("\n", False), ("", False), ("maybe\n", False), ("n\n", False)],
)
def test_a_person_at_the_terminal_is_asked_and_anything_but_yes_is_no(
    typed: str, answer: bool, loom: Loom, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.question = "deploy would overwrite \x1b[2Jeverything"
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stderr", shown)
    loom(*INGEST)
    assert calls.answers == [answer]
    assert "deploy would overwrite \\x1b[2Jeverything [y/N] " in shown.getvalue()


def test_nobody_is_asked_where_nobody_can_answer(
    loom: Loom, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.question = "really?"
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    loom(*INGEST)
    assert calls.answers == [None]


def test_what_comes_from_data_cannot_steer_the_terminal(loom: Loom, calls: Calls) -> None:
    bad = "\x1b[31m\x9b7"
    reason = {"code": "x", "severity": "error", "what": bad, "value": bad, "threshold": None, "column": bad}
    summary = {bad: bad, "rows": [{bad: bad}], "of": {"x": [bad]}}
    calls.envelope = Envelope(
        "ingest", bad, True, "IngestDataset/7", bad, summary, reasons=(reason,), next=(bad,)
    )
    for words in (INGEST, (*INGEST, "--json")):
        answer = loom(*words)
        assert not {"\x1b", "\x9b"} & set(answer.out + answer.err)


def test_what_nobody_agreed_to_is_a_refusal_and_no_failure(loom: Loom, calls: Calls) -> None:
    plan = CallPlan("ingest", "0.1.0", "sha256:" + "1" * 64, {}, ())
    calls.error = NotApprovedError(plan, "there is no terminal to ask at", "loom ingest --confirm 12")
    answer = loom(*INGEST, "--json")
    told: dict[str, Any] = json.loads(answer.out)
    assert (answer.code, told["status"], told["VERDICT"]) == (1, "refused", "REFUSED")
    assert told["error"]["fix"] == "loom ingest --confirm 12"
    shown = loom(*INGEST)
    assert shown.out.startswith("REFUSED  ingest")
    assert "fix: loom ingest --confirm 12" in shown.err
