"""A candidate is given what it may know, in types that files keep, under ids that tell nothing."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.features import build
from loom.science.metrics import get
from loom.science.search.dividing import Division, divide
from loom.science.search.inputs import Given, discard, with_shuffled_answers, write_final, write_inputs
from loom.science.search.keys import Key
from loom.science.validation.problem import Problem

ROWS = 60
FILES = {"train.csv", "train.parquet", "test.csv", "test.parquet", "sample_submission.csv", "ctx.json"}


def table(rows: int = ROWS) -> pl.DataFrame:
    """Columns of all kinds; `place` tells each row apart, and `who` names it."""
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "who": [f"customer {at}" for at in range(rows)],
            "place": range(rows),
            "code": [f"{at % 9:05d}" for at in range(rows)],
            "word": pl.Series([("NA", "b", None)[at % 3] for at in range(rows)], dtype=pl.Categorical),
            "day": [date(2024, 1, 1) + timedelta(days=at) for at in range(rows)],
            "took": [timedelta(seconds=at) for at in range(rows)],
            "flag": [at % 5 == 0 for at in range(rows)],
            "cells": [[at, at + 1] for at in range(rows)],
            "hole": [None if at % 4 == 0 else at for at in range(rows)],
            "void": pl.Series([None] * rows),
            "y": random.choice(["no", "yes"], rows),
        }
    )


def given_of(frame: pl.DataFrame | None = None, **more: Any) -> Given:
    problem = Problem(table() if frame is None else frame, "y", "binary", ids=("who",))
    return Given(problem, get("auc"), b"a secret", **more)


def placed(key: Key, test: pl.DataFrame, frame: pl.DataFrame) -> bool:
    """Whether every row of the file is the one that the key says it is."""
    rows = np.concatenate([key.search, key.seal])
    known = key.order < len(rows)
    return (
        test.filter(pl.Series(known))["place"].to_list()
        == frame["place"].to_numpy()[rows[key.order[known]]].tolist()
    )


@pytest.fixture
def division() -> Division:
    return divide(given_of().problem)


def test_a_folder_holds_rows_to_learn_from_and_rows_to_predict(tmp_path: Path, division: Division) -> None:
    given = given_of(test=table(7).drop("y", "who"), threads=2, seed=3)
    fold = division.folds[0]
    key = write_inputs(tmp_path / "fold-0", given, fold, division.seal)
    folder = tmp_path / "fold-0"
    assert {path.name for path in folder.iterdir()} == FILES
    train, test = (pl.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
    assert train.columns == [*given.features, "y"]
    assert test.columns == ["row_id", *given.features]
    assert train["place"].to_list() == fold.train.tolist()
    assert train["y"].to_list() == given.problem.train["y"].gather(fold.train).to_list()
    assert test.height == len(fold.test) + len(division.seal) + 7
    assert placed(key, test, given.problem.train)
    real = test.filter(pl.Series(key.order >= len(fold.test) + len(division.seal)))
    assert sorted(real["place"]) == list(range(7))
    assert json.loads((folder / "ctx.json").read_bytes()) == {
        "target": "y", "task": "binary", "classes": ["no", "yes"], "features": list(given.features), "metric": "auc",
        "direction": "higher", "seed": 3, "threads": 2, "time": [], "group": None, "id": "row_id",
    }  # fmt: skip


def test_ids_that_name_rows_and_unknown_answers_are_left_out(tmp_path: Path) -> None:
    frame = table().with_columns(y=pl.when(pl.col("place") < 20).then(None).otherwise("y"))
    given = given_of(frame)
    division = divide(given.problem)
    write_inputs(tmp_path / "one", given, division.folds[0], division.seal)
    for name in ("train", "test"):
        found = pl.read_parquet(tmp_path / "one" / f"{name}.parquet")
        assert "who" not in found.columns
        assert found["place"].min() >= 20
        assert "customer" not in (tmp_path / "one" / f"{name}.csv").read_text()


def test_pandas_reads_parquet_with_types_and_csv_without(tmp_path: Path, division: Division) -> None:
    write_inputs(tmp_path / "one", given_of(), division.folds[0], division.seal)
    exact, loose = pd.read_parquet(tmp_path / "one/train.parquet"), pd.read_csv(tmp_path / "one/train.csv")
    assert list(exact.columns) == list(loose.columns)
    assert len(exact) == len(loose)
    assert exact["code"].str.len().eq(5).all()
    assert loose["code"].dtype == np.int64
    assert "NA" in set(exact["word"])
    assert "NA" not in set(loose["word"])
    assert exact["day"].dtype == "datetime64[ms]"
    assert loose["day"].iloc[0].startswith("2024-")
    assert loose["flag"].dtype == bool
    assert exact["cells"].iloc[0].startswith("{")
    assert np.allclose(loose["took"], exact["took"].dt.total_seconds())


def test_ids_and_order_depend_on_the_secret_and_tell_no_place(tmp_path: Path, division: Division) -> None:
    fold = division.folds[0]
    keys = [
        given.key(fold.train, fold.test, division.seal)
        for given in (given_of(), given_of(), replace(given_of(), secret=b"another"), given_of().with_seed(1))
    ]
    assert keys[0].ids == keys[1].ids
    assert np.array_equal(keys[0].order, keys[1].order)
    for other in (*keys[2:], given_of().key(fold.train, division.folds[1].test, division.seal)):
        assert set(other.ids).isdisjoint(keys[0].ids)
    ids = keys[0].ids
    assert len(set(ids)) == keys[0].rows
    assert list(ids) != sorted(ids)
    sealed = keys[0].order >= len(fold.test)
    assert 0 < sealed[: len(sealed) // 2].sum() < sealed.sum(), "sealed rows lie among the others"


def test_a_folder_cannot_be_written_to_and_is_left_as_it_is(tmp_path: Path, division: Division) -> None:
    folder = tmp_path / "inputs" / "fold-0"
    fold = division.folds[0]
    write_inputs(folder, given_of(), fold, division.seal)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {0o444}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o555
    before = (folder / "train.parquet").stat().st_ino
    write_inputs(folder, given_of(), fold, division.seal)
    assert (folder / "train.parquet").stat().st_ino == before
    write_inputs(folder, given_of().with_seed(5), fold, division.seal)
    assert json.loads((folder / "ctx.json").read_bytes())["seed"] == 5
    discard(folder)
    assert not folder.exists()


def test_what_a_killed_search_left_half_written_is_written_again(tmp_path: Path, division: Division) -> None:
    half = tmp_path / "fold-0.part"
    half.mkdir()
    (half / "train.csv").write_text("half of a ro")
    half.chmod(0o555)
    write_inputs(tmp_path / "fold-0", given_of(), division.folds[0], division.seal)
    assert not half.exists()
    assert {path.name for path in (tmp_path / "fold-0").iterdir()} == FILES


def test_shuffled_answers_are_the_same_ones_in_other_rows(tmp_path: Path, division: Division) -> None:
    fold = division.folds[0]
    write_inputs(tmp_path / "true", given_of(), fold, division.seal)
    with_shuffled_answers(tmp_path / "shuffled", given_of(), fold, division.seal, seed=1)
    true, shuffled = (pl.read_parquet(tmp_path / name / "train.parquet") for name in ("true", "shuffled"))
    assert true.drop("y").equals(shuffled.drop("y"))
    assert true["y"].to_list() != shuffled["y"].to_list()
    assert sorted(true["y"]) == sorted(shuffled["y"])


def test_features_are_learned_from_the_rows_of_the_fold_alone(tmp_path: Path) -> None:
    rows = 300
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"x": random.normal(size=rows), "level": random.choice(list("abcdefgh") * 4, rows), "y": random.integers(0, 2, rows)}
    )  # fmt: skip
    built = build(frame, target="y", task="binary")
    given = Given(
        Problem(frame, "y", "binary", transformer=built.transformer), get("auc"), b"s", test=frame.head(5)
    )
    division = divide(given.problem)
    fold = division.folds[0]
    key = write_inputs(tmp_path / "one", given, fold, division.seal)
    test = pl.read_parquet(tmp_path / "one" / "test.parquet")
    assert test.columns == ["row_id", *built.transformer.features]
    own = built.transformer.refit(frame[fold.train]).transform(frame[key.search])
    searched = test[np.argsort(key.order)[: len(key.search)]]
    for name in built.transformer.features:
        assert np.allclose(searched[name].to_numpy(), own[name].to_numpy(), equal_nan=True)


def test_the_last_fit_learns_from_all_rows_and_predicts_the_real_ones(tmp_path: Path) -> None:
    given = given_of(test=table(5).drop("y"))
    key = write_final(tmp_path / "final", given)
    train, test = (pl.read_parquet(tmp_path / "final" / f"{name}.parquet") for name in ("train", "test"))
    assert train.height == ROWS
    assert test[np.argsort(key.order)]["place"].to_list() == list(range(5))
    assert (len(key.search), len(key.seal), key.test) == (0, 0, 5)
    checked = write_final(tmp_path / "checked", given_of())
    assert len(checked.search) == ROWS, "without real rows, some that were learned from are predicted"


def test_rows_of_other_types_are_read_in_one_that_both_can_be(tmp_path: Path, division: Division) -> None:
    real = pl.DataFrame(
        {
            "place": [0.5, None], "code": [7, 8], "word": ["NA", "new"], "day": [date(2025, 1, 1)] * 2,
            "took": [timedelta(0)] * 2, "flag": [1, 0], "cells": ["[1]", None], "void": ["x", "y"],
        }
    )  # fmt: skip
    given = given_of(test=real)
    assert given.left_out == ("hole",)
    key = write_inputs(tmp_path / "one", given, division.folds[0], division.seal)
    assert key.left_out == ("hole",)
    train, test = (pl.read_parquet(tmp_path / "one" / f"{name}.parquet") for name in ("train", "test"))
    for name in given.features:
        assert train[name].dtype == test[name].dtype
    assert train["place"].dtype == pl.Float64
    assert train["code"].to_list()[0] == f"{division.folds[0].train[0] % 9:05d}"
    assert "hole" not in train.columns


def test_the_id_makes_way_for_a_column_that_is_called_so(tmp_path: Path) -> None:
    given = given_of(table().rename({"code": "row_id"}))
    division = divide(given.problem)
    key = write_inputs(tmp_path / "one", given, division.folds[0], division.seal)
    assert key.id == "row_id_2"
    assert json.loads((tmp_path / "one/ctx.json").read_bytes())["id"] == "row_id_2"
    assert pl.read_csv(tmp_path / "one/sample_submission.csv").columns == ["row_id_2", "prediction"]


def test_the_sample_has_a_column_for_each_of_several_classes(tmp_path: Path) -> None:
    frame = table().with_columns(y=pl.Series([3, 1, 20] * (ROWS // 3)))
    given = Given(Problem(frame, "y", "multiclass"), get("logloss"), b"s")
    division = divide(given.problem)
    write_inputs(tmp_path / "one", given, division.folds[0], division.seal)
    sample = pd.read_csv(tmp_path / "one/sample_submission.csv")
    assert list(sample.columns) == ["row_id", "1", "3", "20"]
    assert np.allclose(sample[["1", "3", "20"]].sum(axis=1), 1)


def test_rows_without_any_known_column_are_refused() -> None:
    with pytest.raises(LoomError, match="nothing to learn from"):
        _ = given_of(test=pl.DataFrame({"other": [1]})).features
