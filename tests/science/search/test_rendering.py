"""Scripts rendered from members: complete, readable, and at home on awkward tables."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loom.science.search.nodes import Member
from loom.science.search.rendering import VIEWS, member, render, render_ensemble_of_sources
from loom.science.serving.solution import MODULE, functions_of, load
from loom.science.targets import Task

QUICK: dict[str, dict[str, Any]] = {
    "linear": {"penalty": 1.0},
    "lightgbm": {"rounds": "stop", "learning_rate": 0.2, "num_leaves": 5, "min_data_in_leaf": 5},
    "extra_trees": {"n_estimators": 8, "min_samples_leaf": 2, "max_features": 0.5},
    "random_forest": {"n_estimators": 8, "min_samples_leaf": 2, "max_features": 0.5},
    "mlp": {"hidden": [8], "epochs": 4, "alpha": 0.01, "rate": 0.01, "batch": 32, "bags": 1},
    "knn": {"neighbours": 5},
    "svm": {"cost": 1.0, "gamma": 1.0},
}
EVERY = (
    "categories",
    "dates",
    "text",
    "missing",
    "pairs",
    "groups",
    "ranks",
    "splines",
    "levels",
    "steady",
    "past",
)
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
CLASSES: dict[Task, list[str]] = {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"], "regression": []}


def table(rows: int = 120, task: Task = "binary", seed: int = 0) -> pd.DataFrame:
    """Rows with everything that makes trouble: odd names, holes, infinities, mixed cells, text, dates, codes."""
    draw = np.random.default_rng(seed)
    amount = draw.normal(size=rows)
    words = np.array(["red", "green", "blue", ""], object)[draw.integers(4, size=rows)]
    frame = pd.DataFrame(
        {
            "größe, 身長 [cm]": np.where(draw.random(rows) < 0.1, np.nan, amount),
            "endless": np.where(draw.random(rows) < 0.05, np.inf, draw.normal(size=rows)),
            "empty": np.full(rows, np.nan),
            "same": 1.0,
            'odd "name"': pd.Series(words).where(words != "", None),
            "mixed": np.array([1, "x", 2.5, None], object)[draw.integers(4, size=rows)],
            "code": [f"{'AB'[each % 2]}-{each:03d}" for each in draw.integers(90, size=rows)],
            "said": [
                f"word{each} tells of item {each % 7} and more" for each in draw.integers(rows, size=rows)
            ],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows) * 7, unit="h"),
            "flag": draw.random(rows) < 0.5,
            "firm": [f"firm {each}" for each in draw.integers(12, size=rows)],
        }
    )
    score = amount + (words == "red") + draw.normal(0, 0.3, rows)
    if task == "regression":
        frame["answer"] = score
    else:
        frame["answer"] = np.array(CLASSES[task])[
            np.digitize(score, [0.2] if task == "binary" else [0.0, 0.8])
        ]
    return frame


def context(task: Task, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"target": "answer", "task": task, "classes": CLASSES[task], "seed": 3, **more})


def said(code: str, train: pd.DataFrame, ctx: SimpleNamespace, frame: pd.DataFrame) -> np.ndarray:
    """What a solution says of rows, after its model went through bytes."""
    module = load(code)
    return np.asarray(module.predict(pickle.loads(pickle.dumps(module.fit(train, ctx))), frame))


def one(family: str, *blocks: str, **params: Any) -> list[Member]:
    return [member(family, {**QUICK[family], **params}, blocks)]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", QUICK)
def test_every_family_learns_from_an_awkward_table_with_all_blocks_and_with_none(
    family: str, task: Task
) -> None:
    train, frame = table(task=task), table(40, task, seed=1).drop(columns="answer")
    truth = table(40, task, seed=1)["answer"]
    ctx = context(
        task, time=["when"], group="firm", threads=1, metric="rmse" if task == "regression" else "f1"
    )
    for blocks in (EVERY + (("threshold",) if task != "regression" else ()), ()):
        found = said(render(one(family, *blocks), task=task), train, ctx, frame)
        assert found.shape == ((40, 3) if task == "multiclass" else (40,))
        assert np.isfinite(found).all()
        if task == "regression":
            assert np.corrcoef(found, truth)[0, 1] > 0.3
        else:
            assert found.min() >= 0 and found.max() <= 1
        if task == "multiclass":
            np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_script_holds_only_the_code_that_its_members_need() -> None:
    plain = render(one("linear"), task="regression")
    for name in (
        "lightgbm",
        "Tfidf",
        "Classifier",
        "SplineTransformer",
        "ewm",
        "fit_mlp",
        "f1_score",
        "suppress",
    ):
        assert name not in plain
    assert "Ridge" in plain
    rich = render(one("lightgbm", "text"), task="binary")
    assert "TfidfVectorizer" in rich and "import lightgbm" in rich and "LogisticRegression" not in rich
    assert len(plain.splitlines()) < len(rich.splitlines()) + 100


@pytest.mark.parametrize("task", TASKS)
def test_scripts_define_the_two_functions_and_reach_for_nothing_outside_their_folder(task: Task) -> None:
    code = render([each for family in QUICK for each in one(family, *EVERY)], task=task)
    assert functions_of(code) == ("fit", "predict")
    for word in ("loom", "environ", "subprocess", "socket", "__import__", "eval(", "exec("):
        assert word not in code.replace("Loom", "")
    assert code.isascii()
    assert "\n\n\n\n" not in code and code.endswith("main()\n")


def test_a_mixture_is_the_weighted_mean_of_its_members() -> None:
    train, frame = table(), table(30, seed=2)
    members = [
        {**one("linear")[0], "weight": 3.0},
        {**one("extra_trees")[0], "weight": 1.0, "seed_offset": 5},
    ]
    both = said(render(members, task="binary"), train, context("binary"), frame)
    alone = [said(render([each], task="binary"), train, context("binary"), frame) for each in members]
    np.testing.assert_allclose(both, 0.75 * alone[0] + 0.25 * alone[1], atol=1e-12)
    sources = [(3.0, render(members[:1], task="binary")), (1.0, render(members[1:], task="binary"))]
    together = said(render_ensemble_of_sources(sources, task="binary"), train, context("binary"), frame)
    np.testing.assert_allclose(together, both, atol=1e-12)


@pytest.mark.parametrize("family", ["lightgbm", "mlp", "extra_trees"])
def test_the_same_seed_says_the_same_and_another_seed_something_else(family: str) -> None:
    train, frame, code = table(), table(30, seed=2), render(one(family, feature_fraction=0.5) if family == "lightgbm" else one(family), task="binary")  # fmt: skip
    first, again = (said(code, train, context("binary"), frame) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = said(code, train, context("binary", seed=4), frame)
    assert np.abs(first - other).max() > 1e-6


@pytest.mark.parametrize(
    ("labels", "classes"),
    [([False, True], ["false", "true"]), ([0, 1], ["0", "1"]), ([1.0, 2.0], ["1.0", "2.0"]), ([1, 2], ["01", "02"]), (["no", "yes"], [])],
)  # fmt: skip
def test_labels_of_any_type_are_found_among_the_classes(labels: list[Any], classes: list[str]) -> None:
    train = table()
    train["answer"] = [labels[each == "yes"] for each in train["answer"]]
    found = said(render(one("linear"), task="binary"), train, context("binary", classes=classes), train)
    truth = np.array([each == labels[1] for each in train["answer"]])
    assert found[truth].mean() > found[~truth].mean() + 0.2


def test_rows_without_an_answer_are_not_learned_from_and_an_unseen_class_gets_nothing() -> None:
    train = table(task="multiclass")
    train.loc[train["answer"] == "b", "answer"] = None
    found = said(render(one("lightgbm"), task="multiclass"), train, context("multiclass"), table(20, seed=5))
    assert (found[:, 1] == 0).all() and found.shape == (20, 3)
    train["answer"] = "c"
    found = said(render(one("linear"), task="multiclass"), train, context("multiclass"), table(20, seed=5))
    assert (found == [0, 0, 1]).all()


def test_a_frame_may_be_one_row_or_lack_columns_and_their_order_says_nothing() -> None:
    train = table()
    module = load(render(one("lightgbm", *EVERY), task="binary"))
    model = module.fit(train, context("binary", time=["when"]))
    frame = table(25, seed=3).drop(columns="answer")
    found = module.predict(model, frame)
    turned = module.predict(model, frame.iloc[::-1, ::-1])
    np.testing.assert_allclose(turned[::-1], found)
    assert module.predict(model, frame.iloc[:1]).shape == (1,)
    assert np.isfinite(module.predict(model, frame.drop(columns=["when", "code", "said"]))).all()


def test_what_happens_later_says_nothing_of_a_row() -> None:
    train = table()
    module = load(render(one("lightgbm", "past"), task="binary"))
    model = module.fit(train, context("binary", time=["when"]))
    later = table(30, seed=3).assign(when=lambda each: each["when"] + pd.Timedelta(days=60))
    found = module.predict(model, later)
    np.testing.assert_allclose(module.predict(model, later.iloc[:20]), found[:20])


def test_columns_of_year_and_month_and_day_and_hour_are_a_time() -> None:
    when = pd.date_range("2024-01-01", periods=120, freq="h")
    train = (
        table().assign(year=when.year, month=when.month, day=when.day, hour=when.hour).drop(columns="when")
    )
    module = load(render(one("lightgbm", "past"), task="binary"))
    model = module.fit(train, context("binary", time=["year", "month", "day", "hour"]))
    assert np.isfinite(module.predict(model, train)).all()
    (features,) = model["features"].values()
    assert features["past"]["lives"] == pytest.approx([2 / 24, 8 / 24, 30 / 24, 120 / 24])


@pytest.mark.parametrize("parquet", [True, False])
def test_run_as_a_script_it_makes_a_submission_of_an_input_folder(
    parquet: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "input"
    source.mkdir()
    frames = {"train": table(task="multiclass"), "test": table(30, "multiclass", 1).drop(columns="answer")}
    frames["train"], frames["test"] = (each.drop(columns="mixed") for each in frames.values())
    frames["test"]["row_id"] = [f"r{at:05d}" for at in range(30)]
    for name, frame in frames.items():
        frame.to_csv(source / f"{name}.csv", index=False)
        if parquet:
            frame.to_parquet(source / f"{name}.parquet")
    (source / "sample_submission.csv").write_text("row_id,a,b,c\nr00000,0,0,1\n")
    ctx = vars(context("multiclass", features=[*frames["train"].columns[:-1]], id="row_id"))
    (source / "ctx.json").write_text(json.dumps(ctx))
    monkeypatch.chdir(tmp_path)
    module = ModuleType(MODULE)
    exec(render(one("lightgbm", "text", "dates"), task="multiclass"), module.__dict__)
    module.main()
    written = pd.read_csv("working/submission.csv")
    assert list(written.columns) == ["row_id", "a", "b", "c"]
    assert list(written["row_id"]) == list(frames["test"]["row_id"])
    np.testing.assert_allclose(written[["a", "b", "c"]].sum(axis=1), 1)
    assert [path.name for path in Path("working").iterdir()] == ["submission.csv"]
    told = json.loads(capsys.readouterr().out)
    assert told["rounds"] >= 10 and told["seconds"] > 0


def test_a_column_of_words_that_are_dates_or_numbers_is_read_as_such() -> None:
    module = load(render(one("linear", "dates"), task="regression"))
    kinds = {
        "number": pd.Series(["1.5", "2", " ", None, "3e2"] * 10, dtype=object),
        "date": pd.Series(["2024-02-03", "2023-12-31T10:00:00", None] * 10, dtype=object),
        "word": pd.Series(["00501", "00502", "11"] * 10, dtype=object),
        "text": pd.Series([f"a sentence of words, number {each}" for each in range(300)], dtype=object),
    }
    assert {kind: module.kind_of(column) for kind, column in kinds.items()} == {kind: kind for kind in kinds}
    assert module.kind_of(pd.Series([None, None], dtype=object)) is None
    days = module.numbers_of(kinds["date"], "date")
    assert days[0] == (pd.Timestamp("2024-02-03") - pd.Timestamp(0)).days and np.isnan(days[2])


def test_the_means_of_levels_that_a_row_learns_from_leave_out_its_own_answer() -> None:
    rows = 400
    draw = np.random.default_rng(0)
    train = pd.DataFrame(
        {"code": [f"c{each}" for each in draw.integers(200, size=rows)], "answer": draw.normal(size=rows)}
    )
    module = load(render(one("extra_trees"), task="regression"))
    facts = module.facts_of(train, context("regression"))
    columns = module.learn_columns(train, facts)
    facts.sets = module.sets_of(train, facts)
    _, matrix = module.learn_features("trees", (), columns, train, train["answer"].to_numpy(), facts)
    place = 1 if matrix.shape[1] > 2 else 0
    means = [np.corrcoef(column, train["answer"])[0, 1] for column in matrix.T]
    assert max(means) < 0.15, place


@pytest.mark.parametrize("family", QUICK)
def test_a_table_that_tells_nothing_has_a_model_too(family: str) -> None:
    train = pd.DataFrame({"same": 1.0, "empty": None, "answer": np.arange(30.0) % 7})
    found = said(render(one(family), task="regression"), train, context("regression"), train)
    assert found.shape == (30,) and np.ptp(found) < 1e-6


def test_rows_that_equal_each_other_and_rows_of_a_group_are_held_back_together() -> None:
    module = load(render(one("lightgbm"), task="regression"))
    train = table(150, "regression").drop(columns=["mixed"])
    train = pd.concat([train, train.iloc[:60]], ignore_index=True)
    for group in (None, "firm"):
        facts = module.facts_of(train, context("regression", group=group))
        sets = module.sets_of(train, facts)
        rows = SimpleNamespace(facts=facts, answers=train["answer"].to_numpy(), train=train, sets=sets)
        inner, held = module.held_back(rows)
        assert len(inner) + len(held) == 210 and 20 < len(held) < 80
        assert not set(sets[inner]) & set(sets[held])
        assert sets[0] == sets[150] and (group is None or (train["firm"][held].nunique() < 6))


def test_cells_may_be_lists() -> None:
    train = table(60).assign(lists=pd.Series([[1, 2], {"a": 3}, None] * 20, dtype=object))
    assert np.isfinite(said(render(one("extra_trees"), task="binary"), train, context("binary"), train)).all()


def test_every_family_has_a_view() -> None:
    assert set(QUICK) | {"catboost"} == set(VIEWS)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_a_member_may_learn_from_some_of_the_rows_but_from_every_class(task: Task) -> None:
    train = table(200, task)
    if task == "multiclass":
        train["answer"] = np.where(
            np.arange(200) < 2, "b", np.where(train["answer"] == "b", "a", train["answer"])
        )
    module = load(render(one("knn", neighbours=3, most_rows=40), task=task))
    ((_, _, _, (estimator,)),) = module.fit(train, context(task))["members"]
    assert 40 <= estimator.n_samples_fit_ <= 43
    if task == "multiclass":
        assert len(estimator.classes_) == 3
