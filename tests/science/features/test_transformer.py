"""The fitted transformer: what it gives other rows, what it keeps from the training rows, and what carries no signal."""

from __future__ import annotations

import os
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.features import Built, build
from loom.science.features.transformer import Transformer
from loom.science.leakage.scores import auc
from tests.science.features.test_building import features_of, shop

SOAK = bool(os.environ.get("LOOM_SOAK"))
RNG = np.random.default_rng


def test_other_rows_are_never_looked_at_while_fitting() -> None:
    frame = shop(900)
    train, rest = frame[:600], frame[600:]
    built = build(train, "bought")
    poisoned = pl.concat([rest.with_columns(pl.lit(1e6).alias("amount"), pl.lit("poison").alias("code"))])
    before = built.transformer.to_bytes()
    built.transformer.transform(poisoned)
    assert built.transformer.to_bytes() == before
    assert b"poison" not in before


def test_applied_to_the_training_rows_it_gives_the_same_features() -> None:
    frame = shop()
    built = build(frame, "bought")
    copy = Transformer.from_bytes(built.transformer.to_bytes())
    assert copy.transform(frame, training=True).equals(built.frame)
    assert copy.to_bytes() == built.transformer.to_bytes()
    assert copy.fingerprint == built.fingerprint
    order = RNG(1).permutation(len(frame))
    assert copy.transform(frame[order], training=True).equals(built.frame[order])


def test_an_encoding_of_the_target_leaves_the_rows_own_fold_out() -> None:
    rng = RNG(2)
    frame = pl.DataFrame(
        {
            "code": [f"c{k}" for k in rng.integers(0, 50, 2_000)],
            "n": rng.normal(size=2_000),
            "y": rng.random(2_000) < 0.5,
        }
    )
    built = build(frame, "y")
    [name] = [one["name"] for one in built.created if one["op"] == "target_encode"]
    inside = built.frame.get_column(name).to_numpy()
    outside = built.transformer.transform(frame).get_column(name).to_numpy()
    truth = frame.get_column("y").to_numpy().astype(float)
    assert np.corrcoef(outside, truth)[0, 1] > 0.1
    assert np.corrcoef(inside, truth)[0, 1] < 0.04


def _judge(train: tuple[np.ndarray, np.ndarray], rest: tuple[np.ndarray, np.ndarray]) -> float:
    settings = {
        "objective": "binary",
        "verbosity": -1,
        "num_threads": 1,
        "num_leaves": 15,
        "deterministic": True,
    }
    guesses = lgb.train(settings, lgb.Dataset(*train), 40).predict(rest[0])
    return auc(rest[1], 1 - rest[1], np.asarray(guesses))


@pytest.mark.parametrize("levels", [30, 300])
def test_refitted_on_a_shuffled_target_it_carries_no_signal(levels: int) -> None:
    """Null: AUC 0.5 on rows that taught nothing, and on held-out features of rows that did; real targets do far better."""
    seeds, found = 20 if SOAK else 3, []
    for seed in range(seeds):
        rng = RNG([seed, levels])
        code = rng.integers(0, levels, 3_000)
        y = RNG(1).normal(0, 2, levels)[code] + rng.logistic(size=3_000) > 0
        frame = pl.DataFrame(
            {
                "code": [f"c{k}" for k in code],
                "a": rng.normal(size=3_000),
                "b": rng.normal(size=3_000),
                "y": y.astype(int),
            }
        )
        shuffled = frame.with_columns(pl.Series("y", rng.permutation(frame.get_column("y").to_numpy())))
        honest = build(frame[:2_000], "y")
        refit = honest.transformer.refit(shuffled[:2_000])
        whole = build(shuffled, "y")
        found.append([_score(honest.transformer, frame), _score(refit, shuffled), _split(whole)])
    real, fresh, own = np.mean(found, axis=0)
    bound = 4 * 0.5 / np.sqrt(12 * 250 * seeds) * 2
    assert real > 0.7
    assert abs(fresh - 0.5) < bound
    assert abs(own - 0.5) < bound


def _score(transformer: Transformer, frame: pl.DataFrame) -> float:
    train = transformer.transform(frame[:2_000], training=True)
    rest = transformer.transform(frame[2_000:])
    return _judge(_both(train, transformer), _both(rest, transformer))


def _split(built: Built) -> float:
    return _judge(
        _both(built.frame[:2_000], built.transformer), _both(built.frame[2_000:], built.transformer)
    )


def _both(frame: pl.DataFrame, transformer: Transformer) -> tuple[np.ndarray, np.ndarray]:
    return frame.select(transformer.features).to_numpy(), frame.get_column(transformer.target).to_numpy()


def test_a_level_never_seen_is_none_of_those_known() -> None:
    built = build(shop(), "bought")
    strange = shop()[:1].with_columns(pl.lit("Atlantis").alias("city"), pl.lit("c999").alias("code"))
    row = built.transformer.transform(strange)
    cities = [one["name"] for one in built.created if one["op"] == "one_hot" and one["from"] == ["city"]]
    assert row.select(cities).row(0) == (0,) * len(cities)
    assert row.get_column("code__share")[0] == 0
    share = (shop().get_column("bought") == build(shop(), "bought").transformer.classes[0]).mean()
    assert row.get_column("code__target")[0] == pytest.approx(share, abs=1e-6)


def test_infinite_and_unreadable_cells_are_missing() -> None:
    built = build(shop(), "bought", recipe="minimal")
    gone = built.transformer.transform(shop()[:1].with_columns(pl.lit(None, pl.Float64).alias("amount")))
    for cell in (float("inf"), float("-inf"), float("nan"), "unknown"):
        assert built.transformer.transform(shop()[:1].with_columns(pl.lit(cell).alias("amount"))).equals(gone)
    assert gone.get_column("amount__missing")[0] == 1


@pytest.mark.parametrize("rows", [0, 1])
def test_tables_of_no_row_and_one_row_are_transformed(rows: int) -> None:
    built = build(shop(), "bought")
    assert built.transformer.transform(shop()[:rows].drop("bought")).shape == (rows, built.n_after)


def test_a_column_that_is_not_there_is_named() -> None:
    transformer = build(shop(), "bought").transformer
    with pytest.raises(LoomError, match="no column `visits`"):
        transformer.transform(shop().drop("visits"))


def test_the_order_of_rows_changes_no_feature() -> None:
    frame = shop()
    order = RNG(4).permutation(len(frame))
    straight, turned = build(frame, "bought"), build(frame[order], "bought")
    assert straight.transformer.features == turned.transformer.features
    difference = features_of(straight)[order].to_numpy() - features_of(turned).to_numpy()
    assert np.abs(difference).max() < 1e-4


@pytest.mark.parametrize("target", ["visits", "city", "amount"])
def test_targets_of_every_task_are_encoded(target: str) -> None:
    built = build(shop(), target)
    encoded = [one["name"] for one in built.created if one["op"] == "target_encode"]
    assert len(encoded) == (3 if target == "city" else 1)
    assert (
        Transformer.from_bytes(built.transformer.to_bytes())
        .transform(shop(), training=True)
        .equals(built.frame)
    )


def test_equal_rows_are_in_one_fold_unless_the_table_is_made_of_them() -> None:
    rng = RNG(7)
    frame = pl.DataFrame(
        {"code": [f"c{k}" for k in rng.integers(0, 30, 1_000)], "y": rng.random(1_000) < 0.5}
    )
    assert build(frame, "y").transformer.crowded
    assert build(frame, "y").frame.get_column("code__target").n_unique() > 30
    assert not build(shop(), "bought").transformer.crowded


@pytest.mark.parametrize("data", [b"", b"not an archive", b"\x80\x04N."], ids=["empty", "text", "pickle"])
def test_bytes_of_another_kind_are_refused(data: bytes) -> None:
    with pytest.raises(LoomError, match="cannot be read"):
        Transformer.from_bytes(data)


def test_an_archive_with_an_unknown_operation_is_refused(tmp_path: Path) -> None:
    text = b'{"format": 1, "steps": [{"op": "os.system"}]}'
    np.savez(tmp_path / "t.npz", transformer=np.frombuffer(text, np.uint8))
    with pytest.raises(LoomError, match="another version"):
        Transformer.from_bytes((tmp_path / "t.npz").read_bytes())
