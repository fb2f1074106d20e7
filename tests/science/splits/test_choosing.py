"""The splitting fits the table, and by a look at every pair of rows nothing is on both sides of it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise, product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, StratifiedKFold

from loom.kernel.errors import LoomError
from loom.science.splits import Splitting, choose, marks, overlap

SOAK = bool(os.environ.get("LOOM_SOAK"))
PLAYED = 1_000 if SOAK else 40


@st.composite
def tables(draw: st.DrawFn) -> tuple[pl.DataFrame, str, int]:
    """A small table with ties in time, entities that stay or go, repeated rows, and a target of any task."""
    rows = draw(st.integers(12, 48))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    task = draw(st.sampled_from(["binary", "multiclass", "regression"]))
    moments = draw(st.integers(4, rows))
    time = np.sort(random.integers(0, moments, rows))
    entities = draw(st.integers(3, rows))
    leaves = draw(st.booleans())
    group = time * entities // moments if leaves else random.integers(0, entities, rows)
    target = (
        random.normal(size=rows) if task == "regression" else np.arange(rows) % (2 if task == "binary" else 3)
    )
    order = random.permutation(rows)
    frame = pl.DataFrame(
        {
            "t": time[order],
            "g": [f"entity {one}" for one in group[order]],
            "x": random.integers(0, draw(st.integers(3, 60)), rows),
            "y": target[order] if task == "regression" else target,
        }
    )
    return frame, task, draw(st.integers(2, 5))


def made(frame: pl.DataFrame, task: str, folds: int, **how: Any) -> Splitting | None:
    """The splitting; none where it is refused."""
    try:
        return choose(frame, target="y", task=task, folds=folds, **how)  # type: ignore[arg-type]
    except LoomError as refused:
        assert refused.what.startswith("rows cannot be ")
        return None


def pairs(found: Splitting) -> Sequence[tuple[int, int]]:
    """Every pair of a row learned from and a row tested, over all folds."""
    return [pair for fold in found.folds for pair in product(fold.train.tolist(), fold.test.tolist())]


def assert_whole(found: Splitting, rows: int) -> None:
    """Every row is tested once, and learned from or counted in every other fold."""
    assert sorted(np.concatenate([fold.test for fold in found.folds]).tolist()) == list(range(rows))
    for fold in found.folds:
        assert len(fold.train) and len(fold.test)
        assert len(fold.train) + len(fold.test) + fold.purged + fold.embargoed + fold.kin == rows


@settings(max_examples=PLAYED, deadline=None, derandomize=not SOAK, database=None)
@given(tables())
def test_shuffled_rows_that_are_equal_are_never_on_both_sides(case: tuple[pl.DataFrame, str, int]) -> None:
    frame, task, folds = case
    found = made(frame, task, folds, without=["g", "t"])
    if found is None:
        return
    assert_whole(found, len(frame))
    assert found.kind in ("stratified", "kfold")
    x = frame["x"].to_list()
    assert found.crowded or all(x[one] != x[other] for one, other in pairs(found))


@settings(max_examples=PLAYED, deadline=None, derandomize=not SOAK, database=None)
@given(tables())
def test_an_entity_is_never_on_both_sides(case: tuple[pl.DataFrame, str, int]) -> None:
    frame, task, folds = case
    found = made(frame, task, folds, group="g")
    if found is None:
        return
    assert_whole(found, len(frame))
    assert found.kind == "group"
    g = frame["g"].to_list()
    assert all(g[one] != g[other] for one, other in pairs(found))


@settings(max_examples=PLAYED, deadline=None, derandomize=not SOAK, database=None)
@given(tables(), st.integers(0, 3), st.sampled_from([None, 0, 2]))
def test_no_interval_reaches_from_one_side_to_the_other(
    case: tuple[pl.DataFrame, str, int], horizon: int, embargo: int | None
) -> None:
    frame, task, folds = case
    found = made(frame, task, folds, time=["t"], horizon=horizon, embargo=embargo)
    if found is None:
        return
    assert_whole(found, len(frame))
    assert (found.kind, found.horizon, found.horizon_assumed) == ("time", horizon, False)
    t = frame["t"].to_list()
    assert all(abs(t[one] - t[other]) > horizon for one, other in pairs(found))
    for fold in found.folds:
        last = max(t[row] for row in fold.test) + horizon
        assert not [row for row in fold.train if last < t[row] <= last + (embargo or 0)]
    blocks = sorted([t[row] for row in fold.test] for fold in found.folds)
    assert all(max(one) < min(other) for one, other in pairwise(sorted(blocks, key=min)))


@settings(max_examples=PLAYED, deadline=None, derandomize=not SOAK, database=None)
@given(tables(), st.integers(0, 2))
def test_with_time_and_group_neither_is_on_both_sides(
    case: tuple[pl.DataFrame, str, int], horizon: int
) -> None:
    frame, task, folds = case
    found = made(frame, task, folds, time=["t"], group="g", horizon=horizon)
    if found is None:
        return
    assert found.kind == "time+group"
    t, g = frame["t"].to_list(), frame["g"].to_list()
    assert all(abs(t[one] - t[other]) > horizon and g[one] != g[other] for one, other in pairs(found))
    tested = np.concatenate([fold.test for fold in found.folds])
    assert len(np.unique(tested)) == len(tested)
    known = marks(frame, target="y", time=["t"], group="g", horizon=horizon)
    for fold in found.folds:
        shared = overlap(known.at(fold.train), known.at(fold.test))
        assert (shared.groups, shared.times) == (0, 0)


@settings(max_examples=PLAYED, deadline=None, derandomize=not SOAK, database=None)
@given(tables())
def test_folds_are_as_large_as_scikit_learns(case: tuple[pl.DataFrame, str, int]) -> None:
    frame, task, folds = case
    frame = frame.with_columns(pl.Series("x", range(len(frame))))
    if task == "regression":
        return
    found = choose(frame, target="y", task=task, folds=folds, without=["g", "t"])  # type: ignore[arg-type]
    y = frame["y"].to_numpy()
    folds = min(folds, int(np.bincount(y).min()))
    oracle = [test for _, test in StratifiedKFold(folds).split(y, y)]
    assert sorted(len(fold.test) for fold in found.folds) == sorted(len(test) for test in oracle)
    for one in np.unique(y):
        ours, theirs = (
            [int((y[test] == one).sum()) for test in tests]
            for tests in ([f.test for f in found.folds], oracle)
        )
        assert sorted(ours) == sorted(theirs)


@settings(max_examples=PLAYED, deadline=None, derandomize=not SOAK, database=None)
@given(st.lists(st.integers(1, 9), min_size=5, max_size=30), st.integers(2, 5))
def test_entities_of_one_class_are_dealt_as_evenly_as_scikit_learns(sizes: list[int], folds: int) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    frame = pl.DataFrame({"g": groups, "y": np.zeros(len(groups))})
    found = choose(frame, target="y", task="regression", group="g", folds=folds)
    oracle = [len(test) for _, test in GroupKFold(folds).split(groups, groups=groups)]
    assert sorted(len(fold.test) for fold in found.folds) == sorted(oracle)


def panel(entities: int = 40, days: int = 60) -> pl.DataFrame:
    """Entities that are all there every day."""
    random = np.random.default_rng(0)
    size = entities * days
    return pl.DataFrame(
        {
            "day": [date(2024, 1, 1) + timedelta(days=day) for day in range(days) for _ in range(entities)],
            "customer": list(range(entities)) * days,
            "x": random.normal(size=size),
            "y": random.integers(0, 2, size),
        }
    )


def test_the_reason_is_recorded_and_row_numbers_are_not() -> None:
    frame = panel()
    found = {
        kind: choose(frame, target="y", task="binary", **how).as_json()  # type: ignore[arg-type]
        for kind, how in {
            "time": {"time": ["day"], "horizon": "2d"},
            "group": {"group": "customer"},
            "time+group": {"time": ["day"], "group": "customer"},
            "stratified": {},
        }.items()
    }
    for kind, plain in found.items():
        assert json.loads(json.dumps(plain)) == plain
        assert plain["kind"] == kind
        assert len(plain["folds"]) == 5
    assert (found["time"]["horizon"], found["time"]["embargo"]) == ("2d", "14.16h")
    assert found["time"]["n_purged"] == 40 * 2 * (1 + 2 + 2 + 2 + 1)
    assert found["time"]["n_embargoed"] == 0  # a day is longer than the embargo of 14 hours
    assert not found["time"]["horizon_assumed"] and found["time+group"]["horizon_assumed"]
    assert "one of 5 parts" in found["time+group"]["why"]
    assert found["stratified"]["horizon"] is found["stratified"]["embargo"] is None


def test_the_embargo_is_the_longest_look_back_unless_it_is_declared() -> None:
    frame = panel()
    longer = choose(frame, target="y", task="binary", time=["day"], look_back="3d")
    assert longer.embargo == "3d"
    assert [fold.embargoed for fold in longer.folds] == [120, 120, 120, 120, 0]
    declared = choose(frame, target="y", task="binary", time=["day"], look_back="3d", embargo="1d")
    assert declared.embargo == "1d"


def test_entities_that_come_and_go_are_left_out_and_every_row_is_tested() -> None:
    frame = panel().with_columns(customer=pl.col("day").dt.ordinal_day() // 3)
    found = choose(frame, target="y", task="binary", time=["day"], group="customer")
    assert "parts" not in found.why
    assert_whole(found, len(frame))


def test_rows_without_a_target_are_in_no_fold_and_it_is_noted() -> None:
    frame = panel().with_columns(y=pl.when(pl.col("customer") == 3).then(None).otherwise(pl.col("y")))
    for how in ({}, {"group": "customer"}, {"time": ["day"]}):
        found = choose(frame, target="y", task="binary", **how)  # type: ignore[arg-type]
        lost = set(np.flatnonzero(frame["y"].is_null().to_numpy()).tolist())
        assert not lost & {row for fold in found.folds for row in (*fold.train.tolist(), *fold.test.tolist())}
        assert len(found.tested) == len(frame) - len(lost)
        assert found.notes == ("60 rows without a target are in no fold",)


def test_a_class_with_few_members_makes_fewer_folds_and_one_with_a_single_one_is_refused() -> None:
    frame = pl.DataFrame({"x": range(40), "y": ["a"] * 20 + ["b"] * 17 + ["c"] * 3})
    found = choose(frame, target="y", task="multiclass")
    assert len(found.folds) == 3
    assert found.notes == ("3 folds instead of 5: a class has too few rows",)
    for fold in found.folds:
        assert set(frame["y"].gather(fold.test)) == {"a", "b", "c"}
    with pytest.raises(LoomError, match="1 of 3 classes have fewer than two rows"):
        choose(frame.head(38), target="y", task="multiclass")
    with pytest.raises(LoomError, match="fewer than two entities"):
        choose(frame.with_columns(g=pl.col("y")), target="y", task="multiclass", group="g")


def test_an_early_time_without_a_class_makes_fewer_blocks_or_a_note() -> None:
    frame = pl.DataFrame({"t": range(100), "y": [0] * 30 + [0, 1] * 35})
    fewer = choose(frame, target="y", task="binary", time=["t"])
    assert len(fewer.folds) == 3
    assert fewer.notes[0].startswith("3 folds instead of 5")
    late = choose(frame.with_columns(y=(pl.col("t") >= 60).cast(int)), target="y", task="binary", time=["t"])
    assert "test blocks hold one class only" in late.notes[-1]


def test_a_table_of_few_combinations_is_shuffled_and_says_so() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"x": random.integers(0, 3, 500), "y": random.integers(0, 2, 500)})
    found = choose(frame, target="y", task="binary")
    assert found.crowded
    assert "3 different combinations" in found.notes[0]
    assert len(found.folds) == 5


def test_a_regression_is_dealt_by_tenths_and_a_tiny_one_at_random() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"x": random.normal(size=1_000), "y": random.lognormal(size=1_000)})
    found = choose(frame, target="y", task="regression")
    means = [float(frame["y"].gather(fold.test).median()) for fold in found.folds]  # type: ignore[arg-type]
    assert np.ptp(means) < 0.1
    assert choose(frame.head(8), target="y", task="regression").kind == "kfold"


def test_the_same_seed_makes_the_same_folds_and_another_makes_others() -> None:
    frame = panel()
    one, again, other = (choose(frame, target="y", task="binary", seed=seed) for seed in (1, 1, 2))
    assert all((a.test == b.test).all() for a, b in zip(one.folds, again.folds, strict=True))
    assert any(set(a.test) != set(b.test) for a, b in zip(one.folds, other.folds, strict=True))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"target": "z"}, "there is no column `z`"),
        ({"time": ["z"]}, "there is no column `z`"),
        ({"group": "z"}, "there is no column `z`"),
        ({"folds": 1}, "no cross-validation"),
        ({"time": ["still"]}, "all rows have the same time"),
        ({"time": ["day"], "horizon": "90d"}, "horizon and embargo take the rest"),
        ({"group": "still"}, "fewer than two entities"),
    ],
)
def test_what_cannot_be_split_is_refused(how: dict[str, Any], said: str) -> None:
    frame = panel().with_columns(still=pl.lit(1))
    with pytest.raises(LoomError) as refused:
        choose(frame, **{"target": "y", "task": "binary", **how})
    assert said in str(refused.value)


def test_a_giant_entity_makes_uneven_folds_and_it_is_noted() -> None:
    frame = pl.DataFrame({"g": [0] * 60 + list(range(1, 41)), "y": [0, 1] * 50})
    found = choose(frame, target="y", task="binary", group="g")
    assert sorted(len(fold.test) for fold in found.folds) == [10, 10, 10, 10, 60]
    assert "60 of 100 rows" in found.notes[-1]
