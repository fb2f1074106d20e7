"""The verb pipeline: its stages are runs of their own, every verdict is that of a stage, and only the search is asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.app.approving import call_plan
from loom.app.toolbox import toolbox
from loom.core.contracts import validate_output
from loom.process.loader import ProcessLoader
from loom.process.plan import plan
from loom.render.html.page import card_html
from loom.tools.discover import load_tools
from loom.tools.invoke import invoke
from loom.tools.registry import ToolContext
from tests.processes.chains import BESIDE, Index, chain, stages

PIPELINE = Path(__file__).parents[2] / "processes" / "builtin" / "pipeline"
DECLARED = yaml.safe_load((PIPELINE / "process.yaml").read_text(encoding="utf-8"))


def summed_up(verdict: str = "PASS", **changes: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the last phase, which fits the schema that the verb declares."""
    runs = chain(verdict, **changes)
    tool = load_tools(PIPELINE)[0].tool
    ctx = ToolContext(Path.cwd(), services={"runs": Index(runs)})
    result = asyncio.run(invoke(tool, {"stages": stages(runs)}, ctx))
    assert result.success, result.error
    assert result.data is not None
    summary = {key: value for key, value in result.data.items() if key not in BESIDE}
    assert validate_output(summary, DECLARED["verb"]["summary"]["schema"]) == []
    return result.data


def test_every_stage_is_listed_in_its_order_with_its_run_and_verdict() -> None:
    told = summed_up()
    assert told["stages"] == [
        {"verb": "eda", "pathspec": "EdaFlow/1", "verdict": "FLAGGED"},
        {"verb": "features", "pathspec": "FeaturesFlow/1", "verdict": "BUILT"},
        {"verb": "optimize", "pathspec": "OptimizeFlow/1", "verdict": "BEST"},
        {"verb": "validate", "pathspec": "ValidateFlow/1", "verdict": "PASS"},
    ]
    assert told["failed_stage"] is None


@pytest.mark.parametrize("verdict", ["REVIEW", "FAIL"])
def test_the_stage_that_is_not_acceptable_is_named(verdict: str) -> None:
    told = summed_up(verdict)
    assert told["failed_stage"] == "validate"
    assert told["next"][0] == "loom show ValidateFlow/1"
    assert not any("deploy" in command for command in told["next"])


def test_what_passed_can_be_planned_for_release() -> None:
    assert summed_up()["next"] == ["loom deploy --validate ValidateFlow/1", "loom show EvalCandidate/3"]


def test_the_champion_the_sealed_score_and_the_leak_are_those_of_the_stages() -> None:
    told = summed_up()
    assert told["champion"]["pathspec"] == "EvalCandidate/3"
    assert told["score"] == {"metric": "auc", "value": 0.84, "ci": [0.8, 0.88], "rows": 1000}
    assert [each["column"] for each in told["leaks_dropped"]] == ["bill"], "an id is left out, but is no leak"
    assert told["leaks_dropped"][0]["what"] == "whether `bill` is empty tells the target"


def test_the_reasons_are_those_of_the_judge_and_then_what_was_left_out() -> None:
    told = summed_up("REVIEW")
    assert [each["code"] for each in told["reasons"]] == ["imprecise", "missingness"]
    assert [each["severity"] for each in told["reasons"]] == ["warning", "info"]


def test_a_flag_that_was_not_dropped_is_not_said_to_have_been() -> None:
    assert summed_up(features={"dropped": []})["leaks_dropped"] == []


def test_the_page_shows_stages_champion_interval_and_leak() -> None:
    told = summed_up()
    page = card_html({"verb": "pipeline", "VERDICT": "PASS", "summary": {}}, (), told["card"])
    for shown in (
        "EvalCandidate/3",
        "0.8 to 0.88",
        "ValidateFlow/1",
        "whether bill is empty tells the target",
    ):
        assert shown in page


def test_a_run_that_is_not_there_is_an_error() -> None:
    runs = chain("PASS")
    tool = load_tools(PIPELINE)[0].tool
    ctx = ToolContext(Path.cwd(), services={"runs": Index(runs[:-1])})
    result = asyncio.run(invoke(tool, {"stages": stages(runs)}, ctx))
    assert not result.success
    assert "ValidateFlow/1" in str(result.error)


def test_only_the_search_is_asked_about_and_its_budget_bounds_it() -> None:
    loader = ProcessLoader()
    planned = plan(loader.load("pipeline").package)
    inputs = {"dataset": "IngestDataset/1", "budget": "90s"}
    would = call_plan(planned, inputs, loader, toolbox(planned.package))
    assert (would.tier, would.cost.minutes) == ("expensive", 1.5)
    dear = [each.source.split()[1] for each in would.why if each.tier == "expensive"]
    assert dear == ["optimize"]


@pytest.mark.parametrize("name", ["time", "group"])
def test_time_and_entity_reach_every_stage_that_splits_or_looks(name: str) -> None:
    given = {each["id"]: (each["run"].get("args") or {}) for each in DECLARED["phases"]}
    for stage in ("profile", "optimize", "validate"):
        assert given[stage][name] == f"${{inputs.{name}}}"


def test_what_a_chain_knows_of_runs_survives_a_summary_that_says_less() -> None:
    told = summed_up("FAIL", validate={}, optimize={"best": None}, eda={"target": None})
    assert told["champion"] is None
    assert told["score"] is None
    assert told["target"] is None
