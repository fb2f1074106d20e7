"""Rows by a sensitive column: its levels, quarters of its numbers, and those who have no value as a group too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from loom.kernel.errors import LoomError
from loom.science.disclosure import LONGEST_LEVEL, is_personal_name, looks_personal, may_show_level
from loom.science.predictions import Ints
from loom.science.slicing import between, edges_of, told

MISSING = "missing"
_QUARTERS = 4
_FEW = 10
_LEAST_ROWS = 20
_MOST = 50


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a column by name, every row's group, and whether they are ranges of its numbers."""

    column: str
    names: tuple[str, ...]
    codes: Ints
    binned: bool


def groups_of(sensitive: Any) -> Groups:
    """The groups of a sensitive column, those who have no value last.

    More than ten numbers are cut at their quartiles. Levels of fewer than 20 rows, and those after the 50 most
    frequent, are one group; a level that may not be shown is called by its number.
    """
    column = sensitive if isinstance(sensitive, pl.Series) else pl.Series("group", np.asarray(sensitive))
    if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary):
        raise LoomError(
            f"`{column.name}` has no groups",
            "its cells are lists or records",
            "name another column with --sensitive",
        )
    if column.dtype.is_float():
        column = column.fill_nan(None)
    continuous = column.dtype.is_numeric() or column.dtype in (pl.Date, pl.Datetime)
    if continuous and column.drop_nulls().n_unique() > _FEW:
        return _ranges(column)
    return _levels(column)


def _ranges(column: pl.Series) -> Groups:
    moments = column.dtype in (pl.Date, pl.Datetime)
    if moments:
        column = column.cast(pl.Datetime("us")).to_physical() / 1_000_000
    values = column.cast(pl.Float64).to_numpy()
    known = np.isfinite(values)
    edges = edges_of(values[known], _QUARTERS, moments)
    codes = np.searchsorted(edges, values, side="left")
    codes[~known] = len(edges) + 1
    texts = [told(edge, moments) for edge in edges]
    secret = is_personal_name(column.name)
    names = [
        f"part #{at + 1}" if secret else between(column.name, texts, at, at + 1) if texts else "all values"
        for at in range(len(edges) + 1)
    ]
    return _present(column.name, [*names, MISSING], codes, binned=True)


def _levels(column: pl.Series) -> Groups:
    cells = column.cast(pl.String).alias("level")
    counts = cells.drop_nulls().value_counts(name="count").sort("count", "level", descending=[True, False])
    kept = counts.filter(pl.col("count") >= _LEAST_ROWS).head(_MOST)
    rest = len(counts) - len(kept)
    if rest == 1:
        kept, rest = counts, 0
    levels: list[str] = kept["level"].to_list()
    secret = is_personal_name(column.name) or looks_personal(levels)
    names = [
        level[:LONGEST_LEVEL] if may_show_level(count, len(cells)) and not secret else f"level #{rank}"
        for rank, (level, count) in enumerate(kept.iter_rows(), 1)
    ]
    known = pl.DataFrame({"level": pl.Series(levels, dtype=pl.String), "code": np.arange(len(levels))})
    joined = pl.DataFrame({"level": cells}).join(known, on="level", how="left", maintain_order="left")
    codes = joined["code"].fill_null(len(levels)).to_numpy().astype(np.int64)
    codes[cells.is_null().to_numpy()] = len(levels) + 1
    return _present(column.name, [*names, f"{rest} other levels", MISSING], codes, binned=False)


def _present(column: str, names: Sequence[str], codes: Any, *, binned: bool) -> Groups:
    used, numbered = np.unique(codes, return_inverse=True)
    return Groups(column, tuple(names[at] for at in used.tolist()), numbered.astype(np.int64), binned)
