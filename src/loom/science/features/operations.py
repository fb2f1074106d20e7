"""What a feature is made with: each operation fits its state on training columns and applies it to any others.

A state is plain data: numbers, texts and arrays. Nothing here raises on a value: what cannot be read is missing,
infinities are missing, levels that were never seen are "none of those known".
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.binning import Floats, Ints, middle, numbers
from loom.science.columns import spelled
from loom.science.dates import moments_in
from loom.science.features.levels import codes_in, levels_of, means_by_level, target_means

State = dict[str, Any]
Column = NDArray[np.float32]

BUCKETS = 32
HUGE = 1e150  # beyond it, squares are no numbers
_LARGEST = 1e9
_SMALLEST = 1e-9
_DAY = 86_400e6


@dataclass(frozen=True, slots=True)
class Answers:
    """The target of the training rows while a state is fitted: one column of numbers per class, or one of amounts."""

    values: Floats
    known: NDArray[np.bool_]
    folds: Ints


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: the columns it reads, the features it makes, and what it learned from the training rows."""

    op: str
    source: tuple[str, ...]
    names: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stateful(self) -> bool:
        """Whether it learned anything."""
        return OPERATIONS[self.op].fit is not None

    def fitted(self, columns: Sequence[pl.Series], answers: Answers) -> Step:
        """The step with what it learns from these rows."""
        fit = OPERATIONS[self.op].fit
        state = {} if fit is None else fit(columns, self.options, answers)
        return Step(self.op, self.source, self.names, self.options, state)

    def apply(self, columns: Sequence[pl.Series], folds: Ints | None) -> list[pl.Series]:
        """The features; `folds` are given for the training rows, whose encodings are out of fold."""
        made = OPERATIONS[self.op].apply(columns, self.options, self.state, folds)
        return [pl.Series(name, values) for name, values in zip(self.names, made, strict=True)]


Fit = Callable[[Sequence[pl.Series], Mapping[str, Any], Answers], State]
Apply = Callable[[Sequence[pl.Series], Mapping[str, Any], Mapping[str, Any], Ints | None], list[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """How an operation learns, if it does, and how it is applied."""

    fit: Fit | None
    apply: Apply


def finite(column: pl.Series) -> Floats:
    """The column as numbers, infinities as missing; words that are numbers are read, others are missing."""
    values = numbers(column)
    return np.where(np.isfinite(values), values, np.nan)


def filled(values: Floats, fill: float) -> Floats:
    """The numbers with something in every place."""
    return np.where(np.isnan(values), fill, values)


def narrow(values: Floats) -> Column:
    """In 32 bits, within bounds that every learner can take."""
    return np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)


def _fit_scale(columns: Sequence[pl.Series], options: Mapping[str, Any], answers: Answers) -> State:
    values = finite(columns[0])
    fill = middle(values)
    values = filled(values, fill)
    spread = float(np.std(np.clip(values, -HUGE, HUGE))) if len(values) else 0.0
    centre = float(np.mean(np.clip(values, -HUGE, HUGE))) if len(values) else 0.0
    usable = np.isfinite(spread) and spread > 1e-12 * max(1.0, abs(centre))
    return {"fill": fill, "centre": centre, "spread": spread if usable else 1.0}


def _apply_scale(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    return [narrow((filled(finite(columns[0]), state["fill"]) - state["centre"]) / state["spread"])]


def _apply_missing(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    column = columns[0]
    gone = np.isnan(finite(column)) if options["number"] else column.is_null().to_numpy()
    return [gone.astype(np.uint8)]


def _apply_truth(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    return [(filled(finite(columns[0]), 0.0) != 0).astype(np.uint8)]


def _apply_one_hot(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    codes = codes_in(columns[0], options["levels"])
    return [(codes == place).astype(np.uint8) for place in options["places"]]


def _fit_frequency(columns: Sequence[pl.Series], options: Mapping[str, Any], answers: Answers) -> State:
    levels, counts = levels_of(columns[0])
    return {"levels": levels, "shares": counts / max(len(columns[0]), 1)}


def _apply_frequency(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    shares = np.append(np.asarray(state["shares"], np.float64), 0.0)
    return [narrow(shares[codes_in(columns[0], state["levels"])])]


def _fit_target(columns: Sequence[pl.Series], options: Mapping[str, Any], answers: Answers) -> State:
    levels, _ = levels_of(columns[0])
    codes = codes_in(columns[0], levels)
    return {
        "levels": levels,
        **target_means(codes, len(levels), answers.values, answers.known, answers.folds),
    }


def _apply_target(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    codes = codes_in(columns[0], state["levels"])
    return [narrow(values) for values in means_by_level(codes, state, folds)]


def _moments(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:  # of a later file; in the first one they were dates
        return moments_in(column, ("YYYY-MM-DD",))
    return column.cast(pl.Datetime("us"), strict=False)


def _days(column: pl.Series) -> Floats:
    return _moments(column).to_physical().cast(pl.Float64).to_numpy() / _DAY


def _apply_date_parts(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    moments = _moments(columns[0])
    return [
        narrow(getattr(moments.dt, part)().cast(pl.Float64).fill_null(0.0).to_numpy())
        for part in options["parts"]
    ]


def _fit_days(columns: Sequence[pl.Series], options: Mapping[str, Any], answers: Answers) -> State:
    return {"fill": middle(_day_count(columns))}


def _apply_days(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    return [narrow(filled(_day_count(columns), state["fill"]))]


def _day_count(columns: Sequence[pl.Series]) -> Floats:
    return _days(columns[0]) - _days(columns[1]) if len(columns) > 1 else _days(columns[0])


def _fit_pair(columns: Sequence[pl.Series], options: Mapping[str, Any], answers: Answers) -> State:
    left, right = (middle(finite(column)) for column in columns)
    return {"left": left, "right": right}


def _apply_difference(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    left, right = _pair(columns, state)
    return [narrow(left - right)]


def _apply_ratio(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    left, right = _pair(columns, state)
    small = np.abs(right) < _SMALLEST
    return [narrow(np.where(small, 0.0, left / np.where(small, 1.0, right)))]


def _pair(columns: Sequence[pl.Series], state: Mapping[str, Any]) -> tuple[Floats, Floats]:
    left, right = filled(finite(columns[0]), state["left"]), filled(finite(columns[1]), state["right"])
    return np.clip(left, -HUGE, HUGE), np.clip(right, -HUGE, HUGE)


def _fit_group(columns: Sequence[pl.Series], options: Mapping[str, Any], answers: Answers) -> State:
    levels, _ = levels_of(columns[0])
    codes, values = codes_in(columns[0], levels), np.clip(finite(columns[1]), -HUGE, HUGE)
    known = ~np.isnan(values)
    sums = np.bincount(codes[known], values[known], len(levels) + 1)
    rows = np.bincount(codes[known], minlength=len(levels) + 1)
    overall = float(values[known].mean()) if known.any() else 0.0
    return {
        "levels": levels,
        "means": np.where(rows > 0, sums / np.maximum(rows, 1), overall)[:-1],
        "overall": overall,
    }


def _apply_group(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    means = np.append(np.asarray(state["means"], np.float64), state["overall"])[
        codes_in(columns[0], state["levels"])
    ]
    values = np.clip(finite(columns[1]), -HUGE, HUGE)
    return [narrow(means), narrow(np.where(np.isnan(values), 0.0, values - means))]


def _text(column: pl.Series) -> pl.Series:
    return spelled(column).cast(pl.String).fill_null("")


def _apply_text_shape(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    text = _text(columns[0])
    length = text.str.len_chars().cast(pl.Float64).to_numpy()
    spoken = text.str.count_matches(r"\w+").cast(pl.Float64).to_numpy()
    return [narrow(np.log1p(length)), narrow(np.log1p(spoken))]


def _apply_text_hash(
    columns: Sequence[pl.Series], options: Mapping[str, Any], state: Mapping[str, Any], folds: Ints | None
) -> list[Any]:
    buckets = int(options["buckets"])
    text = _text(columns[0]).str.to_lowercase()
    spoken = text.str.extract_all(r"\w+")
    rows = np.repeat(np.arange(len(text)), spoken.list.len().to_numpy())
    tokens = spoken.explode().drop_nulls()
    counts = np.zeros((len(text), buckets))
    if len(tokens):
        encoded = tokens.to_arrow().dictionary_encode()
        places = np.array([zlib.crc32(word.encode()) % buckets for word in encoded.dictionary.to_pylist()])
        cells = rows * buckets + places[encoded.indices.to_numpy(zero_copy_only=False)]
        counts = (
            np.bincount(cells, minlength=len(text) * buckets).reshape(len(text), buckets).astype(np.float64)
        )
    return [narrow(np.log1p(counts[:, place])) for place in range(buckets)]


OPERATIONS: Mapping[str, Operation] = {
    "fill_scale": Operation(_fit_scale, _apply_scale),
    "is_missing": Operation(None, _apply_missing),
    "truth": Operation(None, _apply_truth),
    "one_hot": Operation(lambda columns, options, answers: {}, _apply_one_hot),
    "frequency": Operation(_fit_frequency, _apply_frequency),
    "target_encode": Operation(_fit_target, _apply_target),
    "date_parts": Operation(None, _apply_date_parts),
    "days": Operation(_fit_days, _apply_days),
    "difference": Operation(_fit_pair, _apply_difference),
    "ratio": Operation(_fit_pair, _apply_ratio),
    "group_mean": Operation(_fit_group, _apply_group),
    "text_shape": Operation(None, _apply_text_shape),
    "text_hash": Operation(None, _apply_text_hash),
}
