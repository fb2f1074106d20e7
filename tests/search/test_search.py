"""A search keeps its budget, goes on where it was cut off, and grows the same tree from the same seed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.errors import LoomError
from loom.runtime.database import Database
from loom.science.metrics import get
from loom.science.search.nodes import Proposal, Step, Try, View
from loom.science.search.order import Found, Order
from loom.science.validation.problem import Problem
from loom.search.jobs import Job
from loom.search.journal import SearchJournal
from loom.search.outcome import CandidateFacts
from loom.search.replay import Replay
from loom.search.run import Means, search
from tests.fakes.executor import Clock, FakeExecutor

ROWS = 120
FAMILIES = ("oak", "ash", "elm")


def table() -> pl.DataFrame:
    random = np.random.default_rng(1)
    return pl.DataFrame({"x": np.arange(ROWS + 40), "y": random.integers(0, 2, ROWS + 40)})


def script(skill: float, *marks: str) -> str:
    return (
        f"# skill: {skill}\n"
        + "".join(f"# {mark}\nmark_{at} = '{mark}'\n" for at, mark in enumerate(marks))
        + f"x = {skill}\n"
        + "def fit(train, ctx): ...\ndef predict(model, frame): ...\n"
    )


def plain(skill: float) -> str:
    """A script without the functions by which others could ask it."""
    return f"# skill: {skill}\nx = {skill}\n"


@dataclass
class Improving:
    """Drafts first, then improves whatever is best by what it knows."""

    most: int = 12
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def next(self, view: View) -> Step | None:
        at = len(view.nodes)
        if at >= self.most:
            return None
        self.seen.append(tuple(len(node.trials) for node in view.nodes))
        folds = tuple(range(view.challenge.folds))
        if at < len(FAMILIES):
            return Try(Proposal("draft", FAMILIES[at], script(0.05 * (at + 1), f"draft {at}")), folds)
        best = view.complete[0] if view.complete else None
        parents = (best.number,) if best else ()
        code = script(round(0.02 * at, 3), f"after {parents} {at}")
        return Try(Proposal("improve", FAMILIES[at % 3], code, parents), folds)


@dataclass
class Ground:
    """One search in a folder, with everything that it is given."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    takes: Callable[[Job], float] = lambda job: 1.0
    told: list[Mapping[str, Any]] = field(default_factory=list)
    kept: list[CandidateFacts] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    breaks_after: int | None = None

    def order(self, **changes: Any) -> Order:
        whole = table()
        problem = Problem(whole[:ROWS], "y", "binary")
        told: dict[str, Any] = {
            "named": "IngestDataset/1",
            "digest": "sha256:1",
            "problem": problem,
            "metric": get("auc"),
            "seconds": 100.0,
            "experiment_id": "loom-abc123",
            "test": whole[ROWS:].drop("y"),
            "workers": 2,
        }
        return Order(**{**told, **changes})

    def means(self, proposer: Any, lag: int = 4) -> Means:
        def tell(body: Mapping[str, Any]) -> None:
            self.told.append(body)
            if self.breaks_after is not None and len(self.told) > self.breaks_after:
                raise KeyboardInterrupt  # as far as the journal knows, this is as good as kill -9

        def keep(facts: Iterable[CandidateFacts]) -> Iterator[str]:
            for each in facts:
                self.kept.append(each)
                yield f"EvalCandidate/{len(self.kept)}"

        def executor(reads: Path, writes: Path, workers: int, seconds: float) -> Any:
            made = FakeExecutor(table(), self.clock, self.takes)
            made.started = self.started
            return made

        return Means(self.folder, proposer, lag, tell, keep, executor, clock=self.clock)

    def search(self, proposer: Any = None, lag: int = 4, **changes: Any) -> Found:
        return search(self.order(**changes), self.means(proposer or Improving(), lag))

    def steps(self) -> list[tuple[int, int, tuple[int, ...], Any]]:
        journal = SearchJournal(self.folder)
        found = [(each.number, each.node, each.folds, each.proposal) for each in journal.steps()]
        journal.close()
        return found


def test_the_best_is_found_refitted_and_told_whole(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    found = ground.search()
    told = json.loads(json.dumps(found.figures, allow_nan=False))
    best = told["best"]
    assert told["candidates"] == len(ground.kept) >= 12
    assert best["pathspec"] == next(row["pathspec"] for row in told["leaderboard"] if row["champion"])
    assert best["search"] == max(row["search"] for row in told["leaderboard"])
    assert best["ci"][0] < best["seal"] < best["ci"][1]
    assert told["final"] == {"how": "refit", "seconds": 1.0}
    assert told["checks"]["shuffled"]["survived"] is True
    assert told["checks"]["second_seed"]["score"] is not None
    assert found.solution is not None
    assert found.submission is not None
    assert found.submission.decode().splitlines()[0] == "row,y"
    assert len(found.submission.splitlines()) == 41
    assert sum(row["seal"] is not None for row in told["leaderboard"]) == 3


def test_every_candidate_is_kept_with_its_code_its_words_and_a_digest_of_what_it_predicted(
    tmp_path: Path,
) -> None:
    ground = Ground(tmp_path)
    ground.search(Replay((("good", script(0.8)), ("bad", script(0.1, "fails")))))
    good, bad = ground.kept[:2]
    assert (good.ended, bad.ended) == ("ok", "failed")
    assert good.code == script(0.8)
    assert good.printed == '{"rounds": 3}\n'
    assert good.summary["predictions_digest"].startswith("sha256:")
    assert bad.summary["why"] == "error"
    assert bad.summary["error"] == {"type": "ValueError", "line": 1}
    assert bad.summary["predictions_digest"] is None


def test_the_budget_is_kept_even_if_the_final_fit_never_ends(tmp_path: Path) -> None:
    ground = Ground(tmp_path)

    def takes(job: Job) -> float:
        return 1e9 if job.folder.name == "final" else 3.0

    ground.takes = takes
    found = ground.search(Improving(most=500), seconds=60.0)
    assert found.figures["final"]["how"] == "mean of folds"
    assert found.submission is not None
    assert found.figures["budget"]["used"] <= 60.0


def test_a_candidate_that_hangs_costs_its_share_and_no_more(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    found = ground.search(Replay((("stuck", script(0.9, "hangs")), ("good", script(0.7)))), seconds=40.0)
    assert found.figures["failures"] == {"deadline": 1}
    assert found.figures["best"]["family"] == "good"
    assert found.figures["budget"]["used"] <= 40.0


def test_nothing_that_runs_is_no_champion(tmp_path: Path) -> None:
    found = Ground(tmp_path).search(Replay((("one", script(0.1, "fails")),)))
    assert found.figures["best"] is None
    assert (found.solution, found.submission) == (None, None)


def test_the_same_script_again_is_not_tried_again(tmp_path: Path) -> None:
    again = "# other words\n" + script(0.6)
    found = Ground(tmp_path).search(Replay((("one", script(0.6)), ("two", again))))
    assert found.figures["failures"] == {"duplicate": 1}


def test_what_knows_shuffled_answers_is_no_champion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ground = Ground(tmp_path)
    monkeypatch.setattr("loom.search.endgame.survives_shuffle", lambda *_: True)
    found = ground.search(Replay((("one", script(0.6)), ("two", script(0.5)))))
    assert found.figures["best"] is None
    assert {each["node"] for each in found.figures["suspects"]} >= {0, 1}


@pytest.mark.parametrize("killed_after", range(0, 60, 2 if os.environ.get("LOOM_SOAK") else 20))
def test_a_search_that_was_killed_goes_on_with_the_same_tree_and_tries_nothing_twice(
    tmp_path: Path, killed_after: int
) -> None:
    whole = Ground(tmp_path / "whole")
    expected = whole.search()
    broken = Ground(tmp_path / "broken", breaks_after=killed_after)
    with pytest.raises(KeyboardInterrupt):
        broken.search()
    finished = set(_finished(broken.folder))
    begun = list(broken.started)
    broken.breaks_after = None
    broken.started.clear()
    found = broken.search()
    assert found.figures["resumed"] is True
    assert broken.steps() == whole.steps()
    assert not finished & set(broken.started)
    assert set(begun) | set(broken.started) == set(whole.started)
    assert [row["search"] for row in found.figures["leaderboard"]] == [
        row["search"] for row in expected.figures["leaderboard"]
    ]


def _finished(folder: Path) -> list[str]:
    journal = SearchJournal(folder)
    names = [f"{trial.node}/fold-{trial.fold}" for trial in journal.trials()]
    journal.close()
    return names


@settings(max_examples=100 if os.environ.get("LOOM_SOAK") else 2)
@given(seed=st.integers(0, 10_000), workers=st.integers(1, 4))
def test_the_same_seed_grows_the_same_tree_however_long_trials_take(
    tmp_path_factory: pytest.TempPathFactory, seed: int, workers: int
) -> None:
    random = np.random.default_rng(seed)
    plain = Ground(tmp_path_factory.mktemp("plain"))
    plain.search(seconds=1e6)
    other = Ground(tmp_path_factory.mktemp("other"), takes=lambda job: float(random.uniform(0.1, 20)))
    other.search(seconds=1e6, workers=workers)
    grown = [step for step in plain.steps() if step[3] is None or step[3].operator != "ensemble"]
    assert [step for step in other.steps() if step[3] is None or step[3].operator != "ensemble"] == grown


def test_a_search_goes_on_only_with_what_it_was_asked_for(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    ground.search(Improving(most=2))
    with pytest.raises(LoomError, match="was for something else"):
        ground.search(seed=7)


def test_steps_bound_the_candidates(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    found = ground.search(Improving(most=500), steps=5)
    assert sum(row["operator"] != "ensemble" for row in found.figures["nodes"]) == 5


def test_two_at_once_do_not_work_on_one_search(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    failed: list[str] = []

    class Meddling(Improving):
        def next(self, view: View) -> Step | None:
            if not failed:
                with pytest.raises(LoomError, match="is under way") as caught:
                    Ground(tmp_path).search()
                failed.append(caught.value.what)
            return super().next(view)

    ground.search(Meddling(most=3))
    assert failed


def test_plain_scripts_are_not_put_together_for_nobody_could_run_the_whole(tmp_path: Path) -> None:
    apart = Ground(tmp_path / "apart").search(Replay((("one", plain(0.3)), ("two", plain(0.25)))))
    assert [node["operator"] for node in apart.figures["nodes"]] == ["draft", "draft"]
    assert apart.figures["best"]["family"] in ("one", "two")
    mixed = Ground(tmp_path / "mixed").search(
        Replay((("one", script(0.3)), ("two", plain(0.28)), ("three", script(0.25))))
    )
    [ensemble] = [node for node in mixed.figures["nodes"] if node["operator"] == "ensemble"]
    assert ensemble["parents"] == [0, 2]


class Killed(BaseException):
    """As far as the journal knows, this is as good as kill -9."""


@dataclass
class Writes:
    """Counts what is written down, and ends the search instead of a certain write."""

    most: int = 1_000_000
    count: int = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        write = Database.write

        def counted(database: Database, *told: Any) -> Any:
            if self.count >= self.most:
                raise Killed
            self.count += 1
            return write(database, *told)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Database, "write", counted)
            yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, Found, int]:
    """A search that nobody killed, and how often it wrote something down."""
    ground, writes = Ground(tmp_path_factory.mktemp("whole")), Writes()
    with writes.watched():
        found = ground.search(Improving(most=4))
    return ground, found, writes.count


@pytest.mark.parametrize("before_its_end", range(1, 60) if os.environ.get("LOOM_SOAK") else (4, 11, 30))
def test_a_search_killed_between_any_two_writes_ends_as_if_nothing_had_happened(
    tmp_path: Path, before_its_end: int, undisturbed: tuple[Ground, Found, int]
) -> None:
    whole, expected, count = undisturbed
    broken = Ground(tmp_path)
    with Writes(count - before_its_end).watched(), pytest.raises(Killed):
        broken.search(Improving(most=4))
    found = broken.search(Improving(most=4))
    assert broken.steps() == whole.steps()
    for name in ("leaderboard", "nodes", "best", "suspects", "failures"):
        assert _without_runs(found.figures[name]) == _without_runs(expected.figures[name])


def _without_runs(told: Any) -> Any:
    """What was found, without the names of runs."""
    if isinstance(told, dict):
        return {key: _without_runs(value) for key, value in told.items() if key != "pathspec"}
    return [_without_runs(each) for each in told] if isinstance(told, list) else told
