"""One column against the target: every statistic that the rules judge, from one reading of the column."""

from __future__ import annotations

import numpy as np
import polars as pl

from loom.science.binning import Coded, Kind, bin_codes, edges_of, level_codes, numbers, repeats
from loom.science.leakage_copies import copy_score
from loom.science.leakage_rules import DROP, ColumnScore
from loom.science.leakage_scores import (
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
from loom.science.leakage_target import Target


def score_column(column: pl.Series, kind: Kind, target: Target) -> ColumnScore:
    """What a column knows: as bins and in its order if it is a number, level by level if its values come again.

    Of a text its length is looked at as well.
    """
    if len(target.rows) < len(column):
        column = column.gather(target.rows)
    number = kind in ("numeric", "date", "boolean") or column.dtype.is_numeric()
    values = numbers(column) if number else None
    missing = column.is_null().to_numpy() if values is None else np.isnan(values)
    if kind == "text":
        values = numbers(column.str.len_chars())
    score = CHANCE if target.classes else Score(0.0, 0.0)
    copied = (0.0, "")
    if values is not None:
        few, sampled = values[target.few], target.at(target.few)
        score = _scored(bin_codes(values, edges_of(few, target.classes_of(few))), target, BIN_PRIOR)
        if target.classes:
            score = max(score, rank_score(few, sampled))
        copied = copy_score(few, sampled, remainders=score.value < DROP)
    levels, purity, pure = 0, None, (0.0, 0)
    if values is None or kind == "text" or repeats(values):
        coded = level_codes(column)
        levels = coded.levels
        score = max(score, _scored(coded, target, LEVEL_PRIOR if values is None else BIN_PRIOR))
        purity, pure = _purity(coded, target)
    return ColumnScore(
        column=column.name, kind=kind, score=score, missing=missing_score(missing, target), levels=levels,
        purity=purity, copy=copied, pure=pure,
    )  # fmt: skip


def _scored(coded: Coded, target: Target, prior: float) -> Score:
    if target.task == "regression":
        return mean_score(coded, target, prior)
    return class_score(class_table(coded, target), prior)


def _purity(coded: Coded, target: Target) -> tuple[Purity, tuple[float, int]]:
    if target.task == "regression":
        return mean_purity(coded, target), (0.0, 0)
    table = class_table(coded, target)
    return class_purity(table), pure_classes(table)
