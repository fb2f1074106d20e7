"""The journal read back: which runs there were, how they stand, and how they follow from each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loom.app.history import open_history
from loom.app.logs import log_lines
from loom.kernel.errors import LoomError
from tests.app.past import DEAD, Past


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """A home where nothing was run yet."""
    return Past(tmp_path / "home")


def test_a_home_without_a_journal_has_no_runs_and_gets_none(tmp_path: Path) -> None:
    with open_history({"LOOM_HOME": str(tmp_path / "home")}) as history:
        assert history.runs() == []
        assert history.completions("pathspec") == []
        for reference in ("last", "EdaFlow/1", ""):
            with pytest.raises(LoomError, match="nothing was run here yet"):
                history.find(reference)
    assert not (tmp_path / "home").exists()


def test_runs_come_newest_first_by_verb_and_by_experiment(past: Past) -> None:
    past.run("IngestDataset/1", "ingest", experiment="loom-aaaaaa")
    past.run("EdaFlow/1")
    past.run("EdaFlow/2", experiment="loom-aaaaaa")
    with past.history() as history:
        assert [run.name for run in history.runs()] == ["EdaFlow/2", "EdaFlow/1", "IngestDataset/1"]
        assert [run.name for run in history.runs(1)] == ["EdaFlow/2"]
        assert [run.name for run in history.runs(verb="eda")] == ["EdaFlow/2", "EdaFlow/1"]
        assert [run.name for run in history.runs(experiment="loom-aaaaaa")] == [
            "EdaFlow/2",
            "IngestDataset/1",
        ]


def test_a_run_whose_process_is_gone_was_interrupted(past: Past) -> None:
    alive, dead, never = (
        past.running("EdaFlow/1"),
        past.run("EdaFlow/2", status="running", owner=DEAD),
        past.run(None, status="running", owner={}),
    )
    with past.history() as history:
        standing = {run.record.run_id: (run.status, run.is_running) for run in history.runs()}
    assert standing == {alive: ("running", True), dead: ("interrupted", False), never: ("interrupted", False)}


def test_the_time_of_a_run_ends_when_it_did_or_was_last_heard_of(past: Past) -> None:
    done, dead = past.run("EdaFlow/1", seconds=5.0), past.run("EdaFlow/2", status="running", seconds=7.0)
    alive = past.running("EdaFlow/3")
    past.now += 100.0
    with past.history() as history:
        took = {run.record.run_id: run.seconds for run in history.runs()}
    assert took == {done: 5.0, dead: 7.0, alive: 102.0}


def test_a_run_is_found_by_pathspec_by_its_own_name_and_by_the_address_of_its_parts(past: Past) -> None:
    key = past.run("EdaFlow/1")
    past.run("EdaFlow/2")
    with past.history() as history:
        for reference in ("EdaFlow/1", key, " EdaFlow/1 ", "EdaFlow/1/profile", "EdaFlow/1/profile/3/data"):
            assert history.find(reference).record.run_id == key


def test_the_last_run_is_the_one_somebody_called(past: Past) -> None:
    outer = past.run("PipelineFlow/1", "pipeline")
    past.run("EdaFlow/1", parent=outer)
    with past.history() as history:
        assert history.find("last").name == "PipelineFlow/1"


@pytest.mark.parametrize(
    ("typed", "why", "fix"),
    [
        ("EdaFlow/11", "there are EdaFlow/1, IngestDataset/3", "loom show EdaFlow/1"),
        ("IngestDataset/9", "there are IngestDataset/3, EdaFlow/1", "loom show IngestDataset/3"),
        ("run-000000001", "there are EdaFlow/1, IngestDataset/3", "loom show EdaFlow/1"),
        ("nonsense", "there are EdaFlow/1, IngestDataset/3", "loom runs"),
        ("", "there are EdaFlow/1, IngestDataset/3", "loom runs"),
    ],
)
def test_a_run_that_is_not_there_gets_those_that_are_near(typed: str, why: str, fix: str, past: Past) -> None:
    past.run("IngestDataset/3", "ingest")
    past.run("EdaFlow/1")
    with past.history() as history, pytest.raises(LoomError) as raised:
        history.find(typed)
    assert (raised.value.why, raised.value.fix) == (why, fix)


def test_a_run_in_full_says_everything_but_what_gives_power_over_it(past: Past) -> None:
    phase = {
        "phase": "profile",
        "status": "accepted",
        "seconds": 1.0,
        "data": {"rows": 3},
        "output": "3 rows",
    }
    past.run(
        "EdaFlow/1", reads=("IngestDataset/1",), phases=[phase], summary={"n": 3}, next=["loom features"]
    )
    with past.history() as history:
        told = history.find("last").in_full()
    assert told["request"] == {"inputs": {"dataset": "IngestDataset/1"}, "cwd": "/here"}
    assert told["phases"] == [{"phase": "profile", "status": "accepted", "seconds": 1.0}]
    assert (told["verdict"], told["tier"], told["plan"]) == ("OK", "read-only", "ab12")
    assert (told["reads"], told["summary"], told["next"]) == (
        ["IngestDataset/1"],
        {"n": 3},
        ["loom features"],
    )
    assert "secret" not in json.dumps(told)


def test_lineage_is_walked_both_ways_and_through_every_path_once(past: Past) -> None:
    past.run("IngestDataset/1", "ingest")
    past.run("EdaFlow/1", reads=("IngestDataset/1",), verdict="FLAGGED")
    past.run("FeaturesFlow/1", "features", reads=("IngestDataset/1", "EdaFlow/1"))
    past.run("ValidateFlow/1", "validate", reads=("FeaturesFlow/1",))
    past.run("EdaFlow/2")
    with past.history() as history:
        told = history.lineage().as_json("FeaturesFlow/1")
        whole = history.lineage().as_json("IngestDataset/1")
    up = {each["run"]: each for each in told["upstream"]}
    assert set(up) == {"IngestDataset/1", "EdaFlow/1"}
    assert up["IngestDataset/1"]["of"] == ["FeaturesFlow/1", "EdaFlow/1"]
    assert (up["EdaFlow/1"]["verb"], up["EdaFlow/1"]["verdict"]) == ("eda", "FLAGGED")
    assert [each["run"] for each in told["downstream"]] == ["ValidateFlow/1"]
    assert [each["run"] for each in whole["downstream"]] == ["EdaFlow/1", "FeaturesFlow/1", "ValidateFlow/1"]


def test_lineage_survives_runs_that_are_unknown_and_runs_that_refer_to_each_other(past: Past) -> None:
    past.run("EdaFlow/1", reads=("Elsewhere/9", "EdaFlow/2"))
    past.run("EdaFlow/2", reads=("EdaFlow/1",))
    with past.history() as history:
        told = history.lineage().as_json("EdaFlow/1")
    assert [each["run"] for each in told["upstream"]] == ["Elsewhere/9", "EdaFlow/2"]
    assert told["upstream"][0]["verb"] is None


def test_events_are_told_again_as_they_were(past: Past) -> None:
    key = past.run(
        "EdaFlow/1", events=(("note", {"text": "a"}), ("phase_started", {"phase": "p", "attempt": 1}))
    )
    past.run("EdaFlow/2", events=(("note", {"text": "other"}),))
    with past.history() as history:
        told = list(history.events(history.find(key)))
    assert [event["kind"] for event in told] == ["note", "phase_started"]
    assert told[0]["text"] == "a" and told[0]["run"] == key and told[0]["seq"] < told[1]["seq"]
    assert told[0]["at"] == "2023-11-14T22:13:20.000+00:00"


STARTED = ("run_started", {"verb": "eda", "flow": "EdaFlow", "phases": ["a", "b"]})
ENDED = ("phase_finished", {"phase": "a", "status": "accepted", "seconds": 1.0})


def test_a_log_tells_what_happened_with_what_each_phase_said(past: Past) -> None:
    phases = [{"phase": "a", "output": "one\ntwo\x1b[2J"}, {"phase": "b", "output": ""}]
    past.run("EdaFlow/1", phases=phases, events=(STARTED, ENDED))
    with past.history() as history:
        told = list(log_lines(history, history.find("last")))
        only = list(log_lines(history, history.find("last"), "a"))
    assert [line[10:] for line in told[:2]] == ["eda: EdaFlow, 2 phases", "a: accepted in 1.0 s"]
    assert told[2:] == ["  | one", "  | two\\x1b[2J"]
    assert only == told[1:]


def test_the_log_of_a_killed_run_has_what_its_phases_left(past: Past) -> None:
    key = past.run("EdaFlow/1", status="running", events=(STARTED,))
    tasks = past.home / "runs" / key / "tasks"
    tasks.mkdir()
    (tasks / "a.json").write_text(json.dumps({"digest": "x", "outcome": {"phase": "a", "output": "said"}}))
    (tasks / "b.json").write_text("{")
    (past.home / "runs" / key / "engine.log").write_text("line\n" * 100 + "killed\n")
    with past.history() as history:
        told = list(log_lines(history, history.find(key)))
    assert told[1:3] == ["a:", "  | said"]
    assert told[-1] == "  | killed"
    assert len(told) == 1 + 2 + 1 + 40


def test_a_phase_that_a_run_does_not_have_is_named(past: Past) -> None:
    past.run("EdaFlow/1", events=(("phase_started", {"phase": "profile", "attempt": 1}),))
    with past.history() as history:
        run = history.find("last")
        with pytest.raises(LoomError, match="did you mean profile") as raised:
            list(log_lines(history, run, "profil"))
    assert raised.value.fix == "loom logs EdaFlow/1 --phase profile"


def test_names_to_complete_are_the_newest_with_what_they_are(past: Past) -> None:
    past.run("IngestDataset/1", "ingest", experiment="loom-aaaaaa")
    past.run("EdaFlow/1", verdict="FLAGGED")
    past.run(None, "datasets", status="error", verdict=None)
    with past.history() as history:
        assert history.completions("pathspec") == [
            ("EdaFlow/1", "eda FLAGGED"),
            ("IngestDataset/1", "ingest OK"),
        ]
        assert [name for name, _ in history.completions("experiment")] == ["loom-abc123", "loom-aaaaaa"]
