"""What is told of data holds no cell of it, and never grows beyond its bounds."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from loom.science.features import build
from loom.science.search.briefing import briefed, kinds_of
from loom.science.validation.problem import Problem

ROWS = 400


def table() -> pl.DataFrame:
    random = np.random.default_rng(0)
    start = date(2023, 1, 1)
    return pl.DataFrame(
        {
            "age": random.integers(18, 90, ROWS),
            "price": random.lognormal(3, 1, ROWS),
            "city": random.choice(["Bern", "Basel", "Genf"], ROWS),
            "size": pl.Series(random.choice(["S", "M"], ROWS), dtype=pl.Categorical),
            "told": [
                f"{random.choice(['good', 'bad', 'odd'])} thing number {at} of many" for at in range(ROWS)
            ],
            "day": [start + timedelta(days=int(at)) for at in random.integers(0, 300, ROWS)],
            "written": [str(start + timedelta(days=int(at))) for at in random.integers(0, 300, ROWS)],
            "worth": [f"{at}.5" for at in random.integers(0, 5_000, ROWS)],
            "grouped": [f"{at},{100 + at % 7 * 100}" for at in random.integers(1, 900, ROWS)],
            "flag": random.random(ROWS) < 0.5,
            "bit": random.integers(0, 2, ROWS),
            "store_id": random.integers(0, 4, ROWS),
            "code": [f"{at % 40:05d}" for at in range(ROWS)],
            "mail": [f"person{at}@example.org" for at in range(ROWS)],
            "surname": random.choice(["Meier", "Weber"] + [f"Rare{at}" for at in range(20)], ROWS),
            "cells": [[1, 2]] * ROWS,
            "void": pl.Series([None] * ROWS),
            "same": ["x"] * ROWS,
            "y": random.choice(["no", "yes"], ROWS),
        }
    )


def problem_of(frame: pl.DataFrame, task: Any = "binary") -> Problem:
    return Problem(frame, "y", task)


def test_kinds_are_what_pandas_will_find() -> None:
    frame = table()
    names = [name for name in frame.columns if name != "y"]
    assert kinds_of(frame, names) == {
        "age": "number", "price": "number", "city": "word", "size": "word", "told": "text", "day": "date",
        "written": "date", "worth": "number", "grouped": "word", "flag": "flag", "bit": "flag", "store_id": "word",
        "code": "word", "mail": "word", "surname": "word", "cells": "text", "void": "number", "same": "word",
    }  # fmt: skip
    assert list(kinds_of(frame, ["price", "age"])) == ["price", "age"]


def test_a_brief_says_how_columns_lie_and_which_levels_are_common() -> None:
    frame = table().with_columns(age=pl.when(pl.col("age") > 80).then(None).otherwise("age"))
    brief = briefed(problem_of(frame), [name for name in frame.columns if name != "y"])
    columns = brief["columns"]
    assert (brief["rows"], brief["features"]) == (ROWS, 18)
    assert brief["target"]["classes"] == 2
    assert set(brief["target"]["shares"]) == {"no", "yes"}
    assert columns["age"]["missing"] > 0.05
    assert set(columns["age"]["quantiles"]) == {"p5", "p25", "p50", "p75", "p95"}, (
        "p1 has too few rows beyond it"
    )
    assert set(columns["city"]["levels"]) == {"Bern", "Basel", "Genf"}
    assert "levels" not in columns["store_id"]
    assert columns["surname"] == {"kind": "word", "type": "text", "distinct": 22, "personal": True}
    assert columns["mail"]["personal"] is True
    assert columns["told"]["length"]["p50"] == pytest.approx(25, abs=3)
    assert columns["day"]["quantiles"]["p50"].startswith("2023-")
    assert "not_shown" not in brief
    json.dumps(brief, allow_nan=False)


def test_no_value_of_a_single_row_is_told() -> None:
    frame = table()
    rare: dict[str, Any] = {
        "age": 98_765_431, "price": -7_654_321.25, "city": "canary-city", "size": "canary-size",
        "told": "canary text of one row", "day": date(1911, 11, 11), "written": "1912-12-12", "worth": "87654321.75",
        "grouped": "9,876,543", "store_id": 76_543_219, "code": "canary-code", "mail": "canary@secret.example",
        "surname": "Canary", "cells": [314_159_265], "same": "canary-same", "y": "canary-class",
    }  # fmt: skip
    frame = frame.with_columns(pl.col("size").cast(pl.String))
    planted = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == at).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        if name != "cells" else pl.Series("cells", [value if row == at else [1, 2] for row in range(ROWS)])
        for at, (name, value) in enumerate(rare.items())
    )  # fmt: skip
    text = json.dumps(
        briefed(problem_of(planted, "multiclass"), [name for name in planted.columns if name != "y"])
    )
    for value in rare.values():
        shown = str(value[0] if isinstance(value, list) else value)
        assert shown not in text
        assert shown.replace(",", "") not in text
    assert "anary" not in text
    assert "1911" not in text
    assert "1912" not in text


def test_ends_of_a_target_of_amounts_are_not_told() -> None:
    values = [*np.linspace(1, 2, ROWS - 2).tolist(), -55_555.0, 77_777.0]
    brief = briefed(problem_of(table().with_columns(y=pl.Series(values)), "regression"), ["age"])
    assert set(brief["target"]["quantiles"]) == {"p5", "p25", "p50", "p75", "p95"}
    assert "5555" not in json.dumps(brief)
    assert "7777" not in json.dumps(brief)


def test_a_brief_is_bounded_and_counts_what_it_leaves_out() -> None:
    random = np.random.default_rng(0)
    wide = pl.DataFrame({f"column {at}": random.normal(size=50) for at in range(600)} | {"y": [0, 1] * 25})
    names = [*wide.columns[:-1]]
    brief = briefed(problem_of(wide), names)
    assert len(brief["columns"]) == 100
    assert brief["not_shown"] == {"number": 500}
    small = briefed(problem_of(wide), names, most_bytes=3_000)
    assert len(json.dumps(small)) <= 3_000
    assert len(small["columns"]) + small["not_shown"]["number"] == 600
    long = wide.rename({"column 0": "n" * 5_000})
    assert "n" * 200 not in json.dumps(briefed(problem_of(long), long.columns[:2]))


def test_features_that_were_made_are_told_of_in_place_of_the_columns() -> None:
    frame = table().select("age", "city", "y")
    built = build(frame, target="y", task="binary")
    made = built.transformer.transform(frame)
    features = built.transformer.features
    brief = briefed(Problem(frame, "y", "binary", transformer=built.transformer), features, made)
    assert list(brief["columns"]) == list(features)
    assert set(kinds_of(made, features).values()) <= {"number", "flag"}


def test_names_that_look_like_patterns_are_names() -> None:
    frame = pl.DataFrame({"^.*$": range(40), "*": ["a", "b"] * 20, "y": [0, 1] * 20})
    assert kinds_of(frame, ["^.*$", "*"]) == {"^.*$": "number", "*": "word"}


def test_moments_are_told_as_roughly_as_they_are_spread() -> None:
    hours = [datetime(2024, 5, 1) + timedelta(minutes=7 * at) for at in range(ROWS)]
    brief = briefed(problem_of(table().with_columns(at=pl.Series(hours))), ["at"])
    assert all(value.endswith(":00") for value in brief["columns"]["at"]["quantiles"].values())
