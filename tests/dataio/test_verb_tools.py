"""The tools of connect, ingest and datasets, called as a run calls them, on real files."""

from __future__ import annotations

import ast
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.core.contracts import validate_output
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.connections import Connections
from loom.dataio.frames import load
from loom.tools.discover import load_tools
from loom.tools.invoke import call_effects
from loom.tools.registry import Tool, ToolContext, ToolResult
from tests.dataio.tables import write
from tests.tools.calls import call

BUILTIN = Path(__file__).parents[2] / "processes" / "builtin"
VERBS = {"connect": "connect_source", "ingest": "ingest_dataset", "datasets": "datasets_index"}
CHURN = "id,zip,months,churned\n" + "".join(
    f"{row},0050{row % 10},{row % 40},{row % 2}\n" for row in range(100)
)
SECRET = "nobody-may-see-this"


def tool_of(verb: str) -> Tool:
    """The only tool of a verb."""
    (found,) = load_tools(BUILTIN / verb)
    return found.tool


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    """A workspace, an empty home and an empty catalogue."""
    catalogue = DirectoryCatalogue(tmp_path / "catalogue")
    for folder in ("ws", "home"):
        (tmp_path / folder).mkdir()
    services = {
        "home": tmp_path / "home",
        "blobs": catalogue.store,
        "catalogue": catalogue,
        "pathspec": "IngestDataset/7",
    }
    return ToolContext(workspace=tmp_path / "ws", services=services)


def process_of(verb: str) -> dict[str, Any]:
    """The process of a verb as it is written."""
    written: dict[str, Any] = yaml.safe_load((BUILTIN / verb / "process.yaml").read_text())
    return written


def use(verb: str, ctx: ToolContext, **args: Any) -> ToolResult:
    """One call with every argument that the process passes, null where it is not given."""
    (phase,) = process_of(verb)["phases"]
    return call(tool_of(verb), dict.fromkeys(phase["run"]["args"]) | args, ctx)


def succeeded(verb: str, ctx: ToolContext, **args: Any) -> dict[str, Any]:
    """What a call answers, which must fit the summary that its verb declares."""
    result = use(verb, ctx, **args)
    assert result.success, result.error
    assert result.data is not None
    assert validate_output(result.data, process_of(verb)["verb"]["summary"]["schema"]) == []
    assert result.data["verdict"] == "OK"
    return result.data


@pytest.mark.parametrize(("verb", "name"), VERBS.items())
def test_a_verb_brings_the_tool_that_its_process_names(verb: str, name: str) -> None:
    assert tool_of(verb).name == name


@pytest.mark.parametrize("verb", VERBS)
def test_a_tool_is_a_thin_door(verb: str) -> None:
    for file in (BUILTIN / verb / "tools").glob("*.py"):
        source = file.read_text()
        assert len(source.splitlines()) <= 120
        modules = {
            node.module or "" for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)
        }
        ours = {module for module in modules if module.startswith("loom")}
        assert all(module == "loom.tools.registry" or module.startswith("loom.dataio") for module in ours)


def test_connect_shows_a_file_and_no_cell_of_it(ctx: ToolContext, tmp_path: Path) -> None:
    path = write(tmp_path / "elsewhere/churn.csv", CHURN.replace("0,00500", f"0,{SECRET}"))
    data = succeeded("connect", ctx, source=str(path))
    assert data["kind"] == "file"
    assert data["tables"] == [
        {
            "name": "churn.csv",
            "rows": 100,
            "columns": [
                {"name": "id", "dtype": "int64"},
                {"name": "zip", "dtype": "text"},
                {"name": "months", "dtype": "int64"},
                {"name": "churned", "dtype": "int64"},
            ],
        }
    ]
    assert data["saved_as"] is None
    assert SECRET not in str(use("connect", ctx, source=str(path)).as_json())


def test_connect_shows_a_folder_in_the_workspace(ctx: ToolContext, tmp_path: Path) -> None:
    write(tmp_path / "ws/churn/train.csv", CHURN)
    write(tmp_path / "ws/churn/test.csv", "id,zip,months\n1,00501,2\n")
    data = succeeded("connect", ctx, source="./churn")
    assert [(table["name"], table["rows"]) for table in data["tables"]] == [("train", 100), ("test", 1)]


def test_a_saved_connection_is_brought_in_by_its_name_and_table(ctx: ToolContext, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript("CREATE TABLE a (x); CREATE TABLE b (x, y)")
        connection.executemany("INSERT INTO b VALUES (?, ?)", [(row, row % 2) for row in range(20)])
        connection.commit()
    data = succeeded("connect", ctx, source=f"sqlite:///{tmp_path}/shop.db", save="shop")
    assert (data["saved_as"], data["variables"]) == ("shop", [])
    assert Connections(tmp_path / "home").resolve("shop").engine == "sqlite"
    assert succeeded("ingest", ctx, source="shop::b", target="y")["n_rows"] == 20
    assert succeeded("connect", ctx, source="shop::b")["tables"][0]["rows"] == 20


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("nowhere.csv", "does not exist"),
        ("shop::orders", "there is no connection `shop`"),
        ("postgresql://reader:hunter2@127.0.0.1:1/none", "cannot be read"),
        ("ftp://example.org/x.csv", "not a source Loom can read"),
        ("ragged.csv", "row 2 has 2 cells, not 3"),
    ],
)
def test_connect_refuses_what_it_cannot_open_and_saves_nothing(
    ctx: ToolContext, tmp_path: Path, source: str, error: str
) -> None:
    write(tmp_path / "ws/ragged.csv", "a,b,c\n1,2,3\n1,2\n")
    result = use("connect", ctx, source=source, save="shop")
    assert not result.success
    assert error in (result.error or "")
    assert "hunter2" not in str(result)
    assert list((tmp_path / "home").iterdir()) == []


def test_ingest_answers_with_its_summary_and_the_record_of_the_object(
    ctx: ToolContext, tmp_path: Path
) -> None:
    path = write(tmp_path / "elsewhere/churn.csv", CHURN)
    data = succeeded("ingest", ctx, source=str(path), name="mine", target="churned", holdout=0.2)
    assert {name: data[name] for name in ("dataset_ref", "name", "n_rows", "n_cols", "target", "time", "group")} == {
        "dataset_ref": "IngestDataset/7", "name": "mine", "n_rows": 100, "n_cols": 4, "target": "churned",
        "time": None, "group": None,
    }  # fmt: skip
    assert data["holdout"].keys() == {"rows", "how", "digest"}
    assert data["warnings"] == [
        "column `zip` is kept as text: numbers have leading zeros or plus signs (first in row 1)"
    ]
    catalogue: DirectoryCatalogue = ctx.services["catalogue"]
    found = catalogue.open(catalogue.register("IngestDataset", data["data_object"]))
    assert load(found.parts["holdout"]).height == data["holdout"]["rows"]
    assert found.schema["digest"] == data["digest"]


def test_ingest_passes_time_group_and_share_on(ctx: ToolContext, tmp_path: Path) -> None:
    write(
        tmp_path / "ws/t.csv",
        "year,month,g,y\n"
        + "".join(f"{2000 + row},{1 + row % 12},{row % 5},{row % 2}\n" for row in range(40)),
    )
    data = succeeded("ingest", ctx, source="t.csv", time=["year", "month"], holdout=0.5)
    assert (data["time"], data["holdout"]["rows"], data["name"]) == (["year", "month"], 20, "t")
    assert succeeded("ingest", ctx, source="t.csv", group="g")["group"] == "g"
    assert succeeded("ingest", ctx, source="t.csv", holdout=0)["holdout"]["rows"] == 0


@pytest.mark.parametrize(
    ("text", "args", "error"),
    [
        ("a,b,c\n1,2,3\n1,2\n", {}, "row 2 has 2 cells, not 3"),
        ("a,a\n1,2\n", {}, "`a` is already the name of column 1"),
        ("", {}, "is empty"),
        ("a,y\n1,1\n2,1\n", {"target": "y"}, "column `y` cannot be the target"),
        ("a,y\n1,1\n2,0\n", {"target": "nope"}, "has no column `nope`"),
        ("a,y\n1,1\n2,0\n", {"holdout": 1}, "do not fit"),
    ],
)
def test_ingest_refuses_bad_input_and_keeps_nothing(
    ctx: ToolContext, tmp_path: Path, text: str, args: dict[str, Any], error: str
) -> None:
    write(tmp_path / "ws/t.csv", text)
    result = use("ingest", ctx, source="t.csv", **args)
    assert not result.success
    assert error in (result.error or "")
    assert not (tmp_path / "catalogue").exists()
    assert [path.name for path in (tmp_path / "ws").iterdir()] == ["t.csv"]


def test_datasets_lists_the_newest_first(ctx: ToolContext, tmp_path: Path) -> None:
    assert succeeded("datasets", ctx) == {"verdict": "OK", "datasets": []}
    write(tmp_path / "ws/t.csv", CHURN)
    for name in ("one", "two", "other"):
        record = succeeded("ingest", ctx, source="t.csv", name=name)["data_object"]
        ctx.services["catalogue"].register("IngestDataset", record)
    listed = succeeded("datasets", ctx)["datasets"]
    assert [entry["pathspec"] for entry in listed] == [f"IngestDataset/{number}" for number in (3, 2, 1)]
    assert {(entry["rows"], entry["cols"]) for entry in listed} == {(100, 4)}
    assert [entry["name"] for entry in succeeded("datasets", ctx, limit=1)["datasets"]] == ["other"]
    assert [entry["name"] for entry in succeeded("datasets", ctx, name="TWO")["datasets"]] == ["two"]


@pytest.mark.parametrize(
    ("verb", "args", "effects"),
    [
        ("connect", {"source": "churn.csv"}, {"reads"}),
        ("connect", {"source": "churn.csv", "save": "x"}, {"reads", "writes"}),
        ("connect", {"source": "postgresql://h/db"}, {"reads", "network"}),
        ("connect", {"source": "https://h/t.csv", "save": "x"}, {"reads", "writes", "network"}),
        ("ingest", {"source": "./churn"}, {"reads", "writes"}),
        ("ingest", {"source": "shop::orders"}, {"reads", "writes", "network"}),
        ("datasets", {}, {"reads"}),
    ],
)
def test_what_a_call_may_do_depends_on_its_arguments(
    verb: str, args: dict[str, Any], effects: set[str]
) -> None:
    assert call_effects(tool_of(verb), args) == effects


CASES = [
    pytest.param(verb, case, id=f"{verb}-{case['id']}")
    for verb in VERBS
    for case in process_of(verb)["tests"]
    if "faults" not in case
]


@pytest.mark.parametrize(("verb", "case"), CASES)
def test_every_case_of_a_package_ends_as_it_says_without_anything_being_faked(
    ctx: ToolContext, tmp_path: Path, verb: str, case: dict[str, Any]
) -> None:
    data = BUILTIN / verb / "tests" / "data"
    if data.is_dir():
        shutil.copytree(data, tmp_path / "ws", dirs_exist_ok=True)
    defaults = {
        name: declared["default"]
        for name, declared in process_of(verb)["verb"]["inputs"].items()
        if "default" in declared
    }
    result = use(verb, ctx, **defaults | case.get("inputs", {}))
    assert result.success is (case["expect"]["status"] == "ok"), result.error
    if result.success:
        assert result.data is not None
        assert result.data["verdict"] == case["expect"]["verdict"]
