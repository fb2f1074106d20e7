"""What two parts share is counted row by row, whatever made them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.errors import LoomError
from loom.science.splits import Marks, marks, overlap, overlaps

TRAIN = pl.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "x": [1.0, 2.0, None, 0.0],
        "text": ["a", "b", None, "d"],
        "who": ["ann", "bob", "cy", "cy"],
        "day": ["2024-01-01", "2024-01-05", "2024-01-09", "2024-01-09"],
        "y": [0, 1, 0, 1],
    }
)
TEST = pl.DataFrame(
    {
        "id": [9, 8, 7],
        "x": [1.0, None, -0.0],
        "text": ["a", None, "e"],
        "who": ["dan", "cy", "cy"],
        "day": ["2024-01-11", "2024-01-12", "2024-01-08"],
        "y": [1, 1, 1],
    }
)


def test_rows_entities_and_intervals_are_counted() -> None:
    found = overlaps(TRAIN, TEST, target="y", time=["day"], group="who", horizon="1d", without=["id"])
    assert found.as_json() == {
        "n_train": 4, "n_test": 3, "rows": 2, "groups": 1, "group_rows": 2, "times": 1, "clean": False,
    }  # fmt: skip
    longer = overlaps(TRAIN, TEST, target="y", time=["day"], horizon="2d", without=["id", "who"])
    assert (longer.times, longer.groups) == (2, None)


def test_parts_that_share_nothing_are_clean_and_ids_hide_equal_rows() -> None:
    assert overlaps(TRAIN, TEST, target="y").clean
    assert not overlaps(TRAIN, TRAIN, target="y").clean


def test_types_that_differ_are_compared_by_what_they_hold() -> None:
    train = pl.DataFrame({"a": [1, 2], "c": pl.Series(["u", "v"], dtype=pl.Categorical), "y": [0, 1]})
    test = pl.DataFrame({"c": ["v", "w"], "a": [2.0, 1.0], "y": [0, 1]})
    assert overlaps(train, test, target="y").rows == 1
    mixed = pl.DataFrame({"a": ["2", "7"], "c": ["v", "w"], "y": [0, 1]})
    assert overlaps(train, mixed, target="y").rows == 1


def test_a_column_that_is_missing_on_one_side_is_refused() -> None:
    with pytest.raises(LoomError, match="cannot be compared by `who`"):
        overlaps(TRAIN, TEST.drop("who"), group="who")


def test_a_part_without_rows_shares_nothing() -> None:
    assert overlaps(TRAIN, TEST.head(0), target="y", time=["day"], group="who").clean
    assert overlaps(TRAIN.head(0), TEST, target="y", time=["day"], group="who").clean


spans = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), min_size=1, max_size=15)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(spans, spans)
def test_intervals_are_compared_as_every_pair_would_be(
    left: list[tuple[int, int]], right: list[tuple[int, int]]
) -> None:
    train, test = (
        Marks(
            None,
            None,
            np.array([a for a, _ in one], float),
            np.array([a + b for a, b in one], float),
            len(one),
        )
        for one in (left, right)
    )
    pairs = sum(any(a <= c + d and c <= a + b for a, b in left) for c, d in right)
    assert overlap(train, test).times == pairs


def test_folds_are_checked_by_the_marks_of_their_rows() -> None:
    known = marks(TRAIN, target="y", group="who", without=["id"])
    assert overlap(known.at(np.array([0, 1])), known.at(np.array([2, 3]))).clean
    assert overlap(known.at(np.array([0, 1, 2])), known.at(np.array([3]))).groups == 1
