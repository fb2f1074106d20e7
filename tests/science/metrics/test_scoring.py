"""Scores are scikit-learn's, weighted and with ties, for two classes, for more and for amounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from loom.kernel.errors import LoomError
from loom.science.metrics import METRICS, score

Case = tuple[np.ndarray, np.ndarray, np.ndarray]


def binary(seed: int, rows: int, digits: int | None) -> Case:
    random = np.random.default_rng(seed)
    y = np.r_[0, 1, random.integers(0, 2, rows - 2)]
    p = np.clip(0.3 * y + 0.6 * random.random(rows), 0, 1)
    return y, p if digits is None else p.round(digits), random.random(rows) * 2 * (np.arange(rows) != 5)


def multiclass(seed: int, rows: int) -> Case:
    random = np.random.default_rng(seed)
    y = np.r_[0, 1, 2, 3, random.integers(0, 4, rows - 4)]
    return y, random.dirichlet(np.ones(4) / 2, rows), random.random(rows) * 2


def amounts(seed: int, rows: int) -> Case:
    random = np.random.default_rng(seed)
    y = random.lognormal(7, 1, rows)
    return y, y * random.lognormal(0, 0.2, rows), random.random(rows) * 2


def per_class(score_of: Callable[..., float]) -> Callable[..., float]:
    """The mean of each class against the rest."""

    def mean(y: np.ndarray, p: np.ndarray, sample_weight: np.ndarray | None) -> float:
        found = [score_of(y == one, p[:, one], sample_weight=sample_weight) for one in range(p.shape[1])]
        return float(np.mean(found))

    return mean


def of_labels(score_of: Callable[..., float], **how: Any) -> Callable[..., float]:
    """A score of labels, from probabilities."""

    def labelled(y: np.ndarray, p: np.ndarray, sample_weight: np.ndarray | None) -> float:
        labels = p.argmax(1) if p.ndim == 2 else (p >= 0.5).astype(int)
        return float(score_of(y, labels, sample_weight=sample_weight, **how))

    return labelled


LABELS = {
    "accuracy": of_labels(oracle.accuracy_score),
    "balanced_accuracy": of_labels(oracle.balanced_accuracy_score),
    "mcc": of_labels(oracle.matthews_corrcoef),
    "qwk": of_labels(oracle.cohen_kappa_score, weights="quadratic"),
}
TWO = {
    **LABELS, "auc": oracle.roc_auc_score, "ap": oracle.average_precision_score, "logloss": oracle.log_loss,
    "brier": oracle.brier_score_loss, "f1": of_labels(oracle.f1_score),
}  # fmt: skip
SEVERAL = {
    **LABELS, "auc": per_class(oracle.roc_auc_score), "ap": per_class(oracle.average_precision_score),
    "logloss": oracle.log_loss, "brier": oracle.brier_score_loss, "f1": of_labels(oracle.f1_score, average="macro"),
}  # fmt: skip
AMOUNTS = {
    "rmse": oracle.root_mean_squared_error, "mae": oracle.mean_absolute_error, "r2": oracle.r2_score,
    "mape": oracle.mean_absolute_percentage_error, "rmsle": oracle.root_mean_squared_log_error,
}  # fmt: skip


@pytest.mark.parametrize(
    ("oracles", "case"),
    [
        (TWO, binary(0, 300, None)),
        (TWO, binary(1, 300, 1)),
        (TWO, binary(2, 7, 1)),
        (SEVERAL, multiclass(0, 300)),
        (AMOUNTS, amounts(0, 300)),
        (AMOUNTS, amounts(1, 2)),
    ],
)
def test_scores_are_scikit_learns(oracles: dict[str, Callable[..., float]], case: Case) -> None:
    y, p, weights = case
    for name, score_of in oracles.items():
        for weigh in (None, weights):
            theirs = score_of(y, p, sample_weight=weigh)
            assert score(name, y, p, weights=weigh) == pytest.approx(theirs, rel=1e-9, abs=1e-12), name


def test_every_metric_is_compared() -> None:
    assert {metric.name for metric in METRICS} == {*TWO, *SEVERAL, *AMOUNTS, "ndcg"}


def test_several_classes_have_scikit_learns_area() -> None:
    y, p, _ = multiclass(3, 200)
    assert score("auc", y, p) == pytest.approx(oracle.roc_auc_score(y, p, multi_class="ovr"))


def test_ndcg_is_scikit_learns_for_one_list_and_for_many() -> None:
    random = np.random.default_rng(0)
    gains, scores = random.integers(0, 4, (9, 8)).astype(float), random.random((9, 8)).round(1)
    lists = np.repeat([f"list {at}" for at in range(9)], 8)
    order = random.permutation(72)
    found = score("ndcg", gains.ravel()[order], scores.ravel()[order], lists=lists[order])
    assert found == pytest.approx(oracle.ndcg_score(gains, scores))
    whole = oracle.ndcg_score(gains.reshape(1, -1), scores.reshape(1, -1))
    assert score("ndcg", gains.ravel(), scores.ravel()) == pytest.approx(whole)


def test_predictions_come_in_several_shapes() -> None:
    y, p, _ = binary(0, 50, None)
    both = np.column_stack([1 - p, p])
    for name in TWO:
        assert (
            score(name, y, both)
            == pytest.approx(score(name, y, p))
            == pytest.approx(score(name, y, p[:, None]))
        )
        assert score(name, y.astype(bool), p) == score(name, y, p)
    labels = np.array([0, 2, 1, 1])
    assert score("accuracy", [0, 1, 2, 1], labels) == 0.5
    assert score("qwk", [0, 1, 2, 3], [0.2, 1.4, 2.2, 9.0]) == 1.0
    assert score("f1", [0, 1, 0, 1], np.eye(3)[[0, 1, 0, 1]]) == 1.0
    assert score("accuracy", [0, 1], [0.3, 0.35], threshold=0.35) == 1.0


def test_constant_predictions_score_as_chance_does() -> None:
    y = np.array([0, 1, 1, 0, 1, 0])
    flat = np.full(6, 0.5)
    assert score("auc", y, flat) == 0.5
    assert score("ap", y, flat) == 0.5
    assert score("mcc", y, flat) == score("qwk", y, flat) == 0
    assert score("r2", y, flat) == 0
    assert score("logloss", y, y) == pytest.approx(0, abs=1e-12)
    assert score("logloss", y, 1 - y) == pytest.approx(oracle.log_loss(y, 1.0 - y))


def test_large_targets_cost_r2_no_digits() -> None:
    y = 1e9 + np.arange(50.0)
    assert score("r2", y, y + 1) == pytest.approx(oracle.r2_score(y, y + 1), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "y", "p", "why"),
    [
        ("auc", [1, 1], [0.2, 0.4], "all rows are of one class"),
        ("auc", [2, 2], np.eye(3)[[0, 1]], "all rows are of one class"),
        ("ap", [0, 0], [0.2, 0.4], "no row is of the positive class"),
        ("r2", [3.0, 3.0], [2.0, 4.0], "the target is the same"),
        ("r2", [3.0], [2.0], "the target is the same"),
        ("qwk", [1, 1], [0.9, 0.8], "all rows are of one class"),
        ("auc", [], [], "there are no rows"),
        ("auc", [0, 1], [0.1, float("nan")], "1 of the predictions are missing"),
        ("rmse", [0.0, float("nan")], [0.1, 0.2], "1 of the answers are missing"),
        ("rmse", [1.0, 2.0], [1.0], "shape"),
        ("rmse", ["a"], [1.0], "not numbers"),
        ("logloss", [0, 1], [0.5, 1.5], "between 0 and 1"),
        ("brier", [0, 2], np.full((2, 3), 0.5), "add up to 1"),
        ("logloss", [0, 3], np.full((2, 3), 1 / 3), "answers of class 3"),
        ("logloss", [0, 2], [0.5, 0.5], "answers of class 2"),
        ("accuracy", [0, 2], [0.5, 0.4], "neither labels nor"),
        ("accuracy", [0.5, 1], [0.5, 0.4], "not classes"),
        ("accuracy", [-1, 1], [0.5, 0.4], "not classes"),
        ("rmsle", [1.0, 2.0], [1.0, -2.0], "below 0"),
        ("ndcg", [-1.0, 2.0], [1.0, 2.0], "below 0"),
    ],
)
def test_what_has_no_score_is_refused(name: str, y: object, p: object, why: str) -> None:
    with pytest.raises(LoomError) as refused:
        score(name, y, p)  # type: ignore[arg-type]
    assert why in refused.value.why


@pytest.mark.parametrize("weights", [[1.0], [-1.0, 2.0], [0.0, 0.0], [float("nan"), 1.0]])
def test_weights_that_weigh_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(LoomError, match="cannot be weighted"):
        score("rmse", [1.0, 2.0], [1.0, 2.0], weights=weights)


def test_a_weight_of_nothing_is_a_row_left_out() -> None:
    y, p, _ = binary(0, 40, 1)
    weights = (np.arange(40) % 3 > 0) * 1.0
    for name in TWO:
        assert score(name, y, p, weights=weights) == pytest.approx(
            score(name, y[weights > 0], p[weights > 0])
        )
    with pytest.raises(LoomError, match="no value"):
        score("auc", y, p, weights=(y == 1) * 1.0)
