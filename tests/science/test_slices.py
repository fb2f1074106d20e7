"""Slices: a corner where the model is wrong is found and named, and honest data has none.

The gate plays 8 seeds, `LOOM_SOAK=1` 200.
"""

from __future__ import annotations

import json
import os

import numpy as np
import polars as pl
import pytest
from lightgbm import LGBMClassifier

from loom.science.slices import EFFECT, Slice, find
from tests.science.trust_data import customers, leaving, outcomes

SEEDS = 200 if os.environ.get("LOOM_SOAK") else 8
ROWS = 6_000
RNG = np.random.default_rng


def flipped(seed: int, where: pl.Expr, rows: int = ROWS) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Customers, answers that are turned round in one part of them, and the chances without that."""
    rng = RNG(seed)
    frame = customers(rng, rows)
    p = leaving(frame)
    y = outcomes(p, rng)
    return frame, np.where(frame.select(where).to_series().to_numpy(), 1 - y, y), p


def test_right_chances_have_no_slices() -> None:
    loud = []
    for seed in range(SEEDS):
        rng = RNG(seed)
        rows = (ROWS, 1_500)[seed % 2]
        frame = customers(rng, rows)
        p = leaving(frame)
        if find(frame, outcomes(p, rng), p):
            loud.append(seed)
    assert len(loud) <= 0.03 * SEEDS, loud


def test_a_fitted_model_of_honest_data_has_no_slices() -> None:
    loud = []
    for seed in range(max(2, SEEDS // 4)):
        rng = RNG(seed)
        frame = customers(rng, 2 * ROWS)
        y = outcomes(leaving(frame), rng)
        levels = frame.select(pl.exclude("customer", "plan", "active")).with_columns(
            frame["plan"].rank("dense")
        )
        model = LGBMClassifier(n_estimators=40, num_leaves=15, random_state=0, n_jobs=1, verbosity=-1)
        train, test = levels[:ROWS].to_numpy(), levels[ROWS:].to_numpy()
        p = model.fit(train, y[:ROWS]).booster_.predict(test, num_threads=1)
        if find(frame[ROWS:], y[ROWS:], p):
            loud.append(seed)
    assert len(loud) <= 0.03 * SEEDS, loud


@pytest.mark.parametrize("noise", ["cauchy", "growing", "skewed"])
def test_amounts_with_odd_noise_have_no_slices(noise: str) -> None:
    loud = []
    for seed in range(max(3, SEEDS // 2)):
        rng = RNG(seed)
        frame = customers(rng, 2_000)
        errors = {
            "cauchy": rng.standard_cauchy(2_000),
            "growing": rng.normal(size=2_000) * np.exp(0.7 * frame["x2"].to_numpy()),
            "skewed": np.exp(rng.normal(size=2_000)) - np.exp(0.5),
        }[noise]
        p = 3 * frame["x0"].to_numpy()
        if find(frame, p + errors, p):
            loud.append(seed)
    assert len(loud) <= 0.03 * SEEDS, loud


def test_entities_are_not_taken_for_as_many_as_they_have_rows() -> None:
    loud, careless = 0, 0
    for seed in range(SEEDS):
        rng = RNG(seed)
        entity = np.repeat(np.arange(200), 10)
        frame = customers(rng, 200)[entity]
        p = rng.normal(size=2_000)
        y = p + rng.normal(size=200)[entity] + rng.normal(size=2_000)
        loud += bool(find(frame, y, p, clusters=entity))
        careless += bool(find(frame, y, p))
    assert loud <= max(1, 0.03 * SEEDS)
    assert careless > 0.5 * SEEDS


def test_a_level_times_a_bin_with_turned_labels_is_found_and_named_once() -> None:
    for seed in range(max(2, SEEDS // 4)):
        frame, y, p = flipped(seed, (pl.col("plan") == "basic") & (pl.col("x4") > 0.67))
        found = find(frame, y, p)
        assert len(found) == 1, [each.name for each in found]
        assert set(found[0].columns) == {"plan", "x4"}
        assert "plan = basic" in found[0].name
        assert "x4 > 0." in found[0].name
        assert 450 < found[0].rows < 750
        assert found[0].effect >= EFFECT
        assert found[0].q < 1e-6


def test_a_whole_level_is_reported_and_not_its_parts() -> None:
    found = find(*flipped(0, pl.col("plan") == "team"))
    assert [each.name for each in found] == ["plan = team"]


def test_two_defects_are_two_slices() -> None:
    found = find(*flipped(1, (pl.col("plan") == "team") | (pl.col("x3") < -1.2)))
    assert [set(each.columns) for each in found[:2]] in ([{"plan"}, {"x3"}], [{"x3"}, {"plan"}])


def test_missing_cells_are_a_slice() -> None:
    found = find(*flipped(2, pl.col("income").is_nan()))
    assert [each.name for each in found] == ["income is missing"]


def test_a_part_where_amounts_are_too_low_is_found_in_either_direction() -> None:
    for sign in (1, -1):
        rng = RNG(3)
        frame = customers(rng, 3_000)
        p = frame["x0"].to_numpy()
        bias = sign * 1.5 * (frame["plan"] == "pro").to_numpy()
        found = find(frame, p + bias + rng.normal(size=3_000), p)
        assert [each.name for each in found] == ["plan = pro"]
        assert np.sign(found[0].effect) == sign


def test_a_part_where_classes_are_mixed_up_is_found() -> None:
    rng = RNG(4)
    frame = customers(rng, 4_000)
    p = rng.dirichlet([1, 1, 1], 4_000)
    y = np.minimum((p.cumsum(axis=1) > rng.random((4_000, 1))).argmax(axis=1), 2)
    y = np.where((frame["plan"] == "pro").to_numpy(), (y + 1) % 3, y)
    assert [each.name for each in find(frame, y, p)] == ["plan = pro"]


def test_rows_that_are_hard_to_tell_are_no_defect() -> None:
    rng = RNG(5)
    frame = customers(rng, ROWS)
    p = np.where((frame["plan"] == "pro").to_numpy(), 0.5, 0.03)
    assert not find(frame, outcomes(p, rng), p)


def test_a_level_that_may_not_be_shown_is_called_by_its_number() -> None:
    frame, y, p = flipped(6, pl.col("plan") == "team")
    mails = frame.select(email=pl.col("plan") + "@example.org", phone=pl.col("plan"), plan=pl.col("plan"))
    assert [each.name for each in find(mails.select("email"), y, p)] == ["email = level #3"]
    assert [each.name for each in find(mails.select("phone"), y, p)] == ["phone = level #3"]


def test_cuts_are_rounded_so_that_none_is_a_cell() -> None:
    rng = RNG(7)
    secret = np.round(np.exp(rng.normal(10, 1, ROWS)), 2) + 0.007
    y, p = outcomes(np.full(ROWS, 0.2), rng), np.full(ROWS, 0.2)
    y = np.where(secret > 45_000, 1, y)
    found = find(pl.DataFrame({"salary": secret}), y, p)
    assert found[0].name.startswith("salary > ")
    cut = float(found[0].name.removeprefix("salary > "))
    assert cut % 100 == 0
    # the name is exact: it says which rows they are
    assert int((secret > cut).sum()) == found[0].rows


def test_days_are_told_as_days() -> None:
    rng = RNG(8)
    days = pl.Series("day", rng.integers(0, 700, 3_000)).cast(pl.Date)
    y = (days.to_physical().to_numpy() > 525).astype(int)
    found = find(pl.DataFrame({"day": days}), y, np.full(3_000, 0.05))
    assert found[0].name.startswith("day > 1971-0")


def test_a_part_that_is_wholly_wrong_while_the_rest_is_wholly_right_is_found() -> None:
    plan = pl.Series("plan", ["a", "b", "c", "d"] * 300)
    y = (plan == "b").cast(pl.Int64).to_numpy()
    assert [each.name for each in find(plan.to_frame(), y, np.full(1_200, 0.01))] == ["plan = b"]
    amounts = np.where(y == 1, 2.0, 0.0)
    assert [each.name for each in find(plan.to_frame(), amounts, np.zeros(1_200))] == ["plan = b"]


def test_odd_columns_do_no_harm() -> None:
    rng = RNG(9)
    rows = 400
    frame = pl.DataFrame(
        {
            "constant": [1] * rows,
            "empty": pl.Series([None] * rows, dtype=pl.Null),
            "nothing": pl.Series([None] * rows, dtype=pl.String),
            "nan": [float("nan")] * rows,
            "endless": np.where(rng.random(rows) < 0.5, np.inf, 1.0),
            "lists": [[1]] * rows,
            "id": np.arange(rows),
            "huge": rng.random(rows) * 1e300,
            "tiny": rng.random(rows) * 1e-300,
            "kind": pl.Series(["a", "b"] * (rows // 2), dtype=pl.Categorical),
            "text": [f"text {at}" for at in range(rows)],
            "when": pl.Series(np.arange(rows) * 1_000_000, dtype=pl.Duration("us")),
        }
    )
    p = rng.random(rows)
    assert find(frame, outcomes(p, rng), p) == ()
    assert find(frame, np.zeros(rows, int), np.zeros(rows)) == ()
    assert find(frame.head(50), np.zeros(50, int), np.full(50, 0.5)) == ()
    assert find(pl.DataFrame(), np.zeros(300, int), np.full(300, 0.5)) == ()
    assert find(frame, np.full(rows, 2.0), np.full(rows, 2.0)) == ()


def test_a_slice_is_plain_data_and_a_reason() -> None:
    frame, y, p = flipped(0, pl.col("plan") == "team")
    found: Slice = find(frame, y, p)[0]
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert told["name"] == "plan = team"
    assert told["n"] == found.rows
    reason = found.as_reason()
    assert (reason.code, reason.severity, reason.column) == ("slice", "warning", "plan")
    assert "plan = team" in reason.what
