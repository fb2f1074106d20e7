"""Relations between columns: against SciPy, with gaps, in blocks, and silent about noise."""

from __future__ import annotations

import os

import numpy as np
import polars as pl
import pytest
from scipy import stats

from loom.science.profile import correlations
from loom.science.profile.correlations import Relation, Relations

SEEDS = 200 if os.environ.get("LOOM_SOAK") else 20


def relations(numbers: dict[str, object], levels: dict[str, object] | None = None) -> list[Relation]:
    """The strongest relations between some columns."""
    levels = levels or {}
    rows = len(next(iter((numbers | levels).values())))  # type: ignore[arg-type]
    found = Relations(rows, len(numbers) + len(levels))
    for name, cells in numbers.items():
        found.add_numbers(name, pl.Series(cells))
    for name, cells in levels.items():
        found.add_levels(name, pl.Series(cells))
    return list(found.strongest())


def test_pearson_is_scipys_also_where_cells_are_missing_and_numbers_are_far_from_zero() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=3_000)
    y = 0.6 * x + random.normal(size=3_000) + 1e9
    gaps = random.random((2, 3_000)) < 0.3
    holed_x, holed_y = np.where(gaps[0], np.nan, x), np.where(gaps[1], np.inf, y)
    (full,) = relations({"x": x, "y": y})
    (holed,) = relations({"x": holed_x, "y": holed_y})
    both = ~gaps.any(0)
    assert (full.a, full.b, full.measure, full.rows) == ("x", "y", "pearson", 3_000)
    assert full.value == pytest.approx(stats.pearsonr(x, y).statistic, abs=2e-4)
    assert holed.value == pytest.approx(stats.pearsonr(x[both], y[both]).statistic, abs=2e-4)
    assert holed.rows == both.sum()


def test_a_curved_relation_is_found_by_ranks() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=2_000)
    y = np.exp(4 * x)
    holed = np.where(random.random(2_000) < 0.2, np.nan, y)
    (found,) = relations({"x": x, "y": y})
    (gaps,) = relations({"x": x, "y": holed})
    assert (found.measure, found.value) == ("spearman", 1.0)
    assert gaps.value == pytest.approx(1.0, abs=1e-4)


def test_levels_go_together_by_cramers_v_and_with_numbers_by_the_correlation_ratio() -> None:
    random = np.random.default_rng(3)
    code = random.integers(0, 3, 5_000)
    noisy = np.where(random.random(5_000) < 0.3, random.integers(0, 3, 5_000), code)
    number = code * 2.0 + random.normal(size=5_000)
    words = np.array(["a", "b", "c"])
    found = {one.measure: one for one in relations({"n": number}, {"p": words[code], "q": words[noisy]})}
    table = np.zeros((3, 3), int)
    np.add.at(table, (code, noisy), 1)
    assert found["cramers_v"].value == pytest.approx(stats.contingency.association(table), abs=2e-3)
    groups = [number[code == level] for level in range(3)]
    between = sum(len(g) * (g.mean() - number.mean()) ** 2 for g in groups)
    (ratio,) = (one for one in relations({"n": number}, {"p": words[code]}))
    assert ratio.value == pytest.approx((between / ((number - number.mean()) ** 2).sum()) ** 0.5, abs=2e-3)
    assert (ratio.a, ratio.b) == ("p", "n")


def test_columns_are_compared_across_blocks_and_on_fewer_rows_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(correlations, "_BLOCK_COLUMNS", 3)
    monkeypatch.setattr(correlations, "_BLOCK_ROWS", 100)
    monkeypatch.setattr(correlations, "_CELLS", 8_000)
    random = np.random.default_rng(4)
    columns: dict[str, object] = {f"c{i}": random.normal(size=4_000) for i in range(8)}
    columns["c7"] = -np.asarray(columns["c1"])
    (found,) = relations(columns)
    assert (found.a, found.b, found.value, found.rows) == ("c1", "c7", -1.0, 1_000)


def test_columns_that_never_change_or_are_nearly_empty_have_no_relations() -> None:
    x = np.arange(100.0)
    few = np.where(x < 5, x, np.nan)
    assert relations({"x": x, "same": np.ones(100), "few": few, "none": np.full(100, np.nan)}) == []
    assert relations({"x": x}, {"one": ["a"] * 100, "rare": ["a"] * 98 + ["b"] * 2}) == []


def test_independent_columns_are_silent() -> None:
    loud = 0
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        numbers = {f"x{i}": random.standard_t(3, 300) for i in range(12)}
        levels = {f"l{i}": random.integers(0, 6, 300).astype(str) for i in range(4)}
        loud += bool(relations(numbers, levels))
    assert loud <= max(1, 0.05 * SEEDS)
