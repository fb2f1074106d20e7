"""A model as a folder: it scores a table with nothing but what it brings along."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from packaging.requirements import Requirement

from loom.kernel.errors import LoomError
from loom.science.serving import mlflow
from loom.science.serving.bundle import bundle, digest_of
from loom.science.serving.model import Served
from loom.science.serving.predicting import main
from loom.science.serving.solution import Solution, checked, fitted_by, functions_of, load
from tests.science.serving.made import COLUMNS, served, table

SOLUTION = """
class Mean:
    def __init__(self, share):
        self.share = share

def fit(train, ctx):
    return Mean((train[ctx.target] == "yes").mean())

def predict(model, frame):
    return [model.share] * len(frame)
"""


ASKED = """
import importlib, json, sys
from pathlib import Path
import pandas
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder / sys.argv[2]))
model = importlib.import_module(sys.argv[3])._load_pyfunc(str(folder / sys.argv[4]))
print(json.dumps(model.predict(pandas.read_pickle(folder / "rows.pkl"), {})["probability_yes"].tolist()))
"""


@pytest.fixture(scope="module")
def made() -> Served:
    return served()


@pytest.fixture(scope="module")
def folder(made: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, laid out."""
    root = tmp_path_factory.mktemp("bundle")
    for name, content in bundle(made, "# Card\n", {"validate": "ValidateFlow/1"}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_a_model_that_was_stored_says_the_same(made: Served) -> None:
    again = Served.from_bytes(made.to_bytes())
    rows = table(50, seed=1).select(column.name for column in COLUMNS)
    assert np.array_equal(made.predict(rows), again.predict(rows))
    assert again.to_bytes() == made.to_bytes()
    assert again.digest == made.digest


def test_equal_models_have_one_digest_wherever_they_come_from(made: Served) -> None:
    other = served("another place")
    assert other.digest == made.digest
    assert other.to_bytes() != made.to_bytes()


def test_the_same_model_makes_the_same_bundle_and_every_file_has_its_digest(made: Served) -> None:
    files = bundle(made, "# Card\n", {"validate": "ValidateFlow/1"})
    assert files == bundle(served(), "# Card\n", {"validate": "ValidateFlow/1"})
    assert digest_of(files) != digest_of(bundle(made, "# Card\n", {"validate": "ValidateFlow/2"}))
    told = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert told == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "SHA256SUMS"
    }


def environment(folder: Path, place: Path) -> Path:
    """A Python that has the requirements of a bundle and nothing else; nothing is downloaded."""
    venv.create(place, with_pip=False, symlinks=True)
    site = next(place.glob("lib/python3*/site-packages"))
    pending = [line.split("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()]
    done: set[str] = set()
    while pending:
        name = pending.pop()
        if name in done:
            continue
        done.add(name)
        found = metadata.distribution(name)
        tops = {path.parts[0] for path in found.files or () if path.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            source = Path(str(found.locate_file(top)))
            if source.exists() and not (site / top).exists():
                (site / top).symlink_to(source)
        needs = [Requirement(need) for need in found.requires or ()]
        pending += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return place / "bin" / "python"


def test_a_bundle_scores_a_table_with_nothing_but_its_requirements(
    made: Served, folder: Path, tmp_path: Path
) -> None:
    rows = table(40, seed=2).drop("left")
    rows.write_csv(tmp_path / "rows.csv")
    python = environment(folder, tmp_path / "venv")
    alone = subprocess.run([python, "-c", "import loom"], capture_output=True, check=False)
    assert alone.returncode != 0, "the environment must not have Loom"
    command = [python, folder / "predict.py", "rows.csv", "out.csv", "--check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = pl.read_csv(tmp_path / "out.csv")
    assert found.columns == ["prediction", "probability_no", "probability_yes"]
    expected = made.predict(rows)
    assert np.allclose(found["probability_yes"].to_numpy(), expected)
    assert found["prediction"].to_list() == ["yes" if each >= 0.5 else "no" for each in expected]


def test_a_bundle_says_what_is_wrong_and_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.csv").write_text("age,spent,plan,joined\nold,1,pro,2021-01-01\n")
    assert main(folder, [str(tmp_path / "rows.csv"), str(tmp_path / "out.csv")]) == 2
    assert "row 1, column `age`: 'old' is not int64" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"]
    assert main(folder, [str(tmp_path / "rows.csv"), str(tmp_path / "none" / "out.csv")]) == 2


def test_a_bundle_in_which_a_file_was_changed_is_noticed(
    made: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in bundle(made, "# Card\n", {}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "input_schema.json").write_text("{}")
    assert main(tmp_path, ["rows.csv", "out.csv", "--check"]) == 2
    assert "input_schema.json is not the file that was deployed" in capsys.readouterr().err


def test_a_bundle_names_what_a_solution_imports(made: Served) -> None:
    source = (
        "import sklearn.linear_model, json\n" + SOLUTION + "\n    # and from within\n    import packaging\n"
    )
    model = Served("binary", "left", ("no", "yes"), COLUMNS, solution=Solution(source, b""))
    named = {line.split("==")[0] for line in bundle(model, "", {})["requirements.txt"].decode().splitlines()}
    assert {"scikit-learn", "packaging", "pandas", "pyarrow"} <= named
    assert "json" not in named


def test_a_bundle_may_be_a_model_folder_of_mlflow(made: Served, tmp_path: Path) -> None:
    files = bundle(made, "# Card\n", {}, "mlflow")
    assert set(files) > set(bundle(made, "# Card\n", {}))
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    told = yaml.safe_load(files["MLmodel"])
    flavour = told["flavors"]["python_function"]
    assert (tmp_path / flavour["code"]).is_dir()
    assert (tmp_path / flavour["data"]).is_dir()
    assert (tmp_path / flavour["env"]["virtualenv"]).is_file()
    outputs = json.loads(told["signature"]["outputs"])
    assert [each["name"] for each in outputs] == ["prediction", "probability_no", "probability_yes"]
    environment = yaml.safe_load(files["python_env.yaml"])
    assert environment["python"] == flavour["python_version"] == platform.python_version()
    conda = yaml.safe_load(files["conda.yaml"])
    assert conda["dependencies"][-1]["pip"] == files["requirements.txt"].decode().split()
    rows = table(20, seed=3).drop("left").to_pandas()
    rows.loc[2, "age"] = None  # whole numbers with an empty cell are fractions in pandas
    rows.to_pickle(tmp_path / "rows.pkl")
    done = subprocess.run(
        [sys.executable, "-c", ASKED, tmp_path, flavour["code"], flavour["loader_module"], flavour["data"]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = made.predict(
        pl.from_pandas(rows).with_columns(pl.col("age").cast(pl.Int64), pl.col("joined").cast(pl.Date))
    )
    assert np.allclose(json.loads(done.stdout), expected)


def test_names_in_a_model_folder_are_read_back_as_they_are() -> None:
    classes = ('a "b": {c}', "d\u2028e\x85\U0001f600")
    model = Served("multiclass", "t", (*classes, "#x"), COLUMNS)
    told = yaml.safe_load(mlflow.files(model, b"")["MLmodel"])
    names = [each["name"] for each in json.loads(told["signature"]["outputs"])]
    assert names == ["prediction", *(f"probability_{name}" for name in (*classes, "#x"))]


def test_a_solution_is_fitted_kept_and_used_by_its_own_code() -> None:
    frame = table()
    assert functions_of(SOLUTION) == ("fit", "predict")
    fitted = fitted_by(load(SOLUTION), frame, "left")
    model = Served("binary", "left", ("no", "yes"), COLUMNS, solution=Solution(SOLUTION, fitted))
    again = Served.from_bytes(model.to_bytes())
    share = float((frame["left"] == "yes").mean() or 0)
    assert np.allclose(again.predict(frame.drop("left")), share)
    assert "solution.py" in bundle(model, "", {})


@pytest.mark.parametrize(
    ("found", "task", "why"),
    [
        ([0.5], "binary", "wrong shape"),
        ([0.5, float("nan")], "binary", "no number"),
        ([0.5, 1.5], "binary", "no probabilities"),
        (["a", "b"], "regression", "predicts no numbers"),
        ([0.5, 0.5], "multiclass", "wrong shape"),
    ],
)
def test_predictions_that_cannot_be_judged_are_refused(found: object, task: str, why: str) -> None:
    with pytest.raises(LoomError, match=why):
        checked(found, 2, task, 3 if task == "multiclass" else 2)  # type: ignore[arg-type]


def test_a_source_is_read_and_not_run() -> None:
    assert functions_of("raise SystemExit\ndef fit(train, ctx): ...\n") == ("fit",)
    with pytest.raises(LoomError, match="not Python"):
        functions_of("def fit(:\n")
