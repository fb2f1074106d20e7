"""features: what was flagged leaves no trace, the sealed rows are never read, half a build is nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pytest
import yaml

from loom.app.package_tests.objects import read_objects
from loom.app.package_tests.past_runs import read_runs
from loom.core.contracts import validate_output
from loom.core.index import RunFacts
from loom.dataio.addresses import parse_address
from loom.dataio.blobs import DirectoryStore
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.frames import load
from loom.dataio.ingest import Request, ingest
from loom.dataio.objects import DataObject
from loom.dataio.sealed import Sealed
from loom.kernel.errors import LoomError
from loom.science.features import Transformer
from loom.tools.discover import load_tools
from loom.tools.registry import Tool, ToolContext, ToolResult
from tests.tools.calls import call

BUILTIN = Path(__file__).parents[2] / "processes" / "builtin"
FOLDER = BUILTIN / "features"
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
PROCESS: dict[str, Any] = yaml.safe_load((FOLDER / "process.yaml").read_text())
SCHEMA = PROCESS["verb"]["summary"]["schema"]


@dataclass(frozen=True)
class PastRuns:
    """An index of runs that a test made up."""

    facts: tuple[RunFacts, ...] = ()

    def runs(
        self, *, flow: str | None = None, experiment: str | None = None, limit: int | None = None
    ) -> list[RunFacts]:
        return [each for each in self.facts if flow is None or each.flow == flow][:limit]

    def run(self, pathspec: str) -> RunFacts:
        for each in self.facts:
            if each.pathspec == pathspec:
                return each
        raise LoomError(f"no run is called {pathspec}", "nothing was run here yet", "loom runs")


def eda_run(number: int = 1, **other: Any) -> RunFacts:
    """An eda run of IngestDataset/1 that flagged nothing, unless a test says otherwise."""
    summary = {
        "dataset_ref": "IngestDataset/1",
        "target": {"name": "churned"},
        "leakage_flags": [],
        "leakage_suspects": [],
    }
    told = {"summary": {**summary, **other.pop("found", {})}, "verb": "eda", "status": "ok", **other}
    return RunFacts(name=f"EdaFlow/{number}", pathspec=f"EdaFlow/{number}", flow="EdaFlow", **told)


def flag(*columns: str) -> dict[str, Any]:
    """Findings that flag some columns."""
    return {
        "leakage_flags": [{"column": each, "reason": "separates_target", "score": 1.0} for each in columns]
    }


def tool() -> Tool:
    """The only tool of the package."""
    (found,) = load_tools(FOLDER)
    return found.tool


class Room:
    """A home with data objects and runs, in which the tool is called as a run calls it."""

    def __init__(self, folder: Path, runs: tuple[RunFacts, ...] = ()) -> None:
        self.folder, self.runs = folder, PastRuns(runs)
        self.catalogue = DirectoryCatalogue(folder / "objects")
        (folder / "scratch").mkdir(parents=True)

    def bring_in(self, source: Path | str, **asked: Any) -> DataObject:
        """Register a data object, the next IngestDataset."""
        address = parse_address(str(source))
        record, _ = ingest(Request(address, **asked), self.catalogue.store, self.folder)
        return self.catalogue.open(self.catalogue.register("IngestDataset", record))

    def use(self, *, store: Any = None, catalogue: Any = None, **args: Any) -> ToolResult:
        """Call the tool; without arguments, on IngestDataset/1."""
        services = {
            "catalogue": catalogue or Sealed(self.catalogue),
            "blobs": store or self.catalogue.store,
            "runs": self.runs,
            "pathspec": None,
        }
        ctx = ToolContext(workspace=self.folder, scratch_dir=self.folder / "scratch", services=services)
        given = dict.fromkeys(("target", "from", "recipe")) | {"dataset": "IngestDataset/1"} | args
        return call(tool(), given, ctx)

    def answer(self, **args: Any) -> dict[str, Any]:
        """What a call that works answers, which must fit the summary that the verb declares."""
        result = self.use(**args)
        assert result.success, result.error
        assert result.data is not None
        if result.data["verdict"] == "BUILT":
            assert validate_output(result.data, SCHEMA) == []
        else:
            assert set(SCHEMA["required"]) <= result.data.keys()
        assert not list((self.folder / "scratch").iterdir()), "scratch files were left behind"
        return result.data

    def refusal(self, **args: Any) -> dict[str, str]:
        """The three lines of a call that is refused; nothing was kept."""
        before = self.blobs()
        result = self.use(**args)
        assert not result.success
        assert self.blobs() == before
        error: dict[str, str] = (result.data or {})["error"]
        assert all(error[key] and "\n" not in error[key] for key in ("what", "why", "fix"))
        return error

    def register(self, data: Mapping[str, Any]) -> DataObject:
        """The data object of an answer, as the run registers it."""
        return self.catalogue.open(self.catalogue.register("FeaturesFlow", data["data_object"]))

    def blobs(self) -> set[str]:
        """The names of all that is kept."""
        return {path.name for path in (self.folder / "objects").rglob("*") if path.is_file()}


def customers(rows: int = 300, seed: int = 7) -> pl.DataFrame:
    """Customers, with two columns that know who leaves."""
    rng = np.random.default_rng(seed)
    calls = rng.poisson(3, rows)
    left = calls - 3 + rng.logistic(size=rows) > 0.5
    return pl.DataFrame(
        {
            "customer_id": [f"C{number:06d}" for number in rng.permutation(10**6)[:rows]],
            "zip": [f"{number:05d}" for number in rng.integers(501, 540, rows)],
            "plan": rng.choice(["basic", "plus", "pro"], rows),
            "months": rng.integers(1, 60, rows),
            "calls": calls,
            "joined": [f"2023-{1 + day % 12:02d}-{1 + day % 28:02d}" for day in rng.integers(0, 500, rows)],
            "country": ["NL"] * rows,
            "refund": np.round(np.exp(2 * left + rng.normal(0, 0.1, rows)), 4),
            "closed": np.where(left, "2024-05-01", ""),
            "churned": np.where(left, "yes", "no"),
        }
    )


def written(folder: Path, frame: pl.DataFrame | None = None, name: str = "customers.csv") -> Path:
    """The customers as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    (customers() if frame is None else frame).write_csv(folder / name)
    return folder / name


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """The customers as IngestDataset/1, and an eda run that flagged both leaks and suspects the calls."""
    suspects = [{"column": "calls", "reason": "strong_alone", "score": 0.93}]
    looked = eda_run(found={**flag("refund", "closed"), "leakage_suspects": suspects})
    made = Room(tmp_path / "room", (looked,))
    made.bring_in(written(tmp_path), target="churned")
    return made


def origins(data: Mapping[str, Any]) -> set[str]:
    """The columns that features come from."""
    return {name for one in data["created"] for name in one["from"]}


def codes(data: Mapping[str, Any]) -> list[str]:
    """The codes of the reasons."""
    return [each["code"] for each in data["reasons"]]


@pytest.mark.parametrize("recipe", ["minimal", "full", None])
def test_nothing_comes_of_what_was_flagged_and_suspects_stay(room: Room, recipe: str | None) -> None:
    data = room.answer(**{"from": "EdaFlow/1", "recipe": recipe})
    assert (data["verdict"], data["recipe"]) == ("BUILT", recipe or "full")
    assert origins(data) == {"zip", "plan", "months", "calls", "joined"}
    why = {one["column"]: one["reason"] for one in data["dropped"]}
    assert why == {
        "refund": "separates_target",
        "closed": "separates_target",
        "customer_id": "id",
        "country": "constant",
    }
    assert [one.get("by") for one in data["dropped"]].count("EdaFlow/1") == 2
    made = room.register(data)
    assert not [name for name in made.parts["train"].columns if "refund" in name or "closed" in name]
    assert b"2024-05-01" not in made.files["transformer"].read()
    assert codes(data) == ["leak_dropped", "leak_dropped", "suspect_kept"]
    assert data["n_features_before"] == 9
    assert data["n_features_after"] == len(data["created"]) == len(made.parts["train"].columns) - 1


def test_without_an_eda_run_nothing_is_dropped_as_a_leak_and_that_is_said(room: Room) -> None:
    runs, room.runs = room.runs, PastRuns()
    data = room.answer()
    assert {"refund", "closed"} <= origins(data)
    assert codes(data) == ["leaks_unchecked"]
    assert data["reasons"][0]["severity"] == "info"
    assert data["next"][0] == "loom eda --dataset IngestDataset/1"
    room.runs = runs
    assert room.answer()["next"][0] == "loom features --dataset IngestDataset/1 --from EdaFlow/1"


@pytest.mark.parametrize(
    ("found", "args", "code", "way_out"),
    [
        ({"dataset_ref": "IngestDataset/2"}, {"from": "EdaFlow/1"}, "from_other_data", "loom eda --dataset IngestDataset/1"),
        ({"target": {"name": "plan"}}, {"from": "EdaFlow/1"}, "from_other_target", "loom eda --dataset IngestDataset/1"),
        ({"target": None}, {"from": "EdaFlow/1"}, "from_other_target", "loom eda --dataset IngestDataset/1"),
        (flag("churned"), {"from": "EdaFlow/1"}, "target_flagged", "loom show EdaFlow/1"),
        (flag("zip", "plan", "months", "calls", "joined", "refund", "closed"), {"from": "EdaFlow/1"}, "nothing_left", "loom show EdaFlow/1"),
        ({}, {"target": "churn"}, "target_missing", "loom features --dataset IngestDataset/1 --target churned"),
        ({}, {"target": "country"}, "target_missing", "loom eda --dataset IngestDataset/1"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_blocks_with_a_reason_and_a_way_out(
    room: Room, found: dict[str, Any], args: dict[str, Any], code: str, way_out: str
) -> None:
    room.runs = PastRuns((eda_run(found=found),))
    before = room.blobs()
    data = room.answer(**args)
    assert data["verdict"] == "BLOCKED"
    assert codes(data) == [code]
    assert data["next"] == [way_out]
    assert (data["dataset_ref"], data["fingerprint"], data["created"]) == (None, None, [])
    assert "data_object" not in data
    assert room.blobs() == before


def test_a_blocked_run_names_the_eda_run_that_would_do(room: Room) -> None:
    room.runs = PastRuns((eda_run(3), eda_run(2, found={"dataset_ref": "IngestDataset/9"})))
    assert room.answer(**{"from": "EdaFlow/2", "recipe": "minimal"})["next"] == [
        "loom features --dataset IngestDataset/1 --recipe minimal --from EdaFlow/3"
    ]


@pytest.mark.parametrize(
    ("run", "what"),
    [
        (eda_run(status="error"), "found nothing out"),
        (eda_run(status="interrupted"), "found nothing out"),
        (eda_run(status="running"), "found nothing out"),
        (eda_run(verb="ops"), "is no eda run"),
        (eda_run(9), "no run is called EdaFlow/1"),
        (eda_run(found={"leakage_flags": None}), "cannot be read"),
        (eda_run(found={"leakage_flags": ["refund"]}), "cannot be read"),
        (eda_run(found={"dataset_ref": None}), "cannot be read"),
        (eda_run(found={"target": "churned"}), "cannot be read"),
        (replace(eda_run(), summary={}), "cannot be read"),
    ],
)
def test_an_eda_run_that_cannot_be_used_is_an_error_and_never_ignored(
    room: Room, run: RunFacts, what: str
) -> None:
    room.runs = PastRuns((run,))
    error = room.refusal(**{"from": "EdaFlow/1"})
    assert what in error["what"]
    assert error["fix"] == "loom eda --dataset IngestDataset/1"


def test_features_are_not_built_of_features(room: Room) -> None:
    room.register(room.answer(recipe="minimal"))
    error = room.refusal(dataset="FeaturesFlow/1")
    assert "holds features already" in error["what"]
    assert error["fix"] == "loom features --dataset IngestDataset/1"


def test_a_target_that_orders_or_groups_the_rows_is_refused(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    room.bring_in(written(tmp_path), target="churned", group="zip")
    assert "cannot be the target" in room.refusal(target="zip")["what"]


def test_the_target_is_the_one_of_the_data_or_of_its_eda_or_the_likely_one(tmp_path: Path) -> None:
    room = Room(tmp_path / "room", (eda_run(),))
    room.bring_in(written(tmp_path))
    data = room.answer(**{"from": "EdaFlow/1", "recipe": "minimal"})
    assert (data["target"], codes(data)) == ("churned", ["target_inferred"])
    assert room.register(data).schema["target"] == "churned"
    assert codes(room.answer()) == ["target_missing"]
    renamed = customers().rename({"churned": "label"})
    room.bring_in(written(tmp_path, renamed, "other.csv"))
    data = room.answer(dataset="IngestDataset/2", recipe="minimal")
    assert (data["target"], codes(data)) == ("label", ["leaks_unchecked", "target_inferred"])


class Poisoned:
    """A store in which one blob cannot be touched."""

    def __init__(self, inner: DirectoryStore, key: str) -> None:
        self.inner, self.key = inner, key

    def put(self, content: bytes | Path) -> str:
        return self.inner.put(content)

    def open(self, key: str) -> BinaryIO | Path:
        assert key != self.key, "the sealed part was opened"
        return self.inner.open(key)


@dataclass(frozen=True)
class Tempting:
    """A catalogue that hands out the sealed part as well, in a store that cannot open it."""

    inner: DirectoryCatalogue

    def open(self, pathspec: str) -> DataObject:
        found = self.inner.open(pathspec)
        store = Poisoned(self.inner.store, found.parts["holdout"].key)
        parts = {name: replace(part, store=store) for name, part in found.parts.items()}
        return replace(found, parts=parts)


def test_sealed_rows_are_never_read_though_they_are_at_hand(room: Room) -> None:
    data = room.answer(catalogue=Tempting(room.catalogue), **{"from": "EdaFlow/1"})
    sealed = room.catalogue.open("IngestDataset/1").parts["holdout"]
    path = room.catalogue.store.open(sealed.key)
    path.write_bytes(b"not a table any more")
    again = room.answer(**{"from": "EdaFlow/1"})
    assert data["data_object"] == again["data_object"]
    assert data["fingerprint"] == again["fingerprint"]
    assert room.register(data).parts.keys() == {"train"}


@pytest.mark.parametrize("name", ["eda_profile", "eda_leakage"])
def test_eda_never_reads_them_either(room: Room, name: str) -> None:
    (looks,) = (found.tool for found in load_tools(BUILTIN / "eda") if found.tool.name == name)
    services = {"catalogue": Tempting(room.catalogue), "runs": room.runs, "pathspec": None}
    sealed = room.catalogue.open("IngestDataset/1").parts["holdout"]
    room.catalogue.store.open(sealed.key).write_bytes(b"not a table any more")
    result = call(
        looks, {"dataset": "IngestDataset/1"}, ToolContext(workspace=room.folder, services=services)
    )
    assert result.success, result.error


def test_the_registered_transformer_makes_the_registered_features(tmp_path: Path) -> None:
    frame = customers(400)
    written(tmp_path / "data", frame[:300], "train.csv")
    written(tmp_path / "data", frame[300:].drop("churned"), "test.csv")
    room = Room(tmp_path / "room", (eda_run(found=flag("refund", "closed")),))
    parent = room.bring_in(tmp_path / "data", target="churned")
    made = room.register(room.answer(**{"from": "EdaFlow/1"}))
    transformer = made.files["transformer"].load()
    assert isinstance(transformer, Transformer)
    names = list(transformer.features)
    for part, training in (("train", True), ("test", False)):
        again = transformer.transform(load(parent.parts[part]), training=training)
        assert again.select(names).equals(load(made.parts[part], names))
    assert load(made.parts["train"], ["churned"]).equals(load(parent.parts["train"], ["churned"]))
    assert "churned" not in made.parts["test"].columns
    assert made.schema["lineage"]["transformer"] == made.files["transformer"].digest


def test_a_column_that_rows_to_predict_do_not_have_is_left_out(tmp_path: Path) -> None:
    frame = customers(400)
    written(tmp_path / "data", frame[:300], "train.csv")
    written(tmp_path / "data", frame[300:].drop("churned", "refund", "closed"), "test.csv")
    room = Room(tmp_path / "room")
    room.bring_in(tmp_path / "data", target="churned")
    data = room.answer()
    assert {"column": "refund", "reason": "absent_in_test"} in data["dropped"]
    assert origins(data) == {"zip", "plan", "months", "calls", "joined"}
    assert room.register(data).parts["test"].rows == 100


def test_time_and_entity_stay_for_those_who_split_by_them(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    parent = room.bring_in(written(tmp_path), target="churned", time=("joined",), group="zip")
    made = room.register(room.answer())
    assert (made.schema["time"], made.schema["group"], made.schema["target"]) == (
        ["joined"],
        "zip",
        "churned",
    )
    kept = ["joined", "zip", "churned"]
    assert load(made.parts["train"], kept).equals(load(parent.parts["train"], kept))
    assert "zip" not in {name for one in made.schema["lineage"]["created"] for name in one["from"]}


def test_the_lineage_leads_to_where_the_rows_are_sealed(room: Room) -> None:
    parent = room.catalogue.open("IngestDataset/1")
    data = room.answer(**{"from": "EdaFlow/1"})
    made = room.register(data)
    lineage = made.schema["lineage"]
    assert (lineage["source"], lineage["root"], lineage["from"]) == ("IngestDataset/1",) * 2 + ("EdaFlow/1",)
    assert lineage["fingerprint"] == data["fingerprint"]
    assert lineage["holdout"]["digest"] == parent.schema["holdout"]["digest"]
    assert lineage["created"] == data["created"]
    assert {one["column"] for one in lineage["dropped"]} == {one["column"] for one in data["dropped"]}


def test_a_fingerprint_is_of_content_and_recipe_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(300)
    frame = customers()
    found = set()
    for name, rows, about in (
        ("one", frame, {}),
        ("two", frame, {"name": "another name"}),
        ("three", frame[order].select(rng.permutation(frame.columns).tolist()), {}),
    ):
        room = Room(
            tmp_path / name / "room",
            (eda_run(found=flag("refund", "closed")), eda_run(2, found=flag("closed", "refund"))),
        )
        room.bring_in(written(tmp_path / name, rows), target="churned", **about)
        found |= {
            room.answer(**{"from": f"EdaFlow/{run}", "recipe": "minimal"})["fingerprint"] for run in (1, 2)
        }
    assert len(found) == 1
    others = {
        room.answer(recipe="minimal")["fingerprint"],
        room.answer(**{"from": "EdaFlow/1"})["fingerprint"],
    }
    assert len(others | found) == 3


class Dying(Poisoned):
    """A store that is interrupted when it is to keep something for the nth time."""

    def __init__(self, inner: DirectoryStore, lives: int) -> None:
        super().__init__(inner, "")
        self.lives = lives

    def put(self, content: bytes | Path) -> str:
        self.lives -= 1
        if self.lives < 0:
            raise OSError(28, "No space left on device")
        return self.inner.put(content)


@pytest.mark.parametrize("lives", [0, 1, 2])
def test_half_a_build_is_nothing(room: Room, lives: int) -> None:
    result = room.use(store=Dying(room.catalogue.store, lives), recipe="minimal")
    assert not result.success
    assert (result.data or {})["error"]["fix"].startswith("df -h")
    assert [entry.pathspec for entry in room.catalogue.objects(9)] == ["IngestDataset/1"]
    assert not list((room.folder / "scratch").iterdir())
    assert room.register(room.answer(recipe="minimal")).parts.keys() == {"train"}


def test_two_at_once_make_the_same_and_are_both_kept(room: Room) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: room.use(recipe="minimal"), range(2)))
    first, second = (result.data or {} for result in both)
    assert first["data_object"] == second["data_object"]
    assert room.register(first).schema == room.register(second).schema
    assert [entry.pathspec for entry in room.catalogue.objects(2)] == ["FeaturesFlow/2", "FeaturesFlow/1"]


REAL = {
    "telco-churn.csv": {"target": "Churn"},
    "titanic.csv": {"target": "Survived"},
    "winequality-white.csv": {"target": "quality"},
    "beijing-pollution.csv": {"target": "pm2.5", "time": ("year", "month", "day", "hour")},
}


@pytest.mark.parametrize("recipe", ["minimal", "full"])
@pytest.mark.parametrize("name", REAL)
def test_real_tables_become_features(tmp_path: Path, name: str, recipe: str) -> None:
    source = (SHARED / name).resolve()
    if not source.is_file():
        pytest.skip(f"REAL DATA IS NOT TESTED: {name} is not at hand")
    with source.open(encoding="utf-8-sig") as file:
        (tmp_path / name).write_text("".join(line for _, line in zip(range(500), file, strict=False)))
    room = Room(tmp_path / "room")
    parent = room.bring_in(tmp_path / name, **REAL[name])
    data = room.answer(recipe=recipe)
    assert data["verdict"] == "BUILT"
    made = room.register(data)
    frame = load(made.parts["train"])
    features = frame.select([one["name"] for one in data["created"]])
    assert features.height == parent.parts["train"].rows
    assert not features.null_count().sum_horizontal()[0]
    target = str(REAL[name]["target"])
    assert frame[target].equals(load(parent.parts["train"])[target])
    task = "binary" if target in ("Churn", "Survived") else "regression"
    assert made.schema["lineage"]["task"] == task


def test_the_page_says_no_cell_and_names_the_leaks_first(room: Room) -> None:
    data = room.answer(**{"from": "EdaFlow/1"})
    left_out, _, features = data["card"]["sections"][:3]
    assert [row["column"] for row in left_out["rows"]][:2] == ["refund", "closed"]
    assert features["rows"][0].keys() == {column["key"] for column in features["columns"]}
    spelled = json.dumps(data)
    cells = load(room.catalogue.open("IngestDataset/1").parts["train"], ["customer_id", "refund"])
    assert not [cell for cell in cells["customer_id"] if cell in spelled]
    assert not [cell for cell in cells["refund"] if f"{cell}" in spelled]


def test_every_command_to_come_is_one_that_can_be_typed(room: Room) -> None:
    services = {"catalogue": Sealed(room.catalogue), "blobs": room.catalogue.store, "runs": room.runs}
    ctx = ToolContext(workspace=room.folder, services={**services, "pathspec": "FeaturesFlow/7"})
    data = call(tool(), {"dataset": "IngestDataset/1", "from": "EdaFlow/1"}, ctx).data
    assert data is not None
    assert data["dataset_ref"] == "FeaturesFlow/7"
    assert data["next"] == [
        f"loom {verb} --dataset FeaturesFlow/7" for verb in ("run", "validate", "viz", "eda")
    ]
    for command in data["next"]:
        verb = command.split()[1]
        assert (BUILTIN / {"run": "optimize"}.get(verb, verb) / "process.yaml").is_file()


def test_the_data_of_its_cases_is_what_the_cases_say(tmp_path: Path) -> None:
    listed = read_objects(FOLDER)
    assert [wanted.name for wanted in listed] == ["customers", "refunded", "noise", "answers", "visits"]
    known = {run.pathspec: run for run in read_runs(FOLDER)}
    for case in PROCESS["tests"]:
        run = known.get(case["inputs"].get("from"))
        if run is not None and run.summary.get("dataset_ref") == case["inputs"]["dataset"]:
            number = int(case["inputs"]["dataset"].partition("/")[2])
            header = (FOLDER / "tests/data" / listed[number - 1].source).read_text().partition("\n")[0]
            assert {one["column"] for one in run.summary["leakage_flags"]} <= set(header.split(","))
