"""The verb viz for real: files that are the same every time, errors that name what to do, nothing sealed drawn."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.core.contracts import validate_output
from loom.core.index import RunFacts
from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.ingest import Request, ingest
from loom.dataio.sealed import Sealed
from loom.tools.discover import load_tools
from loom.tools.registry import Tool, ToolContext
from tests.tools.calls import call

PACKAGE = Path(__file__).parents[2] / "processes" / "builtin" / "viz"
SCHEMA = yaml.safe_load((PACKAGE / "process.yaml").read_text())["verb"]["summary"]["schema"]


@pytest.fixture(scope="module")
def tool() -> Tool:
    (found,) = load_tools(PACKAGE)
    return found.tool


class Runs:
    """The runs of the package's own tests."""

    def run(self, pathspec: str) -> RunFacts:
        path = PACKAGE / "tests" / "runs" / f"{pathspec.replace('/', '-')}.json"
        told = json.loads(path.read_text())
        flow = pathspec.partition("/")[0]
        return RunFacts.from_json({"name": pathspec, "pathspec": pathspec, "flow": flow, **told})


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> DirectoryCatalogue:
    root = tmp_path_factory.mktemp("objects")
    found = DirectoryCatalogue(root)
    data = PACKAGE / "tests" / "data"
    for name, target in (("customers.csv", "churned"), ("homes.csv", "price")):
        request = Request(source=parse_address(name, None, data), name=name, target=target)
        key, _ = ingest(request, found.store, root)
        found.register("IngestDataset", key)
    return found


@pytest.fixture
def context(catalogue: DirectoryCatalogue, tmp_path: Path) -> ToolContext:
    own = tmp_path / "own"
    own.mkdir()
    services: Mapping[str, Any] = {"catalogue": Sealed(catalogue), "runs": Runs(), "cwd": tmp_path}
    return ToolContext(workspace=own, services=services)


def draw(tool: Tool, context: ToolContext, **args: Any) -> dict[str, Any]:
    """What a call that works answers, which must fit the summary that the verb declares."""
    result = call(tool, args, context)
    assert result.success, result.error
    assert result.data is not None
    assert validate_output(result.data, SCHEMA) == []
    return result.data


def refusal(tool: Tool, context: ToolContext, **args: Any) -> dict[str, str]:
    """The three lines of a call that is refused."""
    result = call(tool, args, context)
    assert not result.success
    error: dict[str, str] = (result.data or {})["error"]
    assert all(error[key] and "\n" not in error[key] for key in ("what", "why", "fix"))
    return error


def test_every_image_is_there_as_it_is_told(tool: Tool, context: ToolContext) -> None:
    data = draw(tool, context, dataset="IngestDataset/1")
    assert len(data["images"]) > 12
    for image in data["images"]:
        content = Path(image["path"]).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert (len(content), hashlib.sha256(content).hexdigest()) == (image["bytes"], image["sha256"])
        assert image["alt"].endswith(".") and "IngestDataset/1" in image["source"]
        assert Path(image["svg"]).read_text().startswith("<svg")
        assert "$schema" in json.loads(Path(image["spec"]).read_text())
    drawn = [chart for section in data["card"]["sections"] for chart in section.get("charts", ())]
    assert [chart["name"] for chart in drawn] == [image["name"] for image in data["images"]]
    assert data["next"] == ["loom eda --dataset IngestDataset/1", "loom features --dataset IngestDataset/1"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("correlation", {"correlation"}),
        ("missing", {"missing"}),
    ],
)
def test_a_kind_draws_what_it_says(tool: Tool, context: ToolContext, kind: str, names: set[str]) -> None:
    data = draw(tool, context, dataset="IngestDataset/1", kind=kind)
    assert {image["name"] for image in data["images"]} == names


def test_a_target_that_is_named_now_is_carried_on(tool: Tool, context: ToolContext) -> None:
    data = draw(tool, context, dataset="IngestDataset/1", kind="target", target="plan")
    assert data["images"][0]["title"].startswith("plan is basic in ")
    assert data["next"][0] == "loom eda --dataset IngestDataset/1 --target plan"


def test_twice_into_one_folder_gives_the_same_bytes_and_leaves_other_files_alone(
    tool: Tool, context: ToolContext, tmp_path: Path
) -> None:
    def drawn() -> dict[str, bytes]:
        draw(tool, context, dataset="IngestDataset/2", out="plots/here")
        return {path.name: path.read_bytes() for path in (tmp_path / "plots" / "here").iterdir()}

    first = drawn()
    (tmp_path / "plots" / "here" / "mine.txt").write_text("mine")
    second = drawn()
    assert second.pop("mine.txt") == b"mine"
    assert first == second
    own = {path.name: path.read_bytes() for path in (tmp_path / "own" / "images").iterdir()}
    assert own == first


def test_images_told_of_lie_in_the_folder_that_was_asked_for(
    tool: Tool, context: ToolContext, tmp_path: Path
) -> None:
    data = draw(tool, context, run="OptimizeFlow/1", out=str(tmp_path / "out"))
    (image,) = data["images"]
    assert Path(image["path"]).parent == tmp_path / "out"
    assert image["title"] == "lightgbm leads 3 candidates with auc 0.849"
    assert struct.unpack(">I", Path(image["path"]).read_bytes()[16:20]) == (840,)


def test_the_kinds_of_a_run_come_from_its_summary(tool: Tool, context: ToolContext) -> None:
    names = {
        run: [image["name"] for image in draw(tool, context, run=run)["images"]]
        for run in ("EdaFlow/1", "OpsFlow/1", "OptimizeFlow/1")
    }
    assert names["EdaFlow/1"] == ["target", "leak-scores", "relations", "missing"]
    assert names["OpsFlow/1"] == ["drift"]
    assert names["OptimizeFlow/1"] == ["leaderboard"]


REFUSED = [
    ({}, "nothing to draw", "loom viz --dataset IngestDataset/1"),
    ({"dataset": "IngestDataset/1", "run": "EdaFlow/1"}, "both --dataset and --run", "loom viz --dataset"),
    ({"dataset": "IngestDataset/1", "kind": "leaderboard"}, "no leaderboard", "loom runs"),
    ({"dataset": "IngestDataset/1", "target": "chruned"}, "no column `chruned`", "--target churned"),
    ({"dataset": "IngestDataset/99"}, "IngestDataset/99", "loom datasets"),
    ({"dataset": "IngestDataset/2", "kind": "missing"}, "nothing to draw of IngestDataset/2", "loom eda"),
    ({"run": "OptimizeFlow/2"}, "nothing to draw", "loom show OptimizeFlow/2"),
    ({"run": "OpsFlow/1", "kind": "leaderboard"}, "nothing to draw", "loom show OpsFlow/1"),
    ({"run": "EdaFlow/1", "kind": "distributions"}, "no distributions", "--dataset IngestDataset/1"),
    ({"run": "EdaFlow/1", "target": "plan"}, "--target does not go with", "loom viz --run EdaFlow/1"),
]


@pytest.mark.parametrize(("args", "what", "fix"), REFUSED)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(
    tool: Tool, context: ToolContext, args: dict[str, Any], what: str, fix: str
) -> None:
    error = refusal(tool, context, **args)
    assert what in error["what"] and fix in error["fix"]


def test_a_folder_that_takes_no_files_is_found_out_before_anything_is_read(
    tool: Tool, context: ToolContext, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    for out in ("taken", "taken/below"):
        error = refusal(tool, context, dataset="IngestDataset/99", out=out)
        assert error["what"].startswith("no image can be written into")


def test_a_folder_of_the_caller_is_what_makes_it_write(tool: Tool) -> None:
    assert tool.effects_of({"dataset": "IngestDataset/1"}) == {"reads"}
    assert tool.effects_of({"dataset": "IngestDataset/1", "out": "plots"}) == {"reads", "writes"}


def test_no_planted_value_is_in_images_summary_or_card(
    tool: Tool, context: ToolContext, tmp_path: Path
) -> None:
    dice = random.Random(0)
    lines = ["code,email,amount,colour,seen,kept"]
    for at in range(600):
        colour = dice.choice(["red", "green"]) if at else "canarycolour"
        amount = dice.gauss(50, 9) if at else 987654321
        lines.append(
            f"canary{at:04},canary{at}@mail.example,{amount:.3f},{colour},{2020 + at % 3}-01-{1 + at % 28:02},"
            f"{'yes' if dice.random() < 0.4 else 'no'}"
        )
    (tmp_path / "planted.csv").write_text("\n".join(lines) + "\n")
    kept = DirectoryCatalogue(tmp_path / "objects")
    request = Request(source=parse_address("planted.csv", None, tmp_path), name="planted", target="kept")
    key, _ = ingest(request, kept.store, tmp_path)
    pathspec = kept.register("IngestDataset", key)
    alone = replace(context, services={**context.services, "catalogue": Sealed(kept)})
    data = draw(tool, alone, dataset=pathspec)
    said = json.dumps(data) + "".join(
        Path(image[each]).read_text() for image in data["images"] for each in ("svg", "spec")
    )
    assert "canary" not in said and "987654321" not in said and "red" in said
