"""deploy: only what passed, only what was shown, in one step, and back again."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

import loom
from loom.app.call import Call
from loom.app.run import carry_out
from loom.app.run_index import JournalIndex
from loom.core.contracts import validate_output
from loom.kernel.errors import LoomError
from loom.runtime.approval import NotApprovedError
from loom.science.serving.model import Served
from loom.science.serving.predicting import main
from tests.processes.deployed import Answering, House, sibling
from tests.processes.deploying import DEPLOY, SCRIPT, SOURCE, brought_in, customers

SCHEMA = yaml.safe_load((DEPLOY / "process.yaml").read_text())["verb"]["summary"]["schema"]
LEAK = {"column": "calls", "reason": "separates_target", "score": 1.0, "tier": "flags", "accepted": False}
RMSE = {"name": "rmse", "direction": "lower"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def summary(answer: Any) -> dict[str, Any]:
    """The summary of an answer, which fits what the verb declares."""
    assert answer.summary is not None, answer.error
    assert validate_output(dict(answer.summary), SCHEMA) == []
    return dict(answer.summary)


def codes(answer: Any) -> set[str]:
    return {each["code"] for each in answer.reasons}


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")} if folder.exists() else set()


def score(folder: Path, rows: Path, out: Path) -> pl.DataFrame:
    """What a deployed model says of a table."""
    done = subprocess.run(
        [sys.executable, folder / "current" / "predict.py", rows, out, "--with-rows", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return pl.read_csv(out)


# planning


def test_a_plan_says_everything_and_changes_nothing(house: House) -> None:
    name = house.validated()
    answer = house.deploy(validate=name, floor="auc>=0.8")
    told = summary(answer)
    assert (answer.verdict, told["status"], answer.exit_code) == ("STAGED", "staged", 0)
    assert not house.place.exists()
    manifest = told["manifest"]
    assert manifest["model"]["digest"] == house.model().digest
    assert manifest["holdout"]["digest"] == house.objects["IngestDataset/1"].schema["holdout"]["digest"]
    assert [one["digest"] for one in manifest["data"]] == [house.objects["IngestDataset/1"].schema["digest"]]
    assert manifest["metrics"][0]["ci"] == [0.7912, 0.8712]
    assert manifest["versions"]["libraries"]["polars"] == pl.__version__
    refs = [one["ref"] for one in manifest["lineage"]]
    assert refs == [name, f"{name}/model", "IngestDataset/1", str(house.work / "customers.csv")]
    short = told["digest"].removeprefix("sha256:")[:16]
    assert list(answer.next) == [
        f"loom deploy --validate {name} --floor 'auc>=0.8' --apply --confirm {short}"
    ]


def test_the_same_parts_give_the_same_digest_and_others_do_not(house: House) -> None:
    name = house.validated()
    first, again = (summary(house.deploy(validate=name)) for _ in range(2))
    assert first == again
    others = [
        summary(house.deploy(validate=name, target="elsewhere")),
        summary(house.deploy(validate=name, target="mlflow:elsewhere")),
        summary(house.deploy(validate=name, floor="auc>=0.5")),
        summary(house.deploy(validate=house.validated())),
        summary(house.deploy(validate=house.validated(train=customers(100)))),
    ]
    assert len({each["digest"] for each in [first, *others]}) == 6


def test_one_place_is_one_target_however_it_is_written(house: House) -> None:
    name = house.validated()
    ways = ["serving", "./serving", "x/../serving", str(house.work / "serving")]
    assert len({summary(house.deploy(validate=name, target=way))["digest"] for way in ways}) == 1


# what blocks


@pytest.mark.parametrize(
    ("past", "asked", "code"),
    [
        ({"verdict": "REVIEW"}, {}, "verdict_not_pass"),
        ({"verdict": "FAIL"}, {}, "verdict_not_pass"),
        ({"verdict": None, "status": "error"}, {}, "no_validation"),
        ({"verdict": None, "status": "interrupted"}, {}, "no_validation"),
        ({"leakage": [LEAK]}, {}, "leak_used"),
        ({"leakage": None}, {}, "leaks_unknown"),
        ({"holdout": None}, {}, "no_holdout"),
        ({"holdout": {"digest": None, "n": 0, "score": None, "ci": [None, None]}}, {}, "no_holdout"),
        ({"digests": {"IngestDataset/1": "sha256:" + "0" * 64}}, {}, "data_changed"),
        ({"digests": {}}, {}, "data_unrecorded"),
        ({"dataset_ref": "IngestDataset/9"}, {}, "data_gone"),
        ({"model": {"digest": "sha256:" + "1" * 64}}, {}, "model_changed"),
        ({"model": None}, {}, "model_unrecorded"),
        ({"model_ref": "ValidateFlow/7/model"}, {}, "not_servable"),
        ({"kept": False}, {}, "not_servable"),
        ({"source": SCRIPT}, {}, "not_servable"),
        ({"source": SOURCE.replace("def predict", "def guess")}, {}, "not_servable"),
        ({}, {"floor": "auc>=0.9"}, "below_floor"),
        ({"metric": RMSE, "score": 3.2}, {"floor": "rmse<=3"}, "below_floor"),
        ({}, {"floor": "f1>=0.5"}, "floor_not_measured"),
    ],
)
def test_what_is_not_as_it_should_be_blocks_and_is_named(
    past: dict[str, Any], asked: dict[str, Any], code: str, house: House
) -> None:
    served: Any = None
    if source := past.pop("source", None):
        served = house.model(source=source)
    answer = house.deploy(validate=house.validated(served, **past), **asked)
    assert (answer.status, answer.verdict, answer.exit_code) == ("blocked", "BLOCKED", 1)
    assert code in codes(answer)
    assert all(each["severity"] == "error" for each in answer.reasons)
    assert answer.next
    assert answer.card is not None
    assert not house.place.exists()


def test_a_floor_on_an_error_is_met_from_below(house: House) -> None:
    name = house.validated(metric=RMSE, score=3.2)
    assert house.deploy(validate=name, floor="rmse<=3.2").verdict == "STAGED"
    assert house.deploy(validate=name, floor="rmse<3.2").verdict == "BLOCKED"


def test_every_reason_is_named_at_once(house: House) -> None:
    suspect = {"code": "suspect_used", "severity": "warning", "what": "it is too good", "column": "calls"}
    name = house.validated(
        verdict="REVIEW", reasons=(suspect,), leakage=[LEAK], holdout=None, digests={}, kept=False
    )
    answer = house.deploy(validate=name, floor="auc>=0.8")
    assert codes(answer) == {
        *("verdict_not_pass", "suspect_used", "leak_used", "no_holdout", "data_unrecorded", "not_servable"),
        "holdout_changed",
    }


def test_the_newest_verdict_on_a_solution_counts(house: House) -> None:
    solution = {"solution": "EvalCandidate/4"}
    house.validated(inputs=solution)
    assert house.deploy(solution="EvalCandidate/4").verdict == "STAGED"
    newest = house.validated(verdict="REVIEW", inputs=solution)
    house.validated(verdict=None, status="error", inputs=solution)
    house.validated(inputs={"solution": "EvalCandidate/5"})
    answer = house.deploy(solution="EvalCandidate/4")
    assert codes(answer) == {"verdict_not_pass"}
    assert newest in answer.reasons[0]["what"]
    assert codes(house.deploy(solution="EvalCandidate/6")) == {"no_validation"}
    assert codes(house.deploy(validate=newest, solution="EvalCandidate/5")) == {"no_validation"}


def test_a_solution_in_a_file_is_known_by_its_place(house: House) -> None:
    path = {"solution": str(house.work / "sol.py")}
    name = house.validated(inputs=path, model_source="sol.py")
    told = summary(house.deploy(solution="sol.py"))
    assert told["manifest"]["validation"]["ref"] == name
    assert codes(house.deploy(solution="other/sol.py")) == {"no_validation"}
    away = {"solution": "/elsewhere/EvalCandidate/3"}
    house.validated(inputs=away, model_source="EvalCandidate/3")
    assert house.deploy(solution="EvalCandidate/3").verdict == "STAGED"


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({}, "nobody said what to deploy"),
        ({"floor": "auc"}, "`auc` is no floor"),
        ({"floor": "auc<=0.8"}, "asks for a bad model"),
        ({"target": "models:/churn"}, "no place that a model can be deployed to"),
        ({"target": "s3://bucket/churn"}, "no place that a model can be deployed to"),
        ({"target": "mlflow:"}, "names no folder"),
    ],
)
def test_what_cannot_be_meant_is_an_error_in_three_lines(
    asked: dict[str, Any], what: str, house: House
) -> None:
    named = {"validate": house.validated()} if asked else {}
    answer = house.deploy(**named, **asked)
    assert answer.exit_code == 2
    assert answer.error is not None
    assert what in answer.error["what"]
    assert "--metric" not in answer.error["fix"]


# agreeing


def test_nothing_is_applied_that_was_not_shown(house: House) -> None:
    name = house.validated()
    with pytest.raises(NotApprovedError, match="has shown what would be done") as refused:
        house.deploy(validate=name, apply=True, asker=Answering(True))
    assert refused.value.fix == f"to be shown it first: loom deploy --validate {name}"
    house.deploy(validate=name, target="elsewhere")
    with pytest.raises(NotApprovedError, match="has shown"):
        house.deploy(validate=name, apply=True, asker=Answering(True))
    assert not house.place.exists()


def test_without_a_terminal_only_the_digest_that_was_shown_is_agreement(house: House) -> None:
    name = house.validated()
    digest = summary(house.deploy(validate=name))["digest"]
    short = digest.removeprefix("sha256:")[:16]
    with pytest.raises(NotApprovedError) as refused:
        house.deploy(validate=name, apply=True)
    assert (
        refused.value.fix
        == f"to confirm plan {short}: loom deploy --validate {name} --apply --confirm {short}"
    )
    for wrong in ("0" * 16, short[:8], "", "yes"):
        with pytest.raises(NotApprovedError, match="names another plan"):
            house.deploy(validate=name, apply=True, confirm=wrong)
    with pytest.raises(NotApprovedError, match="only a person"):
        house.deploy(validate=name, apply=True, confirm=digest, caller="agent")
    assert not house.place.exists()
    assert house.deploy(validate=name, apply=True, confirm=short).verdict == "DEPLOYED"


def test_a_person_at_a_terminal_is_shown_the_digest_and_may_say_no(house: House) -> None:
    name = house.validated()
    plan = house.deploy(validate=name)
    person = Answering(False)
    with pytest.raises(NotApprovedError, match="the answer was no"):
        house.deploy(validate=name, apply=True, asker=person)
    assert summary(plan)["digest"] in person.shown[0]
    assert not house.place.exists()
    assert house.deploy(validate=name, apply=True, asker=Answering(True)).verdict == "DEPLOYED"


def test_what_changed_since_it_was_shown_is_not_applied(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = house.validated()
    digest = summary(house.deploy(validate=name))["digest"]
    monkeypatch.setattr(loom, "__version__", "99.0")
    answer = house.deploy(validate=name, apply=True, confirm=digest)
    assert (answer.verdict, answer.exit_code, codes(answer)) == ("BLOCKED", 1, {"plan_changed"})
    assert answer.reasons[0]["threshold"] == digest
    assert list(answer.next) == [f"loom deploy --validate {name}"]
    assert files_in(house.place) == set()


def test_blocked_and_apply_never_applies(house: House) -> None:
    name = house.validated()
    digest = summary(house.deploy(validate=name))["digest"]
    # another data object takes the place of the one that was validated
    entries = house.home / "objects" / "IngestDataset"
    customers(200, seed=3).write_csv(house.work / "customers.csv")
    other = sibling_object(house)
    (entries / "1" / "entry.json").write_bytes((entries / other / "entry.json").read_bytes())
    answer = house.deploy(validate=name, apply=True, confirm=digest)
    assert (answer.verdict, answer.exit_code) == ("BLOCKED", 1)
    assert codes(answer) == {"data_changed", "holdout_changed"}
    assert files_in(house.place) == set()


def sibling_object(house: House) -> str:
    """The number of a data object made of what lies in the work folder now."""
    return brought_in(house.home, house.work / "customers.csv")[0].partition("/")[2]


# in place


def test_what_was_shown_is_put_in_place_and_answers(house: House, tmp_path: Path) -> None:
    name = house.validated()
    plan = summary(house.deploy(validate=name))
    answer = house.deploy(validate=name, apply=True, confirm=plan["digest"])
    told = summary(answer)
    assert (answer.verdict, told["digest"], told["manifest"]) == (
        "DEPLOYED",
        plan["digest"],
        plan["manifest"],
    )
    current = house.place / "current"
    listed = {each["path"]: each["sha256"] for each in plan["manifest"]["bundle"]["files"]}
    there = {path for path in files_in(current.resolve()) if (current / path).is_file()}
    assert there == set(listed)
    for path, digest in listed.items():
        assert hashlib.sha256((current / path).read_bytes()).hexdigest() == digest
    assert (
        Served.from_bytes((current / "model.loom").read_bytes()).digest == plan["manifest"]["model"]["digest"]
    )
    inside = json.loads((current / "manifest.json").read_text())
    assert inside == {
        key: value for key, value in plan["manifest"].items() if key not in ("bundle", "target")
    }
    customers(30, seed=5).drop("churned").write_csv(tmp_path / "rows.csv")
    found = score(house.place, tmp_path / "rows.csv", tmp_path / "out.csv")
    assert found.height == 30
    assert {"calls", "prediction", "probability_yes"} <= set(found.columns)
    assert there == {path for path in files_in(current.resolve()) if (current / path).is_file()}, (
        "scoring left files"
    )


def test_the_same_digest_twice_is_nothing_to_do(house: House) -> None:
    name = house.validated()
    first = summary(house.put(name))
    before = {path: path.lstat().st_mtime_ns for path in house.place.rglob("*")}
    again = summary(house.put(name))
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert again["version"] == first["version"]
    after = {path: path.lstat().st_mtime_ns for path in house.place.rglob("*") if path.name != ".lock"}
    assert after == {path: time for path, time in before.items() if path.name != ".lock"}


def test_the_version_before_stays_and_is_put_back_by_the_command(house: House) -> None:
    old, new = house.validated(), house.validated(train=customers(150))
    first = summary(house.put(old))
    assert first["rollback"] is None
    answer = house.put(new)
    second = summary(answer)
    assert second["previous"] == first["version"]
    assert answer.next[1] == second["rollback"] == f"python {house.place}/rollback.py"
    assert current(house.place) == second["version"]
    done = back(house.place)
    assert (done.returncode, current(house.place)) == (0, first["version"])
    assert back(house.place).returncode == 2
    assert current(house.place) == first["version"], "there is nothing before the first"
    assert summary(house.put(new))["version"] == second["version"]
    assert current(house.place) == second["version"]


def test_a_version_that_was_changed_is_neither_put_back_nor_taken_for_whole(house: House) -> None:
    old, new = house.validated(), house.validated(train=customers(150))
    first = summary(house.put(old))["version"]
    second = summary(house.put(new))["version"]
    (house.place / "versions" / first / "predict.py").write_text("raise SystemExit\n")
    done = back(house.place)
    assert done.returncode == 2
    assert "predict.py was changed" in done.stderr
    assert current(house.place) == second
    assert summary(house.put(old))["version"] == f"{first}.2"
    (house.place / "current" / "model.loom").unlink()
    assert summary(house.put(old))["version"] == f"{first}.3"


def test_what_somebody_else_put_there_is_left_alone(house: House) -> None:
    (house.work / "serving" / "current").mkdir(parents=True)
    name = house.validated()
    answer = house.deploy(validate=name, target="serving")
    assert answer.error is not None
    assert "holds something else" in answer.error["what"]
    assert files_in(house.work / "serving") == {"current"}


def test_a_place_that_cannot_be_written_is_an_error_and_stays_as_it_was(house: House) -> None:
    (house.work / "file").write_text("mine")
    name = house.validated()
    for place, why in (
        ("file", "file exists"),
        ("file/below", "not a directory"),
        ("/proc/loom", "no such file"),
    ):
        answer = house.put(name, target=place)
        assert answer.exit_code == 2
        assert answer.error is not None
        assert answer.error["what"].startswith("nothing was deployed to")
        assert why in answer.error["why"]
    assert (house.work / "file").read_text() == "mine"


# half-way


WORK = """
import hashlib, importlib, os, resource, signal, sys, types
from pathlib import Path

tools = sys.modules["tools"] = types.ModuleType("tools")
tools.__path__ = [sys.argv[5]]
place = importlib.import_module("tools._placing").place
how, at, folder, name = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
files = {f"code/{number}.py": name.encode() * 50_000 for number in range(6)}
lines = [f"{hashlib.sha256(content).hexdigest()}  {path}" for path, content in sorted(files.items())]
files["SHA256SUMS"] = "".join(f"{line}\\n" for line in lines).encode()
left = [at]

def counted(call):
    def inner(*args, **more):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **more)
    return inner

if how == "kill":
    os.fsync, Path.symlink_to, Path.replace = map(counted, (os.fsync, Path.symlink_to, Path.replace))
if how == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, at))
try:
    placed = place(folder, "sha256:" + hashlib.sha256(files["SHA256SUMS"]).hexdigest(), files, {})
except Exception as error:
    print(type(error).__name__, error.what, "|", error.why)
    sys.exit(3)
print(placed.version)
if how == "kill":
    print(at - left[0])
"""


def work(how: str, at: int, folder: Path, name: str) -> subprocess.Popen[str]:
    """Put a bundle in place in a process of its own, which is killed or runs out of room on the way."""
    command = [sys.executable, "-B", "-c", WORK, how, str(at), str(folder), name, str(DEPLOY / "tools")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def copied(folder: Path, other: Path) -> Path:
    """Another folder that holds the same."""
    return Path(shutil.copytree(folder, other, symlinks=True))


def whole(folder: Path) -> str:
    """The name that all files of the current version hold."""
    version = folder / "current"
    assert not sibling("_rollback").damage(version)
    (name,) = {(version / f"code/{number}.py").read_text()[:3] for number in range(6)}
    return name


def test_whoever_is_killed_on_the_way_leaves_the_version_before(tmp_path: Path) -> None:
    work("", 0, tmp_path / "first", "one").communicate()
    said, _ = work("kill", 10_000, copied(tmp_path / "first", tmp_path / "second"), "two").communicate()
    steps = int(said.split()[1])
    assert steps > 10
    for at in (0, 3, steps - 8, steps - 6, steps - 4, steps - 3, steps - 2):
        folder = copied(tmp_path / "first", tmp_path / str(at))
        killed = work("kill", at, folder, "two")
        killed.communicate()
        assert killed.returncode == -9, at
        assert whole(folder) == "one", at
    for at in (3, steps - 2):
        work("", 0, tmp_path / str(at), "two").communicate()
        assert whole(tmp_path / str(at)) == "two"
        left = [
            path for path in files_in(tmp_path / str(at)) if ".half-" in path or path.startswith(".current")
        ]
        assert not left


@pytest.mark.parametrize("room", [0, 1000, 100_000])
def test_a_full_disk_leaves_the_version_before_and_nothing_half_written(room: int, tmp_path: Path) -> None:
    work("", 0, tmp_path, "one").communicate()
    before = files_in(tmp_path)
    full = work("full", room, tmp_path, "two")
    said, _ = full.communicate()
    assert full.returncode == 3, said
    assert said.startswith("LoomError nothing was deployed to")
    assert "file too large" in said
    assert files_in(tmp_path) == before
    assert whole(tmp_path) == "one"


def test_of_several_at_once_each_is_whole_or_not_there(tmp_path: Path) -> None:
    names = ["aaa", "bbb", "ccc", "ddd"]
    several = [work("", 0, tmp_path, name) for name in names]
    ended = [(each.communicate()[0], each.returncode) for each in several]
    assert {code for _, code in ended} <= {0, 3}
    assert [code for _, code in ended].count(0) >= 1
    assert all("another deployment to it is under way" in said for said, code in ended if code == 3)
    assert whole(tmp_path) in names
    versions = {path.name for path in (tmp_path / "versions").iterdir() if path.is_dir()}
    assert versions == {said.split()[0] for said, code in ended if code == 0}


def test_while_somebody_deploys_nobody_else_does(tmp_path: Path) -> None:
    placing = sibling("_placing")
    with placing._alone(tmp_path), pytest.raises(LoomError, match="another deployment"):
        placing.place(tmp_path, "sha256:" + "0" * 64, {"SHA256SUMS": b""}, {})
    assert not (tmp_path / "current").exists()


def current(folder: Path) -> str:
    """The version that is current."""
    return (folder / "current").readlink().name


def back(folder: Path) -> subprocess.CompletedProcess[str]:
    """The command that a deployment prints."""
    return subprocess.run(
        [sys.executable, "-I", folder / "rollback.py"], capture_output=True, text=True, check=False
    )


# the card


def test_the_card_of_the_model_tells_what_is_known_and_nothing_else(house: House) -> None:
    slices = [
        {"columns": ["plan"], "name": "plan = |basic|", "n": 120, "effect": 0.45, "q": 0.01, "share": 0.3}
    ]
    groups = [
        {"group": "pro", "n": 130, "insufficient": None},
        {"group": "plus", "n": 12, "insufficient": "12 rows"},
    ]
    gap = {"value": 0.91, "low": 0.84, "high": 0.98}
    fair = [{"column": "plan", "groups": groups, "gaps": {"demographic_parity": gap}, "findings": []}]
    name = house.validated(slices=slices, fairness=fair, accepted_suspects=["calls"])
    told = summary(house.put(name))
    card = (house.place / "current" / "MODEL_CARD.md").read_text()
    for text in (
        "# Model card: customers", "Predicts `churned`, one of two classes.", f"Judged by {name}: **PASS**",
        "0.8312", "0.7912 to 0.8712", "80 sealed rows", "0.31 (0.2 to 0.42)", "plan = \\|basic\\|", "12 rows",
        "demographic parity: 0.91 (0.84 to 0.98)", "vouched for by whoever validated it: `calls`", "IngestDataset/1",
        "| polars |", "stratified",
    ):  # fmt: skip
        assert text in card, text
    assert not re.search(r"TBD|TODO|PLACEHOLDER|INSERT|None|nan|unknown number", card)
    known = json.dumps([told["manifest"], slices, fair, house_summary(name, house)])
    numbers = set(re.findall(r"(?<![\w.:])\d+\.\d+(?![\w.])", card))
    assert {number for number in numbers if number not in known} <= set()


def house_summary(name: str, house: House) -> Any:
    """What the validation wrote down."""
    return dict(JournalIndex({"LOOM_HOME": str(house.home), "HOME": str(house.folder)}).run(name).summary)


# what comes after


def test_a_log_of_predictions_is_what_ops_watches(house: House, tmp_path: Path) -> None:
    house.put(house.validated())
    for name, rows in (
        ("before", customers()),
        ("same", customers(seed=12)),
        ("other", busier(customers(seed=13))),
    ):
        rows.drop("churned").write_csv(tmp_path / "rows.csv")
        given = [str(tmp_path / "rows.csv"), str(tmp_path / f"{name}.csv"), "--with-rows"]
        assert main(house.place / "current", given) == 0
        ingested = carry(house, "ingest", source=str(tmp_path / f"{name}.csv"), holdout="0")
        assert ingested.verdict == "OK", ingested.error
    watch = {"reference": "IngestDataset/2", "prediction": "prediction"}
    quiet = carry(house, "ops", dataset="IngestDataset/3", **watch)
    assert quiet.verdict == "OK", (quiet.error, quiet.reasons)
    moved = carry(house, "ops", dataset="IngestDataset/4", **watch)
    assert moved.verdict == "DRIFT"
    assert "prediction" in codes(moved)


def busier(rows: pl.DataFrame) -> pl.DataFrame:
    """Customers who call much more than they used to."""
    return rows.with_columns(pl.col("calls") * 3 + 2)


def carry(house: House, verb: str, **inputs: Any) -> Any:
    """Call another verb in the same home."""
    call = Call(verb, inputs, transport="local", workspace=house.work)
    return carry_out(call, environ={"LOOM_HOME": str(house.home), "HOME": str(house.folder)})
