"""Calibration: quiet for predictions that are right at every size, loud where they are not.

The gate plays 10 seeds, `LOOM_SOAK=1` 200.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from loom.kernel.errors import LoomError
from loom.science.calibration import Calibration, assess
from tests.science.oracles.record_trust import recorded
from tests.science.trust_data import chances, outcomes

SEEDS = 200 if os.environ.get("LOOM_SOAK") else 10
SIZES = (500, 1_000, 5_000, 20_000)
RNG = np.random.default_rng


def codes(found: Calibration) -> set[str]:
    return {reason.code for reason in found.findings}


def odds(rng: np.random.Generator, rows: int, middle: float = 0.0) -> np.ndarray:
    return rng.normal(middle, 1.3, rows)


@pytest.mark.parametrize("middle", [0.0, -3.0])
@pytest.mark.parametrize("rows", SIZES)
def test_right_chances_pass_at_every_size(rows: int, middle: float) -> None:
    loud = []
    for seed in range(SEEDS if rows < 20_000 else max(5, SEEDS // 4)):
        rng = RNG([seed, rows])
        p = expit(odds(rng, rows, middle))
        if assess(outcomes(p, rng), p, seed=seed).findings:
            loud.append(seed)
    assert len(loud) <= max(1, 0.03 * SEEDS), loud


def test_right_shares_of_several_classes_pass() -> None:
    loud = []
    for seed in range(SEEDS):
        rng = RNG(seed)
        p = softmax(rng.normal([1, 0, -1, -2], 1.2, (500, 4)), axis=1)
        y = (p.cumsum(axis=1) > rng.random((500, 1))).argmax(axis=1)
        if assess(y, p, seed=seed).findings:
            loud.append(seed)
    assert len(loud) <= max(1, 0.03 * SEEDS), loud


@pytest.mark.parametrize("noise", ["even", "growing", "heavy"])
def test_right_amounts_pass_whatever_their_noise(noise: str) -> None:
    loud = []
    for seed in range(SEEDS):
        rng = RNG(seed)
        p = rng.normal(size=600)
        errors = rng.standard_t(3, 600) if noise == "heavy" else rng.normal(size=600)
        y = p + errors * (np.exp(p / 2) if noise == "growing" else 1)
        if assess(y, p, seed=seed).findings:
            loud.append(seed)
    assert len(loud) <= max(1, 0.03 * SEEDS), loud


@pytest.mark.parametrize("known", ["clusters", "order"])
def test_rows_that_belong_together_are_not_taken_for_more_than_they_are(known: str) -> None:
    loud = []
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    for seed in range(SEEDS):
        rng = RNG(seed)
        entity = np.repeat(np.arange(60), 10)
        z, own = rng.normal(0, 1.2, 600), rng.normal(size=60)
        # what is right for an entity that nobody knows: the mean over all it could be
        p = expit(z[:, None] + nodes) @ weights / weights.sum()
        y = outcomes(expit(z + own[entity]), rng)
        given = {"clusters": entity} if known == "clusters" else {"order": np.arange(600)}
        if assess(y, p, seed=seed, **given).findings:  # type: ignore[arg-type]
            loud.append(seed)
    assert len(loud) <= max(1, 0.03 * SEEDS), loud


WRONG: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int, str]] = {
    "odds of half as much again": (lambda z: expit(1.5 * z), 5_000, "calibration_slope"),
    "odds doubled": (lambda z: expit(2 * z), 500, "calibration_slope"),
    "too timid": (lambda z: expit(0.6 * z), 1_000, "calibration_slope"),
    "shifted": (lambda z: expit(z + 0.5), 1_000, "calibration_error"),
    "turned round": (lambda z: expit(-z), 500, "brier_skill"),
}  # fmt: skip


@pytest.mark.parametrize("how", WRONG)
def test_wrong_chances_are_caught_under_their_own_name(how: str) -> None:
    wrong, rows, code = WRONG[how]
    missed = []
    for seed in range(SEEDS):
        rng = RNG(seed)
        z = odds(rng, rows)
        if code not in codes(assess(outcomes(expit(z), rng), wrong(z), seed=seed)):
            missed.append(seed)
    assert len(missed) <= 0.1 * SEEDS, missed


@pytest.mark.parametrize("rows", [500, 5_000])
def test_a_tree_that_learned_its_rows_by_heart_is_caught(rows: int) -> None:
    missed = []
    for seed in range(SEEDS):
        rng = RNG(seed)
        table = rng.normal(size=(2_000 + rows, 4))
        y = outcomes(expit(1.2 * table[:, 0]), rng)
        tree = DecisionTreeClassifier(min_samples_leaf=3, random_state=0).fit(table[:2_000], y[:2_000])
        found = assess(y[2_000:], tree.predict_proba(table[2_000:]), seed=seed)
        if not {"calibration_error", "calibration_slope"} <= codes(found):
            missed.append(seed)
    assert not missed


def test_too_bold_shares_and_amounts_are_caught() -> None:
    rng = RNG(1)
    heights = rng.normal(0, 1.2, (2_000, 3))
    p = softmax(heights, axis=1)
    y = (p.cumsum(axis=1) > rng.random((2_000, 1))).argmax(axis=1)
    bold = assess(y, softmax(2 * heights, axis=1))
    assert {"calibration_error", "calibration_slope"} <= codes(bold)
    assert bold.slope.slope is not None
    assert 0.45 < bold.slope.slope.value < 0.55
    amounts = rng.normal(size=1_000)
    assert codes(assess(amounts + rng.normal(size=1_000), 2 * amounts)) >= {"calibration_slope"}
    shifted = assess(amounts + 0.5 + rng.normal(size=1_000), amounts)
    assert codes(shifted) == {"calibration_error"}


def test_the_class_that_is_wrong_is_named() -> None:
    rng = RNG(2)
    p = rng.dirichlet([5, 5, 5], 4_000)
    y = (p.cumsum(axis=1) > rng.random((4_000, 1))).argmax(axis=1)
    # class 1 gets a part of what class 2 should have
    moved = p + np.outer(p[:, 2] * 0.4, [0, 1, -1])
    found = [reason.what for reason in assess(y, moved).findings if reason.code == "calibration_error"]
    assert any("class 1" in what or "class 2" in what for what in found)


def test_figures_are_those_of_mapie_and_statsmodels() -> None:
    figures = recorded()["calibration"]
    y, p = chances()
    for bins, ece in figures["ece"].items():
        assert assess(y, p, bins=int(bins)).error.value == pytest.approx(ece, abs=1e-9)
    slope = assess(y, p).slope
    assert slope.slope is not None
    assert slope.intercept is not None
    assert slope.slope.value == pytest.approx(figures["slope"], abs=1e-5)
    assert slope.intercept.value == pytest.approx(figures["intercept"], abs=1e-5)
    assert [slope.slope.low, slope.slope.high] == pytest.approx(figures["slope_ci"], abs=0.005)


def test_the_slope_of_several_classes_is_that_of_scikit_learn() -> None:
    rng = RNG(3)
    heights = rng.normal(0, 1.2, (3_000, 2))
    logs = np.column_stack([np.zeros(3_000), heights])
    p = softmax(logs, axis=1)
    y = (p[:, :].cumsum(axis=1) > rng.random((3_000, 1))).argmax(axis=1)
    found = assess(y[y < 2], p[y < 2]).slope.slope
    assert found is not None
    two = y < 2
    there = LogisticRegression(C=1e9, tol=1e-8).fit(heights[two, :1], y[two])
    assert found.value == pytest.approx(there.coef_[0, 0], abs=1e-4)


def test_right_predictions_err_by_their_noise_floor() -> None:
    rng = RNG(4)
    found = []
    for _ in range(20):
        p = expit(odds(rng, 500))
        found.append(assess(outcomes(p, rng), p).error)
    assert abs(np.mean([each.excess for each in found])) < 0.01
    assert 0.04 < found[0].floor < 0.08


def test_the_interval_of_the_skill_holds_it_as_often_as_it_says() -> None:
    held, plays = 0, 5 * SEEDS
    everyone = RNG(0).normal(0, 1.3, 400_000)
    p = expit(everyone)
    truth = 1 - (p * (1 - p)).mean() / (p.mean() * (1 - p.mean()))
    for seed in range(plays):
        rng = RNG([seed, 9])
        p = expit(odds(rng, 300))
        skill = assess(outcomes(p, rng), p).skill
        assert skill is not None
        held += skill.low <= truth <= skill.high
    assert 0.88 <= held / plays <= 0.99


def test_points_are_of_twenty_rows_at_least_and_in_order() -> None:
    rng = RNG(5)
    p = expit(odds(rng, 110))
    points = assess(outcomes(p, rng), p).points
    assert sum(point.rows for point in points) == 110
    assert all(point.rows >= 20 for point in points)
    assert [point.said for point in points] == sorted(point.said for point in points)
    assert all(point.low <= point.true <= point.high for point in points)


def test_equal_predictions_share_a_bin_and_their_order_does_not_matter() -> None:
    rng = RNG(6)
    p = rng.choice([0.1, 0.5, 0.9], 400)
    y = outcomes(p, rng)
    mixed = rng.permutation(400)
    assert assess(y, p).error.value == pytest.approx(assess(y[mixed], p[mixed]).error.value)
    assert len(assess(y, p).points) == 3


def test_spread_of_residuals_is_told_by_tenths() -> None:
    rng = RNG(7)
    p = rng.normal(size=3_000)
    deciles = assess(p + rng.normal(size=3_000) * np.exp(p), p).deciles
    assert len(deciles) == 10
    assert deciles[-1].spread > 5 * deciles[0].spread
    assert all(abs(decile.bias.value) < 1 for decile in deciles)


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([1], [0.7]),
        ([0] * 200, [0.2] * 200),
        ([1] * 200, list(np.linspace(0, 1, 200))),
        ([0, 1] * 5, [0.3, 0.6] * 5),
    ],
)
def test_what_cannot_be_told_is_unknown_and_never_a_pass(y: list[int], p: list[float]) -> None:
    found = assess(np.array(y), np.array(p))
    assert "calibration_unknown" in codes(found)
    assert found.skill is None
    json.dumps(found.as_json(), allow_nan=False)


def test_predictions_without_a_slope_are_judged_by_the_rest() -> None:
    rng = RNG(8)
    y = outcomes(np.full(800, 0.3), rng)
    constant = assess(y, np.full(800, 0.3))
    assert constant.slope.slope is None
    assert not constant.findings
    far = assess(y, np.full(800, 0.6))
    assert {"brier_skill", "calibration_error"} <= codes(far)
    split = assess(y, np.where(y == 1, 0.99, 0.01))
    assert split.slope.why == "the predictions separate the classes"
    assert not split.findings
    perfect = assess(y, y.astype(float))
    assert perfect.loss == 0
    assert not perfect.findings
    assert assess(np.arange(50.0), np.full(50, 24.5)).slope.slope is None


def test_a_class_that_no_row_has_does_no_harm() -> None:
    rng = RNG(10)
    p = rng.dirichlet([4, 3, 0.01], 900)
    y = (p[:, 1] / p[:, :2].sum(axis=1) > rng.random(900)).astype(int)
    found = assess(y, p)
    assert len(found.classes) == 3
    assert not found.findings


def test_two_columns_are_yes_and_no_and_the_answer_is_the_same() -> None:
    y, p = chances(rows=300)
    assert assess(y, p).as_json() == assess(y, np.column_stack([1 - p, p])).as_json()
    assert assess(y, p, seed=1).as_json() == assess(y, p, seed=1).as_json()
    json.dumps(assess(y, p).as_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([], []),
        ([0, 1], [0.5]),
        ([0, 1], [0.5, np.nan]),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]]),
        ([0, 1, 2], [[0.5, 0.1, 0.1]] * 3),
        ([0, 1, 2], [[1.5, -0.5, 0.0]] * 3),
    ],
)
def test_predictions_that_make_no_sense_are_refused(y: list[float], p: list[object]) -> None:
    with pytest.raises(LoomError):
        assess(np.array(y), np.array(p))


def test_chances_outside_of_0_and_1_are_refused() -> None:
    with pytest.raises(LoomError, match="outside 0 to 1"):
        assess(np.array([0, 1]), np.array([-1.0, 3.0]), task="binary")
