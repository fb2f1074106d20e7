"""Intervals hold the true value as often as they say, and say so where they cannot.

The gate draws 40 samples of 200 rows and 20 of 2,000 per case, `LOOM_SOAK=1` 400 of each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from loom.kernel.errors import LoomError
from loom.science.metrics import METRICS, difference, get, interval, needed_rows, score
from loom.science.metrics.cases import case
from loom.science.metrics.ranking import area_value, ranked

SOAK = bool(os.environ.get("LOOM_SOAK"))
SAMPLES = 400 if SOAK else 40
LARGE = 1_000_000 if SOAK else 300_000
Sample = tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]
Draw = Callable[[np.random.Generator, int], Sample]


def logistic(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def binary(random: np.random.Generator, rows: int) -> Sample:
    p = logistic(random.normal(-0.8, 1.2, rows))
    return (random.random(rows) < p).astype(int), p, {}


def entities(random: np.random.Generator, rows: int) -> Sample:
    """Five rows per entity, which share most of their score and an effect that no score knows."""
    who = np.repeat(np.arange(rows // 5), 5)
    shared, unknown = random.normal(size=(2, rows // 5))
    score = 0.7 * shared[who] + 0.7 * random.normal(size=len(who))
    return (
        (random.random(len(who)) < logistic(score + unknown[who])).astype(int),
        logistic(score),
        {"clusters": who},
    )


def multiclass(random: np.random.Generator, rows: int) -> Sample:
    p = np.exp(random.normal(size=(rows, 4)))
    p /= p.sum(1, keepdims=True)
    return np.minimum((p.cumsum(1) < random.random(rows)[:, None]).sum(1), 3), p, {}


def amounts(random: np.random.Generator, rows: int) -> Sample:
    x = random.normal(size=rows)
    return 8 + x + random.normal(size=rows), 8 + 0.9 * x, {}


def series(random: np.random.Generator, rows: int) -> Sample:
    """Errors that last: each is half of the one before, and new."""
    errors = random.normal(size=rows)
    for at in range(1, rows):
        errors[at] += 0.5 * errors[at - 1]
    x = random.normal(size=rows)
    return x + errors, x, {"order": np.arange(rows)}


def covered(draw: Draw, name: str, rows: int, samples: int) -> float:
    """How often the interval holds the value of a sample that is as good as everything."""
    y, p, _ = draw(np.random.default_rng(10**6), LARGE)
    true, hits = score(name, y, p), 0
    for seed in range(samples):
        y, p, how = draw(np.random.default_rng(seed), rows)
        found = interval(name, y, p, seed=seed, **how)
        assert found.low is not None and found.high is not None
        hits += found.low <= true <= found.high
    return hits / samples


@pytest.mark.parametrize(
    ("draw", "names"),
    [
        (binary, ("auc", "ap", "logloss", "brier", "accuracy", "balanced_accuracy", "f1", "mcc")),
        (entities, ("auc", "ap", "logloss", "accuracy")),
        (multiclass, ("auc", "logloss", "f1", "qwk")),
        (amounts, ("rmse", "mae", "r2", "mape", "rmsle")),
        (series, ("rmse", "mae")),
    ],
)
def test_intervals_hold_the_true_value_as_often_as_they_say(draw: Draw, names: tuple[str, ...]) -> None:
    for rows, samples in ((200, SAMPLES), (2_000, SAMPLES if SOAK else SAMPLES // 2)):
        slack = 2.6 * (0.95 * 0.05 / samples) ** 0.5
        for name in names:
            assert covered(draw, name, rows, samples) >= 0.95 * 0.97 - slack, (name, rows)


def test_entities_that_are_not_declared_make_the_interval_too_narrow() -> None:
    y, p, how = entities(np.random.default_rng(0), 2_000)
    for name in ("auc", "logloss"):
        alone, together = interval(name, y, p), interval(name, y, p, **how)
        assert together.half_width > 1.1 * alone.half_width  # type: ignore[operator]
        assert together.units == 400 and "400 entities" in together.how


def test_the_wider_of_entities_and_blocks_of_time_counts() -> None:
    y, p, how = entities(np.random.default_rng(0), 1_000)
    time = np.random.default_rng(1).permutation(1_000)
    both = interval("logloss", y, p, clusters=how["clusters"], order=time)
    ways = [interval("logloss", y, p, **how), interval("logloss", y, p, order=time)]
    assert both.half_width == max(way.half_width for way in ways)  # type: ignore[type-var]
    assert both.how.endswith("(the wider of two ways)")


def test_delong_is_the_covariance_of_all_pairs() -> None:
    """Sun and Xu's fast form against the sums over pairs of DeLong, DeLong and Clarke-Pearson, with ties."""
    random = np.random.default_rng(0)
    y = np.r_[np.ones(25), np.zeros(40)].astype(int)
    models = [np.round(y * 0.4 + random.random(65), 1) / 1.4 for _ in range(2)]
    parts = []
    for p in models:
        wins = (p[:25, None] > p[None, 25:]) + 0.5 * (p[:25, None] == p[None, 25:])
        parts.append((wins.mean(), wins.mean(1), wins.mean(0)))
    covariance = np.cov([part[1] for part in parts]) / 25 + np.cov([part[2] for part in parts]) / 40
    for at, p in enumerate(models):
        found = interval("auc", y, p)
        assert found.value == pytest.approx(parts[at][0])
        assert found.se == pytest.approx(covariance[at, at] ** 0.5)
    between = difference("auc", y, *models)
    se = (covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]) ** 0.5
    assert between.value == pytest.approx(parts[0][0] - parts[1][0])
    assert between.se == pytest.approx(se)
    assert between.p_value == pytest.approx(2 * stats.norm.sf(abs(between.value) / se), abs=0.02)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["auc", "ap"])
def test_the_pull_of_a_row_is_what_its_weight_changes(name: str) -> None:
    random = np.random.default_rng(0)
    read = case(get(name), random.integers(0, 2, 30), random.random(30).round(1))
    found, step = ranked(read), 1e-6
    for row in range(30):
        weights = np.ones(30)
        weights[row] += step
        assert (area_value(read, weights) - found.value) / step * 30 == pytest.approx(
            found.pull[row], abs=1e-3
        )


def test_the_bootstrap_has_the_standard_error_of_a_mean() -> None:
    y, p, _ = amounts(np.random.default_rng(0), 800)
    found = interval("mae", y, p)
    assert found.se == pytest.approx(np.abs(y - p).std() / 800**0.5, rel=0.1)
    many = amounts(np.random.default_rng(0), 20_000)
    assert interval("mae", *many[:2]).se == pytest.approx(
        np.abs(many[0] - many[1]).std() / 20_000**0.5, rel=0.1
    )


@pytest.mark.parametrize("metric", METRICS)
def test_a_better_model_is_above_zero_whichever_way_the_metric_points(metric) -> None:  # type: ignore[no-untyped-def]
    random = np.random.default_rng(0)
    if metric.tasks == ("regression",):
        y = 9 + random.normal(size=600)
        good, bad = y + 0.2 * random.normal(size=600), y + random.normal(size=600)
    else:
        y = random.integers(0, 2, 600)
        good, bad = (logistic(slope * (y - 0.5) + random.normal(size=600)) for slope in (5, 1))
    better, worse = difference(metric, y, good, bad), difference(metric, y, bad, good)
    assert better.value > 0 and better.low > 0  # type: ignore[operator]
    assert better.p_value < 0.01  # type: ignore[operator]
    assert (worse.value, worse.high) == (-better.value, pytest.approx(-better.low))  # type: ignore[operator]
    gained = metric.gain(score(metric, y, good), score(metric, y, bad))
    assert better.value == pytest.approx(gained)


def test_equal_models_are_called_different_as_rarely_as_the_level_says() -> None:
    found = []
    for seed in range(2 * SAMPLES):
        random = np.random.default_rng(seed)
        signal = random.normal(size=300)
        y = (random.random(300) < logistic(signal)).astype(int)
        one, other = (logistic(signal + random.normal(size=300)) for _ in range(2))
        found.append([difference(name, y, one, other, seed=seed).p_value for name in ("auc", "brier")])
    assert (np.array(found) < 0.05).mean(0).max() <= 0.05 + 3 * (0.05 * 0.95 / (2 * SAMPLES)) ** 0.5


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rows", [1, 2, 3, 12])
@pytest.mark.parametrize("kind", ["same", "mixed"])
def test_no_interval_is_silently_nothing(metric, rows: int, kind: str) -> None:  # type: ignore[no-untyped-def]
    y = np.ones(rows) if kind == "same" else np.arange(rows) % 2
    for p in (np.full(rows, 0.5), y * 0.5 + 0.25, y * 1.0):
        for how in (
            {},
            {"clusters": np.arange(rows) // 2},
            {"order": np.arange(rows)},
            {"order": np.zeros(rows)},
        ):
            how = {**how, "draws": 40}
            for found in (interval(metric, y, p, **how), difference(metric, y, p, 1 - p, **how)):
                ends = (found.low, found.high)
                assert found.known or found.how.startswith("unknown: ")
                assert None not in ends or ends == (None, None)
                assert all(end is None or np.isfinite(end) for end in (found.value, found.se, *ends))
                assert not found.known or found.low <= found.value <= found.high
                assert json.loads(json.dumps(found.as_json())) == found.as_json()
                needed_rows(found)


@pytest.mark.parametrize(
    ("name", "y", "p", "how"),
    [
        ("auc", [1, 1, 1], [0.1, 0.2, 0.3], "unknown: all rows are of one class"),
        ("auc", [0, 0, 1], [0.1, 0.4, 0.3], "unknown: one class has fewer than two rows"),
        ("rmse", [1.0], [2.0], "unknown: fewer than two rows"),
        ("rmse", [1.0, 2.0, 3.0], [2.0, 3.0, 4.0], "no spread: all 3 rows agree"),
        (
            "auc",
            [0, 0, 1, 1],
            [0.1, 0.2, 0.3, 0.4],
            "exact bound: no pair is out of order, of 2 rows of the rarer class",
        ),
        ("accuracy", [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "exact bound: all 4 rows agree"),
        ("mae", [1.0, 2.0, 3.0], [2.0, 3.5, 4.0], "bootstrap of 500 draws, which is few"),
    ],
)
def test_how_an_interval_was_found_is_said(name: str, y: list[float], p: list[float], how: str) -> None:
    assert interval(name, y, p).how == how


def test_a_perfect_score_of_few_rows_is_not_sure() -> None:
    y = np.arange(40) % 2
    perfect = interval("auc", y, y * 0.8 + 0.1)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low == pytest.approx(stats.beta.ppf(0.025, 20, 1))
    right = interval("accuracy", y, y)
    assert right.low == pytest.approx(stats.beta.ppf(0.025, 40, 1))


def test_a_second_look_is_the_same_and_another_seed_is_not() -> None:
    y, p, _ = binary(np.random.default_rng(0), 300)
    assert interval("f1", y, p) == interval("f1", y, p)
    assert interval("f1", y, p) != interval("f1", y, p, seed=1)
    assert interval("auc", y, p, level=0.99).half_width > interval("auc", y, p).half_width  # type: ignore[operator]


def test_rows_that_are_needed_shrink_with_the_square_of_the_width() -> None:
    y, p, _ = binary(np.random.default_rng(0), 900)
    found = interval("auc", y, p)
    assert found.half_width is not None
    assert needed_rows(found, found.half_width / 2) == pytest.approx(3_600, abs=1)
    more = interval("auc", *binary(np.random.default_rng(1), needed_rows(found, 0.02) or 0)[:2])
    assert more.half_width == pytest.approx(0.02, rel=0.1)
    assert needed_rows(interval("auc", [1, 1], [0.1, 0.2])) is None


def test_lists_are_what_ndcg_varies_by() -> None:
    random = np.random.default_rng(0)
    gains, scores, lists = random.integers(0, 4, 800), random.random(800), np.repeat(np.arange(80), 10)
    found = interval("ndcg", gains, scores, clusters=lists)
    assert found.units == 80
    each = [score("ndcg", gains[lists == one], scores[lists == one]) for one in range(80)]
    assert found.value == pytest.approx(np.mean(each))
    assert found.se == pytest.approx(np.std(each) / 80**0.5, rel=0.15)
    assert interval("ndcg", gains, scores).known


def test_ids_that_do_not_go_with_the_rows_are_refused() -> None:
    with pytest.raises(LoomError, match="entities for 3 rows"):
        interval("mae", [1.0, 2.0, 3.0], [1.0, 2.0, 4.0], clusters=np.arange(2))
    named = np.array(["a", None, "a", 3], dtype=object)
    assert interval("mae", [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 4.0], clusters=named).units == 3
