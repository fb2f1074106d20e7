"""The small tests behind drift: never more false alarms than they say, and as sharp as SciPy's."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from loom.science.discoveries import benjamini_hochberg
from loom.science.drift.significance import (
    chi_square,
    exceedances,
    kolmogorov_smirnov,
    pooled,
    two_shares,
    unseen,
)

PLAYED = 5_000 if os.environ.get("LOOM_SOAK") else 500

Draw = Callable[[np.random.Generator], float]


def _shares(random: np.random.Generator) -> float:
    return two_shares(random.binomial(300, 0.1), 300, random.binomial(900, 0.1), 900)


def _ks(random: np.random.Generator) -> float:
    return kolmogorov_smirnov(np.sort(random.normal(size=60)), np.sort(random.normal(size=200)))[1]


def _chi(random: np.random.Generator) -> float:
    a, b = (random.multinomial(size, np.arange(1, 41) / 820) for size in (400, 900))
    return chi_square(a, b)


def _beyond(random: np.random.Generator) -> float:
    x, y = random.normal(size=300), random.normal(size=200)
    return exceedances(int((x > y.max()).sum()), 300, 200)


def _new(random: np.random.Generator) -> float:
    a, b = (np.bincount(np.minimum(random.zipf(1.4, size), 3_000), minlength=3_001) for size in (500, 400))
    return unseen((a + b)[(a + b) > 0], int(a[b == 0].sum()), 500, 400)


@pytest.mark.parametrize("draw", [_shares, _ks, _chi, _beyond, _new])
def test_a_test_raises_no_more_false_alarms_than_its_p_value_says(draw: Draw) -> None:
    p = np.array([draw(np.random.default_rng(seed)) for seed in range(PLAYED)])
    assert ((p >= 0) & (p <= 1)).all()
    for level in (0.01, 0.05):
        slack = 3 * (level * (1 - level) / PLAYED) ** 0.5
        assert (p <= level).mean() <= level + slack


def test_kolmogorov_smirnov_is_scipys() -> None:
    random = np.random.default_rng(0)
    a, b = np.sort(random.normal(size=900)), np.sort(random.normal(0.1, 1.1, 700))
    oracle = stats.ks_2samp(a, b, method="asymp")
    gap, p = kolmogorov_smirnov(a, b)
    assert gap == pytest.approx(oracle.statistic)
    assert p == pytest.approx(stats.ks_2samp(a, b, method="exact").pvalue, rel=0.1)


def test_chi_square_is_scipys_where_no_cell_is_rare() -> None:
    a, b = np.array([40, 60, 100]), np.array([70, 50, 80])
    assert chi_square(a, b) == pytest.approx(stats.chi2_contingency(np.array([a, b])).pvalue)


def test_rare_cells_are_taken_together_and_nothing_is_lost() -> None:
    a, b = pooled(np.array([50, 1, 2, 3, 0]), np.array([50, 2, 3, 1, 1]))
    assert (a.tolist(), b.tolist()) == ([50, 6], [50, 7])
    a, b = pooled(np.array([50, 40, 1]), np.array([50, 45, 0]))
    assert (a.tolist(), b.tolist()) == ([50, 41], [50, 45])
    assert chi_square(np.array([1, 1]), np.array([1, 0])) == 1.0


def test_benjamini_hochberg_is_scipys() -> None:
    p = np.random.default_rng(0).random(50) ** 3
    assert benjamini_hochberg(p.tolist()) == pytest.approx(stats.false_discovery_control(p).tolist())
    assert benjamini_hochberg([]) == []


def test_values_beyond_the_largest_are_as_rare_as_drawing_them_first() -> None:
    assert exceedances(0, 10, 10) == 1.0
    assert exceedances(1, 10, 10) == pytest.approx(0.5)
    assert exceedances(2, 10, 10) == pytest.approx(10 / 20 * 9 / 19)
    assert exceedances(10, 10, 10) == pytest.approx(1 / stats.binom(20, 0.5).pmf(0) / 2**20 / 184_756)


def test_a_level_that_only_today_has_is_no_chance_when_many_rows_have_it() -> None:
    totals = np.array([500, 400, 60])
    assert unseen(totals, 60, 480, 480) < 1e-12
    assert unseen(np.array([500, 400, 1]), 1, 480, 480) == pytest.approx(1, abs=0.5)
    assert unseen(totals, 0, 480, 480) == 1.0
