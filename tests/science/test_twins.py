"""Rows that are equal, and those that contradict each other."""

from __future__ import annotations

import numpy as np
import polars as pl

from loom.science.twins import conflicting, nth_of_its_kind, repeated, twins

WORDS = np.array([7, 1, 7, 2, 7, 1], np.uint64)


def test_equal_rows_are_twins_and_all_but_the_first_are_repeated() -> None:
    assert twins(WORDS).tolist() == [True, True, True, False, True, True]
    assert repeated(WORDS).tolist() == [False, False, True, False, True, True]
    assert nth_of_its_kind(WORDS).tolist() == [0, 0, 1, 0, 2, 1]


def test_rows_that_are_equal_and_answered_otherwise_contradict_each_other() -> None:
    assert conflicting(WORDS, pl.Series(["a", "b", "a", "c", "z", "b"])) == 3
    assert conflicting(WORDS, pl.Series([[1], [2], [1], [3], [1], [9]])) == 2


def test_a_row_without_an_answer_contradicts_nothing() -> None:
    assert conflicting(WORDS, pl.Series([1, 2, 1, 3, None, None])) == 0


def test_no_rows_have_no_twins() -> None:
    none = np.zeros(0, np.uint64)
    assert not len(twins(none)) and not len(nth_of_its_kind(none))
    assert conflicting(none, pl.Series([], dtype=pl.Int64)) == 0
