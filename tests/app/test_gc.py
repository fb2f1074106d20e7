"""What is freed, and above all what is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loom.app.gc import Freed, collect
from loom.kernel.errors import LoomError
from tests.app.past import Past


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """A home where nothing was run yet."""
    return Past(tmp_path / "home")


def gc(past: Past, *, keep: int | None = None, dry_run: bool = False) -> dict[str, list[str]]:
    """What is freed, by kind."""
    freed: dict[str, list[str]] = {}
    with past.history() as history:
        found: list[Freed] = collect(history, keep=keep, dry_run=dry_run, clock=past.clock)
    for each in found:
        freed.setdefault(each.kind, []).append(each.name)
    return freed


def names(past: Past) -> list[str]:
    """The runs there are."""
    with past.history() as history:
        return [run.name for run in history.runs()]


def folder(past: Past, name: str, age: float) -> Path:
    """A folder of a run that nobody wrote down."""
    path = past.home / "runs" / name
    path.mkdir(parents=True)
    (path / "x").write_text("x" * 10)
    os.utime(path, (past.now - age, past.now - age))
    return path


def test_a_home_where_nothing_was_run_has_nothing_to_free(tmp_path: Path) -> None:
    assert gc(Past(tmp_path / "home")) == {}


def test_without_a_number_every_run_is_kept_and_only_its_scratch_goes(past: Past) -> None:
    key = past.run("EdaFlow/1")
    scratch = past.home / "runs" / key / "scratch"
    scratch.mkdir()
    (scratch / "big").write_text("x")
    assert gc(past) == {"scratch": ["EdaFlow/1"]}
    assert not scratch.exists()
    assert (past.home / "runs" / key / "request.json").exists()
    assert gc(past) == {}


def test_a_folder_without_a_run_goes_once_it_is_old(past: Past) -> None:
    past.run("EdaFlow/1")
    old, young = folder(past, "run-old", 7200), folder(past, "run-young", 60)
    assert gc(past) == {"leftover": ["run-old"]}
    assert (old.exists(), young.exists()) == (False, True)


def test_older_runs_go_with_their_folders_and_their_events(past: Past) -> None:
    keys = [past.run(f"EdaFlow/{number}", events=(("note", {"text": "x"}),)) for number in (1, 2, 3)]
    assert gc(past, keep=1) == {"run": ["EdaFlow/2", "EdaFlow/1"]}
    assert names(past) == ["EdaFlow/3"]
    assert [(past.home / "runs" / key).exists() for key in keys] == [False, False, True]
    with past.journal() as journal:
        assert list(journal.events(keys[0])) == []


def test_what_a_kept_run_was_made_from_is_kept_too(past: Past) -> None:
    past.run("EdaFlow/1")
    past.run("EdaFlow/2")
    outer = past.run("PipelineFlow/1", "pipeline", reads=("EdaFlow/1",))
    past.run("ReportFlow/1", "report", parent=outer)
    assert gc(past, keep=1) == {"run": ["EdaFlow/2"]}
    assert names(past) == ["ReportFlow/1", "PipelineFlow/1", "EdaFlow/1"]


def test_a_run_that_made_a_data_object_is_kept(past: Past) -> None:
    past.run("IngestDataset/1", "ingest", phases=[{"phase": "register", "data_objects": ["sha256:ab"]}])
    past.run("EdaFlow/1")
    assert gc(past, keep=0) == {"run": ["EdaFlow/1"]}


def test_a_run_that_goes_on_is_never_touched(past: Past) -> None:
    key = past.running("EdaFlow/1")
    (past.home / "runs" / key / "scratch").mkdir()
    past.blob(b"not referred to yet")
    assert gc(past, keep=0) == {}
    assert (past.home / "runs" / key / "scratch").exists()


def test_a_run_that_was_interrupted_can_be_resumed_until_it_is_old(past: Past) -> None:
    past.run("EdaFlow/1", status="running")
    assert gc(past) == {}
    assert gc(past, keep=0) == {"run": ["EdaFlow/1"]}


def test_only_blobs_that_no_entry_leads_to_go(past: Past) -> None:
    part, lost = past.blob(b"part"), past.blob(b"lost")
    past.blob(b"just written", age=10)
    past.registered(1, part)
    assert gc(past) == {"blob": [lost.removeprefix("sha256:")[:12]]}
    assert gc(past) == {}


def test_an_entry_that_cannot_be_read_stops_the_freeing_before_anything_is_lost(past: Past) -> None:
    lost = past.blob(b"lost").removeprefix("sha256:")
    past.registered(1)
    (past.home / "objects" / "IngestDataset" / "1" / "entry.json").write_text("{")
    with pytest.raises(LoomError, match=r"entry\.json cannot be read"):
        gc(past)
    assert (past.home / "objects" / "blobs" / lost[:2] / lost).exists()


def test_a_dry_run_frees_nothing(past: Past) -> None:
    past.run("EdaFlow/1")
    old = folder(past, "run-old", 7200)
    assert gc(past, keep=0, dry_run=True) == {"run": ["EdaFlow/1"], "leftover": ["run-old"]}
    assert names(past) == ["EdaFlow/1"]
    assert old.exists()


def test_a_document_cannot_have_anything_outside_of_the_home_deleted(past: Past, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    (outside / "scratch").mkdir(parents=True)
    past.run("EdaFlow/1", folder=str(outside))
    past.run("EdaFlow/2", folder=f"{past.home}/../precious")
    past.run("EdaFlow/3", folder=str(past.home))
    past.run("EdaFlow/4", folder=str(past.home / "objects"))
    past.registered(1)
    gc(past, keep=0)
    assert (outside / "scratch").exists()
    assert (past.home / "objects" / "IngestDataset" / "1" / "entry.json").exists()


def test_a_link_in_place_of_a_folder_is_removed_and_not_followed(past: Past, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.mkdir()
    past.run("EdaFlow/1")
    link = past.home / "runs" / "run-link"
    link.symlink_to(outside)
    os.utime(link, (past.now - 7200, past.now - 7200), follow_symlinks=False)
    assert gc(past) == {"leftover": ["run-link"]}
    assert outside.exists() and not link.is_symlink()


# searches


def search(past: Past, pathspec: str, **more: object) -> str:
    """A search with a folder that has been there for long."""
    number = int(pathspec.partition("/")[2])
    experiment = f"loom-aaaaa{number}"
    key = past.run(pathspec, "optimize", experiment=experiment, **more)  # type: ignore[arg-type]
    made = past.home / "experiments" / experiment
    (made / "1").mkdir(parents=True)
    (made / "1" / "search.db").write_text("x" * 10)
    os.utime(made, (past.now - 7200, past.now - 7200))
    return key


def candidate(past: Past, pathspec: str, of: str, number: int, **more: object) -> str:
    """A candidate of a search with its script; the key of that."""
    script = past.blob(pathspec.encode())
    experiment = f"loom-aaaaa{number}"
    told = {"parent": of, "kept": {"solution": {"key": script}}, "folder": None, "experiment": experiment}
    past.run(pathspec, "eval-candidate", **{**told, **more})  # type: ignore[arg-type]
    return script.removeprefix("sha256:")


def scripts(past: Past) -> set[str]:
    """The blobs there are."""
    return {path.name for path in (past.home / "objects" / "blobs").glob("*/*")}


def test_the_candidates_of_a_search_stay_as_long_as_it_does_and_go_with_it(past: Past) -> None:
    old = search(past, "OptimizeFlow/1")
    lost = candidate(past, "EvalCandidate/1", old, 1)
    new = search(past, "OptimizeFlow/2")
    kept = {candidate(past, f"EvalCandidate/{number}", new, 2) for number in (2, 3)}
    past.registered(1)
    there = scripts(past)
    freed = gc(past, keep=1)
    assert sorted(freed["run"]) == ["EvalCandidate/1", "OptimizeFlow/1"]
    assert freed["blob"] == [lost[:12]]
    assert scripts(past) == there - {lost} and kept < there
    with past.history() as history:
        assert {run.name for run in history.runs(candidates=True)} == {
            "OptimizeFlow/2",
            "EvalCandidate/2",
            "EvalCandidate/3",
        }


def test_candidates_do_not_count_among_the_runs_that_are_kept(past: Past) -> None:
    past.run("EdaFlow/1")
    key = search(past, "OptimizeFlow/2")
    for number in (1, 2, 3):
        candidate(past, f"EvalCandidate/{number}", key, 2)
    assert "run" not in gc(past, keep=2)


def test_a_candidate_that_a_kept_run_used_keeps_its_whole_search(past: Past) -> None:
    key = search(past, "OptimizeFlow/1")
    used = {candidate(past, f"EvalCandidate/{number}", key, 1) for number in (1, 2)}
    past.run("ValidateFlow/1", "validate", reads=("EvalCandidate/2",))
    freed = gc(past, keep=1)
    assert "run" not in freed and "blob" not in freed
    assert used <= scripts(past)


def test_without_a_number_no_script_of_a_candidate_is_freed(past: Past) -> None:
    used = candidate(past, "EvalCandidate/1", search(past, "OptimizeFlow/1"), 1)
    assert "blob" not in gc(past)
    assert used in scripts(past)


def test_folders_of_searches_that_are_over_go_and_those_that_can_go_on_stay(past: Past) -> None:
    over = search(past, "OptimizeFlow/1")
    candidate(past, "EvalCandidate/1", over, 1, status="interrupted", verdict="ERROR")
    search(past, "OptimizeFlow/2", status="running")
    search(past, "OptimizeFlow/3", status="interrupted", verdict=None)
    search(past, "OptimizeFlow/4", status="error", verdict=None)
    freed = gc(past)
    assert freed["search"] == ["loom-aaaaa1"]
    left = {path.name for path in (past.home / "experiments").iterdir()}
    assert left == {"loom-aaaaa2", "loom-aaaaa3", "loom-aaaaa4"}


def test_the_folder_of_a_search_that_goes_on_or_was_just_made_stays(past: Past) -> None:
    made = past.home / "experiments" / "loom-bbbbbb"
    made.mkdir(parents=True)
    os.utime(made, (past.now - 60, past.now - 60))
    running = past.home / "experiments" / "loom-cccccc"
    running.mkdir()
    os.utime(running, (past.now - 7200, past.now - 7200))
    past.running("OptimizeFlow/1", "optimize", experiment="loom-cccccc")
    assert gc(past) == {}
    assert made.exists() and running.exists()
