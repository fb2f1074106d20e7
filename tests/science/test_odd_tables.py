"""Whatever a table holds, every look at it is right or ends in an error that says what to do; nothing is warned of."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_info

from loom.kernel.errors import LoomError
from loom.science.drift import drift
from loom.science.features import BlockedError, Transformer, build
from loom.science.leakage import leakage
from loom.science.profile import profile
from tests.science import odd_tables as odd

TABLE = odd.table()
HONEST = np.random.default_rng(2).normal(size=odd.ROWS)


def test_the_profile_of_everything_is_right_and_plain() -> None:
    told = profile(TABLE, target="y").as_json()
    roles = {column["name"]: column["role"] for column in told["columns"]}
    for names, role in (
        ((*odd.EMPTY, *odd.CONSTANT), "constant"),
        (odd.NESTED, "text"),
        (odd.DATES, "date"),
        (odd.NUMBERS, "numeric"),
        (("tokens", "downwards", "upwards, unsigned"), "id"),
        (("true or false", "true or missing", "y"), "boolean"),
        (("odd levels", "categories", "unused levels", "mixed"), "categorical"),
        (("json", "long text"), "text"),
    ):
        assert {roles[name] for name in names} == {role}, names
    seen = {column["name"]: column for column in told["columns"]}
    assert seen["dates in five formats"]["scan"]["stored_as"] == "text"
    assert len(seen["dates in five formats"]["scan"]["date_formats"]) == 5
    assert seen["mostly numbers"]["scan"]["blank"] > 0
    assert seen["unused levels"]["n_unique"] == 2
    codes = {warning["code"] for warning in told["warnings"]}
    assert codes >= {
        "similar_names",
        "odd_names",
        "infinite",
        "all_missing",
        "constant",
        "mixed_dates",
        "nested",
    }
    json.dumps(told, allow_nan=False)


def test_no_odd_column_is_called_a_leak_and_each_is_left_out_for_what_it_is() -> None:
    found = leakage(TABLE, "y")
    assert not found.flags
    excluded = dict(found.excluded)
    assert {excluded[name] for name in odd.EMPTY} == {"empty"}
    assert {excluded[name] for name in odd.CONSTANT} == {"constant"}
    assert {excluded[name] for name in odd.NESTED} == {"nested"}
    assert not set(excluded).intersection(odd.DATES, odd.NUMBERS)
    json.dumps(found.as_json(), allow_nan=False)


def test_a_table_has_not_drifted_from_itself_nor_one_half_from_the_other() -> None:
    assert drift(TABLE, TABLE, target="y").verdict == "OK"
    halves = drift(TABLE[::2], TABLE[1::2], target="y")
    assert halves.share <= 0.05
    json.dumps(halves.as_json(), allow_nan=False)


@pytest.mark.parametrize("recipe", ["minimal", "full"])
def test_features_of_everything_are_finite_and_travel(recipe: str) -> None:
    built = build(TABLE, "y", recipe=recipe)  # type: ignore[arg-type]
    features = built.frame[list(built.transformer.features)]
    assert not sum(features.null_count().row(0))
    assert all(series.is_finite().all() for series in features if series.dtype.is_float())
    reasons = {one["column"]: one["reason"] for one in built.dropped}
    assert {reasons[name] for name in odd.EMPTY} == {"all_missing"}
    assert {reasons[name] for name in odd.NESTED} == {"nested"}
    again = Transformer.from_bytes(built.transformer.to_bytes())
    assert again.transform(TABLE).equals(built.transformer.transform(TABLE))
    for few in (TABLE[:0], TABLE[:1]):
        assert again.transform(few).height == few.height
    assert again.refit(TABLE[: odd.ROWS // 2]).features == again.features


@pytest.mark.parametrize("form", odd.FORMATS)
def test_a_date_kept_as_text_makes_the_features_of_the_date_it_holds(form: str) -> None:
    typed = pl.DataFrame({"d": odd.DATES["nanoseconds"].cast(pl.Date), "y": TABLE["y"]})
    text = typed.with_columns(pl.col("d").dt.strftime(form))
    one, other = (build(frame, "y").frame.drop("y") for frame in (typed, text))
    assert one.columns == other.columns
    assert one.equals(other)


@pytest.mark.parametrize("name", odd.COLUMNS)
def test_anything_may_be_the_target(name: str) -> None:
    frame = pl.DataFrame({"t": odd.COLUMNS[name], "a": HONEST, "b": HONEST > 0})
    told = profile(frame, target="t")
    found = leakage(frame, "t")
    assert not found.flags
    assert (found.task is None) == (told.target is not None and told.target.task is None)
    try:
        assert build(frame, "t").n_after > 0
    except BlockedError as blocked:
        assert blocked.code == "target_missing"
        assert blocked.fix


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 20])
def test_a_table_of_hardly_any_rows_is_profiled_and_else_refused_with_a_reason(rows: int) -> None:
    few = TABLE[:rows]
    assert profile(few, target="y").n_rows == rows
    for task in ("binary", "regression"):
        assert not leakage(few, "y", task=task).flags  # type: ignore[arg-type]
    try:
        drift(few, TABLE, target="y")
        build(few, "y")
    except LoomError as error:
        assert error.what and error.why and error.fix


def test_afterwards_libraries_have_the_threads_they_had() -> None:
    frame = pl.DataFrame({"a": HONEST, "b": HONEST[::-1], "c": TABLE["categories"], "y": TABLE["y"]})
    before = [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]
    profile(frame), leakage(frame, "y"), drift(frame, frame), build(frame, "y")
    after = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    assert all(after[path] == count for path, count in before)


def test_columns_called_like_patterns_of_names_are_columns() -> None:
    random = np.random.default_rng(0)
    columns = {
        "^a$": random.normal(size=400),
        "*": random.normal(size=400),
        "^b.*$": random.choice(["x", "y"], 400),
    }
    frame = pl.DataFrame({**columns, "^y.*$": random.integers(0, 2, 400)})
    assert [column.name for column in profile(frame, target="^y.*$").columns] == frame.columns
    assert set(leakage(frame, "^y.*$").scores) == set(columns)
    built = build(frame, "^y.*$")
    assert {name for one in built.created for name in one["from"]} == set(columns)
    assert built.transformer.transform(frame).height == 400
