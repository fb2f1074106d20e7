"""Planted leaks are flagged under the right reason, and honest columns are never dropped."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.columns import Columns
from loom.science.leakage import Leakage, leakage
from tests.science import leak_suite as suite

SOAK = bool(os.environ.get("LOOM_SOAK"))
DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
RNG = np.random.default_rng

LEAK_SEEDS = range(20 if SOAK else 1)
HONEST_SEEDS = range(20 if SOAK else 2)


def _reasons(found: Leakage) -> dict[str | None, str]:
    return {each.column: each.reason for each in found.flags}


def _status(found: Leakage) -> dict[str, str]:
    return {check.code: check.status for check in found.checks}


@pytest.mark.parametrize("task", suite.TASKS)
@pytest.mark.parametrize("name", suite.LEAKS)
def test_a_planted_leak_is_found_under_its_reason_and_nothing_else_is_dropped(name: str, task: str) -> None:
    for seed in LEAK_SEEDS:
        case = suite.LEAKS[name](task, suite.seeded(name, task, seed))
        found = suite.look(case, seed)
        assert suite.caught(case, found), (seed, found.as_json())
        assert {each.column for each in found.flags} <= {case.column}, seed
        if case.column is not None:
            assert {each.column for each in found.flags} == {case.column}, seed


@pytest.mark.parametrize("task", suite.TASKS)
@pytest.mark.parametrize("name", suite.HONEST)
def test_an_honest_column_is_never_dropped(name: str, task: str) -> None:
    for seed in HONEST_SEEDS:
        case = suite.HONEST[name](task, suite.seeded(name, task, seed))
        found = suite.look(case, seed)
        assert {each.column for each in found.flags} <= {case.column}, seed
        assert not found.blocking


@pytest.mark.parametrize("name", suite.RARE)
def test_noise_against_a_rare_target_is_never_dropped_nor_suspected(name: str) -> None:
    for seed in HONEST_SEEDS:
        found = suite.look(suite.RARE[name]("binary", suite.seeded(name, "binary", seed)), seed)
        assert not found.flags, seed
        assert not [each for each in found.suspects if each.column], seed


def test_a_strong_honest_column_is_a_suspect_that_stays() -> None:
    found = suite.look(suite.strong("binary", RNG(0)), 0)
    assert [(each.column, each.reason) for each in found.suspects][:1] == [("x", "strong_alone")]
    assert "stands_alone" in found.suspects[0].also


@pytest.mark.parametrize("positives", [20, 60])
def test_a_perfect_column_is_dropped_only_where_enough_rows_vouch_for_it(positives: int) -> None:
    y = np.zeros(3_000, int)
    y[:positives] = 1
    y = RNG(0).permutation(y)
    frame = pl.DataFrame({"y": y, "x": y + RNG(1).normal(0, 0.05, 3_000), "n": RNG(2).normal(size=3_000)})
    found = leakage(frame, "y")
    assert _reasons(found) == ({"x": "separates_target"} if positives == 60 else {})
    assert positives == 60 or found.suspects[0].detail == "too few rows to call it a leak"


def test_one_class_of_several_given_away_is_a_suspect() -> None:
    rng = RNG(3)
    y = rng.choice(["a", "b", "c"], 3_000)
    frame = pl.DataFrame(
        {"y": y, "x": np.where(y == "c", 5.0, 0.0) + rng.uniform(-1, 1, 3_000), "n": rng.normal(size=3_000)}
    )
    found = leakage(frame, "y")
    assert not found.flags
    assert ("x", "separates_class") in {(each.column, each.reason) for each in found.suspects}


def test_levels_that_give_the_rare_answer_away_are_a_suspect() -> None:
    rng = RNG(4)
    y = rng.random(4_000) < 0.2
    code = np.where(y & (rng.random(4_000) < 0.4), "written off", rng.choice(["a", "b", "c"], 4_000))
    found = leakage(pl.DataFrame({"y": y, "code": code, "n": rng.normal(size=4_000)}), "y")
    assert not found.flags
    assert ("code", "pure_levels") in {(each.column, each.reason) for each in found.suspects}


def test_a_code_whose_purity_comes_from_the_declared_entity_is_not_a_leak() -> None:
    rng = RNG(5)
    person = rng.integers(0, 300, 3_000)
    y = (rng.random(300) < 0.4)[person]
    frame = pl.DataFrame(
        {"person": person, "street": [f"s{k}" for k in person], "n": rng.normal(size=3_000), "y": y}
    )
    assert _reasons(leakage(frame, "y")).get("street") == "level_purity"
    assert not leakage(frame, "y", group="person").flags


def test_repeated_rows_do_not_make_their_values_look_pure() -> None:
    rng = RNG(6)
    frame = pl.DataFrame(
        {"y": rng.random(2_000) < 0.5, "x": rng.normal(size=2_000).round(3), "z": rng.normal(size=2_000)}
    )
    found = leakage(pl.concat([frame, frame[:1_500]]).sample(fraction=1, shuffle=True, seed=1), "y")
    assert not found.flags
    assert _status(found)["duplicates"] == "note"


def test_ids_are_left_out_and_not_called_leaks() -> None:
    y = np.sort(RNG(14).random(500) < 0.5)
    frame = pl.DataFrame({"row": np.arange(500), "n": RNG(15).normal(size=500), "y": y})
    found = leakage(frame, "y")
    assert not found.flags
    assert dict(found.excluded)["row"] == "id"
    assert {(each.column, each.reason) for each in found.suspects} >= {
        ("row", "id_knows_target"),
        (None, "row_order"),
    }


def test_nothing_is_left_when_every_column_is_flagged() -> None:
    y = RNG(16).random(500) < 0.5
    found = leakage(pl.DataFrame({"id": np.arange(500), "copy": y.astype(int) * 3, "y": y}), "y")
    assert _reasons(found) == {"copy": "monotone_copy"}
    assert found.blocking


def test_the_findings_are_plain_data_under_the_names_of_the_summary() -> None:
    case = suite.exponential("binary", RNG(17))
    told = suite.look(case, 0).as_json()
    flag = told["leakage_flags"][0]
    assert {"column": "x", "reason": "separates_target"}.items() <= flag.items()
    assert 0.995 <= flag["score"] <= 1
    assert told["leakage_blocking"] is False
    assert isinstance(told["leakage_suspects"], list)


def test_the_same_seed_finds_the_same() -> None:
    case = suite.strong("multiclass", RNG(18))
    assert suite.look(case, 3).as_json() == suite.look(case, 3).as_json()


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_a_table_of_hardly_any_rows_is_neither_flagged_nor_suspected(rows: int) -> None:
    frame = pl.DataFrame({"y": [0, 1, 0, 1, 1], "x": [0.1, 5.0, 0.2, 6.0, 7.0]})[:rows]
    found = leakage(frame, "y")
    assert not found.flags
    assert not found.suspects


@pytest.mark.parametrize("target", [pl.lit(1), pl.lit(None, pl.Int64)], ids=["constant", "missing"])
def test_a_target_of_one_value_blocks(target: pl.Expr) -> None:
    found = leakage(pl.DataFrame({"x": [1.0, 2.0, 3.0]}).with_columns(target.alias("y")), "y")
    assert found.blocking
    assert _status(found)["target"] == "skipped"


def test_odd_columns_and_names_are_looked_at_without_complaint() -> None:
    rng = RNG(19)
    y = rng.random(200) < 0.5
    frame = pl.DataFrame(
        {
            "a\n😀": rng.normal(size=200), "A": [None] * 200, " a": ["same"] * 200, "'\"`": [[1, 2]] * 200,
            "inf": np.where(y, np.inf, -np.inf), "mixed": [str(v) if v > 0 else "n/a" for v in rng.normal(size=200)],
            "huge": rng.uniform(-1, 1, 200) * 1e308, "object": pl.Series([{1}] * 200, dtype=pl.Object), "y": y,
        },
        strict=False,
    )  # fmt: skip
    found = leakage(frame, "y")
    assert _reasons(found) == {"inf": "monotone_copy"}
    assert dict(found.excluded) == {"A": "empty", " a": "constant", "'\"`": "nested", "object": "constant"}


def test_columns_are_asked_for_a_block_at_a_time() -> None:
    frame = suite.strong("binary", RNG(20)).frame
    asked: list[int] = []

    def read(names: object) -> pl.DataFrame:
        wanted = list(names)  # type: ignore[call-overload]
        asked.append(len(wanted))
        return frame.select(wanted)

    leakage(Columns(tuple(frame.columns), frame.height, read), "outcome")
    assert asked


def test_an_unknown_column_is_a_usage_error() -> None:
    with pytest.raises(LoomError, match="no column `gone`"):
        leakage(pl.DataFrame({"y": [0, 1]}), "gone")


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the project")
def test_real_tables_keep_their_honest_columns() -> None:
    churn = leakage(pl.read_csv(DATA / "telco-churn.csv"), "Churn")
    assert not churn.flags
    assert dict(churn.excluded) == {"customerID": "id"}
    wine = leakage(pl.read_csv(DATA / "winequality-white.csv"), "quality")
    assert not wine.flags
    assert {check.code: check for check in wine.checks}["duplicates"].status == "note"
    titanic = leakage(pl.read_csv(DATA / "titanic.csv"), "Survived")
    assert not titanic.flags


def test_no_cell_of_the_data_is_told() -> None:
    rng = RNG(21)
    y = rng.random(300) < 0.5
    secrets = [f"canary-{k}" for k in range(300)]
    frame = pl.DataFrame(
        {
            "s": secrets,
            "few": [secrets[int(v)] for v in y],
            "n": 987_654_321.5 + y,
            "y": [f"canary-y{int(v)}" for v in y],
        }
    )
    told = repr(leakage(frame, "y").as_json())
    assert "canary-" not in told
    assert "98765432" not in told
