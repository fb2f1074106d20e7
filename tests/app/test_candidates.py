"""Every candidate of a search is a run of its own: listed on demand, shown in full, its script there to be read again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loom.app.candidates import CandidateRuns
from loom.app.history import CANDIDATE, open_history
from loom.app.kept_files import kept_file
from loom.app.page import page_of
from loom.app.run_index import CANDIDATE_FLOW, JournalIndex
from loom.app.services import Lender
from loom.kernel.errors import LoomError
from loom.render.runs import run_text
from loom.search.outcome import CandidateFacts, Ended
from loom.settings.engine import engine_environment
from tests.app.past import Past
from tests.flows.building import clean_environ

CODE = {"ok": "x = 'é'\n", "failed": "raise ValueError\n", "interrupted": "while True:\n    pass\n"}
EXPERIMENT = "loom-abc123"


def facts(number: int, ended: Ended, **changes: Any) -> CandidateFacts:
    """A candidate as a search hands it over."""
    score = 0.8 if ended == "ok" else None
    summary = {
        "node": number,
        "family": "oak",
        "operator": "draft",
        "parents": [],
        "note": "",
        "metric": "auc",
        "search": score,
        "scores": {"0": score} if score else {},
        "seal": score,
        "ci": [0.7, 0.9] if score else None,
        "seconds": 1.0,
        "code_digest": "sha256:ab",
        "predictions_digest": "sha256:cd" if score else None,
        "why": "missing_rows" if ended == "failed" else None,
        "error": None,
    }
    return CandidateFacts(number, ended, CODE[ended], summary | changes, b"out\n", b"err\n")


ALL = tuple(facts(at, ended) for at, ended in enumerate(("ok", "failed", "interrupted")))


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """A home in which a search was run."""
    past = Past(tmp_path / "home")
    past.run("OptimizeFlow/1", "optimize", experiment=EXPERIMENT)
    return past


@pytest.fixture
def kept(past: Past) -> list[str]:
    """The pathspecs of its candidates."""
    runs = CandidateRuns(past.home, "folder", past.made[0], EXPERIMENT, ("IngestDataset/1",))
    return list(runs.keep(ALL))


def environ(past: Past) -> dict[str, str]:
    return {"LOOM_HOME": str(past.home), "HOME": str(past.home.parent)}


def test_candidates_get_numbers_in_their_order_and_none_is_given_twice(past: Past, kept: list[str]) -> None:
    assert kept == [f"{CANDIDATE_FLOW}/{number}" for number in (1, 2, 3)]
    again = CandidateRuns(past.home, "folder", past.made[0], EXPERIMENT, ())
    assert list(again.keep(ALL[:1])) == [f"{CANDIDATE_FLOW}/4"]


def test_each_has_its_pathspec_before_the_next_is_looked_at(past: Past) -> None:
    asked: list[int] = []

    def one_by_one() -> Any:
        for each in ALL:
            asked.append(each.number)
            yield each

    pathspecs = CandidateRuns(past.home, "folder", past.made[0], EXPERIMENT, ()).keep(one_by_one())
    assert next(pathspecs) == f"{CANDIDATE_FLOW}/1"
    assert asked == [0]
    with open_history(environ(past)) as history:
        assert history.find(f"{CANDIDATE_FLOW}/1").status == "ok"


def test_how_a_candidate_ended_is_told_by_its_run(past: Past, kept: list[str]) -> None:
    with open_history(environ(past)) as history:
        told = [history.find(name) for name in kept]
    assert [run.status for run in told] == ["ok", "failed", "interrupted"]
    assert [run.record.verdict for run in told] == ["OK", "FAIL", "ERROR"]
    assert [run.document["phases"][0]["status"] for run in told] == ["accepted", "rejected", "cancelled"]
    assert not any(run.is_running for run in told)


def test_a_candidate_can_be_shown_with_its_scores_its_script_and_its_page(
    past: Past, kept: list[str]
) -> None:
    with open_history(environ(past)) as history:
        told = history.find(kept[0]).in_full()
        failed = history.find(kept[1]).in_full()
        page = page_of(history.find(kept[0]), told, environ(past)).html.decode()
        assert history.said(history.find(kept[0])) == {"candidate": "out\nerr\n"}
    assert (told["verb"], told["parent"], told["experiment_id"]) == (CANDIDATE, past.made[0], EXPERIMENT)
    assert (told["reads"], told["summary"]["seal"]) == (["IngestDataset/1"], 0.8)
    assert told["next"] == [f"loom show {kept[0]} --file solution"]
    shown = run_text(told, width=100)
    assert "auc, sealed  0.8  (0.7 to 0.9)" in shown
    assert re.search(r"^failed +missing rows$", run_text(failed, width=100), re.MULTILINE)
    assert "x = &#x27;é&#x27;" in page and "out\nerr" in page


def test_the_script_of_a_candidate_can_be_read_again(past: Past, kept: list[str]) -> None:
    lender = Lender(past.home, environ(past), past.home, "folder", "ValidateFlow", None)
    with open_history(environ(past)) as history:
        for name, each in zip(kept, ALL, strict=True):
            assert kept_file(history.find(name), "solution", environ(past)) == each.code.encode()
            assert lender.services()["kept"].open(f"{name}/solution").load() == each.code
        with pytest.raises(LoomError, match="kept no file called model") as refused:
            kept_file(history.find(kept[0]), "model", environ(past))
        with pytest.raises(LoomError, match="kept no file called model") as none:
            kept_file(history.find("OptimizeFlow/1"), "model", environ(past))
    assert refused.value.why == "it kept solution"
    assert refused.value.fix == f"loom show {kept[0]} --file solution"
    assert (none.value.why, none.value.fix) == ("it kept none", "loom show OptimizeFlow/1")


def test_a_script_that_was_changed_afterwards_is_not_handed_out(past: Past, kept: list[str]) -> None:
    for blob in (past.home / "objects" / "blobs").glob("*/*"):
        blob.chmod(0o600)
        blob.write_text("import os")
    with open_history(environ(past)) as history, pytest.raises(LoomError, match="is damaged"):
        kept_file(history.find(kept[0]), "solution", environ(past))


def test_candidates_are_listed_only_by_their_name(past: Past, kept: list[str]) -> None:
    with open_history(environ(past)) as history:
        assert [run.name for run in history.runs()] == ["OptimizeFlow/1"]
        assert [run.name for run in history.runs(experiment=EXPERIMENT)] == ["OptimizeFlow/1"]
        assert {run.name for run in history.runs(verb=CANDIDATE)} == set(kept)
        assert len(history.runs(candidates=True)) == 4
        assert history.find("last").name == "OptimizeFlow/1"


def test_tools_count_candidates_only_where_they_ask_for_them(past: Past, kept: list[str]) -> None:
    index = JournalIndex(environ(past))
    assert [each.name for each in index.runs()] == ["OptimizeFlow/1"]
    assert [each.name for each in index.runs(experiment=EXPERIMENT)] == ["OptimizeFlow/1"]
    assert {each.name for each in index.runs(flow=CANDIDATE_FLOW)} == set(kept)
    assert (index.run(kept[0]).verb, index.run(kept[0]).parent) == (CANDIDATE, past.made[0])
    assert set(index.kept_by(kept[0])) == {"solution"}
    assert index.kept_by("EvalCandidate/99") == {}


def test_what_a_candidate_prints_is_bounded_on_its_page(past: Past) -> None:
    loud = CandidateFacts(0, "ok", "x = 1\n", facts(0, "ok").summary, b"loud " * 100_000)
    [name] = CandidateRuns(past.home, "folder", past.made[0], EXPERIMENT, ()).keep([loud])
    with open_history(environ(past)) as history:
        run = history.find(name)
        page = page_of(run, run.in_full(), environ(past)).html
    assert len(json.dumps(run.document)) < 20_000
    assert b"loud loud" in page and len(page) < 200_000


# kept by Metaflow

ROUND = """
import json, sys
from pathlib import Path

from loom.flows.program import import_metaflow

import_metaflow()
import metaflow
from loom.app.candidates import CandidateRuns
from loom.app.history import open_history
from loom.app.kept_files import kept_file
from loom.app.services import Lender
from tests.app.test_candidates import ALL

home, environ = Path(sys.argv[1]), {"LOOM_HOME": sys.argv[1]}
names = list(CandidateRuns(home, "metaflow", "run-1", "loom-abc123", ()).keep(ALL))
metaflow.namespace(None)
kept = Lender(home, environ, home, "metaflow", "ValidateFlow", None).services()["kept"]
with open_history(environ) as history:
    runs = [history.find(name) for name in names]
    read = [kept_file(run, "solution", environ).decode() for run in runs]
found = [metaflow.Run(name) for name in names]
print(json.dumps({
    "names": names,
    "read": read,
    "lent": [kept.open(f"{name}/solution").load() for name in names],
    "theirs": [run.data.solution for run in found],
    "finished": [run.finished for run in found],
    "summaries": [run.data.summary["node"] for run in found],
    "cards": [run.data.loom_card["envelope"]["VERDICT"] for run in found],
    "stdout": found[0].end_task.stdout,
}))
"""


def test_candidates_of_a_run_that_metaflow_keeps_are_kept_there_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environ = clean_environ(tmp_path)
    environ |= engine_environment(home, environ) | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", ROUND, str(home)], cwd=home, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    codes = [each.code for each in ALL]
    assert told["names"] == [f"{CANDIDATE_FLOW}/{number}" for number in (1, 2, 3)]
    assert (told["read"], told["lent"], told["theirs"]) == (codes, codes, codes)
    assert told["finished"] == [True] * 3
    assert told["summaries"] == [0, 1, 2]
    assert told["cards"] == ["OK", "FAIL", "ERROR"]
    assert told["stdout"] == "out\n"
