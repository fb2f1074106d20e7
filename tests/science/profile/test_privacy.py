"""The privacy line: what a profile says shows no cell of the table."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from loom.science.disclosure import may_show_level, moments_of, quantiles_of
from loom.science.profile import profile
from loom.science.profile.inspection import inspect

ROWS = 2_000


def planted() -> tuple[pl.DataFrame, list[str]]:
    """A table in which every column holds one value of its own, and what those values look like."""
    random = np.random.default_rng(0)
    words = random.choice(["red", "green"], ROWS).tolist()
    frame = pl.DataFrame(
        {
            "amount": [9_876_543.21, -8_765_432.19, 1.23456789, *random.normal(size=ROWS - 3)],
            "count": [7_654_321, *random.integers(0, 50, ROWS - 1).tolist()],
            "colour": ["canary-colour", *words[1:]],
            "note": ["canary note with words", *["some words here"] * (ROWS - 1)],
            "code": [f"canarycode{i}" for i in range(ROWS)],
            "email": [f"canary{i}@mail.example" for i in range(ROWS)],
            "surname": random.choice([f"Canaryname{i}" for i in range(12)], ROWS),
            "born": [date(1955, 5, 5), *[date(1990, 1, 1) + timedelta(days=i % 99) for i in range(ROWS - 1)]],
            "paid": ["canarypaid", *(f"{i}.25" for i in range(ROWS - 1))],
            "nested": [{"canarykey": i} for i in range(ROWS)],
            "target": ["canarytarget", *words[1:]],
        }
    )
    return frame, ["canary", "Canary", "9876543", "8765432", "1.23456", "7654321", "1955", "surname1"]


def test_no_planted_value_comes_out_of_a_profile() -> None:
    frame, canaries = planted()
    said = json.dumps({**profile(frame).as_json(), "columns": _values_of(frame)})
    assert [canary for canary in canaries if canary in said] == []
    assert "red" in said


def _values_of(frame: pl.DataFrame) -> list[object]:
    """All that is said of the columns, without their types: a nested type names its keys."""
    return [one.as_json() | {"dtype": None} for one in profile(frame).columns]


def test_the_type_of_a_nested_column_does_not_name_its_keys() -> None:
    frame, _ = planted()
    (found,), _ = inspect(frame.select("nested"), 0)
    assert found.dtype == "struct"


def test_a_quantile_needs_five_rows_on_both_sides() -> None:
    values = tuple(float(i) for i in range(7))
    assert quantiles_of(values, 9) is None
    assert set(quantiles_of(values, 100) or {}) == {"p5", "p25", "p50", "p75", "p95"}
    assert set(quantiles_of(values, 500) or {}) == {"p1", "p5", "p25", "p50", "p75", "p95", "p99"}


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((1.23456, 2.3456, 3.4567, 4.5678, 5.6789, 6.7891, 7.8912), 4.57),
        ((123_456.0, 234_567.0, 345_678.0, 456_789.0, 567_891.0, 678_912.0, 789_123.0), 457_000.0),
        (
            (1e9 + 0.001, 1e9 + 0.011, 1e9 + 0.021, 1e9 + 0.03456, 1e9 + 0.041, 1e9 + 0.05, 1e9 + 0.06),
            1e9 + 0.0346,
        ),
        ((5.55555,) * 7, 5.56),
        ((0.0,) * 7, 0.0),
        ((-1e308, 0.0, 1.0, 2.0, 3.0, 4.0, 1e308), 2.0),
    ],
)
def test_quantiles_are_rounded_to_a_hundredth_of_the_spread(values: tuple[float, ...], shown: float) -> None:
    assert (quantiles_of(values, 10_000) or {})["p50"] == pytest.approx(shown, rel=1e-12)


def test_dates_are_shown_as_months_days_or_hours() -> None:
    years = [i * 400 * 86_400.0 for i in range(7)]
    months = [1.6e9 + i * 20 * 86_400.0 for i in range(7)]
    hours = [1.6e9 + i * 3_601.0 for i in range(7)]
    assert (moments_of(years, 1_000) or {})["p50"] == "1973-04"
    assert (moments_of(months, 1_000) or {})["p50"] == "2020-11-12"
    assert (moments_of(hours, 1_000) or {})["p50"] == "2020-09-13T15:00"
    assert moments_of([None] * 7, 0) is None
    assert moments_of([9e17] * 7, 1_000) is None


def test_a_level_needs_twenty_rows_and_one_percent() -> None:
    assert may_show_level(20, 2_000) and not may_show_level(19, 100) and not may_show_level(20, 2_001)


def test_a_personal_name_hides_values_but_not_those_of_a_switch() -> None:
    names = pl.Series("last_name", [f"Name{i % 12}" for i in range(1_200)])
    switch = pl.Series("phone", ["yes", "no"] * 600)
    (hidden, shown), _ = inspect(pl.DataFrame([names, switch]), 0)
    assert (hidden.levels, [level.level for level in shown.levels]) == ((), ["no", "yes"])
    (age,), _ = inspect(pl.DataFrame({"account": np.arange(500) % 300 * 1.5}), 0)
    assert age.quantiles() is None
