"""The verb optimize: what it refuses, what it asks a search for, and what it says of what the search came to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from loom.core.contracts import validate_output
from loom.render.html.page import card_html
from loom.science.search.order import Found, Order
from loom.search.outcome import CandidateFacts
from loom.search.replay import Replay
from loom.search.run import Means, search
from loom.tools.discover import load_tools
from loom.tools.registry import Tool, ToolResult
from tests.fakes.executor import Clock, FakeExecutor
from tests.processes.verdicts import Court
from tests.tools.calls import call

OPTIMIZE = Path(__file__).parents[2] / "processes" / "builtin" / "optimize"
VERB = yaml.safe_load((OPTIMIZE / "process.yaml").read_text(encoding="utf-8"))["verb"]
BESIDE = ("verdict", "reasons", "next", "card")
ARGS: dict[str, Any] = {
    "budget": "60s",
    "proposer": "builtin",
    "mlops": "metaflow",
    "seed": 7,
    "experiment_id": "loom-abc123",
}
WHOLE = "def fit(train, ctx): ...\ndef predict(model, frame): ...\n"
GOOD, FAIR, BAD = "# skill: 0.3\nx = 1\n" + WHOLE, "# skill: 0.2\nx = 2\n" + WHOLE, "# fails\nx = 3\n"


def table(rows: int = 160) -> pl.DataFrame:
    random = np.random.default_rng(1)
    return pl.DataFrame({"x": random.permutation(rows) / 4 + 0.1, "y": random.integers(0, 2, rows)})


@pytest.fixture(scope="module")
def tool() -> Tool:
    """The one tool of the verb."""
    [found] = [each.tool for each in load_tools(OPTIMIZE) if each.tool.name == "optimize_search"]
    return found


@dataclass
class Hall:
    """A home with a table, and a search whose candidates take no time."""

    court: Court
    tool: Tool
    dataset: str = ""
    scripts: tuple[tuple[str, str], ...] = (("good", GOOD), ("fair", FAIR), ("bad", BAD))
    changes: Mapping[str, Any] = field(default_factory=dict)
    found: Found | None = None
    """What the search comes to without being carried out."""

    orders: list[Order] = field(default_factory=list)
    told: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    kept: list[CandidateFacts] = field(default_factory=list)
    allowed: list[bool] = field(default_factory=list)

    def optimize(self, **args: Any) -> ToolResult:
        context = self.court.context("OptimizeFlow/2")
        tell = self.told.append
        services = {
            **context.services,
            "search": self.search,
            "tell": lambda task, body: tell((task, body)),
        }
        return call(self.tool, {**ARGS, **args}, replace(context, services=services, subtask_id="search"))

    def search(self, order: Order, tell: Any, *, allow_unsandboxed: bool = False) -> Found:
        """A real search, but for what runs its candidates; figures can be changed afterwards."""
        self.orders.append(order)
        self.allowed.append(allow_unsandboxed)
        found = self.found = self.found or self._carried_out(order, tell)
        return replace(found, figures={**found.figures, **self.changes})

    def _carried_out(self, order: Order, tell: Any) -> Found:
        clock = Clock()

        def keep(facts: Iterable[CandidateFacts]) -> Iterator[str]:
            for each in facts:
                self.kept.append(each)
                yield f"EvalCandidate/{each.number + 1}"

        def executor(reads: Path, writes: Path, workers: int, seconds: float) -> Any:
            return FakeExecutor(table(), clock, lambda job: 1.0)

        folder = self.court.folder / "experiment" / str(len(self.orders))
        return search(order, Means(folder, Replay(self.scripts), 4, tell, keep, executor, clock=clock))

    def answer(self, **args: Any) -> dict[str, Any]:
        """What the verb answers; its summary fits what the process declares."""
        result = self.optimize(**{"dataset": self.dataset, **args})
        assert result.success, result.error
        assert result.data is not None
        json.dumps(result.data, allow_nan=False)
        summary = {key: value for key, value in result.data.items() if key not in BESIDE}
        assert validate_output(summary, VERB["summary"]["schema"]) == []
        assert result.data["verdict"] in VERB["verdict"]["values"]
        return dict(result.data)

    def refusal(self, **args: Any) -> tuple[str, str, str]:
        """Why a call is refused, in three lines; nothing was searched."""
        result = self.optimize(**args)
        assert not result.success
        assert result.data is not None, result.error
        assert self.orders == []
        error = result.data["error"]
        return error["what"], error["why"], error["fix"]


def hall_at(folder: Path, tool: Tool, **changes: Any) -> Hall:
    court = Court(folder)
    return Hall(court, tool, court.bring(table(), target="y"), **changes)


@pytest.fixture
def hall(tmp_path: Path, tool: Tool) -> Hall:
    """A home with one table."""
    return hall_at(tmp_path, tool)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, tool: Tool) -> tuple[Hall, dict[str, Any]]:
    """A search that found a champion."""
    hall = hall_at(tmp_path_factory.mktemp("hall"), tool)
    return hall, hall.answer()


def section(answer: Mapping[str, Any], title: str) -> dict[str, Any]:
    [found] = [each for each in answer["card"]["sections"] if each["title"] == title]
    return dict(found)


def titles(answer: Mapping[str, Any]) -> list[str]:
    return [each["title"] for each in answer["card"]["sections"]]


def number(answer: Mapping[str, Any], label: str) -> dict[str, Any]:
    [found] = [each for each in answer["card"]["numbers"] if each["label"] == label]
    return dict(found)


# what is refused

DATA = {"dataset": "IngestDataset/1"}
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "no data": (
        {},
        ("no data was named", "it is --dataset or --data", "loom run --dataset IngestDataset/1"),
    ),
    "two data": (
        {**DATA, "data": "folder"},
        (
            "two things to search on were named",
            "it is --dataset or --data",
            "loom run --dataset IngestDataset/1",
        ),
    ),
    "a folder whose runs Metaflow would keep": (
        {"data": "some folder"},
        (
            "--data needs --mlops local",
            "runs that Metaflow keeps refer to data objects, so that others find them",
            "loom ingest --source 'some folder'",
        ),
    ),
    "a metric of another kind": (
        {**DATA, "metric": "rmse"},
        (
            "rmse does not measure a target of two classes",
            "those that do are auc, logloss, accuracy, balanced_accuracy, f1, ap, brier, mcc, qwk, ndcg",
            "--metric auc",
        ),
    ),
    "no steps": ({**DATA, "steps": 0}, ("nothing is to be tried", "--steps is 0", "--steps 10")),
    "fewer than no steps": ({**DATA, "steps": -3}, ("nothing is to be tried", "--steps is -3", "--steps 10")),
    "no workers": ({**DATA, "workers": 0}, ("nobody is to try anything", "--workers is 0", "--workers 2")),
    "a budget too short": (
        {**DATA, "budget": "500ms"},
        ("--budget 500ms is too short", "a search takes 2 s at least", "--budget 60s"),
    ),
    "a budget that is none": (
        {**DATA, "budget": "soon"},
        ("--budget soon is no length of time", "a search takes 2 s at least", "--budget 60s"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_searched_is_refused_in_three_lines_before_anything_is_tried(
    name: str, hall: Hall
) -> None:
    args, expected = REFUSED[name]
    assert hall.refusal(**args) == expected


@pytest.mark.parametrize(
    "args", [{"dataset": "IngestDataset/9"}, {**DATA, "target": "z"}, {"data": "nowhere", "mlops": "local"}]
)
def test_data_that_is_not_there_is_refused_as_everywhere(args: dict[str, Any], hall: Hall) -> None:
    what, why, fix = hall.refusal(**args)
    assert what and why and fix


# what a search is asked for


def test_a_search_is_asked_for_what_was_said(hall: Hall, ended: tuple[Hall, dict[str, Any]]) -> None:
    hall.found = ended[0].found
    hall.answer(metric="logloss", steps=2, workers=1, goal="few mistakes", seed=3, allow_unsandboxed=True)
    [order] = hall.orders
    assert (order.named, order.problem.target, order.metric.name) == (hall.dataset, "y", "logloss")
    assert (order.seconds, order.steps, order.workers, order.seed) == (60.0, 2, 1, 3)
    assert (order.goal, order.proposer, order.experiment_id) == ("few mistakes", "builtin", "loom-abc123")
    assert hall.allowed == [True]


@pytest.mark.parametrize(
    ("proposer", "steps", "expected"),
    [("builtin", None, None), ("anthropic", None, 10), ("anthropic", 25, 25)],
)
def test_a_model_proposes_ten_candidates_unless_somebody_says_otherwise(
    proposer: str,
    steps: int | None,
    expected: int | None,
    hall: Hall,
    ended: tuple[Hall, dict[str, Any]],
) -> None:
    hall.found = ended[0].found
    hall.optimize(dataset=hall.dataset, proposer=proposer, steps=steps)
    assert hall.orders[0].steps == expected


def test_only_a_model_of_somebody_else_costs_money_and_is_reached_over_a_network(tool: Tool) -> None:
    for proposer in ("builtin", "replay"):
        assert not tool.effects_of({"proposer": proposer}) & {"network", "spend"}
        assert tool.model_of({"proposer": proposer}) is None
    assert tool.effects_of({"proposer": "anthropic"}) >= {"network", "spend"}
    assert tool.model_of({"proposer": "anthropic"}) == ("proposer", "anthropic")
    told = {"proposer": "anthropic", "model_provider": "anthropic:a"}
    assert tool.model_of(told) == ("proposer", "anthropic:a")


def test_a_folder_is_searched_without_any_data_object(hall: Hall, tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    table().write_csv(folder / "train.csv")
    test = table(200)[160:].drop("y").with_row_index("id")
    test.write_csv(folder / "test.csv")
    test.select("id").with_columns(y=0.5).write_csv(folder / "sample_submission.csv")
    before = sorted(path.name for path in folder.iterdir())
    answer = hall.answer(dataset=None, data=str(folder), mlops="local")
    [order] = hall.orders
    # the target is the one column that test lacks
    assert (order.named, order.problem.target, order.problem.train.height) == ("my data", "y", 160)
    lines = Path(answer["submission_path"]).read_text().splitlines()
    assert (lines[0], len(lines)) == ("id,y", 41)
    assert [line.partition(",")[0] for line in lines[1:]] == [str(at) for at in range(40)]
    assert answer["next"] == [f"loom ingest --source '{folder}'", f"loom show {answer['best']['pathspec']}"]
    assert sorted(path.name for path in folder.iterdir()) == before
    assert len(list((hall.court.folder / "objects").glob("IngestDataset/*/entry.json"))) == 1


# what it says of a champion


def test_the_best_is_named_with_its_sealed_score_and_lies_in_the_workspace(
    ended: tuple[Hall, dict[str, Any]],
) -> None:
    hall, answer = ended
    best = answer["best"]
    assert answer["verdict"] == "BEST"
    assert best["pathspec"] == next(row["pathspec"] for row in answer["leaderboard"] if row["champion"])
    assert best["ci"][0] < best["seal"] < best["ci"][1]
    assert (answer["dataset_ref"], answer["target"]) == (hall.dataset, "y")
    assert Path(answer["solution_path"]).read_text() == hall.kept[best["node"]].code
    assert answer["submission_path"] is None  # nothing is to be predicted
    assert answer["candidates"] == len(hall.kept) == 4
    assert answer["budget"]["used"] <= answer["budget"]["asked"] == 60.0


def test_what_makes_sense_next_is_to_judge_the_champion_and_to_look_at_it(
    ended: tuple[Hall, dict[str, Any]],
) -> None:
    hall, answer = ended
    best = answer["best"]["pathspec"]
    assert answer["next"] == [
        f"loom validate --dataset {hall.dataset} --target y --solution {best}",
        f"loom show {best}",
    ]


def test_what_failed_is_a_reason_with_what_it_means(ended: tuple[Hall, dict[str, Any]]) -> None:
    _, answer = ended
    assert {each["code"]: (each["severity"], each["what"], each["value"]) for each in answer["reasons"]} == {
        "error": ("info", "1 candidate failed: it raised an exception, or its process ended badly", 1)
    }


def test_the_page_shows_the_champion_the_board_the_tree_and_what_failed(
    ended: tuple[Hall, dict[str, Any]],
) -> None:
    _, answer = ended
    assert titles(answer) == ["Leaderboard", "The search", "What failed", "Method and lineage"]
    assert number(answer, "champion")["note"] == answer["best"]["pathspec"]
    assert number(answer, "candidates") == {"label": "candidates", "value": 4, "note": "1 failed"}
    assert number(answer, "suspects")["tone"] == "fine"
    rows = section(answer, "Leaderboard")["rows"]
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert sum(row["marks"] == [{"text": "champion", "tone": "fine"}] for row in rows) == 1
    [chart] = section(answer, "The search")["charts"]
    assert chart["title"] == f"{answer['best']['family']} leads after 4 candidates"
    page = card_html({"verb": "optimize", "VERDICT": "BEST"}, [], answer["card"])
    assert "<svg" in page and "What failed" in page


def test_a_long_board_is_cut_and_says_so(hall: Hall, ended: tuple[Hall, dict[str, Any]]) -> None:
    hall.found, row = ended[0].found, ended[1]["leaderboard"][-1]
    hall.changes = {"leaderboard": [{**row, "rank": at + 1, "node": at} for at in range(300)]}
    board = section(hall.answer(), "Leaderboard")
    assert len(board["rows"]) == 25
    assert board["note"] == "the seal was opened for the first few only; 275 more"


def test_progress_is_told_as_that_of_the_phase_with_the_board(ended: tuple[Hall, dict[str, Any]]) -> None:
    hall, _ = ended
    assert {task for task, _ in hall.told} == {"search"}
    assert hall.told[0][1]["text"].startswith("1 candidates; good, as it was written: auc ")
    assert hall.told[0][1]["matters"] is True
    assert len(hall.told[-1][1]["board"]["rows"]) >= 2


# what it says where something is wrong


def test_without_a_champion_the_search_is_empty_and_can_go_on(tmp_path: Path, tool: Tool) -> None:
    hall = hall_at(tmp_path, tool, scripts=(("one", BAD), ("two", BAD + "y = 1\n")))
    answer = hall.answer(metric="logloss", proposer="replay")
    assert (answer["verdict"], answer["best"]) == ("EMPTY", None)
    assert (answer["solution_path"], answer["submission_path"]) == (None, None)
    assert [(each["code"], each["severity"]) for each in answer["reasons"]] == [
        ("no_candidate", "error"),
        ("error", "info"),
    ]
    assert answer["reasons"][0]["what"] == "none of 2 candidates came to a score"
    assert answer["next"] == [
        f"loom run --dataset {hall.dataset} --target y --metric logloss --proposer replay --seed 7 "
        "--experiment-id loom-abc123 --budget 5m --resume"
    ]
    assert number(answer, "champion") == {"label": "champion", "value": "none", "tone": "bad"}
    assert titles(answer) == ["Leaderboard", "What failed", "Method and lineage"]


def test_a_folder_in_which_nothing_was_found_can_be_searched_on(tmp_path: Path, tool: Tool) -> None:
    hall, folder = hall_at(tmp_path, tool, scripts=(("one", BAD),)), tmp_path / "data"
    folder.mkdir()
    table().write_csv(folder / "train.csv")
    answer = hall.answer(dataset=None, data=str(folder), mlops="local", target="y", seed=0)
    assert answer["next"] == [
        f"loom run --data {folder} --mlops local --target y --metric auc --experiment-id loom-abc123 "
        "--budget 5m --resume"
    ]


def test_a_search_that_tried_nothing_says_so(tmp_path: Path, tool: Tool) -> None:
    answer = hall_at(tmp_path, tool, scripts=()).answer()
    assert answer["verdict"] == "EMPTY"
    assert answer["reasons"][0]["what"] == "nothing was tried"


CHANGED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a suspect": (
        {"suspects": [{"node": 3, "family": "oak", "why": "it knows the seal"}]},
        "suspect",
        "warning",
        "candidate 3 (oak): it knows the seal",
    ),
    "an oddity": (
        {"oddities": {"constant": [1, 2]}, "meanings": {"constant": "it says the same of every row"}},
        "constant",
        "info",
        "candidate 1, 2: it says the same of every row",
    ),
    "several failures": (
        {"failures": {"deadline": 3}, "meanings": {"deadline": "it was not over in time"}},
        "deadline",
        "info",
        "3 candidates failed: it was not over in time",
    ),
    "a failure without words": (
        {"failures": {"new": 1}, "meanings": {}},
        "new",
        "info",
        "1 candidate failed: new",
    ),
    "no refit": (
        {"final": {"how": "mean of folds", "why": "no time was left for it"}},
        "not_refitted",
        "warning",
        "the predictions are the mean of what the folds predict: no time was left for it",
    ),
    "no sandbox": ({"sandbox": "none"}, "unsandboxed", "warning", "candidates ran without a sandbox"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_somebody_has_to_know_is_among_the_reasons(
    name: str, hall: Hall, ended: tuple[Hall, dict[str, Any]]
) -> None:
    hall.found = ended[0].found
    hall.changes, code, severity, what = CHANGED[name]
    answer = hall.answer()
    assert answer["verdict"] == "BEST"
    assert (code, severity, what) in [
        (each["code"], each["severity"], each["what"]) for each in answer["reasons"]
    ]


def test_a_champion_that_is_no_run_of_its_own_offers_nothing_that_needs_one(
    hall: Hall, ended: tuple[Hall, dict[str, Any]]
) -> None:
    hall.found, first = ended[0].found, ended[1]
    hall.changes = {"best": {**first["best"], "pathspec": None}}
    answer = hall.answer()
    assert answer["next"] == []
    assert number(answer, "champion")["note"] == f"candidate {first['best']['node']}"
