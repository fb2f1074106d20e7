"""The verb ops: every run is counted once, every score has its place, drift is caught and its absence is quiet."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from loom.app.call import Call
from loom.app.run import carry_out
from loom.core.contracts import validate_output
from loom.core.index import RunFacts
from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.ingest import Request, ingest
from loom.kernel.errors import LoomError
from loom.tools.discover import load_tools
from loom.tools.invoke import invoke
from loom.tools.registry import Tool, ToolContext, ToolResult
from tests.packages import write_package

OPS = Path(__file__).parents[2] / "processes" / "builtin" / "ops"
SUMMARY = yaml.safe_load((OPS / "process.yaml").read_text(encoding="utf-8"))["verb"]["summary"]["schema"]
BESIDE = ("verdict", "reasons", "next", "card")
START = 1_750_000_000.0


class Index:
    """Runs that took place, the newest first, as the journal gives them."""

    def __init__(self, runs: Sequence[RunFacts] = ()) -> None:
        self._runs = sorted(runs, key=lambda run: run.started, reverse=True)

    def runs(
        self, *, flow: str | None = None, experiment: str | None = None, limit: int | None = None
    ) -> list[RunFacts]:
        found = [
            run for run in self._runs if flow in (None, run.flow) and experiment in (None, run.experiment_id)
        ]
        return found[:limit]

    def run(self, pathspec: str) -> RunFacts:
        for run in self._runs:
            if run.name == pathspec:
                return run
        raise LoomError(f"no run is called {pathspec}", "there is none", "loom runs")


@cache
def tools() -> dict[str, Tool]:
    """The tools of the verb by name."""
    return {found.tool.name: found.tool for found in load_tools(OPS)}


@dataclass
class Ops:
    """The verb as its phases take it, over runs and data objects that a test puts there."""

    folder: Path
    index: Index

    @property
    def catalogue(self) -> DirectoryCatalogue:
        return DirectoryCatalogue(self.folder / "objects")

    def bring(self, table: pl.DataFrame, **asked: Any) -> str:
        """The pathspec of a table."""
        path = self.folder / "table.csv"
        table.write_csv(path)
        key, _ = ingest(Request(parse_address(str(path)), **asked), self.catalogue.store, self.folder)
        return self.catalogue.register("IngestDataset", key)

    def call(self, tool: str, **args: Any) -> ToolResult:
        ctx = ToolContext(self.folder, services={"runs": self.index, "catalogue": self.catalogue})
        return asyncio.run(invoke(tools()[tool], args, ctx))

    def look(self, **asked: Any) -> dict[str, Any]:
        """The answer of the verb, which fits the schema that it declares."""
        asked = dict.fromkeys(("flow", "experiment", "dataset", "reference", "prediction")) | asked
        flow, experiment, *data = asked.values()
        dataset, reference, prediction = data
        looks = {
            "health": self.call("ops_health", flow=flow, experiment=experiment, instead=data),
            "leaderboard": self.call("ops_leaderboard", experiment=experiment),
            "drift": self.call("ops_drift", dataset=dataset, reference=reference, prediction=prediction),
        }
        for look in looks.values():
            assert look.success, look.error
        result = self.call("ops_summary", **{name: look.data for name, look in looks.items()})
        assert result.success and result.data is not None, result.error
        summary = {key: value for key, value in result.data.items() if key not in BESIDE}
        assert validate_output(summary, SUMMARY) == []
        return result.data

    def refusal(self, **asked: Any) -> dict[str, str]:
        """The three lines with which a comparison is refused."""
        result = self.call("ops_drift", **asked)
        assert not result.success and result.data is not None
        return dict(result.data["error"])


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(tmp_path, Index())


def run(number: int, status: str = "ok", flow: str = "EdaFlow", **more: Any) -> RunFacts:
    verb = {"EdaFlow": "eda", "IngestDataset": "ingest", "OptimizeFlow": "optimize"}.get(flow, flow.lower())
    told: dict[str, Any] = {"verdict": "OK" if status == "ok" else None, "seconds": 2.0}
    told |= {"started": START + 60 * number, "pathspec": f"{flow}/{number}", "flow": flow}
    return RunFacts(f"{flow}/{number}", verb, status, **(told | more))


def codes(answer: Mapping[str, Any]) -> set[str]:
    return {reason["code"] for reason in answer["reasons"]}


# health


def test_every_run_is_counted_once_and_an_interrupted_one_as_failed(ops: Ops) -> None:
    statuses = ["ok", "ok", "ok", "failed", "error", "interrupted", "blocked", "refused", "running"]
    runs = [run(number, status) for number, status in enumerate(statuses, 1)]
    ops.index = Index([*runs, runs[0]])  # told of twice, it is still one run
    health = ops.look(flow="EdaFlow")["health"]
    counted = {key: health[key] for key in ("runs", "ok", "failed", "interrupted", "blocked", "refused")}
    assert counted == {"runs": 9, "ok": 3, "failed": 3, "interrupted": 1, "blocked": 1, "refused": 1}
    assert health["running"] == 1
    assert health["success"] == pytest.approx(3 / 8)


def test_the_duration_of_95_percent_is_one_that_was_measured(ops: Ops) -> None:
    runs = [run(number, seconds=float(number)) for number in range(1, 21)]
    # what was cut short or still goes on says nothing of how long a run takes
    others = [run(30, "interrupted", seconds=900.0), run(31, "running", seconds=800.0)]
    ops.index = Index([*runs, *others])
    health = ops.look(flow="EdaFlow")["health"]
    assert (health["p95_s"], health["median_s"]) == (19.0, 10.5)


def test_the_share_of_successes_has_the_interval_of_wilson(ops: Ops) -> None:
    ops.index = Index([run(number, "ok" if number <= 8 else "failed") for number in range(1, 11)])
    assert ops.look(flow="eda")["health"]["success_ci"] == [0.4902, 0.9433]
    ops.index = Index([run(1, "running")])
    health = ops.look(flow="eda")["health"]
    assert (health["success"], health["success_ci"], health["p95_s"]) == (None, None, None)


@pytest.mark.parametrize("name", ["EdaFlow", "edaflow", "eda", "EDA"])
def test_a_flow_is_found_by_its_name_and_by_its_verb(ops: Ops, name: str) -> None:
    ops.index = Index([run(1), run(1, flow="IngestDataset")])
    answer = ops.look(flow=name)
    assert [row["flow"] for row in answer["health"]["flows"]] == ["EdaFlow"]
    assert answer["verdict"] == "OK"


def test_a_run_within_another_is_counted_under_its_own_flow(ops: Ops) -> None:
    parent = run(1, flow="OptimizeFlow")
    ops.index = Index([parent, *(run(n, flow="EvalCandidate", parent="run-1") for n in (1, 2, 3))])
    assert ops.look(flow="OptimizeFlow")["health"]["runs"] == 1
    assert {row["flow"]: row["runs"] for row in ops.look()["health"]["flows"]} == {
        "EvalCandidate": 3,
        "OptimizeFlow": 1,
    }


def test_a_run_that_never_got_a_number_is_counted_under_the_flow_of_its_verb(ops: Ops) -> None:
    lost = replace(run(2, "interrupted"), name="run-0a1b2c3d4e", pathspec=None, flow=None)
    ops.index = Index([run(1), lost])
    health = ops.look(flow="EdaFlow")["health"]
    assert (health["runs"], health["interrupted"]) == (2, 1)


def test_failures_lately_are_worth_a_look_and_long_ago_are_not(ops: Ops) -> None:
    bad = [run(number, "failed") for number in range(1, 9)]
    ops.index = Index([*bad, *(run(number) for number in range(9, 40))])
    assert ops.look(flow="eda")["verdict"] == "OK"
    ops.index = Index([*(run(number) for number in range(9, 40)), *(run(50 + n, "failed") for n in range(4))])
    answer = ops.look(flow="eda")
    assert answer["verdict"] == "WARN"
    (reason,) = answer["reasons"]
    assert (reason["code"], reason["value"], reason["threshold"]) == ("failures", 0.2, 0.2)
    assert answer["next"] == ["loom show EdaFlow/53", "loom logs EdaFlow/53"]


def test_a_run_that_was_cut_short_can_be_gone_on_with(ops: Ops) -> None:
    ops.index = Index([run(1), run(2, "interrupted")])
    assert ops.look(flow="eda")["next"][0] == "loom resume EdaFlow/2"


def test_the_flow_in_most_trouble_comes_first(ops: Ops) -> None:
    calm = [run(number) for number in range(1, 9)]
    shaky = [run(number, "failed" if number % 2 else "ok", flow="VizFlow") for number in range(1, 9)]
    ops.index = Index([*calm, *shaky])
    answer = ops.look()
    assert [row["flow"] for row in answer["health"]["flows"]] == ["VizFlow", "EdaFlow"]
    (table, *_) = [block for block in answer["card"]["sections"] if block["kind"] == "table"]
    assert [row["flow"] for row in table["rows"]] == ["VizFlow", "EdaFlow"]


def test_a_flow_that_takes_longer_lately_is_worth_a_look(ops: Ops) -> None:
    chance = random.Random(1)
    before = [run(number, seconds=chance.uniform(1.8, 2.2)) for number in range(30)]
    lately = [run(100 + number, seconds=chance.uniform(3.8, 4.2)) for number in range(10)]
    ops.index = Index(before + lately)
    assert codes(ops.look(flow="eda")) == {"slower"}
    ops.index = Index(before)
    assert ops.look(flow="eda")["health"]["flows"][0]["trend"] == pytest.approx(1, abs=0.1)


def test_a_flow_that_does_not_change_is_seldom_called_slower(ops: Ops) -> None:
    """Durations that vary as widely as those of real runs: at most 2 in 100 homes are told a false alarm."""
    alarms = 0
    for seed in range(100):
        chance = random.Random(seed)
        ops.index = Index([run(number, seconds=chance.lognormvariate(1, 0.8)) for number in range(40)])
        found = ops.call("ops_health", flow="eda", experiment=None, instead=None)
        assert found.data is not None
        alarms += found.data["verdict"] != "OK"
    assert alarms <= 2


def test_a_name_that_never_ran_is_empty_and_names_near_ones(ops: Ops) -> None:
    ops.index = Index([run(1), run(1, flow="IngestDataset")])
    answer = ops.look(flow="EdaFlo")
    assert (answer["verdict"], answer["health"]) == ("EMPTY", None)
    assert answer["reasons"][0]["what"] == "EdaFlo has never run; there is EdaFlow"
    assert answer["next"] == ["loom ops --flow EdaFlow", "loom runs"]
    assert "EdaFlow, IngestDataset" in ops.look(flow="NoSuchThing")["reasons"][0]["what"].replace(
        "IngestDataset, EdaFlow", "EdaFlow, IngestDataset"
    )


def test_an_experiment_is_looked_at_by_itself(ops: Ops) -> None:
    ops.index = Index([run(1, experiment_id="loom-one"), run(2, "failed", experiment_id="loom-two")])
    assert ops.look(experiment="loom-one")["verdict"] == "OK"
    assert ops.look(experiment="loom-two")["health"]["failed"] == 1
    answer = ops.look(experiment="loom-oen")
    assert answer["verdict"] == "EMPTY"
    assert answer["next"][0] == "loom ops --experiment loom-one"
    answer = ops.look(experiment="loom-one", flow="ingest")
    assert answer["verdict"] == "EMPTY"


def test_in_an_empty_home_there_is_nothing_to_look_at(ops: Ops) -> None:
    answer = ops.look()
    assert (answer["verdict"], answer["next"]) == ("EMPTY", ["loom verbs"])
    assert codes(answer) == {"nothing_there"}


def test_of_a_failure_the_class_is_shown_and_never_what_the_exception_said(ops: Ops) -> None:
    crash = {"code": "tool_failure", "severity": "error", "phase": "fit", "value": None, "threshold": None}
    crash["what"] = "unexpected ValueError in Fit, fit.py line 3"
    told = {"what": "phase fit of eda did not end well", "why": "could not convert K4711", "fix": "loom logs"}
    secret = {**crash, "code": "program_failure", "what": "it said: patient K4711 is unknown"}
    ops.index = Index(
        [run(1, "error", reasons=(crash,), error=told), run(2, "error", reasons=(secret,), error=told)]
    )
    answer = ops.look()
    assert [row["error"] for row in answer["health"]["failures"]] == ["program_failure", "ValueError"]
    assert {row["what"] for row in answer["health"]["failures"]} == {told["what"]}
    assert "K4711" not in json.dumps(answer)


# leaderboard


def search(number: int = 1, **summary: Any) -> RunFacts:
    told: dict[str, Any] = {"experiment_id": "loom-search", "best": None, "leaderboard": [], "suspects": []}
    return run(number, flow="OptimizeFlow", experiment_id="loom-search", summary=told | summary)


def ranked(ops: Ops, *runs: RunFacts) -> list[dict[str, Any]]:
    ops.index = Index(runs)
    rows: list[dict[str, Any]] = ops.look(experiment="loom-search")["leaderboard"]
    return rows


def candidate(number: int, search: float | None, seal: float | None = None, **more: Any) -> dict[str, Any]:
    return {"pathspec": f"EvalCandidate/{number}", "family": "linear", "search": search, "seal": seal, **more}


def test_candidates_are_ranked_by_the_sealed_score(ops: Ops) -> None:
    board = [candidate(3, 0.9, 0.80), candidate(2, 0.85, 0.84), candidate(1, 0.83)]
    best = candidate(2, 0.85, 0.84, ci=[0.82, 0.86])
    runs = [run(n, flow="EvalCandidate", experiment_id="loom-search") for n in (1, 2, 3)]
    rows = ranked(ops, search(leaderboard=board, best=best, metric="auc"), *runs)
    assert [(row["rank"], row["pathspec"], row["seal"]) for row in rows] == [
        (1, "EvalCandidate/2", 0.84),
        (2, "EvalCandidate/3", 0.80),
        (3, "EvalCandidate/1", None),
    ]
    assert rows[0]["ci"] == [0.82, 0.86]


@pytest.mark.parametrize(
    "summary",
    [
        {"metric": "rmse"},
        {"metric": "rmse<=3"},
        {"metric": {"name": "made_up", "direction": "minimize"}},
        {"metric": "made_up", "higher_is_better": False},
        {"metric": "Minimise the error on held-out rows"},
        {},  # then the order of the leaderboard tells
    ],
)
def test_where_less_is_better_the_smallest_score_leads(ops: Ops, summary: dict[str, Any]) -> None:
    board = [candidate(1, 2.0, 2.4), candidate(2, 2.1, 2.2), candidate(3, 3.0, 3.1)]
    rows = ranked(ops, search(leaderboard=board, **summary))
    assert [row["pathspec"] for row in rows] == [f"EvalCandidate/{n}" for n in (2, 1, 3)]


def test_the_metric_may_stand_in_the_inputs_of_the_search(ops: Ops) -> None:
    found = search(leaderboard=[candidate(1, 0.8, 0.7), candidate(2, 0.9, 0.6)])
    rows = ranked(ops, replace(found, inputs={"metric": "logloss"}))
    assert [(row["pathspec"], row["metric"]) for row in rows] == [
        ("EvalCandidate/2", "logloss"),
        ("EvalCandidate/1", "logloss"),
    ]


def test_candidates_are_ranked_from_their_own_runs_too(ops: Ops) -> None:
    """The search may have been killed before it could sum up."""
    runs = [
        run(
            n,
            flow="EvalCandidate",
            experiment_id="loom-search",
            summary={"search": 0.8 + n / 100, "family": "f"},
        )
        for n in (1, 2, 3)
    ]
    rows = ranked(ops, replace(search(), status="interrupted", summary={}), *runs)
    assert [row["pathspec"] for row in rows] == [f"EvalCandidate/{n}" for n in (3, 2, 1)]


def test_a_row_without_a_pathspec_comes_from_the_run_that_tells_of_it(ops: Ops) -> None:
    rows = ranked(ops, search(leaderboard=[{"family": "a", "score": 0.9}, {"family": "b", "score": 0.8}]))
    assert [(row["pathspec"], row["family"]) for row in rows] == [
        ("OptimizeFlow/1", "a"),
        ("OptimizeFlow/1", "b"),
    ]


def test_what_is_no_score_has_no_place(ops: Ops) -> None:
    board = [candidate(1, 0.8), candidate(2, None), candidate(3, float("nan")), "noise", None]
    board += [candidate(4, True), {"pathspec": "EvalCandidate/5", "search": "0.99"}]
    assert [row["pathspec"] for row in ranked(ops, search(leaderboard=board))] == ["EvalCandidate/1"]
    ops.index = Index([search()])
    answer = ops.look(experiment="loom-search")
    assert (answer["verdict"], answer["leaderboard"], codes(answer)) == ("OK", [], {"no_scores"})


def test_different_metrics_are_ranked_apart(ops: Ops) -> None:
    one = search(1, metric="auc", leaderboard=[candidate(1, 0.8), candidate(2, 0.9)])
    two = search(2, metric="rmse", leaderboard=[candidate(3, 5.0), candidate(4, 4.0)])
    ops.index = Index([one, two])
    answer = ops.look(experiment="loom-search")
    assert [(row["metric"], row["rank"], row["pathspec"]) for row in answer["leaderboard"]] == [
        ("rmse", 1, "EvalCandidate/4"),
        ("rmse", 2, "EvalCandidate/3"),
        ("auc", 1, "EvalCandidate/2"),
        ("auc", 2, "EvalCandidate/1"),
    ]
    assert codes(answer) == {"several_metrics"}


def test_a_leader_under_suspicion_is_worth_a_look(ops: Ops) -> None:
    ops.index = Index([search(leaderboard=[candidate(1, 0.99, 0.9)], suspects=["EvalCandidate/1"])])
    answer = ops.look(experiment="loom-search")
    assert (answer["verdict"], codes(answer)) == ("WARN", {"suspect"})
    assert answer["next"] == ["loom show EvalCandidate/1"]


# drift


def world(rows: int, seed: int) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    size, kind = chance.normal(10, 2, rows), chance.choice(list("abc"), rows, p=[0.5, 0.3, 0.2])
    answer = np.where(size + chance.normal(0, 2, rows) > 11, "yes", "no")
    return pl.DataFrame(
        {
            "size": size.round(3),
            "income": chance.lognormal(3, 0.5, rows).round(2),
            "kind": kind,
            "town": chance.choice([f"t{n}" for n in range(40)], rows),
            "answer": answer,
        }
    ).with_columns(
        pl.when(pl.Series(chance.random(rows) < 0.02)).then(None).otherwise("income").alias("income")
    )


def missing(table: pl.DataFrame, share: float = 0.6) -> pl.DataFrame:
    gone = pl.Series(np.random.default_rng(9).random(table.height) < share)
    return table.with_columns(pl.when(gone).then(None).otherwise("income").alias("income"))


SHIFTS: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str, str | None]] = {
    "missing cells from 2 to 60 percent": (missing, "missing", "income"),
    "a variance six times as large": (
        lambda table: table.with_columns((pl.col("size") - 10) * 6**0.5 + 10),
        "distribution",
        "size",
    ),
    "levels that the reference lacks": (
        lambda table: table.with_columns(pl.col("kind").replace("c", "d")),
        "unseen_levels",
        "kind",
    ),
    "a column that is gone": (lambda table: table.drop("town"), "removed_column", "town"),
    "a column of another type": (
        lambda table: table.with_columns(pl.col("size").cast(pl.String) + " kg"),
        "type",
        "size",
    ),
    "another share of the labels": (
        lambda table: pl.concat(
            [table.filter(pl.col("answer") == "yes"), table.filter(pl.col("answer") == "no")[:100]]
        ),
        "target",
        "answer",
    ),
}


@pytest.mark.parametrize("what", list(SHIFTS))
def test_what_has_changed_is_caught_with_its_column_and_its_threshold(ops: Ops, what: str) -> None:
    shift, code, column = SHIFTS[what]
    reference = ops.bring(world(1500, 1), target="answer")
    answer = ops.look(dataset=ops.bring(shift(world(1500, 2)), target="answer"), reference=reference)
    assert answer["verdict"] == "DRIFT"
    (reason,) = [each for each in answer["reasons"] if each["code"] == code]
    assert reason.get("column") == column
    assert reason["severity"] == "error"
    assert answer["next"][0].startswith("loom eda --dataset IngestDataset/2")
    if code not in ("removed_column", "target"):
        assert answer["drift"]["columns"][0]["name"] == column
        assert code in answer["drift"]["columns"][0]["reasons"]
    if code == "target":
        assert answer["drift"]["target"]["verdict"] == "DRIFT"
        assert answer["reasons"][0]["code"] == "target"


def test_a_new_column_is_worth_a_look(ops: Ops) -> None:
    reference = ops.bring(world(1500, 1), target="answer")
    newer = world(1500, 2).with_columns(extra=pl.Series(np.random.default_rng(5).random(1500)))
    answer = ops.look(dataset=ops.bring(newer, target="answer"), reference=reference)
    assert (answer["verdict"], codes(answer)) == ("WARN", {"new_column"})


@pytest.mark.parametrize("seed", range(4))
def test_two_samples_of_one_world_are_quiet(ops: Ops, seed: int) -> None:
    reference = ops.bring(world(1001, 10 + seed), target="answer")
    answer = ops.look(dataset=ops.bring(world(1001, 20 + seed), target="answer"), reference=reference)
    assert (answer["verdict"], answer["reasons"], answer["next"]) == ("OK", [], [])
    assert answer["health"] is None


def test_time_that_moves_on_is_no_drift(ops: Ops) -> None:
    def month(seed: int, day: str) -> pl.DataFrame:
        at = pd.date_range(day, periods=1000, freq="40min").strftime("%Y-%m-%d %H:%M")
        return world(1000, seed).with_columns(at=pl.Series(list(at)))

    reference = ops.bring(month(1, "2025-03-01"), target="answer", time=("at",))
    answer = ops.look(
        dataset=ops.bring(month(2, "2025-06-01"), target="answer", time=("at",)), reference=reference
    )
    assert answer["verdict"] == "OK"
    assert answer["drift"]["about"]["time"] == ["at"]


def test_answers_that_are_not_known_yet_are_said_and_not_held_against_the_data(ops: Ops) -> None:
    reference = ops.bring(world(1500, 1), target="answer")
    answer = ops.look(dataset=ops.bring(world(1500, 2).drop("answer")), reference=reference)
    assert (answer["verdict"], codes(answer)) == ("OK", {"no_target"})


def test_the_sealed_part_is_not_read(ops: Ops) -> None:
    reference, current = (ops.bring(world(800, seed), target="answer", share=0.25) for seed in (1, 2))
    for pathspec in (reference, current):
        key = ops.catalogue.open(pathspec).parts["holdout"].key
        Path(ops.catalogue.store.open(key)).write_bytes(b"poison")
    answer = ops.look(dataset=current, reference=reference)
    assert (answer["verdict"], answer["drift"]["rows_current"] < 800) == ("OK", True)


def test_what_cannot_be_compared_is_refused_with_a_command(ops: Ops) -> None:
    one = ops.bring(world(300, 1), target="answer")
    other = ops.bring(world(300, 2), target="kind")
    flowers = ops.bring(pl.DataFrame({"petal": range(50), "sepal": range(50)}))
    assert ops.refusal(dataset=one)["what"] == "--dataset needs --reference"
    assert ops.refusal(reference=one)["what"] == "--reference needs --dataset"
    assert "needs data" in ops.refusal(prediction="answer")["what"]
    assert "no column in common" in ops.refusal(dataset=flowers, reference=one)["what"]
    assert "targets differ" in ops.refusal(dataset=other, reference=one)["what"]
    assert "no column `guess`" in ops.refusal(dataset=one, reference=one, prediction="guess")["what"]
    assert "is the target" in ops.refusal(dataset=one, reference=one, prediction="answer")["what"]
    assert "IngestDataset/99" in ops.refusal(dataset=one, reference="IngestDataset/99")["what"]


def test_a_table_compared_with_itself_is_quiet_and_says_so(ops: Ops) -> None:
    one = ops.bring(world(300, 1), target="answer")
    answer = ops.look(dataset=one, reference=one)
    assert (answer["verdict"], codes(answer)) == ("OK", {"same_object"})


def test_no_cell_is_in_the_answer_or_on_its_page(ops: Ops) -> None:
    canaries = [f"canary{n:05d}x" for n in range(600)]

    def table(first: int, shift: float) -> pl.DataFrame:
        mine = canaries[first : first + 300]
        numbers = np.random.default_rng(first).normal(shift, 1, 300) + 0.123456789
        kind = [*(["often"] * 150), *mine[:10], *(["seldom"] * 140)]
        return pl.DataFrame({"who": mine, "email": [f"{m}@x.org" for m in mine], "n": numbers, "kind": kind})

    answer = ops.look(dataset=ops.bring(table(0, 0)), reference=ops.bring(table(300, 3)))
    assert answer["verdict"] == "DRIFT"
    told = json.dumps(answer)
    assert "canary" not in told and "23456789" not in told


def test_the_page_shows_answers_first_and_both_shapes_of_what_moved(ops: Ops) -> None:
    reference = ops.bring(world(1500, 1), target="answer")
    answer = ops.look(dataset=ops.bring(missing(world(1500, 2)), target="answer"), reference=reference)
    table, drawn, method = answer["card"]["sections"]
    first, second = table["rows"][:2]
    assert (first["name"], second["name"]) == ("answer", "income")
    assert first["before"]["spark"] == first["now"]["spark"] == "levels"
    assert second["before"]["spark"] == second["now"]["spark"] == "quantiles"
    assert (second["said"], second["threshold"]) == ("missing cells, share", 0.2)
    assert (drawn["kind"], method["kind"]) == ("charts", "facts")
    assert answer["card"]["numbers"][0]["label"] == "target drift"


def test_the_worst_look_decides(ops: Ops) -> None:
    ops.index = Index([run(1)])
    data = {
        "dataset": ops.bring(missing(world(1500, 2)), target="answer"),
        "reference": ops.bring(world(1500, 1), target="answer"),
    }
    assert ops.look(flow="eda", **data)["verdict"] == "DRIFT"
    quiet = {**data, "dataset": data["reference"]}
    assert ops.look(flow="nothing", **quiet)["verdict"] == "EMPTY"
    assert ops.look(flow="eda", **quiet)["verdict"] == "OK"


# predictions of a real model, and real runs


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}
    return kept | {"HOME": str(tmp_path), "LOOM_HOME": str(tmp_path / "home")}


def test_the_log_of_a_model_is_brought_in_and_its_predictions_are_compared(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    def people(seed: int, age: float) -> pd.DataFrame:
        chance = np.random.default_rng(seed)
        return pd.DataFrame({"age": chance.normal(age, 9, 900).round(1), "visits": chance.poisson(3, 900)})

    def in_home(package: str, **inputs: Any) -> Any:
        call = Call(package, inputs, transport="local", workspace=tmp_path)
        return carry_out(call, environ=environ)

    known = people(0, 40)
    leaves = np.random.default_rng(7).random(900) < 1 / (1 + np.exp(-(known["age"] - 40) / 6))
    model = LogisticRegression().fit(known, leaves)
    logs = {}
    for name, seed, age in (("before", 1, 40.0), ("today", 2, 40.0), ("elsewhere", 3, 52.0)):
        rows = people(seed, age)
        rows.assign(predicted=model.predict_proba(rows)[:, 1].round(4)).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
        logs[name] = in_home("ingest", source=f"{name}.csv", holdout=0).pathspec
    quiet = in_home("ops", dataset=logs["today"], reference=logs["before"], prediction="predicted")
    assert (quiet.verdict, quiet.exit_code) == ("OK", 0)
    moved = in_home("ops", dataset=logs["elsewhere"], reference=logs["before"], prediction="predicted")
    assert (moved.verdict, moved.exit_code) == ("DRIFT", 1)
    assert moved.summary is not None
    assert moved.summary["drift"]["prediction"]["verdict"] == "DRIFT"
    assert (moved.reasons[0]["code"], moved.reasons[0]["column"]) == ("prediction", "predicted")


WAITS = "- {id: only, description: Wait., run: {tool: say, args: {word: x, mark: '${inputs.mark}', until: '${inputs.until}'}}}"
HANGING = "{word: {type: text, default: hello}, mark: {type: text, required: true}, until: {type: text, required: true}}"


def started(words: Sequence[str], environ: dict[str, str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "loom.cli.main", *words],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(what: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


@pytest.fixture
def cut_short() -> Iterator[list[subprocess.Popen[str]]]:
    """Commands whose processes are ended with the test, whatever becomes of it."""
    kept: list[subprocess.Popen[str]] = []
    yield kept
    for process in kept:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_runs_that_ended_well_failed_and_were_killed_are_told_apart(
    tmp_path: Path, environ: dict[str, str], cut_short: list[subprocess.Popen[str]]
) -> None:
    package = write_package(tmp_path, WAITS, last="only", inputs=HANGING)
    rows = "a,b,y\n" + "".join(f"{n},{n * 7 % 13},{n % 2}\n" for n in range(50))
    (tmp_path / "good.csv").write_text(rows)
    (tmp_path / "bad.csv").write_text(rows + "1,2\n")
    mark, until = tmp_path / "mark", tmp_path / "until"
    hanging = started(
        ["--process", str(package), "--input", f"mark={mark}", "--input", f"until={until}"], environ, tmp_path
    )
    cut_short.append(hanging)
    for name, code in (("good", 0), ("bad", 2)):
        process = started(["ingest", "--source", f"{name}.csv"], environ, tmp_path)
        cut_short.append(process)
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, (out, err)
    wait_for(mark.exists)
    os.kill(hanging.pid, signal.SIGKILL)
    hanging.communicate(timeout=120)
    until.write_text("")  # what it left behind may end
    process = started(["ops", "--json"], environ, tmp_path)
    cut_short.append(process)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    answer = json.loads(out)
    health = answer["summary"]["health"]
    assert {key: health[key] for key in ("runs", "ok", "failed", "interrupted", "running")} == {
        "runs": 3,
        "ok": 1,
        "failed": 2,
        "interrupted": 1,
        "running": 0,
    }
    assert answer["VERDICT"] == "WARN"
    states = {row["run"].partition("/")[0]: row["status"] for row in health["failures"]}
    assert states["IngestDataset"] == "error"
    assert "interrupted" in states.values()
    assert sum(row["runs"] for row in health["flows"]) == 3
    assert "<html" in Path(answer["card_path"]).read_text(encoding="utf-8")
