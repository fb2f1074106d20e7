"""Metrics have one direction, and what somebody wants of a model is read the right way round or refused."""

from __future__ import annotations

import json

import pytest

from loom.kernel.errors import LoomError
from loom.science.metrics import METRICS, default_for, get, parse


def test_every_metric_is_found_by_its_name_and_its_aliases_and_no_alias_means_two() -> None:
    seen: dict[str, str] = {}
    for metric in METRICS:
        for name in (metric.name, *metric.aliases):
            assert seen.setdefault(name, metric.name) == metric.name
            for spelled in (name, name.upper(), name.replace(" ", "_"), name.replace(" ", "-")):
                assert get(spelled) is metric
                assert parse(spelled).metric is metric
        assert json.loads(json.dumps(metric.as_json()))["direction"] == metric.direction
        assert metric.gain(metric.best, metric.best - metric.sign) > 0
        assert metric.clip(metric.best + 9 * metric.sign) == metric.best
    assert [default_for(task).name for task in ("binary", "multiclass", "regression")] == ["auc", "auc", "r2"]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("auc", "auc"),
        ("auc>=0.8", "auc>=0.8"),
        ("  ROC-AUC  >=  .8 ", "auc>=0.8"),
        ("rmse < 3", "rmse<3"),
        ("rmse<=1e-3", "rmse<=0.001"),
        ("RMSE ≤ 3,500.5", "rmse<=3500.5"),
        ("AUC ≥ 0.8", "auc>=0.8"),
        ("AUC => 0.8", "auc>=0.8"),
        ("0.8 <= auc", "auc>=0.8"),
        ("3 > rmse", "rmse<3"),
        ("accuracy at least 90%", "accuracy>=0.9"),
        ("f1_macro above 0.5", "f1>0.5"),
        ("an MAE of no more than 12", "mae<=12"),
        ("r2 > 0.5", "r2>0.5"),
        ("R² ≥ -0.5", "r2>=-0.5"),
        ("r^2", "r2"),
        ("Maximize ROC-AUC on a held-out split", "auc"),
        ("lowest mean absolute error", "mae"),
        ("lowest mean absolute percentage error", "mape"),
        ("minimise the root mean squared logarithmic error", "rmsle"),
        ("root-mean-squared error of 2019", "rmse"),
        ("best PR AUC", "ap"),
        ("area under the precision-recall curve", "ap"),
        ("balanced accuracy", "balanced_accuracy"),
        ("neg_log_loss", "logloss"),
        ("reduce churn by the highest possible f1", "f1"),
        ("Predict sales; maximise revenue by keeping errors small, judged by RMSE", "rmse"),
        ("quadratic weighted kappa over 0.6", "qwk>0.6"),
        ("NDCG", "ndcg"),
    ],
)
def test_a_wish_is_read(text: str, short: str) -> None:
    assert parse(text).text == short


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("rmse>=3", "--metric 'rmse<=3'"),
        ("log loss > 0.5", "--metric 'logloss<=0.5'"),
        ("3 <= rmse", "--metric 'rmse<=3'"),
        ("auc<0.8", "--metric 'auc>=0.8'"),
        ("auc=0.8", "--metric 'auc>=0.8'"),
        ("auc 0.8", "--metric 'auc>=0.8'"),
        ("rmse: 3", "--metric 'rmse<=3'"),
        ("auc >= 80", "--metric 'auc>=0.8'"),
        ("rmse <= -1", "--metric 'rmse<=0'"),
        ("minimize AUC", "--metric auc"),
        ("highest mean absolute error", "--metric mae"),
        ("AUC and accuracy", "--metric accuracy"),
        ("profit", "--metric auc, or with a threshold --metric 'auc>=0.8'"),
        ("mean squared error", "--metric auc, or with a threshold --metric 'auc>=0.8'"),
        ("", "--metric auc, or with a threshold --metric 'auc>=0.8'"),
        ("cauchy", "--metric auc, or with a threshold --metric 'auc>=0.8'"),
    ],
)
def test_a_wish_that_is_the_wrong_way_round_or_unclear_is_refused_with_the_right_one(
    text: str, fix: str
) -> None:
    with pytest.raises(LoomError) as refused:
        parse(text)
    assert refused.value.fix == fix


def test_an_unknown_metric_lists_all_there_are() -> None:
    with pytest.raises(LoomError) as refused:
        parse("profit")
    assert all(metric.name in refused.value.why for metric in METRICS)
    with pytest.raises(LoomError):
        get("auc2")


@pytest.mark.parametrize(
    ("text", "met", "missed"),
    [("auc>=0.8", 0.8, 0.79), ("auc>0.8", 0.81, 0.8), ("rmse<=3", 3.0, 3.1), ("rmse<3", 2.9, 3.0)],
)
def test_a_threshold_is_met_from_the_better_side(text: str, met: float, missed: float) -> None:
    wanted = parse(text)
    assert wanted.met_by(met)
    assert not wanted.met_by(missed)
    assert parse(wanted.metric.name).met_by(missed)
    assert json.dumps(wanted.as_json())
