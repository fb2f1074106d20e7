"""Fairness: figures are fairlearn's, unfair models are told, fair ones are not, and small groups are not compared.

The gate plays 20 seeds, `LOOM_SOAK=1` 200.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from loom.kernel.errors import LoomError
from loom.science.fairness import NOT_ASSESSED, Fairness, assess
from tests.science.oracles import record_trust as oracle
from tests.science.trust_data import DATA, biased, outcomes, titanic, titanic_chances

SEEDS = 200 if os.environ.get("LOOM_SOAK") else 20
RNG = np.random.default_rng
GAPS = ("demographic_parity_ratio", "demographic_parity_difference", "equalized_odds_difference")


def codes(found: Fairness) -> set[str]:
    return {reason.code for reason in found.findings}


def draw(
    seed: int, rows: int, groups: str, *, lower: float = 0.0, shares: list[float] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, chances and groups; the second group's odds are lower than they should be by so much."""
    rng = RNG(seed)
    group = rng.choice(list(groups), rows, p=shares)
    odds = rng.normal(0, 1.4, rows)
    return outcomes(expit(odds), rng), expit(odds - lower * (group == groups[1])), group


def flat(figures: Any, path: str = "") -> dict[str, float]:
    """Figures within figures as one list of them."""
    if isinstance(figures, list):
        figures = dict(enumerate(figures))
    if not isinstance(figures, dict):
        return {path: figures}
    return {
        name: value for key, each in figures.items() for name, value in flat(each, f"{path}/{key}").items()
    }


def same(found: Fairness, figures: dict[str, Any]) -> None:
    for group in found.groups:
        for name, value in figures["groups"][group.name].items():
            figure = group.figures[name]
            assert figure is not None
            assert figure.value == pytest.approx(value, abs=1e-9), (group.name, name)
            assert figure.low <= value <= figure.high
    for name in GAPS:
        gap = found.gaps[name]
        assert gap.value == pytest.approx(figures[name], abs=1e-9), name
        assert gap.low <= gap.value <= gap.high


@pytest.mark.skipif(not DATA.exists(), reason="the shared data is not here")
def test_the_titanic_by_sex_is_as_unfair_as_fairlearn_says() -> None:
    figures = oracle.recorded()["titanic"]
    y, _, sex = titanic()
    p = titanic_chances([figures["coefficients"][term] for term in oracle.TERMS])
    found = assess(y, p, pl.Series("Sex", sex))
    same(found, figures)
    assert [(group.name, group.rows, group.insufficient) for group in found.groups] == [
        ("male", 577, ""),
        ("female", 314, ""),
    ]
    assert codes(found) == {"demographic_parity", "equalized_odds"}
    assert {reason.severity for reason in found.findings} == {"warning"}
    assert {reason.column for reason in found.findings} == {"Sex"}
    strict = assess(y, p, pl.Series("Sex", sex), strict=True)
    assert {reason.severity for reason in strict.findings} == {"error"}


def test_an_injected_bias_is_found_with_the_figures_of_fairlearn() -> None:
    y, p, groups = biased()
    found = assess(y, p, pl.Series("region", groups))
    same(found, oracle.recorded()["biased"])
    assert codes(found) == {"demographic_parity", "equalized_odds"}
    south = next(group for group in found.groups if group.name == "south")
    assert south.figures["calibration"] is not None
    assert south.figures["calibration"].high < -0.1


@pytest.mark.skipif(not os.environ.get("LOOM_SOAK"), reason="needs the libraries of the oracles")
def test_the_recorded_figures_are_still_those_of_the_libraries() -> None:
    for library in ("fairlearn", "mapie", "statsmodels"):
        pytest.importorskip(library)
    now, then = flat(oracle.computed()), flat(oracle.recorded())
    assert now == pytest.approx({name: then[name] for name in now}, abs=1e-6)


@pytest.mark.parametrize(
    ("rows", "groups", "shares"),
    [(1_000, "ab", None), (2_000, "abcdefgh", None), (6_000, "abcd", [0.7, 0.2, 0.06, 0.04])],
)
def test_fair_predictions_are_not_called_unfair(rows: int, groups: str, shares: list[float] | None) -> None:
    loud = []
    for seed in range(SEEDS):
        y, p, group = draw(seed, rows, groups, shares=shares)
        if assess(y, p, pl.Series("g", group), seed=seed).findings:
            loud.append(seed)
    assert len(loud) <= max(1, 0.03 * SEEDS), loud


def test_unfair_predictions_are_called_unfair() -> None:
    for seed in range(SEEDS // 4):
        y, p, group = draw(seed, 1_000, "ab", lower=1.2)
        assert codes(assess(y, p, pl.Series("g", group), seed=seed)) == {
            "demographic_parity",
            "equalized_odds",
        }


def test_gaps_at_the_threshold_are_told_no_more_often_than_their_intervals_miss() -> None:
    low = held = 0
    for seed in range(5 * SEEDS):
        rng = RNG(seed)
        group, y = rng.integers(0, 2, 2_000), rng.integers(0, 2, 2_000)
        chosen = rng.random(2_000) < np.where(y == 1, 0.7 - 0.1 * group, 0.2)
        gap = assess(y, np.where(chosen, 0.9, 0.1), pl.Series("g", group), seed=seed).gaps[GAPS[2]]
        low += gap.low > 0.1
        held += gap.low <= 0.1 <= gap.high
    assert low <= 0.05 * 5 * SEEDS
    assert held >= 0.9 * 5 * SEEDS


def test_small_groups_are_shown_and_not_compared() -> None:
    y, p, group = draw(0, 1_000, "abc", shares=[0.5, 0.45, 0.05])
    y[np.flatnonzero((group == "b") & (y == 1))[10:]] = 0
    found = assess(y, p, pl.Series("g", group))
    told = {each.name: each.insufficient for each in found.groups}
    assert told["a"] == ""
    assert told["b"] == "10 positive rows"
    assert told["c"].endswith(" rows")
    assert found.gaps == {}
    assert codes(found) == {"insufficient_group"}


def test_missing_values_are_a_group_and_rare_levels_are_one() -> None:
    y, p, group = draw(1, 2_000, "ab")
    cells = pl.Series("g", [None if at % 5 == 0 else level for at, level in enumerate(group)])
    found = assess(y, p, cells)
    assert {each.name for each in found.groups} == {"a", "b", "missing"}
    assert not found.findings
    rare = pl.Series("g", [f"rare {at}" if at < 30 else level for at, level in enumerate(group)])
    assert {each.name for each in assess(y, p, rare).groups} == {"a", "b", "30 other levels"}


def test_numbers_are_cut_at_their_quartiles_and_that_is_said() -> None:
    y, p, _ = draw(2, 2_000, "ab")
    age = pl.Series("age", RNG(0).integers(18, 90, 2_000)).cast(pl.Float64)
    age = age.set(pl.Series(np.arange(2_000) % 4 == 0), float("nan"))
    found = assess(y, p, age)
    assert found.binned
    assert found.as_json()["groups_are"] == "ranges"
    assert len(found.groups) == 5
    assert found.groups[0].name.startswith("age ≤ ")
    assert found.groups[-1].name == "missing"
    assert not assess(y, p, pl.Series("sex", np.arange(2_000) % 2)).binned
    whole = assess(y, p, pl.Series("birthdate", np.arange(2_000)).cast(pl.Date))
    assert whole.groups[0].name == "part #1"


def test_names_of_groups_are_shown_only_where_they_may_be() -> None:
    y, p, group = draw(3, 4_000, "ab", shares=[0.994, 0.006])
    assert {each.name for each in assess(y, p, pl.Series("g", group)).groups} == {"a", "level #2"}
    assert {each.name for each in assess(y, p, pl.Series("surname", group)).groups} == {
        "level #1",
        "level #2",
    }


def test_a_group_that_is_ranked_by_chance_or_worse_fails() -> None:
    y, p, group = draw(4, 2_000, "ab")
    p = np.where(group == "b", 1 - p, p)
    found = assess(y, p, pl.Series("g", group))
    reason = next(each for each in found.findings if each.code == "group_auc")
    assert reason.severity == "error"
    assert "g b" in reason.what


def test_every_class_is_looked_at_unless_one_is_declared() -> None:
    rng = RNG(5)
    group = rng.choice(["a", "b"], 3_000)
    p = rng.dirichlet([2, 2, 2], 3_000)
    y = np.minimum((p.cumsum(axis=1) > rng.random((3_000, 1))).argmax(axis=1), 2)
    assert not assess(y, p, pl.Series("g", group)).findings
    unfair = p.copy()
    moved = np.where(group == "b", 0.6 * p[:, 2], 0)
    unfair[:, 2] -= moved
    unfair[:, 0] += moved
    found = assess(y, unfair, pl.Series("g", group))
    assert found.positive in (0, 2)
    assert {"demographic_parity", "equalized_odds"} <= codes(found)
    assert assess(y, unfair, pl.Series("g", group), positive=1).positive == 1
    with pytest.raises(LoomError, match="no class 3"):
        assess(y, p, pl.Series("g", group), positive=3)


def test_mean_errors_of_amounts_are_compared() -> None:
    loud = 0
    for seed in range(SEEDS):
        rng = RNG(seed)
        group = rng.choice(["a", "b", "c"], 1_000)
        y = rng.normal(size=1_000)
        p = y + rng.standard_t(3, 1_000)
        loud += bool(assess(y, p, pl.Series("g", group), seed=seed).findings)
    assert loud <= max(1, 0.03 * SEEDS)
    found = assess(y, p + (group == "a"), pl.Series("g", group))
    assert codes(found) == {"mean_error_gap"}
    assert found.gaps["mean_error_gap"].value > 0.5
    assert found.positive is None
    json.dumps(found.as_json(), allow_nan=False)


def test_entities_widen_the_intervals() -> None:
    y, p, group = draw(6, 600, "ab", lower=1.0)
    repeated = [np.repeat(each, 10) for each in (y, p, group)]
    together = assess(
        repeated[0], repeated[1], pl.Series("g", repeated[2]), clusters=np.repeat(np.arange(600), 10)
    )
    alone, apart = assess(y, p, pl.Series("g", group)), assess(*repeated[:2], pl.Series("g", repeated[2]))
    for found, factor in ((together, 1.0), (apart, 10**-0.5)):
        for name in ("tpr", "auc", "calibration"):
            here, there = found.groups[0].figures[name], alone.groups[0].figures[name]
            assert here is not None
            assert there is not None
            assert (here.high - here.low) / (there.high - there.low) == pytest.approx(factor, rel=0.15)
        here, there = found.gaps[GAPS[1]], alone.gaps[GAPS[1]]
        assert here.high - here.low == pytest.approx(factor * (there.high - there.low), rel=0.15)


def test_odd_input_is_answered_or_refused() -> None:
    y, p, group = draw(7, 300, "ab")
    for cells in (
        pl.Series("g", ["x"] * 300),
        pl.Series("g", [None] * 300),
        pl.Series("g", [float("nan")] * 300),
    ):
        found = assess(y, p, cells)
        assert len(found.groups) == 1
        assert found.gaps == {}
    none = assess(y, np.zeros(300), pl.Series("g", group))
    assert none.gaps[GAPS[0]].value == 1
    assert none.groups[0].figures["precision"] is None
    json.dumps(none.as_json(), allow_nan=False)
    one = assess(np.array([1]), np.array([0.5]), np.array(["a"]))
    assert codes(one) == {"insufficient_group"}
    json.dumps(one.as_json(), allow_nan=False)
    assert assess(y, p, group).column == "group"
    with pytest.raises(LoomError, match="does not go with"):
        assess(y, p, pl.Series("g", group[:5]))
    with pytest.raises(LoomError, match="has no groups"):
        assess(y, p, pl.Series("g", [[1]] * 300))
    assert NOT_ASSESSED == "not assessed"


def test_a_seed_makes_the_same_intervals_again() -> None:
    y, p, group = draw(8, 500, "ab")
    told = [assess(y, p, pl.Series("g", group), seed=3).as_json() for _ in range(2)]
    assert told[0] == told[1]
    assert told[0] != assess(y, p, pl.Series("g", group), seed=4).as_json()
