"""Leaks that no column shows: repeated rows, order, dates, entities, columns in company, and the canary."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from loom.science.leakage import Leakage, leakage
from tests.science import leak_suite as suite

SOAK = bool(os.environ.get("LOOM_SOAK"))
RNG = np.random.default_rng


def _status(found: Leakage) -> dict[str, str]:
    return {check.code: check.status for check in found.checks}


def test_checks_of_the_table_stay_quiet_on_honest_tables() -> None:
    tripped: Counter[str] = Counter()
    seeds = 200 if SOAK else 2
    for seed in range(seeds):
        for task in suite.TASKS:
            rng = RNG([seed, 7])
            noise = {f"n{k}": rng.normal(size=800) for k in range(4)} | {"g_id": rng.integers(0, 200, 800)}
            frame = suite.table(task, suite.outcome(task, rng, 800), rng, **noise)
            found = leakage(frame[:600], "outcome", test=frame[600:], seed=seed)
            assert not found.flags
            tripped.update(f"{task} {each.reason}" for each in found.suspects)
    assert all(count <= max(1, 0.01 * seeds) for count in tripped.values()), tripped


def test_rows_that_contradict_each_other_are_counted() -> None:
    frame = pl.DataFrame({"a": ["x", "x", "y"] * 40, "b": list(range(40)) * 3, "y": [0, 1, 0] * 40})
    check = next(check for check in leakage(frame, "y").checks if check.code == "conflicts")
    assert check.rows > 0


def test_nearly_equal_rows_are_noted() -> None:
    rng = RNG(7)
    frame = pl.DataFrame({f"c{k}": rng.normal(100, 10, 500) for k in range(5)} | {"y": rng.random(500) < 0.5})
    again = frame.with_columns(pl.selectors.float() * 1.00001)
    found = leakage(pl.concat([frame, again]), "y")
    check = {check.code: check for check in found.checks}["near_duplicates"]
    assert check.status == "note"
    assert check.rows > 800
    assert {check.code: check for check in leakage(frame, "y").checks}["near_duplicates"].status == "ok"


def test_equal_rows_of_a_table_of_few_levels_are_chance() -> None:
    rng = RNG(8)
    frame = pl.DataFrame(
        {name: rng.choice(["a", "b", "c"], 900) for name in "uvw"} | {"y": rng.random(900) < 0.5}
    )
    found = leakage(frame[:600], "y", test=frame[600:])
    assert _status(found)["train_test_overlap"] == "ok"
    assert _status(found)["duplicates"] == "ok"


def test_overlap_is_seen_through_other_types_and_other_columns() -> None:
    rng = RNG(9)
    frame = pl.DataFrame(
        {
            "a": rng.integers(0, 10**6, 400),
            "b": rng.normal(size=400),
            "extra": rng.normal(size=400),
            "y": rng.random(400) < 0.5,
        }
    )
    test = frame[:100].select(pl.col("b"), pl.col("a").cast(pl.Float64), pl.lit("new").alias("other"))
    found = leakage(frame, "y", test=test)
    check = {check.code: check for check in found.checks}["train_test_overlap"]
    assert (check.status, check.rows) == ("suspect", 100)


def test_dates_after_the_rows_own_time_are_suspects() -> None:
    rng = RNG(10)
    start = [date(2024, 1, 1) + timedelta(days=int(day)) for day in rng.integers(0, 300, 400)]
    later = [
        day + timedelta(days=int(gap)) for day, gap in zip(start, rng.integers(-50, 20, 400), strict=True)
    ]
    frame = pl.DataFrame(
        {"seen": start, "closed": later, "n": rng.normal(size=400), "y": rng.random(400) < 0.5}
    )
    found = leakage(frame, "y", time=("seen",))
    assert ("closed", "future_dated") in {(each.column, each.reason) for each in found.suspects}
    assert _status(leakage(frame, "y"))["future_dated"] == "skipped"
    ahead = leakage(frame, "y", now=datetime(2024, 6, 1, tzinfo=UTC))
    assert {each.column for each in ahead.suspects if each.reason == "future_dated"} == {"seen", "closed"}


def test_an_entity_on_both_sides_is_found_whether_it_was_declared_or_not() -> None:
    rng = RNG(11)
    person = rng.integers(0, 200, 2_000)
    traits = rng.normal(size=(200, 4))[person]
    y = (rng.random(200) < 0.4)[person] ^ (rng.random(2_000) < 0.1)
    frame = pl.DataFrame({"person_id": person, **{f"t{k}": traits[:, k] for k in range(4)}, "y": y})
    for group in (None, "person_id"):
        assert _status(leakage(frame, "y", group=group))["entity_on_both_sides"] == "suspect"


def test_two_columns_that_only_together_know_the_answer_are_found() -> None:
    rng = RNG(12)
    a, b = rng.normal(size=3_000), rng.normal(size=3_000)
    found = leakage(pl.DataFrame({"a": a, "b": b, "y": (a > 0) ^ (b > 0)}), "y")
    assert not found.flags
    assert (None, "together") in {(each.column, each.reason) for each in found.suspects}


def test_the_canary_falls_to_chance_and_says_what_chance_is() -> None:
    found = suite.look(suite.strong("binary", RNG(13)), 0)
    check = {check.code: check for check in found.checks}["canary"]
    assert check.status == "ok"
    assert check.value is not None
    assert check.threshold is not None
    assert 0.4 < check.value <= check.threshold < 0.6


def test_an_order_that_a_declared_time_explains_is_only_noted() -> None:
    y = np.arange(600) > 300
    frame = pl.DataFrame({"month": np.arange(600) // 50, "n": RNG(22).normal(size=600), "y": y})
    assert _status(leakage(frame, "y"))["row_order"] == "suspect"
    assert _status(leakage(frame, "y", time=("month",)))["row_order"] == "note"
