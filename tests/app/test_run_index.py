"""What tools may know of other runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.app.run_index import JournalIndex
from loom.core.index import RunFacts, RunIndex
from loom.kernel.errors import LoomError
from tests.app.past import Past


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """A home with three runs, one of which was cut off."""
    past = Past(tmp_path / "home")
    past.run("EdaFlow/1", summary={"rows": 3}, reads=("IngestDataset/1",))
    past.run("EdaFlow/2", verdict=None, status="running")
    past.run("OpsFlow/1", "ops", experiment="loom-zzzzzz", seconds=4.0)
    return past


def index(past: Past, asking: str | None = None) -> JournalIndex:
    return JournalIndex({"LOOM_HOME": str(past.home)}, asking)


def test_every_run_is_known_once_newest_first(past: Past) -> None:
    assert isinstance(index(past), RunIndex)
    assert [facts.name for facts in index(past).runs()] == ["OpsFlow/1", "EdaFlow/2", "EdaFlow/1"]
    assert [facts.name for facts in index(past).runs(flow="EdaFlow", limit=1)] == ["EdaFlow/2"]
    assert [facts.name for facts in index(past).runs(experiment="loom-zzzzzz")] == ["OpsFlow/1"]


def test_a_run_is_told_with_its_inputs_its_end_and_its_summary(past: Past) -> None:
    facts = index(past).run("EdaFlow/1")
    assert (facts.verb, facts.flow, facts.status, facts.verdict) == ("eda", "EdaFlow", "ok", "OK")
    assert (facts.seconds, facts.summary, facts.reads) == (2.0, {"rows": 3}, ("IngestDataset/1",))
    assert facts.inputs == {"dataset": "IngestDataset/1"}
    assert RunFacts.from_json(facts.as_json()) == facts


def test_a_run_whose_process_is_gone_was_interrupted(past: Past) -> None:
    assert index(past).run("EdaFlow/2").status == "interrupted"


def test_a_run_that_asks_does_not_find_itself(past: Past) -> None:
    assert [facts.name for facts in index(past, past.made[-1]).runs()] == ["EdaFlow/2", "EdaFlow/1"]


def test_an_unknown_run_is_looked_for_elsewhere_and_then_refused_with_near_names(past: Past) -> None:
    asked: list[str] = []
    elsewhere = JournalIndex({"LOOM_HOME": str(past.home)}, None, lambda name: asked.append(name))
    with pytest.raises(LoomError, match="no run is called EdaFlow/9") as refused:
        elsewhere.run("EdaFlow/9")
    assert asked == ["EdaFlow/9"]
    assert "EdaFlow/2" in refused.value.why


def test_a_home_without_a_journal_has_no_runs(tmp_path: Path) -> None:
    assert JournalIndex({"LOOM_HOME": str(tmp_path)}).runs() == []
