"""The verb report: what it says is what runs have said, word for word and digit for digit, or it says nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.app.call import Call
from loom.app.package_tests.past_runs import read_runs
from loom.app.run import carry_out
from loom.core.contracts import validate_output
from loom.core.index import RunFacts
from loom.kernel.errors import LoomError
from loom.render.html.page import card_html
from loom.tools.discover import load_tools
from loom.tools.invoke import invoke
from loom.tools.registry import Tool, ToolContext, ToolResult
from loom.validity import numbers

REPORT = Path(__file__).parents[2] / "processes" / "builtin" / "report"
SUMMARY = yaml.safe_load((REPORT / "process.yaml").read_text(encoding="utf-8"))["verb"]["summary"]["schema"]
BESIDE = ("verdict", "reasons", "next", "card")
FORMS = ("html", "md", "json")


class Index:
    """Runs that took place, as the journal gives them; `change` alters what they say from now on."""

    def __init__(self, runs: Sequence[RunFacts]) -> None:
        self.known = {run.name: run for run in runs}

    def runs(
        self, *, flow: str | None = None, experiment: str | None = None, limit: int | None = None
    ) -> list[RunFacts]:
        found = sorted(self.known.values(), key=lambda run: run.started, reverse=True)
        return [run for run in found if experiment in (None, run.experiment_id)][:limit]

    def run(self, pathspec: str) -> RunFacts:
        if pathspec not in self.known:
            raise LoomError(f"no run is called {pathspec}", "there is none", "loom runs")
        return self.known[pathspec]

    def change(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        summary = deepcopy(dict(self.known[name].summary))
        change(summary)
        self.known[name] = replace(self.known[name], summary=summary)


@cache
def tools() -> dict[str, Tool]:
    """The tools of the verb by name."""
    return {found.tool.name: found.tool for found in load_tools(REPORT)}


@dataclass
class Desk:
    """The verb as its phases take it, over runs that a test puts there."""

    folder: Path
    index: Index = field(default_factory=lambda: Index(read_runs(REPORT)))
    page: Callable[..., str] = card_html

    def call(self, tool: str, **args: Any) -> ToolResult:
        services = {"runs": self.index, "numbers": numbers, "page": self.page, "cwd": self.folder}
        return asyncio.run(invoke(tools()[tool], args, ToolContext(self.folder, services=services)))

    def gather(self, *runs: str, experiment: str | None = None) -> dict[str, Any]:
        result = self.call("report_lineage", runs=list(runs), experiment=experiment)
        assert result.success and result.data is not None, result.error
        return result.data

    def write(self, material: Mapping[str, Any], out: str | None = None) -> ToolResult:
        return self.call("report_document", material=material, out=out)

    def report(self, *runs: str, experiment: str | None = None, out: str | None = None) -> dict[str, Any]:
        """The answer of the verb, which fits the schema that it declares."""
        result = self.write(self.gather(*runs, experiment=experiment), out)
        assert result.success and result.data is not None, result.error
        summary = {key: value for key, value in result.data.items() if key not in BESIDE}
        assert validate_output(summary, SUMMARY) == []
        return result.data

    def forms(self, *runs: str, experiment: str | None = None) -> dict[str, str]:
        """All three forms of a report."""
        self.report(*runs, experiment=experiment, out="out")
        return {form: (self.folder / "out" / f"report.{form}").read_text(encoding="utf-8") for form in FORMS}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def refused(result: ToolResult) -> dict[str, str]:
    assert not result.success
    assert result.data is not None, result.error
    return dict(result.data["error"])


def figures(value: Any) -> list[dict[str, Any]]:
    """Every number of a report as JSON, with its origin."""
    if isinstance(value, dict):
        if set(value) == {"value", "pathspec", "path", "shown"}:
            return [value]
        return [each for inner in value.values() for each in figures(inner)]
    return [each for inner in value for each in figures(inner)] if isinstance(value, list) else []


ALL = ("OptimizeFlow/1", "ValidateFlow/1", "OpsFlow/1", "EdaFlow/2")


def test_every_number_is_what_its_run_says_at_its_place(desk: Desk) -> None:
    forms = desk.forms(*ALL)
    found = figures(json.loads(forms["json"])["sections"])
    assert len(found) > 150
    for each in found:
        facts = desk.index.run(each["pathspec"]).as_json()
        assert numbers.value_at(facts, each["path"]) == each["value"]


def test_each_number_stands_alike_in_every_form(desk: Desk) -> None:
    forms = desk.forms(*ALL)
    page = re.sub(r"<[^>]+>", " ", forms["html"]).replace("&lt;", "<").replace("&gt;", ">")
    for each in figures(json.loads(forms["json"])):
        if isinstance(each["value"], int | float):
            assert each["shown"] in page
            assert each["shown"].replace("<", "\\<").replace(">", "\\>") in forms["md"]


def test_markdown_has_a_reference_on_every_line_with_a_number(desk: Desk) -> None:
    text = desk.forms(*ALL)["md"]
    lines = text.splitlines()
    told = {number.line for number in numbers.numbers_in(text)}
    assert told
    for line in told:
        assert re.search(r"\[\^\d+\]( \|)?$", lines[line - 1]), lines[line - 1]
    used, listed = set(re.findall(r"\[\^(\d+)\](?!:)", text)), set(re.findall(r"^\[\^(\d+)\]:", text, re.M))
    assert used == listed


def test_the_same_runs_give_the_same_bytes(desk: Desk, tmp_path: Path) -> None:
    first = desk.forms(*ALL)
    (tmp_path / "elsewhere").mkdir()
    assert Desk(tmp_path / "elsewhere").forms(*ALL) == first


@pytest.mark.parametrize("digit", ["0", "9"])
def test_a_number_that_a_run_no_longer_says_stops_the_report(desk: Desk, digit: str) -> None:
    material = desk.gather("ValidateFlow/1")
    score = desk.index.run("ValidateFlow/1").summary["holdout"]["score"]
    changed = float(f"{score:.4f}"[:-1] + digit)

    def tamper(summary: dict[str, Any]) -> None:
        summary["holdout"]["score"] = changed

    desk.index.change("ValidateFlow/1", tamper)
    error = refused(desk.write(material, "out"))
    assert "ValidateFlow/1#/summary/holdout/score" in error["what"]
    assert f"{score:.4g}" in error["what"] and str(changed) in error["what"]
    assert error["fix"] == "loom show ValidateFlow/1"
    assert not (desk.folder / "out").exists() or not any((desk.folder / "out").iterdir())


def test_any_number_of_the_material_that_was_changed_is_found(desk: Desk) -> None:
    material = desk.gather("ValidateFlow/1")
    forms = desk.forms("ValidateFlow/1")
    for each in figures(json.loads(forms["json"])["sections"])[::7]:
        if not isinstance(each["value"], int | float) or isinstance(
            _at(material, each["pathspec"], each["path"]), list | dict
        ):
            continue
        changed = deepcopy(material)
        *above, last = each["path"].split("/")[1:]
        place = _at(changed, each["pathspec"], "/".join(["", *above]))
        place[int(last) if isinstance(place, list) else last] = each["value"] + 1
        assert each["path"] in refused(desk.write(changed))["what"]


def _at(material: Mapping[str, Any], name: str, path: str) -> Any:
    (found,) = [run for run in material["runs"] if run["name"] == name]
    for part in path.split("/")[1:]:
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


def test_a_run_that_is_gone_by_the_time_of_writing_stops_the_report(desk: Desk) -> None:
    material = desk.gather("ValidateFlow/1")
    del desk.index.known["FeaturesFlow/1"]
    error = refused(desk.write(material))
    assert "FeaturesFlow/1" in error["what"] and "not there any more" in error["why"]


def test_words_with_numbers_in_them_are_quoted_or_refused(desk: Desk) -> None:
    material = desk.gather("ValidateFlow/1")
    (ingest,) = [run for run in material["runs"] if run["name"] == "IngestDataset/1"]
    ingest["summary"]["holdout"]["how"] = "12 of 13 rows"
    assert "/summary/holdout/how" in refused(desk.write(material))["what"]


def test_the_verdict_comes_first_and_is_that_of_the_latest_validation(desk: Desk) -> None:
    for name, verdict in (("ValidateFlow/1", "REVIEW"), ("ValidateFlow/2", "FAIL")):
        found = desk.report(name)
        assert found["verdict"] == "OK"
        assert found["sections"][0] == "verdict"
        banner = found["card"]["banner"]
        assert (banner["VERDICT"], banner["of"]) == (verdict, name)
        assert banner["reasons"] == list(desk.index.run(name).reasons)
    page = desk.forms("ValidateFlow/2")["html"]
    assert "<h1>FAIL</h1>" in page and "<title>FAIL · loom report</title>" in page


def test_without_a_validation_the_report_says_that_nothing_was_judged(desk: Desk) -> None:
    found = desk.report("EdaFlow/2")
    assert "banner" not in found["card"]
    assert {"verdict", "validation", "features"} <= set(found["missing_sections"])
    commands = {each["section"]: each["command"] for each in found["missing"]}
    assert commands["validation"] == "loom validate --dataset IngestDataset/3"
    assert found["next"] == [
        "loom validate --dataset IngestDataset/3",
        "loom features --dataset IngestDataset/3",
    ]
    assert "nothing here has been judged" in desk.forms("EdaFlow/2")["md"]


def test_fairness_that_was_not_assessed_is_said_and_listed(desk: Desk) -> None:
    found = desk.report("ValidateFlow/4", out="report.md")
    assert {"fairness", "calibration"} <= set(found["missing_sections"])
    text = (desk.folder / "report.md").read_text(encoding="utf-8")
    assert "not assessed" in text and "--sensitive COLUMN" in text
    assert not any("COLUMN" in command for command in found["next"])


def test_runs_are_followed_back_to_where_the_data_came_in(desk: Desk) -> None:
    names = [run["name"] for run in desk.gather("ValidateFlow/1")["runs"]]
    assert names == ["IngestDataset/1", "EdaFlow/1", "FeaturesFlow/1", "ValidateFlow/1"]
    assert desk.report("ValidateFlow/1")["missing_sections"] == []


def test_a_failed_or_unfinished_run_is_listed_and_not_drawn_on(desk: Desk) -> None:
    found = desk.report(experiment="loom-churn", out="report.md")
    assert "ValidateFlow/3" not in found["runs"]
    text = (desk.folder / "report.md").read_text(encoding="utf-8")
    assert "| `ValidateFlow/3` | `validate` | `error` | `tool_failure` |" in text
    gone = desk.report("ValidateFlow/1", "ValidateFlow/99", "EdaFlow/3", out="report.md")
    assert not {"ValidateFlow/99", "EdaFlow/3"} & set(gone["runs"])
    text = (desk.folder / "report.md").read_text(encoding="utf-8")
    assert "| `ValidateFlow/99` |  | not to be found |" in text
    assert "| `EdaFlow/3` | `eda` | `interrupted` |" in text


def test_what_the_validation_rests_on_is_told_rather_than_what_is_newer(desk: Desk) -> None:
    late = replace(desk.index.run("EdaFlow/2"), name="EdaFlow/9", pathspec="EdaFlow/9", started=2e9)
    desk.index.known["EdaFlow/9"] = late
    runs = desk.report("ValidateFlow/1", "EdaFlow/9")["runs"]
    assert "EdaFlow/1" in runs and "EdaFlow/9" not in runs


def test_a_report_never_draws_on_a_report(desk: Desk) -> None:
    desk.index.known["ReportFlow/1"] = RunFacts(
        "ReportFlow/1", "report", "ok", experiment_id="loom-churn", started=2e9, reads=("EdaFlow/2",)
    )
    names = [run["name"] for run in desk.gather(experiment="loom-churn")["runs"]]
    assert "ReportFlow/1" not in names and "EdaFlow/2" not in names


@pytest.mark.parametrize("asked", [{"experiment": "loom-none"}, {"runs": ["ValidateFlow/99", "EdaFlow/3"]}])
def test_with_nothing_to_draw_on_a_report_is_empty_and_writes_nothing(desk: Desk, asked: Any) -> None:
    if "runs" in asked:
        desk.index.known["EdaFlow/3"] = replace(desk.index.known["EdaFlow/3"], reads=())
    found = desk.report(*asked.get("runs", ()), experiment=asked.get("experiment"), out="report.md")
    assert found["verdict"] == "EMPTY"
    assert found["reasons"][0]["code"] == "nothing_there"
    assert found["path"] is None and not (desk.folder / "report.md").exists()


@pytest.mark.parametrize("asked", [{}, {"experiment": "loom-churn", "runs": ["EdaFlow/1"]}])
def test_a_report_is_about_an_experiment_or_about_runs(desk: Desk, asked: Any) -> None:
    assert refused(desk.call("report_lineage", **asked))["fix"].startswith("loom report --")


EVERY = [f"new/report.{form}" for form in FORMS]


@pytest.mark.parametrize(
    ("out", "written"),
    [
        ("a.html", ["a.html"]),
        ("a.md", ["a.md"]),
        ("a.JSON", ["a.JSON"]),
        ("new/b.htm", ["new/b.htm"]),
        ("new", EVERY),
    ],
)
def test_the_ending_of_a_file_names_its_form(desk: Desk, out: str, written: list[str]) -> None:
    found = desk.report("EdaFlow/1", out=out)
    files = [path.relative_to(desk.folder).as_posix() for path in desk.folder.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(written)
    assert found["path"] == str(desk.folder / out)


@pytest.mark.parametrize("out", ["report.pdf", "taken/report.md", "taken/new", "folder.md"])
def test_a_place_that_takes_no_report_is_refused_before_anything_is_written(desk: Desk, out: str) -> None:
    (desk.folder / "taken").write_text("a file", encoding="utf-8")
    (desk.folder / "folder.md" / "report.md").mkdir(parents=True)
    error = refused(desk.write(desk.gather("EdaFlow/1"), out))
    assert error["what"] and error["fix"]
    assert not (desk.folder / "report.pdf").exists()


def test_no_place_of_a_machine_is_in_a_report(desk: Desk) -> None:
    desk.index.change(
        "ValidateFlow/1", lambda told: told.update(model_source="/home/somebody/best solution.py")
    )
    desk.index.change(
        "IngestDataset/1", lambda told: told["warnings"].append("read 3 of ~/x/a.csv and C:\\data\\b.csv")
    )
    for form, text in (*desk.forms(*ALL).items(), *desk.forms("DeployFlow/1").items()):
        for place in ("/home", "somebody", "~/x", "C:\\", str(desk.folder)):
            assert place not in text, form


def test_a_report_is_small_and_needs_no_network(desk: Desk) -> None:
    def widen(summary: dict[str, Any]) -> None:
        summary["columns"] = [
            {**each, "name": f"{each['name']}_{at}"} for at in range(500) for each in summary["columns"]
        ]
        summary["leakage_suspects"] = [
            {"column": f"c{at}", "reason": "auc", "score": 0.91} for at in range(3000)
        ]

    desk.index.change("EdaFlow/1", widen)
    for form, text in desk.forms(*ALL).items():
        assert len(text.encode()) < 1_000_000, form
        assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\(\s*["']?http""", text)


@pytest.mark.parametrize(
    "name",
    [
        "`",
        "a`b",
        "``",
        "|",
        "a|b",
        "# 5",
        "1,234",
        "0.5",
        "[^1]",
        "<script>",
        "*x*",
        "C:\\x",
        "3. x",
        "\n",
        "½",
    ],
)
def test_a_column_may_be_called_anything(desk: Desk, name: str) -> None:
    def rename(summary: dict[str, Any]) -> None:
        summary["columns"][0]["name"] = summary["top_correlations"][0]["a"] = name
        summary["leakage_suspects"] = [{"column": name, "reason": "auc", "score": 0.91}]

    desk.index.change("EdaFlow/1", rename)
    desk.index.change("ValidateFlow/1", lambda told: told["fairness"][0].update(column=name))
    desk.index.change("ValidateFlow/1", lambda told: told["fairness"][0]["groups"][0].update(group=name))
    desk.index.change(
        "ValidateFlow/1", lambda told: told["splitter"].update(why=f"because of {name} in 7 rows")
    )
    forms = desk.forms("ValidateFlow/1")
    assert "<script>alert" not in forms["html"] and "<script> in 7" not in forms["html"]
    width = None
    for line in forms["md"].splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        assert width is None or cells in (None, width), line
        width = cells


def test_a_summary_may_lack_anything(desk: Desk) -> None:
    """Whatever a run does not know is left out; nothing of it is made up."""
    for name in ("ValidateFlow/1", "EdaFlow/1", "FeaturesFlow/1", "IngestDataset/1"):
        for key in desk.index.run(name).summary:
            fresh = Desk(desk.folder)
            fresh.index.change(name, lambda told, key=key: told.update({key: None}))  # type: ignore[misc]
            fresh.report("ValidateFlow/1")
        empty = Desk(desk.folder)
        empty.index.known[name] = replace(empty.index.known[name], summary={}, reasons=(), verdict=None)
        empty.report("ValidateFlow/1")


CANARY = "canary7"


def table(rows: int = 240) -> str:
    """Rows of which every cell that is unique names itself."""
    lines = ["customer,email,note,plan,months,churned"]
    for at in range(rows):
        plan, churned = ("basic", "family")[at % 2], "yes" if (at * 7) % 5 < 2 else "no"
        lines.append(
            f"{CANARY}-id{at},{CANARY}-{at}@example.org,{CANARY} said {at},{plan},{at % 60},{churned}"
        )
    lines[5] = f"{CANARY}-rare,x@example.org,n,{CANARY}-plan,3,no"
    return "\n".join(lines) + "\n"


def run(package: str, folder: Path, **inputs: Any) -> Any:
    environ = {"HOME": str(folder), "LOOM_HOME": str(folder / "home")}
    call = Call(package, inputs, transport="local", workspace=folder, experiment_id="loom-a1b2c3")
    return carry_out(call, environ=environ)


def test_from_a_table_to_a_report_without_a_cell_of_it(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(table(), encoding="utf-8")
    brought = run("ingest", tmp_path, source=str(tmp_path / "customers.csv"), target="churned")
    seen = run("eda", tmp_path, dataset=brought.summary["dataset_ref"])
    assert seen.ended == "ok"
    answer = run("report", tmp_path, experiment="loom-a1b2c3", out=str(tmp_path / "out"))
    assert (answer.verdict, answer.ended) == ("OK", "ok"), answer.error
    assert {"data", "leaks", "lineage"} <= set(answer.summary["sections"])
    for form in FORMS:
        text = (tmp_path / "out" / f"report.{form}").read_text(encoding="utf-8")
        assert CANARY not in text
        assert str(tmp_path) not in text
    assert CANARY not in json.dumps(answer.card)
