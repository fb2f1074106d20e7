"""What ranks say of two columns of numbers: how well one orders the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loom.science.binning import Floats

_LEAST_ROWS = 50


def ranks(values: NDArray[np.generic]) -> Floats:
    """The place of every value from 1 on; equal values share the middle of their places. None may be missing."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(values) else order
    counts = np.diff(np.append(first, len(values)))
    found = np.empty(len(values))
    found[order] = np.repeat(first + (counts + 1) / 2, counts)
    return found


def area(scores: Floats, hits: NDArray[np.bool_]) -> float:
    """The area under the ROC curve: the chance that a hit scores above a miss, ties counting half."""
    wins, rows = int(hits.sum()), len(hits)
    if not wins or wins == rows:
        return 0.5
    return float((ranks(scores)[hits].sum() - wins * (wins + 1) / 2) / (wins * (rows - wins)))


def spearman(left: Floats, right: Floats) -> float:
    """|Spearman| over the rows where both are known; 0 where there are too few, or one does not vary."""
    known = ~(np.isnan(left) | np.isnan(right))
    if known.sum() < max(_LEAST_ROWS, 0.5 * len(known)):
        return 0.0
    left, right = ranks(left[known]), ranks(right[known])
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    return abs(float(np.corrcoef(left, right)[0, 1]))
