"""The verb validate on tables that are honest and on tables that are not, on real ones, and with other people's code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from loom.core.index import RunFacts
from loom.dataio.files import from_record
from loom.science.serving.model import Served
from tests.processes.looks import real
from tests.processes.verdicts import Answer, Court

GOOD = (Path(__file__).parents[2] / "processes/builtin/validate/tests/data/good.py").read_text(
    encoding="utf-8"
)
CANARY = "Zq7Kanarienvogel"


@pytest.fixture
def court(tmp_path: Path) -> Court:
    """An empty home."""
    return Court(tmp_path)


def sigmoid(score: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-score))


def customers(rows: int = 2_000, seed: int = 0) -> pl.DataFrame:
    """Customers who leave for reasons that the table knows of."""
    random = np.random.default_rng(seed)
    calls, age = random.poisson(2, rows), random.integers(18, 80, rows)
    plan = random.choice(["basic", "plus"], rows)
    score = 1.3 * (calls - 2) + 0.05 * (age - 48) + np.where(plan == "basic", 0.8, -0.8)
    churned = np.where(random.random(rows) < sigmoid(score), "yes", "no")
    return pl.DataFrame({"calls": calls, "age": age, "plan": plan, "churned": churned})


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Court, str, Answer]:
    """An honest table that was judged once."""
    court = Court(tmp_path_factory.mktemp("court"))
    dataset = court.bring(customers(), target="churned")
    return court, dataset, court.validate(dataset, metric="auc>=0.7")


# the answer


def test_an_honest_model_passes_and_may_be_deployed(honest: tuple[Court, str, Answer]) -> None:
    _, dataset, found = honest
    assert found.verdict == "PASS", found["reasons"]
    assert found["next"] == ["loom deploy --validate ValidateFlow/3"]
    assert found["model_ref"] == "ValidateFlow/3/model"
    assert found["model_source"] == "the default portfolio"
    assert found["splitter"]["kind"] == "stratified"
    assert found["fairness"] == "not assessed"
    assert found["holdout"]["openings"] == 1
    assert found["metric"]["threshold"] == 0.7
    assert found["digests"] == {dataset: honest[0].catalogue.open(dataset).schema["digest"]}


def test_the_model_that_was_judged_is_the_one_that_is_kept(honest: tuple[Court, str, Answer]) -> None:
    court, _, found = honest
    kept = from_record(found.measured["kept"]["model"], court.catalogue.store)
    served: Served = kept.load()
    assert served.digest == found["model"]["digest"]
    assert kept.digest == found["model"]["file_digest"]
    said = served.table(customers(50, seed=9).drop("churned"))
    assert said.columns == ["prediction", "probability_no", "probability_yes"]
    assert set(served.transformer.reads if served.transformer else ()) == {"calls", "age", "plan"}


def test_the_same_validation_again_sees_the_same_and_opens_nothing(honest: tuple[Court, str, Answer]) -> None:
    court, dataset, found = honest
    again = court.validate(dataset, metric="auc>=0.7")
    assert again.measured == found.measured
    assert again.data == found.data
    assert court.holdouts.openings(found["holdout"]["digest"]) == 1


def test_a_second_model_on_the_same_rows_is_counted_and_reviewed(court: Court) -> None:
    dataset = court.bring(customers(), target="churned")
    first = court.validate(dataset)
    court.past.known["ValidateFlow/1"] = RunFacts(
        "ValidateFlow/1", pathspec="ValidateFlow/1", verb="validate", status="ok", summary=dict(first.data)
    )
    found = court.validate(court.features(dataset, "churned", dropped=("age",)))
    assert (first["holdout"]["openings"], found["holdout"]["openings"]) == (1, 2)
    assert found.verdict == "REVIEW"
    assert "holdout_reused" in found.codes("warning")
    assert "loom show ValidateFlow/1" in found["next"]


def test_no_row_and_no_prediction_leaves_the_measuring(court: Court) -> None:
    frame = customers(1_200).with_row_index("at")
    frame = frame.with_columns(pl.format("{}{}", pl.lit(CANARY), "at").alias("note")).drop("at")
    dataset = court.bring(frame, target="churned")
    found = court.validate(dataset, sensitive=["note"])
    told = json.dumps([found.measured, found.data])
    assert CANARY not in told
    sizes = [len(found.measured["curves"][name]) for name in ("roc", "pr")]
    assert max(sizes) <= 100
    for chart in found.charts().values():
        assert len(json.dumps(chart["spec"])) < 40_000


def test_the_page_has_every_rule_and_the_pictures_of_two_classes(honest: tuple[Court, str, Answer]) -> None:
    _, _, found = honest
    assert set(found.charts()) == {"fold-scores", "split", "roc", "precision-recall", "reliability"}
    rules = found.section("Every rule")["rows"]
    assert len(rules) == 18
    assert all(row["value"] != "not known" for row in rules)
    assert len(found["card"]["numbers"]) == 8


# what must never pass


def test_pure_noise_fails(court: Court) -> None:
    random = np.random.default_rng(5)
    frame = pl.DataFrame({f"x{at}": random.normal(size=1_500) for at in range(6)})
    frame = frame.with_columns(pl.Series("coin", random.integers(0, 2, 1_500)))
    found = court.validate(court.bring(frame, target="coin"))
    assert found.verdict == "FAIL"
    assert found.codes("error") & {"chance", "not_above_dummy"}


def test_a_perfect_separator_fails_for_leakage_and_features_are_the_way_out(court: Court) -> None:
    frame = customers(1_500)
    after = (frame["churned"] == "yes").cast(pl.Float64) * 3 + np.random.default_rng(1).normal(0, 0.1, 1_500)
    dataset = court.bring(frame.with_columns(after.alias("refund")), target="churned")
    found = court.validate(dataset)
    assert found.verdict == "FAIL"
    (leak,) = [reason for reason in found["reasons"] if reason["code"] == "leak_used"]
    assert leak["column"] == "refund"
    assert found["next"][0] == f"loom eda --dataset {dataset}"
    told = {"dataset_ref": dataset, "target": {"name": "churned"}}
    court.past.known["EdaFlow/4"] = RunFacts(
        "EdaFlow/4", pathspec="EdaFlow/4", verb="eda", status="ok", summary=told
    )
    again = court.judge(found.measured)
    assert again["next"][0] == f"loom features --dataset {dataset} --from EdaFlow/4"
    clean = court.validate(court.features(dataset, "churned", dropped=("refund",)))
    assert clean["leakage"] == []
    assert "leak_used" not in clean.codes()


@pytest.mark.parametrize("declared", [False, True])
def test_labels_of_entities_do_not_pass(court: Court, declared: bool) -> None:
    random = np.random.default_rng(3)
    who = random.integers(0, 150, 1_800)
    marks = random.normal(size=(150, 3))[who]
    frame = pl.DataFrame(
        {"customer": [f"c{each}" for each in who], "answer": random.integers(0, 2, 150)[who]}
    )
    frame = frame.with_columns(pl.Series(f"m{at}", marks[:, at]) for at in range(3))
    dataset = court.bring(frame, target="answer", group="customer" if declared else None)
    found = court.validate(dataset)
    assert found.verdict != "PASS"
    assert found["splitter"]["kind"] == ("group" if declared else "stratified")


def test_nothing_sealed_is_a_failure(court: Court) -> None:
    dataset = court.bring(customers(800), target="churned", share=0)
    found = court.validate(dataset)
    assert found.verdict == "FAIL"
    assert "no_holdout" in found.codes("error")
    assert found["holdout"] is None
    assert len([reason for reason in found["reasons"] if reason["code"] == "not_measured"]) == 1
    assert found["next"][0].startswith("loom ingest --source ")


@pytest.mark.parametrize(
    ("look", "rule"),
    [
        ("loom.science.validation.looks.canary", "canary_broken"),
        ("loom.science.validation.looks.by_chance", "chance"),
        ("loom.science.validation.looks.told_apart", "distinguishable"),
        ("loom.science.calibration.assess", "miscalibrated"),
        ("loom.science.slices.find", "bad_slice"),
        ("loom.science.splits.overlaps", "overlap"),
    ],
)
def test_a_check_that_raises_is_a_review_with_its_name(
    court: Court, monkeypatch: pytest.MonkeyPatch, look: str, rule: str
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a cell nobody may see")

    monkeypatch.setattr(look, broken)
    found = court.validate(court.bring(customers(900), target="churned"))
    assert found.verdict == "REVIEW"
    (reason,) = [each for each in found["reasons"] if each["code"] == "not_measured"]
    assert reason["what"].startswith(f"{rule} could not be judged")
    assert "RuntimeError" in reason["what"]
    assert "a cell nobody may see" not in json.dumps(found.data)


# splits


def events(rows: int = 2_400, *, entities: int = 0, seed: int = 4) -> pl.DataFrame:
    """Events in the order of time, of entities where a number of them is given."""
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    answer = (random.random(rows) < sigmoid(2.5 * x)).astype(int)
    at = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 1) + pl.duration(hours=rows - 1), "1h", eager=True
    )
    frame = pl.DataFrame({"at": at, "x": x, "w": random.normal(size=rows), "y": answer})
    if entities:
        # entities come and go: each has a block of time of its own
        frame = frame.with_columns(pl.Series("who", [f"e{each * entities // rows}" for each in range(rows)]))
    return frame


def test_events_are_split_by_time_and_pass_once_the_horizon_is_known(court: Court) -> None:
    dataset = court.bring(events(), target="y", time=("at",))
    found = court.validate(dataset)
    assert found["splitter"]["kind"] == "time"
    assert found.verdict == "REVIEW"
    assert found.codes("warning") == {"horizon_assumed"}
    assert found["next"][0] == f"loom validate --dataset {dataset} --horizon 0d"
    told = court.validate(dataset, horizon="2d", embargo="1d")
    assert told["splitter"]["horizon"] == "2d"
    assert told["splitter"]["n_purged"] > 0
    # what is not known yet when the sealed rows begin is not learned from
    assert told.measured["rows"]["frozen_on"] < told.measured["rows"]["train"]
    assert "overlap" not in told.codes()


def test_entities_are_kept_whole(court: Court) -> None:
    random = np.random.default_rng(8)
    frame = customers(2_400).with_columns(pl.Series("home", random.integers(0, 400, 2_400)))
    found = court.validate(court.bring(frame, target="churned", group="home"))
    assert found["splitter"]["kind"] == "group"
    assert found.verdict in ("PASS", "REVIEW")
    assert not found.codes("error")


def test_time_and_entity_together_are_judged_by_entities_that_nobody_has_seen(court: Court) -> None:
    dataset = court.bring(events(entities=300), target="y", time=("at",), group="who")
    found = court.validate(dataset, horizon="1h")
    assert found["splitter"]["kind"] == "time+group"
    assert found["holdout"]["n"] <= found["holdout"]["sealed"]
    assert not found.codes("error"), found["reasons"]


def test_entities_that_all_go_on_leave_nothing_to_be_judged_by(court: Court) -> None:
    random = np.random.default_rng(8)
    frame = events().with_columns(pl.Series("who", random.integers(0, 40, 2_400)))
    found = court.validate(court.bring(frame, target="y", time=("at",), group="who"), horizon="1h")
    assert found.verdict == "FAIL"
    assert "no_holdout" in found.codes("error")
    assert any("training has seen" in reason["what"] for reason in found["reasons"])


# other tasks


def test_amounts_have_no_probabilities_and_smaller_errors_are_better(court: Court) -> None:
    random = np.random.default_rng(2)
    x, z = random.normal(size=(2, 2_600))
    frame = pl.DataFrame({"x": x, "z": z, "price": 5 * x + 2 * z + random.normal(size=2_600) + 100})
    dataset = court.bring(frame, target="price")
    found = court.validate(dataset, metric="rmse<=2", sensitive=["z"])
    assert found.verdict == "PASS", found["reasons"]
    assert found["holdout"]["score"] < found["baselines"]["dummy"]["score"]
    assert found["fairness"][0]["groups"][0]["mean_error"]["low"] is not None
    assert {"fold-scores", "reliability", "split"} <= set(found.charts())
    missed = court.judge({**found.measured, "metric": {**found.measured["metric"], "threshold": 0.5}})
    assert missed.codes("error") == {"threshold_missed"}


def test_several_classes_are_judged_and_their_mistakes_drawn(court: Court) -> None:
    random = np.random.default_rng(6)
    columns = {f"x{at}": random.normal(size=2_000) for at in range(4)}
    scores = np.column_stack([2.5 * columns[f"x{at}"] for at in range(3)]) + random.gumbel(size=(2_000, 3))
    frame = pl.DataFrame({**columns, "kind": np.array(["ale", "bock", "stout"])[scores.argmax(axis=1)]})
    found = court.validate(court.bring(frame, target="kind"), sensitive=["x3"])
    assert found.verdict in ("PASS", "REVIEW")
    assert not found.codes("error")
    assert "mistakes" in found.charts()
    assert found["calibration"]["classes"]
    assert found["fairness"][0]["groups"]


# solutions


def written(court: Court, code: str, name: str = "solution.py") -> str:
    (court.folder / name).write_text(code, encoding="utf-8")
    return str(court.folder / name)


def test_a_solution_is_refitted_judged_and_kept(court: Court) -> None:
    dataset = court.features(court.bring(customers(), target="churned"), "churned")
    found = court.validate(dataset, solution=written(court, GOOD))
    assert found.verdict == "PASS", found["reasons"]
    assert found["model_source"].startswith("solution.py")
    served: Served = from_record(found.measured["kept"]["model"], court.catalogue.store).load()
    assert served.solution is not None
    assert served.solution.source == GOOD
    assert served.table(customers(40, seed=3).drop("churned")).height == 40
    upside_down = GOOD.replace("return 1 / (1 + np.exp(-_rows(frame", "return 1 / (1 + np.exp(_rows(frame")
    bad = court.validate(dataset, solution=written(court, upside_down))
    assert bad.verdict == "FAIL"
    assert {"not_above_dummy", "chance"} <= bad.codes("error")


def test_a_candidate_of_a_run_is_found_by_its_name(court: Court) -> None:
    dataset = court.bring(customers(1_200), target="churned")
    court.keep("EvalCandidate/42", "solution", GOOD.encode())
    # the command line makes a path of what it takes for one
    found = court.measure(dataset, solution=str(court.folder / "EvalCandidate" / "42"))
    assert found["model_source"] == "EvalCandidate/42"
    assert "no run is called EvalCandidate/43" in court.refusal(dataset, solution="EvalCandidate/43")["what"]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("def fit(train, ctx):\n    return {}['a cell']\n\ndef predict(m, f):\n    return 0\n", "line 2: it fails in fit"),
        ("def fit(train, ctx):\n    return 1\n\ndef predict(m, f):\n    return [float('nan')] * len(f)\n", "line 4: the solution predicts what is no number"),
        ("def fit(train, ctx):\n    return 1\n\ndef predict(m, f):\n    return [0.5]\n", "line 4: the predictions have the wrong shape"),
        ("def fit(train, ctx):\n    return 1\n\ndef predict(m, f):\n    return [7.0] * len(f)\n", "line 4: the predictions are no probabilities"),
        ("def fit(train, ctx):\n    return lambda: 0\n\ndef predict(m, f):\n    return 0\n", "it fails"),
        ("import os\n\ndef fit(train, ctx):\n    os._exit(3)\n\ndef predict(m, f):\n    return 0\n", "it fails"),
        ("import socket\n\ndef fit(train, ctx):\n    socket.create_connection(('192.0.2.1', 80), 1)\n\ndef predict(m, f):\n    return 0\n", "line 4: it fails in fit"),
        ("def fit(train, ctx):\n    assert ctx.target not in train\n\ndef predict(m, f):\n    return 0\n", "line 2: it fails in fit"),
        ("def fit(train, ctx):\n    return ctx.target\n\ndef predict(m, f):\n    return f[m]\n", "line 5: it fails in predict"),
        ("print('hello')\n", "does not define `fit` and `predict`"),
        ("def fit(train, ctx):\n    return 1\n", "does not define `predict`"),
        ("def fit(:\n", "not Python"),
    ],
    ids=["crash", "nan", "shape", "range", "pickle", "exit", "network", "target", "answers", "plain", "half", "syntax"],
)  # fmt: skip
def test_a_solution_that_cannot_be_judged_is_told_where(court: Court, code: str, what: str) -> None:
    dataset = court.bring(customers(600), target="churned")
    told = court.refusal(dataset, solution=written(court, code))
    assert what in told["what"]
    assert "a cell" not in told["why"].replace("['a cell']", "")
    assert told["fix"]
    assert not (court.folder / "openings").exists()


def test_what_a_solution_prints_does_no_harm(court: Court) -> None:
    dataset = court.bring(customers(1_200), target="churned")
    loud = GOOD.replace("def fit(train, ctx):\n", "def fit(train, ctx):\n    print('x' * 5_000_000)\n")
    assert court.measure(dataset, solution=written(court, loud))["cv"]["mean"] > 0.7


# fairness


def hired(rows: int = 2_400, gap: float = 1.0) -> pl.DataFrame:
    random = np.random.default_rng(6)
    group = random.choice(["a", "b"], rows)
    score = random.normal(size=rows) + np.where(group == "a", gap, -gap)
    answer = np.where(random.random(rows) < sigmoid(2.4 * score), "yes", "no")
    frame = pl.DataFrame({"score": score, "noise": random.normal(size=rows), "hired": answer})
    return frame.with_columns(pl.Series("group", group))


def test_unequal_treatment_is_found_by_a_column_that_is_no_feature(court: Court) -> None:
    dataset = court.features(court.bring(hired(), target="hired"), "hired", dropped=("group",))
    found = court.validate(dataset, sensitive=["group"])
    assert found.verdict == "REVIEW"
    assert "demographic_parity" in found.codes("warning")
    names = {group["group"]: group for group in found["fairness"][0]["groups"]}
    assert set(names) == {"a", "b"}
    assert names["a"]["selection_rate"]["low"] > names["b"]["selection_rate"]["high"]
    assert court.judge(found.measured, strict=True).verdict == "FAIL"
    assert any(name.startswith("groups-") for name in found.charts())


def test_a_group_that_is_too_small_is_called_insufficient(court: Court) -> None:
    frame = hired(gap=0.0).with_columns(
        pl.when(pl.int_range(pl.len()) % 12 == 0).then(pl.lit("rare")).otherwise("group").alias("group")
    )
    found = court.validate(court.bring(frame, target="hired"), sensitive=["group"])
    assert "insufficient_group" in found.codes("warning")


# what is refused, before anything is opened


def test_what_does_not_fit_is_refused_with_the_way_out(court: Court) -> None:
    dataset = court.bring(customers(600), target="churned")
    told = court.refusal(dataset, time=["age"])
    assert "was not carved by --time age" in told["what"]
    assert told["fix"].endswith("--target churned --time age")
    assert "did you mean `plan`?" in court.refusal(dataset, sensitive=["plam"])["why"]
    assert court.refusal(dataset, metric="rmse")["fix"] == "--metric auc"
    assert "asks for a bad model" in court.refusal(dataset, metric="auc<=0.8")["what"]
    made = court.features(dataset, "churned")
    told = court.refusal(made, target="plan")
    assert told["fix"] == f"loom features --dataset {dataset} --target plan"
    assert not (court.folder / "openings").exists()


def test_a_suspect_is_reviewed_until_somebody_vouches_for_it(court: Court) -> None:
    frame = customers(2_000)
    strong = (frame["churned"] == "yes").cast(pl.Float64) * 2.6 + np.random.default_rng(1).normal(size=2_000)
    dataset = court.bring(frame.with_columns(strong.alias("score")), target="churned")
    found = court.validate(dataset)
    assert found.verdict == "REVIEW"
    assert found.codes("warning") == {"suspect_used"}
    assert found["next"][0] == f"loom validate --dataset {dataset} --accept-suspect score"
    told = court.judge(found.measured, accept=("score", "age"))
    assert told.verdict == "PASS"
    assert told["accepted_suspects"] == ["age", "score"]
    assert "nothing_to_accept" in told.codes("info")


# real tables


def test_churn_of_real_customers_passes(court: Court) -> None:
    frame = pl.read_csv(real("telco-churn.csv"), infer_schema=False)
    found = court.validate(court.bring(frame, target="Churn"), sensitive=["gender"])
    assert found.verdict == "PASS", found["reasons"]
    assert 0.82 < found["holdout"]["score"] < 0.87


def test_the_titanic_treats_men_and_women_differently_and_is_too_small(court: Court) -> None:
    frame = pl.read_csv(real("titanic.csv"), infer_schema=False)
    found = court.validate(court.bring(frame, target="Survived"), sensitive=["Sex"])
    assert found.verdict != "PASS"
    groups = {group["group"]: group for group in found["fairness"][0]["groups"]}
    assert groups["female"]["selection_rate"]["value"] > 0.5 > groups["male"]["selection_rate"]["value"]
    assert {"imprecise", "insufficient_group"} & found.codes("warning")


def test_wine_is_judged_by_rows_that_are_no_copies(court: Court) -> None:
    frame = pl.read_csv(real("winequality-white.csv"), infer_schema=False, separator=",")
    found = court.validate(court.bring(frame.head(3_000), target="quality"))
    assert "overlap" not in found.codes()
    assert found.measured["task"] == "regression"


def test_air_of_beijing_is_split_by_time(court: Court) -> None:
    frame = pl.read_csv(real("beijing-pollution.csv"), infer_schema=False).tail(4_000)
    found = court.validate(
        court.bring(frame, target="pm2.5", time=("year", "month", "day", "hour")), horizon="1h"
    )
    assert found["splitter"]["kind"] == "time"
    assert "overlap" not in found.codes()
    assert found.verdict != "PASS"
