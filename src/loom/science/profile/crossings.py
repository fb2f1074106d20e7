"""Level columns crossed with each other and with numbers: Cramér's V and the correlation ratio, from one product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_MOST_LEVELS = 50
_MOST_COLUMNS = 100
_RARE = 5
_BLOCK = 1_024


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two columns and how strongly they go together."""

    a: str
    b: str
    measure: Literal["cramers_v", "correlation_ratio"]
    value: float
    rows: int


def crossings(
    levels: Sequence[tuple[str, Codes]],
    numbers: Sequence[str],
    values: Floats,
    known: Mapping[int, NDArray[np.bool_]],
    alpha: float,
) -> list[Crossing]:
    """The significant pairs of the first 100 level columns with each other and with every number.

    The values are standardised and 0 where they are missing. Levels beyond the 49 most frequent, and those with
    fewer than 5 rows, are taken together.
    """
    some = [(name, one) for name, codes in levels[:_MOST_COLUMNS] if (one := _one_hot(codes)) is not None]
    if not some:
        return []
    names, hot = [name for name, _ in some], np.concatenate([one for _, one in some])
    edges = np.cumsum([0, *(len(one) for _, one in some)])
    alpha /= len(some) * (len(some) - 1) // 2 + len(some) * len(numbers) or 1
    found = _levels_with_levels(names, hot, edges, alpha)
    for start in range(0, len(numbers), _BLOCK):
        block = slice(start, start + _BLOCK)
        masks = {place - start: mask for place, mask in known.items() if start <= place < start + _BLOCK}
        found += _levels_with_numbers(names, hot, edges, (numbers[block], values[block], masks), alpha)
    return found


def _one_hot(codes: Codes) -> Floats | None:
    """One row per level; missing cells are in none. None when fewer than two levels are left."""
    counts = np.bincount(codes[codes >= 0], minlength=1)
    order = np.argsort(-counts, kind="stable")
    kept = [int(level) for level in order[: _MOST_LEVELS - 1] if counts[level] >= _RARE]
    rows = [codes == level for level in kept]
    rest = (codes >= 0) & ~np.isin(codes, kept)
    if rest.sum() >= _RARE:
        rows.append(rest)
    return np.array(rows, np.float32) if len(rows) >= 2 else None


def _levels_with_levels(
    names: Sequence[str], hot: Floats, edges: NDArray[np.int_], alpha: float
) -> list[Crossing]:
    table = (hot @ hot.T).astype(np.float64)
    found = []
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            value, p, rows = _cramer(table[edges[i] : edges[i + 1], edges[j] : edges[j + 1]])
            if p < alpha:
                found.append(Crossing(names[i], names[j], "cramers_v", value, rows))
    return found


def _cramer(table: NDArray[np.float64]) -> tuple[float, float, int]:
    """Cramér's V, corrected for the size of the table, the p-value of its χ², and the rows."""
    total = table.sum()
    across, down = table.sum(1), table.sum(0)
    table = table[across > 0][:, down > 0]
    r, k = table.shape
    if total < 2 or r < 2 or k < 2:
        return 0.0, 1.0, int(total)
    expected = np.outer(table.sum(1), table.sum(0)) / total
    chi2 = float(((table - expected) ** 2 / expected).sum())
    surplus = max(0.0, chi2 / total - (r - 1) * (k - 1) / (total - 1))
    smaller = min(r - (r - 1) ** 2 / (total - 1), k - (k - 1) ** 2 / (total - 1)) - 1
    value = min(1.0, float(np.sqrt(surplus / smaller))) if smaller > 0 else 0.0
    return value, float(chdtrc((r - 1) * (k - 1), chi2)), int(total)


def _levels_with_numbers(
    names: Sequence[str],
    hot: Floats,
    edges: NDArray[np.int_],
    block: tuple[Sequence[str], Floats, Mapping[int, NDArray[np.bool_]]],
    alpha: float,
) -> list[Crossing]:
    numbers, values, masks = block
    sums = (hot @ values.T).astype(np.float64)
    counts = np.repeat(hot.sum(1, dtype=np.float64)[:, None], len(numbers), 1)
    for place, mask in masks.items():
        counts[:, place] = hot @ mask.astype(np.float32)
    # a row without a level takes no part, so the squares differ from column to column
    inside = np.add.reduceat(hot, edges[:-1], 0)
    squares = (inside @ np.square(values).T).astype(np.float64)
    found = []
    for at, name in enumerate(names):
        part = slice(edges[at], edges[at + 1])
        ratio, p, rows = _correlation_ratio(sums[part], counts[part], squares[at])
        found += [
            Crossing(name, numbers[place], "correlation_ratio", float(ratio[place]), int(rows[place]))
            for place in np.flatnonzero(p < alpha).tolist()
        ]
    return found


def _correlation_ratio(sums: Doubles, counts: Doubles, squares: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """The corrected correlation ratio of levels (down) and numbers (across), the p-value of its F, and the rows."""
    rows, groups = counts.sum(0), (counts > 0).sum(0)
    middle = sums.sum(0) ** 2 / np.maximum(rows, 1)
    total = squares - middle
    between = (sums**2 / np.maximum(counts, 1)).sum(0) - middle
    left = rows - groups
    fine = (groups >= 2) & (left > 0) & (total > 1e-9)
    eta2 = np.where(fine, np.clip(between / np.where(fine, total, 1), 0, 1), 0)
    left, groups = np.where(fine, left, 1), np.where(fine, groups, 2)
    ratio = np.sqrt(np.clip(1 - (1 - eta2) * (rows - 1) / left, 0, 1))
    f = (eta2 / (groups - 1)) / np.maximum((1 - eta2) / left, 1e-300)
    return ratio, np.where(fine, fdtrc(groups - 1, left, f), 1.0), rows
