"""Rows that are equal, found by 64-bit hashes of their cells that are added up to one per row."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.columns import spelled

Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]


def twins(words: Words) -> Mask:
    """Which rows are equal to another one."""
    return pl.Series(words).is_duplicated().to_numpy()


def repeated(words: Words) -> Mask:
    """Which rows have been there before."""
    return ~pl.Series(words).is_first_distinct().to_numpy()


def nth_of_its_kind(words: Words) -> Words:
    """For each row, how many equal ones came before it."""
    order = np.argsort(words, kind="stable")
    ordered = words[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(words) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(words)])
    result = np.empty(len(words), np.uint64)
    result[order] = (np.arange(len(words)) - np.repeat(starts, sizes)).astype(np.uint64)
    return result


def conflicting(words: Words, answers: pl.Series) -> int:
    """How many rows are equal to one with another answer; rows without an answer contradict nothing."""
    answers = answers.alias("answer")
    asked = pl.Series(words).is_duplicated() & answers.is_not_null()
    pairs = pl.DataFrame({"row": pl.Series(words).filter(asked), "answer": spelled(answers).filter(asked)})
    groups = pairs.group_by("row").agg(pl.len().alias("rows"), pl.col("answer").n_unique().alias("answers"))
    return int(groups.filter(pl.col("answers") > 1)["rows"].sum())
