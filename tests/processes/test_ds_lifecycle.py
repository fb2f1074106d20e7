"""The process ds-lifecycle: one data object from wherever it comes, one question, and a report whatever the verdict."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.app.approving import call_plan
from loom.app.toolbox import toolbox
from loom.core.contracts import validate_output
from loom.core.index import RunFacts
from loom.process.loader import ProcessLoader
from loom.process.plan import plan
from loom.tools.discover import load_tools
from loom.tools.invoke import invoke
from loom.tools.registry import ToolContext, ToolResult
from tests.processes.chains import BESIDE, Index, chain, stages

LIFECYCLE = Path(__file__).parents[2] / "processes" / "builtin" / "ds-lifecycle"
DECLARED = yaml.safe_load((LIFECYCLE / "process.yaml").read_text(encoding="utf-8"))
TOOLS = {found.tool.name: found.tool for found in load_tools(LIFECYCLE)}
SOURCE = {"dataset_ref": "IngestDataset/4", "n_rows": 5000, "holdout": {"rows": 1000}}


def call(name: str, runs: tuple[RunFacts, ...] = (), **args: Any) -> ToolResult:
    ctx = ToolContext(Path.cwd(), services={"runs": Index(runs)})
    return asyncio.run(invoke(TOOLS[name], args, ctx))


@pytest.mark.parametrize(
    ("given", "ingested", "named"),
    [
        ("FeaturesFlow/2", [], "FeaturesFlow/2"),
        ("FeaturesFlow/2", None, "FeaturesFlow/2"),
        (None, [SOURCE], "IngestDataset/4"),
    ],
)
def test_there_is_one_thing_to_work_on(given: str | None, ingested: Any, named: str) -> None:
    assert call("ds_lifecycle_dataset", given=given, ingested=ingested).data == {"dataset_ref": named}


@pytest.mark.parametrize(
    ("given", "ingested", "said"),
    [
        (None, [], "source=data.csv"),
        ("IngestDataset/1", [SOURCE], "dataset=IngestDataset/1"),
        (None, [SOURCE, SOURCE], "dataset=IngestDataset/4"),
    ],
)
def test_none_or_two_is_an_error_that_says_what_to_type(given: str | None, ingested: Any, said: str) -> None:
    result = call("ds_lifecycle_dataset", given=given, ingested=ingested)
    assert not result.success
    assert result.data is not None
    assert result.data["error"]["fix"] == f"loom --process ds-lifecycle --input {said}"


def summed_up(path: str | None, verdict: str = "PASS", *, brought: bool = True) -> dict[str, Any]:
    """The answer of the last phase, which fits the schema that the process declares."""
    report = {"sections": ["verdict", "data"], "runs": ["EdaFlow/1"], "missing_sections": [], "path": path}
    about: dict[str, Any] = {"status": "ok", "flow": "ReportFlow", "verdict": "OK", "summary": report}
    runs = (*chain(verdict), RunFacts(name="ReportFlow/1", pathspec="ReportFlow/1", verb="report", **about))
    known = (*runs, RunFacts(name="IngestDataset/4", pathspec="IngestDataset/4", verb="ingest", status="ok"))
    columns = (["IngestDataset/4"], ["OK"], [SOURCE]) if brought else ([], [], [])
    ingested = dict(zip(("pathspec", "verdict", "summary"), columns, strict=True))
    result = call("ds_lifecycle_summary", known, ingested=ingested, stages=stages(runs))
    assert result.success, result.error
    assert result.data is not None
    summary = {key: value for key, value in result.data.items() if key not in BESIDE}
    assert validate_output(summary, DECLARED["verb"]["summary"]["schema"]) == []
    return result.data


def test_what_was_brought_in_comes_first_and_the_report_last() -> None:
    told = summed_up("/tmp/report.html")
    verbs = [each["verb"] for each in told["stages"]]
    assert verbs == ["ingest", "eda", "features", "optimize", "validate", "report"]
    assert told["path"] == "/tmp/report.html"
    assert told["sections"] == ["verdict", "data"]
    assert not any("loom report" in command for command in told["next"])


def test_a_data_object_that_was_there_is_no_stage() -> None:
    assert summed_up(None, brought=False)["stages"][0]["verb"] == "eda"


def test_without_a_file_it_says_how_to_have_one() -> None:
    told = summed_up(None)
    assert told["next"][-1] == "loom report --experiment loom-abc123 --out report.html"
    report = next(each for each in told["card"]["sections"] if each["title"] == "The report")
    assert report["rows"] == [{"as": "page", "where": "loom show ReportFlow/1 --open"}]


def test_bad_news_is_reported_too() -> None:
    told = summed_up("/tmp/report.html", "FAIL")
    assert told["failed_stage"] == "validate"
    assert "report" in [each["verb"] for each in told["stages"]]
    phases = {each["id"]: each for each in DECLARED["phases"]}
    assert phases["report"]["depends_on"] == ["validate"]
    assert "require" not in phases["report"], "it waits for a verdict, not for a good one"


def test_it_asks_once_and_never_deploys_or_sends() -> None:
    loader = ProcessLoader()
    planned = plan(loader.load("ds-lifecycle").package)
    inputs = {"source": ["churn.csv"], "budget": "20s", "out": "report.html"}
    would = call_plan(planned, inputs, loader, toolbox(planned.package))
    assert would.tier == "expensive"
    assert [each.source.split()[1] for each in would.why if each.tier == "expensive"] == ["optimize"]
    assert would.cost.minutes == 0.33
    assert not {"deploy", "collab", "train"} & set(planned.processes)
