"""One column against the target: every statistic that the rules judge, from one reading of the column."""

from __future__ import annotations

import numpy as np
import polars as pl

from loom.science.binning import Coded, bin_codes, edges_of, level_codes, numbers, repeats
from loom.science.leakage.copies import Copies
from loom.science.leakage.rules import DROP, ColumnScore
from loom.science.leakage.scores import (
    BIN_PRIOR,
    CHANCE,
    LEVEL_PRIOR,
    Purity,
    Score,
    class_purity,
    class_score,
    class_table,
    mean_purity,
    mean_score,
    missing_score,
    pure_classes,
    rank_score,
)
from loom.science.leakage.truth import Truth
from loom.science.reading import Use


class Against:
    """Holds columns against one truth."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._few = truth.at(truth.few)
        self._copies = Copies(self._few)

    def score(self, column: pl.Series, use: Use) -> ColumnScore:
        """What a column knows: as bins and in its order if it is a number, level by level if its values come again.

        Of a text its length is looked at as well.
        """
        truth = self._truth
        name, column = column.name, column.alias("cells")
        if len(truth.rows) < len(column):
            column = column.gather(truth.rows)
        number = column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype == pl.Boolean
        values = numbers(column) if number else None
        missing = column.is_null().to_numpy() if values is None else np.isnan(values)
        if use == "text":
            values = numbers(column.str.len_chars())
        score = CHANCE if truth.classes else Score(0.0, 0.0)
        copied = (0.0, "")
        if values is not None:
            few = values[truth.few]
            score = _scored(bin_codes(values, edges_of(few, truth.classes_of(few))), truth, BIN_PRIOR)
            if truth.classes:
                score = max(score, rank_score(few, self._few))
            copied = self._copies.score(few, remainders=score.value < DROP)
        levels, purity, pure = 0, None, (0.0, 0)
        if values is None or use == "text" or repeats(values):
            coded = level_codes(column)
            levels = coded.levels
            score = max(score, _scored(coded, truth, LEVEL_PRIOR if values is None else BIN_PRIOR))
            purity, pure = _purity(coded, truth)
        return ColumnScore(
            column=name, use=use, score=score, missing=missing_score(missing, truth), levels=levels,
            purity=purity, copy=copied, pure=pure,
        )  # fmt: skip


def _scored(coded: Coded, truth: Truth, prior: float) -> Score:
    if truth.task == "regression":
        return mean_score(coded, truth, prior)
    return class_score(class_table(coded, truth), prior)


def _purity(coded: Coded, truth: Truth) -> tuple[Purity, tuple[float, int]]:
    if truth.task == "regression":
        return mean_purity(coded, truth), (0.0, 0)
    table = class_table(coded, truth)
    return class_purity(table), pure_classes(table)
