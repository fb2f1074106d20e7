"""Drift: quiet where there is none, loud where there is, and clear about why.

The gate plays 20 seeds, `LOOM_SOAK=1` 200.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.kernel.verdict import Verdict
from loom.science.drift import Drift, drift

SEEDS = 200 if os.environ.get("LOOM_SOAK") else 20
ROWS = 1_001


def table(seed: int, rows: int = ROWS) -> pl.DataFrame:
    """Columns that make naive measures of drift cry out: many levels, means near zero, gaps, spikes, counts."""
    random = np.random.default_rng(seed)
    gaps = random.random(rows) < 0.02
    return pl.DataFrame(
        {
            "id": np.arange(rows) + seed * rows,
            "zero": random.normal(0, 1, rows),
            "levels": np.char.add("level ", random.integers(0, 100, rows).astype(str)),
            "codes": np.char.add("c", np.minimum(random.zipf(1.5, rows), 5_000).astype(str)),
            "gaps": [
                None if gap else value for gap, value in zip(gaps, random.normal(size=rows), strict=True)
            ],
            "count": random.poisson(2, rows),
            "heavy": random.standard_cauchy(rows),
            "spike": np.where(random.random(rows) < 0.8, 0, random.normal(10, 1, rows)),
            "flag": random.random(rows) < 0.3,
            "note": ["word " * size for size in random.integers(1, 30, rows)],
            "churned": (random.random(rows) < 0.2).astype(int),
            "score": random.beta(2, 6, rows),
        }
    )


def codes(found: Drift, column: str | None = None) -> set[str]:
    """What was found, in all or in one column."""
    return {reason.code for reason in found.reasons if column is None or reason.column == column}


def test_tables_without_drift_are_quiet() -> None:
    loud = [
        seed
        for seed in range(SEEDS)
        if drift(table(2 * seed), table(2 * seed + 1), target="churned", prediction="score").verdict
        is not Verdict.OK
    ]
    assert len(loud) <= 0.05 * SEEDS, loud


Change = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]


def _missing(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    return frame.with_columns(gaps=pl.when(pl.Series(random.random(frame.height) < 0.41)).then("gaps"))


def _flip(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    more = pl.Series(random.random(frame.height) < 0.2)
    return frame.with_columns(churned=((pl.col("churned") == 1) | more).cast(pl.Int64))


def _unseen(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    some = pl.Series(random.random(frame.height) < 0.04)
    return frame.with_columns(levels=pl.when(some).then(pl.lit("new")).otherwise("levels"))


CHANGES: dict[str, tuple[Change, str, str | None]] = {
    "missing cells from 2 to 60 %": (_missing, "missing", "gaps"),
    "six times the variance": (
        lambda t, _: t.with_columns(zero=pl.col("zero") * 6**0.5),
        "distribution",
        "zero",
    ),
    "a mean moved by a deviation": (
        lambda t, _: t.with_columns(zero=pl.col("zero") + 1),
        "distribution",
        "zero",
    ),
    "unseen levels": (_unseen, "unseen_levels", "levels"),
    "another unit": (lambda t, _: t.with_columns(spike=pl.col("spike") * 1_000), "out_of_range", "spike"),
    "longer texts": (
        lambda t, _: t.with_columns(note=pl.col("note") + pl.col("note")),
        "distribution",
        "note",
    ),
    "more answers of one kind": (_flip, "target", "churned"),
    "higher predictions": (lambda t, _: t.with_columns(score=pl.col("score") + 0.05), "prediction", "score"),
    "a new column": (lambda t, _: t.with_columns(extra=1), "new_column", "extra"),
    "a column gone": (lambda t, _: t.drop("count"), "removed_column", "count"),
    "numbers that became text": (
        lambda t, _: t.with_columns(pl.col("count").cast(pl.String)),
        "type",
        "count",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_caught_under_its_own_name(change: str) -> None:
    how, code, column = CHANGES[change]
    for seed in range(max(2, SEEDS // 10)):
        current = how(table(2 * seed), np.random.default_rng(seed))
        found = drift(current, table(2 * seed + 1), target="churned", prediction="score")
        assert found.verdict is not Verdict.OK
        assert code in codes(found, column)


def test_missing_cells_from_2_to_60_percent_are_drift_and_are_told_in_points() -> None:
    found = drift(_missing(table(0), np.random.default_rng(0)), table(1))
    assert found.verdict is Verdict.DRIFT
    assert found.columns[0].name == "gaps"
    assert found.missing_delta["gaps"] == pytest.approx(0.58, abs=0.05)


def test_a_change_that_no_single_column_shows_is_told_by_all_of_them_together() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 4_000))
    reference = pl.DataFrame({"a": x[:2_000], "b": y[:2_000]})
    current = pl.DataFrame({"a": x[2_000:], "b": x[2_000:] * np.sign(y[2_000:])})
    found = drift(current, reference)
    assert all(column.verdict is Verdict.OK for column in found.columns)
    assert codes(found) == {"domain"} and found.domain_auc is not None and found.domain_auc > 0.75


def test_target_and_predictions_come_first_and_the_rest_worst_first() -> None:
    current = table(0).with_columns(churned=1 - pl.col("churned"), zero=pl.col("zero") * 40)
    found = drift(current, table(1), target="churned")
    assert found.reasons[0].code == "target"
    assert found.target is not None and found.target.verdict is Verdict.DRIFT
    assert found.columns[0].name == "zero"
    assert {column.name for column in found.columns} == set(current.columns) - {"churned"}


def test_answers_that_are_not_known_yet_are_no_column_gone() -> None:
    found = drift(table(0).drop("churned"), table(1), target="churned")
    assert (found.target, found.removed, found.verdict) == (None, (), Verdict.OK)


def test_ids_and_dates_differ_by_nature() -> None:
    days = {
        side: pl.date_range(pl.date(year, 1, 1), pl.date(year, 12, 30), eager=True)
        for side, year in (("a", 2020), ("b", 2021))
    }
    before, now = (
        pl.DataFrame({"id": range(start, start + len(d)), "day": d})
        for start, d in ((0, days["a"][:364]), (900, days["b"]))
    )
    found = drift(now, before)
    assert found.verdict is Verdict.OK
    assert {column.compared_as for column in found.columns} == {"gaps"}


def test_the_parts_of_a_time_move_on() -> None:
    months = [1 + i % 12 for i in range(240)]
    before, now = (pl.DataFrame({"year": [year] * 240, "month": months}) for year in (2020, 2021))
    assert drift(now, before, time=["year", "month"]).verdict is Verdict.OK
    assert drift(now, before).verdict is Verdict.DRIFT


def test_whole_numbers_and_fractions_are_one_kind_and_so_are_0_and_false() -> None:
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2, 500)
    reference = pl.DataFrame({"n": random.integers(0, 50, 500), "b": numbers, "y": numbers})
    current = pl.DataFrame({"n": random.integers(0, 50, 500) * 1.0, "b": numbers == 1, "y": numbers * 1.0})
    assert drift(current, reference, target="y").verdict is Verdict.OK


ODD = {
    "*": [1.5] * 60,
    "^a.*$": ["x", None] * 30,
    "": [float("nan"), float("inf"), -float("inf"), 1.0] * 15,
    "none": [None] * 60,
    "list": [[1], [2, 3]] * 30,
    "huge": [1e308, -1e308] * 30,
    "é😀\n": [" ", "{}"] * 30,
}


@pytest.mark.parametrize("rows", [1, 2, 60])
def test_odd_columns_compare_with_themselves_in_silence(rows: int) -> None:
    frame = pl.DataFrame(ODD, strict=False).head(rows)
    found = drift(frame, pl.DataFrame(ODD, strict=False))
    assert codes(found) <= {"missing"} if rows < 60 else found.verdict is Verdict.OK
    plain = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert {"columns", "share", "domain_auc", "missing_delta", "verdict", "reasons"} <= set(plain)


def test_a_column_that_never_changed_and_now_does_has_drifted() -> None:
    reference = pl.DataFrame({"n": [5] * 300, "w": ["a"] * 300})
    current = pl.DataFrame({"n": [3] * 300, "w": ["a", "b"] * 150})
    found = drift(current, reference)
    assert {column.verdict for column in found.columns} == {Verdict.DRIFT}


@pytest.mark.parametrize("empty", ["current", "reference"])
def test_a_table_without_rows_is_an_error(empty: str) -> None:
    full = pl.DataFrame({"a": [1, 2]})
    sides = {"current": full, "reference": full, empty: full.clear()}
    with pytest.raises(LoomError, match=f"the {empty} table has no rows"):
        drift(sides["current"], sides["reference"])


def test_a_target_that_the_reference_lacks_is_an_error() -> None:
    with pytest.raises(LoomError, match="`y`"):
        drift(pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), target="y")


def test_the_same_tables_give_the_same_figures() -> None:
    one, two = (drift(table(0, 30_000), table(1, 25_000)).as_json() for _ in range(2))
    assert one == two


def test_no_value_of_a_column_comes_out() -> None:
    reference = pl.DataFrame({"w": ["canary-one"] * 200 + ["b"] * 200, "n": [123_456.0] * 200 + [1.0] * 200})
    current = pl.DataFrame({"w": ["canary-two"] * 400, "n": [654_321.0] * 400})
    said = json.dumps(drift(current, reference).as_json())
    assert not [canary for canary in ("canary", "123456", "654321") if canary in said]
