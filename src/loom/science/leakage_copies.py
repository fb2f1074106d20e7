"""Whether a number is the target in disguise: shifted, logged, ranked, folded by its sign, or hidden in its digits."""

from __future__ import annotations

import numpy as np
from scipy import stats

from loom.science.binning import BINS, Coded, Floats, repeats
from loom.science.leakage_scores import BIN_PRIOR, class_score, class_table
from loom.science.leakage_target import Target

COPY = 0.999
_LEAST_ROWS = 50
_MODULI = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 60, 100, 1000)
_EXACT = 2.0**53


def copy_score(values: Floats, target: Target, *, remainders: bool) -> tuple[float, str]:
    """|Spearman| with the target and the disguise it was found under.

    Ranks see through every increasing function, log and rank among them; `abs` folds the column, the target or
    both at their medians; `mod` looks at remainders and at the decimals. For classes remainders are judged by
    cross-fitted AUC instead, which needs no order.
    """
    best = (0.0, "")
    if len(target.ranks):
        best = max(best, _ordered(values, target))
    if remainders and best[0] < COPY:
        best = max(best, _remainders(values, target))
    return best


def spearman(left: Floats, right: Floats) -> float:
    """|Spearman| over the rows where both are known; 0 where there are too few, or one does not vary."""
    known = ~(np.isnan(left) | np.isnan(right))
    if known.sum() < max(_LEAST_ROWS, 0.5 * len(known)):
        return 0.0
    left, right = stats.rankdata(left[known]), stats.rankdata(right[known])
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    return abs(float(np.corrcoef(left, right)[0, 1]))


def _ordered(values: Floats, target: Target) -> tuple[float, str]:
    plain = spearman(values, target.ranks)
    best = (plain, "order")
    if plain >= COPY or target.task != "regression":
        return best
    truth = target.values
    folded = (
        [(values, "")] if (values[~np.isnan(values)] >= 0).all() else [(values, ""), (np.abs(values), "abs")]
    )
    folded.append((np.abs(values - np.nanmedian(_finite(values))), "abs"))
    truths = [(truth, ""), (np.abs(truth - np.median(truth)), "abs")]
    if (truth < 0).any():
        truths.append((np.abs(truth), "abs"))
    for left, first in folded:
        for right, second in truths:
            if first or second:
                best = max(best, (spearman(left, right), "abs"))
    return best


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _remainders(values: Floats, target: Target) -> tuple[float, str]:
    known = values[np.isfinite(values) & (np.abs(values) < _EXACT)]
    if len(known) < _LEAST_ROWS:
        return 0.0, ""
    whole = bool((known == np.round(known)).all())
    if whole and repeats(known) and len(np.unique(known)) <= BINS:
        return 0.0, ""  # each value is a bin of its own already
    best = (0.0, "")
    usable = np.where(np.isfinite(values) & (np.abs(values) < _EXACT), values, np.nan)
    for modulus in _MODULI if whole else (1,):
        rest = np.mod(usable, modulus)
        found = (
            spearman(rest, target.ranks)
            if target.task == "regression"
            else _remainder_auc(rest, modulus, target)
        )
        best = max(best, (found, f"mod {modulus}"))
    return best


def _remainder_auc(rest: Floats, modulus: int, target: Target) -> float:
    missing = np.isnan(rest)
    levels = max(modulus, BINS)
    scaled = np.where(missing, 0.0, rest if modulus > 1 else np.round(rest * 100) % 100)
    levels = max(levels, 100)
    codes = np.where(missing, levels, scaled).astype(np.int64)
    return class_score(class_table(Coded(codes, levels + 1, levels), target), BIN_PRIOR).value
