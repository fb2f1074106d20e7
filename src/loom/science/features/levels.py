"""Levels of a column as numbers, and what the target does in each of them, out of fold for the rows that taught it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.binning import Floats, Ints
from loom.science.columns import spelled

FOLDS = 5
MISSING = "\x00missing"  # a text that no file holds: control characters are not part of a level
MOST_LEVELS = 50_000
PRIOR_ROWS = 20.0


def as_text(column: pl.Series) -> pl.Series:
    """The cells as text, missing ones as a level of their own."""
    column = spelled(column).alias("cells")
    if column.dtype.is_float():  # 3.0 and 3 are one level, whatever type a later file is read in
        whole = column.drop_nulls()
        if bool((whole == whole.round(0)).all()) and bool((whole.abs() < 2**53).all()):
            column = column.cast(pl.Int64)
    return column.cast(pl.String).fill_null(MISSING)


def levels_of(column: pl.Series) -> tuple[list[str], Ints]:
    """The levels, the commonest first, and how often each is there; equally common ones in the order of their text."""
    encoded = as_text(column).to_arrow().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    counts = np.bincount(encoded.indices.to_numpy(zero_copy_only=False), minlength=len(names))
    order = sorted(range(len(names)), key=lambda place: (-counts[place], names[place]))[:MOST_LEVELS]
    return [names[place] for place in order], counts[order].astype(np.int64)


def codes_in(column: pl.Series, levels: Sequence[str]) -> Ints:
    """Each cell's place among the levels; their number for a level that is not one of them."""
    known = {name: place for place, name in enumerate(levels)}
    encoded = as_text(column).to_arrow().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    places = np.fromiter((known.get(name, len(levels)) for name in names), np.int64, len(names))
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return places[codes] if len(places) else np.zeros(0, np.int64)


def target_means(
    codes: Ints, levels: int, values: Floats, known: NDArray[np.bool_], folds: Ints
) -> dict[str, Any]:
    """Sums of the target by level, fold and output, from which every fold's own rows can be taken out again."""
    cells = codes[known] * FOLDS + folds[known]
    size = (levels + 1) * FOLDS
    truth = values[known]
    sums = [np.bincount(cells, truth[:, place], size) for place in range(values.shape[1])]
    rows = np.bincount(cells, minlength=size)
    return {
        "sums": np.stack(sums).reshape(values.shape[1], levels + 1, FOLDS)[:, :-1],
        "rows": rows.reshape(levels + 1, FOLDS)[:-1].astype(np.float64),
        "all_sums": np.stack(
            [np.bincount(folds[known], truth[:, place], FOLDS) for place in range(values.shape[1])]
        ),
        "all_rows": np.bincount(folds[known], minlength=FOLDS).astype(np.float64),
    }


def means_by_level(codes: Ints, state: Mapping[str, Any], folds: Ints | None) -> list[Floats]:
    """The target's mean in each cell's level, drawn towards the mean of all by 20 rows' worth of it.

    Rows of the training part get the mean over the other folds, their own fold's rows left out of the level and of
    the mean of all alike.
    """
    found = []
    for sums, all_sums in zip(state["sums"], state["all_sums"], strict=True):
        rows, all_rows = state["rows"], state["all_rows"]
        if folds is None:
            base = all_sums.sum() / max(all_rows.sum(), 1.0)
            means = (sums.sum(axis=1) + PRIOR_ROWS * base) / (rows.sum(axis=1) + PRIOR_ROWS)
            found.append(np.append(means, base)[codes])
            continue
        base = (all_sums.sum() - all_sums) / np.maximum(all_rows.sum() - all_rows, 1.0)
        others = sums.sum(axis=1, keepdims=True) - sums
        left = rows.sum(axis=1, keepdims=True) - rows
        means = (others + PRIOR_ROWS * base) / (left + PRIOR_ROWS)
        found.append(np.vstack([means, base])[codes, folds])
    return found
