"""Features come from training rows alone, never from a dropped column, and mean the same wherever they are made."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.features import BlockedError, Built, build
from loom.science.features.transformer import Transformer

SOAK = bool(os.environ.get("LOOM_SOAK"))
DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
RNG = np.random.default_rng


def shop(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """A table with a column of every kind; the target follows the amount and the code."""
    rng = RNG(seed)
    code = rng.integers(0, 60, rows)
    amount = rng.normal(50, 20, rows)
    y = amount / 20 + RNG(99).normal(size=60)[code] + rng.logistic(size=rows) > 2.5
    words = ["late", "fine", "blue", "box", "Zürich", "again", "never"]
    return pl.DataFrame(
        {
            "order_id": [f"O{k:05d}" for k in rng.permutation(rows)],
            "amount": np.where(rng.random(rows) < 0.1, np.nan, amount),
            "visits": rng.integers(0, 40, rows),
            "city": rng.choice(["Rome", "Oslo", "Lima", None], rows, p=[0.5, 0.3, 0.1, 0.1]),
            "code": [f"c{k}" for k in code],
            "member": rng.random(rows) < 0.3,
            "joined": [date(2020, 1, 1) + timedelta(days=int(k)) for k in rng.integers(0, 900, rows)],
            "seen": [
                datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=int(k))
                for k in rng.integers(0, 9_000, rows)
            ],
            "note": [" ".join(rng.choice(words, 6)) + f" {k}" for k in range(rows)],
            "same": [1] * rows,
            "none": pl.Series([None] * rows, dtype=pl.String),
            "bought": np.where(y, "yes", "no"),
        },
        strict=False,
    ).with_columns(pl.col("amount").fill_nan(None))


def features_of(built: Built) -> pl.DataFrame:
    return built.frame.select(built.transformer.features)


@pytest.mark.parametrize("recipe", ["minimal", "full"])
def test_every_feature_is_a_finite_number_for_every_row(recipe: Any) -> None:
    built = build(shop(), "bought", recipe=recipe)
    features = features_of(built)
    assert features.height == 600
    assert built.n_after == features.width == len(built.created)
    for column in features:
        assert column.dtype in (pl.Float32, pl.UInt8), column.name
        assert not column.null_count()
        assert column.cast(pl.Float64).is_finite().all(), column.name


def test_what_full_adds() -> None:
    minimal, full = build(shop(), "bought", recipe="minimal"), build(shop(), "bought", recipe="full")
    ops = {one["op"] for one in full.created} - {one["op"] for one in minimal.created}
    assert ops == {"date_parts", "target_encode", "text_hash", "difference", "ratio", "group_mean"}
    assert {one["op"] for one in minimal.created} == {
        "fill_scale",
        "is_missing",
        "one_hot",
        "frequency",
        "truth",
        "days",
        "text_shape",
    }
    assert {(one["column"], one["reason"]) for one in full.dropped} == {
        ("order_id", "id"),
        ("same", "constant"),
        ("none", "all_missing"),
    }
    assert full.n_before == 11


def test_columns_that_are_not_features_are_passed_through_as_they_are() -> None:
    frame = shop()
    built = build(frame, "bought", time=("seen",), group="code")
    for name in ("seen", "code", "bought"):
        assert built.frame.get_column(name).equals(frame.get_column(name))
    assert not [one for one in built.created if "code" in one["from"]]
    assert not [one for one in built.created if one["from"] == ["seen"] and one["op"] == "days"]
    assert {one["name"] for one in built.created if one["from"] == ["seen"]} == {
        "seen__month",
        "seen__day",
        "seen__weekday",
        "seen__hour",
    }


def test_nothing_comes_from_a_dropped_column() -> None:
    dropped = [
        {"column": name, "reason": "separates_target"} for name in ("amount", "code", "joined", "note")
    ]
    built = build(shop(), "bought", dropped=dropped)
    used = {name for one in built.created for name in one["from"]}
    assert used.isdisjoint({"amount", "code", "joined", "note", "bought"})
    assert set(built.transformer.reads) == used
    assert {"column": "amount", "reason": "separates_target"} in built.dropped
    changed = shop().with_columns(
        pl.lit(0.0).alias("amount"), pl.lit("?").alias("code"), pl.lit("x y z").alias("note")
    )
    again = built.transformer.transform(changed, training=True)
    assert again.drop("bought").equals(built.frame.drop("bought"))
    assert built.transformer.transform(changed.drop("amount", "code", "joined", "note")).height == 600


@pytest.mark.parametrize(
    ("frame", "target", "dropped", "code"),
    [
        (shop(30), "gone", [], "target_missing"),
        (shop(30), "bought", [{"column": "bought", "reason": "x"}], "target_flagged"),
        (shop(30), "same", [], "target_missing"),
        (shop(0), "bought", [], "target_missing"),
        (shop(1), "bought", [], "target_missing"),
        (shop(30).select("amount", "same", "bought"), "bought", [{"column": "amount"}], "nothing_left"),
    ],
)
def test_what_cannot_be_built_is_blocked_with_its_reason(
    frame: pl.DataFrame, target: str, dropped: list[dict[str, str]], code: str
) -> None:
    with pytest.raises(BlockedError) as caught:
        build(frame, target, dropped=dropped)
    assert caught.value.code == code


def test_findings_about_other_data_are_refused() -> None:
    with pytest.raises(LoomError, match="no column `elsewhere`"):
        build(shop(), "bought", dropped=[{"column": "elsewhere", "reason": "missingness"}])


def test_findings_about_the_whole_table_drop_no_column() -> None:
    assert build(shop(), "bought", dropped=[{"column": None, "reason": "row_order"}]).n_after > 0


def test_the_fingerprint_is_that_of_recipe_and_data_and_of_nothing_else() -> None:
    frame = shop()
    flagged = [{"column": "amount", "reason": "a"}, {"column": "note", "reason": "b"}]
    first = build(frame, "bought", dropped=flagged).fingerprint
    order = RNG(3).permutation(len(frame))
    assert (
        build(frame[order].select(frame.columns[::-1]), "bought", dropped=flagged[::-1]).fingerprint == first
    )
    assert (
        build(frame.with_columns(pl.col("visits").cast(pl.Int16)), "bought", dropped=flagged).fingerprint
        == first
    )
    assert build(frame, "bought", dropped=flagged[:1]).fingerprint != first
    assert build(frame, "bought", dropped=flagged, recipe="minimal").fingerprint != first
    assert build(frame, "bought", dropped=flagged, seed=1).fingerprint != first
    assert build(frame[:-1], "bought", dropped=flagged).fingerprint != first


def test_a_rare_level_is_not_named_and_neither_is_a_persons() -> None:
    rng = RNG(5)
    cities = np.array(["Rome"] * 500 + ["Canary"] * 3 + ["Oslo"] * 97)
    frame = pl.DataFrame(
        {
            "city": cities,
            "surname": rng.choice(["Rossi", "Hansen", "Silva"], 600),
            "n": rng.normal(size=600),
            "y": rng.random(600) < 0.5,
        }
    )
    names = [one["name"] for one in build(frame, "y").created]
    assert {"city=Rome", "city=Oslo", "city#3", "surname#1"} <= set(names)
    assert not [name for name in names if "Canary" in name or "Rossi" in name]


def test_odd_names_stay_apart() -> None:
    rng = RNG(6)
    names = ["", " ", "y__missing", "a", "A", "é\n😀", "a__minus__A"]
    frame = pl.DataFrame({name: rng.normal(size=80) for name in names} | {"y": rng.random(80) < 0.5})
    built = build(frame, "y", time=("a",))
    assert len(set(built.transformer.features)) == built.n_after
    assert built.frame.width == built.n_after + 2


def test_a_wide_table_does_not_burst() -> None:
    rng = RNG(8)
    columns: dict[str, Any] = {f"n{k}": rng.normal(size=60) for k in range(120)}
    columns |= {f"c{k}": rng.choice(list("abcdefghij"), 60) for k in range(120)}
    built = build(pl.DataFrame(columns | {"y": rng.random(60) < 0.5}), "y", recipe="minimal")
    assert built.n_after < 1_400


def test_the_summary_has_the_names_of_the_verb() -> None:
    told = build(shop(), "bought", recipe="minimal").as_json()
    assert set(told) == {
        "target",
        "recipe",
        "fingerprint",
        "n_features_before",
        "n_features_after",
        "created",
        "dropped",
    }
    assert told["fingerprint"].startswith("sha256:")


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not beside the project")
@pytest.mark.parametrize(
    ("name", "target"), [("telco-churn", "Churn"), ("titanic", "Survived"), ("winequality-white", "quality")]
)
def test_real_tables_become_features(name: str, target: str) -> None:
    frame = pl.read_csv(DATA / f"{name}.csv")
    built = build(frame, target)
    assert (
        Transformer.from_bytes(built.transformer.to_bytes())
        .transform(frame, training=True)
        .equals(built.frame)
    )
