"""Digests that another machine, another order or another width of numbers leaves alone."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from loom.science.columns import plain
from loom.science.features.fingerprint import cell_words, content, digest, kind_name, row_words


def _digest(frame: pl.DataFrame) -> str:
    return content(row_words(frame, frame.height), {column.name: kind_name(column.dtype) for column in frame})


FRAME = pl.DataFrame(
    {
        "n": [1, None, -3],
        "x": [0.5, -0.0, None],
        "t": ["a", None, "ü😀"],
        "d": [date(2024, 1, 1), None, date(1900, 1, 1)],
        "b": [True, False, None],
        "m": [datetime(2024, 1, 1, 12), None, datetime(1969, 1, 1)],
    }
)


def test_the_numbers_are_those_of_every_machine() -> None:
    assert _digest(FRAME) == "sha256:66386e65961f2fc159461ee1cb2bc945c8858c0fe699a9af38e1074e13613507"


def test_neither_the_order_of_rows_nor_of_columns_counts() -> None:
    assert _digest(FRAME[[2, 0, 1]].select(FRAME.columns[::-1])) == _digest(FRAME)


def test_width_and_encoding_do_not_count() -> None:
    other = FRAME.with_columns(
        pl.col("n").cast(pl.Int8), pl.col("t").cast(pl.Categorical), pl.col("x").cast(pl.Float32), pl.col("m").cast(pl.Datetime("ms"))
    )  # fmt: skip
    assert _digest(other) == _digest(FRAME)


@pytest.mark.parametrize(
    "change",
    [
        pl.col("n") + 1, pl.col("x").fill_null(0), pl.col("t").fill_null(""), pl.col("b").fill_null(False),
        pl.col("d").fill_null(date(1970, 1, 1)), pl.col("n").alias("z"), pl.col("n").cast(pl.Float64),
    ],
)  # fmt: skip
def test_every_cell_name_and_type_counts(change: pl.Expr) -> None:
    assert _digest(FRAME.with_columns(change)) != _digest(FRAME)


def test_a_row_that_is_there_twice_counts_twice() -> None:
    assert _digest(pl.concat([FRAME, FRAME])) != _digest(FRAME)
    assert _digest(pl.concat([FRAME, FRAME[:1], FRAME[:1]])) != _digest(FRAME)


def test_words_of_different_cells_differ() -> None:
    many = pl.Series("n", np.arange(100_000))
    assert len(np.unique(cell_words(many))) == 100_000
    assert len(np.unique(cell_words(many.cast(pl.String)))) == 100_000


def test_there_is_one_zero_and_one_way_to_be_missing() -> None:
    assert len(np.unique(cell_words(pl.Series("x", [0.0, -0.0])))) == 1
    assert len(np.unique(cell_words(plain(pl.DataFrame({"x": [None, float("nan")]})).to_series()))) == 1


def test_plain_data_has_one_spelling() -> None:
    assert digest({"b": 1, "a": [1, 2]}) == digest({"a": [1, 2], "b": 1})
