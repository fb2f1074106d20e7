"""Whether a number is the target in disguise: shifted, logged, ranked, folded by its sign, or hidden in its digits."""

from __future__ import annotations

import numpy as np

from loom.science.binning import BINS, Coded, Floats, middle, repeats
from loom.science.leakage.scores import BIN_PRIOR, class_score, class_table
from loom.science.leakage.truth import Truth
from loom.science.ranking import ranks
from loom.science.twins import Mask

COPY = 0.999
_LEAST_ROWS = 50
_MODULI = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 60, 100, 1000)
_EXACT = 2.0**53


class Copies:
    """Looks for one truth under its disguises; what does not depend on the column is ranked once."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        orders = [(truth.ranks, "")] if len(truth.ranks) else []
        self._masks = _masks(truth.values) if truth.task == "regression" else orders
        self._every = [_standard(values) for values, _ in self._masks]

    def score(self, values: Floats, *, remainders: bool) -> tuple[float, str]:
        """|Spearman| with the target and the disguise it was found under.

        Ranks see through every increasing function, log and rank among them; `abs` folds the column, the target or
        both at their medians; `mod` looks at remainders and at the decimals. For classes remainders are judged by
        cross-fitted AUC instead, which needs no order.
        """
        best = max((0.0, ""), self._ordered(values)) if self._masks else (0.0, "")
        if remainders and best[0] < COPY:
            best = max(best, _remainders(values, self._truth))
        return best

    def _ordered(self, values: Floats) -> tuple[float, str]:
        known = ~np.isnan(values)
        if known.sum() < max(_LEAST_ROWS, 0.5 * len(known)):
            return 0.0, "order"
        whole = bool(known.all())
        columns = _masks(values) if self._truth.task == "regression" else [(values, "")]
        truths = self._every if whole else [_standard(truth[known]) for truth, _ in self._masks]
        best = (0.0, "order")
        for at, (cells, fold) in enumerate(columns):
            ranks = _standard(cells if whole else cells[known])
            for place, (truth, (_, other)) in enumerate(zip(truths, self._masks, strict=True)):
                found = min(1.0, abs(float(ranks @ truth)))
                if not at and not place and found >= COPY:
                    return found, "order"
                best = max(best, (found, fold or other or "order"))
        return best


def _masks(values: Floats) -> list[tuple[Floats, str]]:
    """The values as they are, folded at their median, and folded at zero where some are below."""
    finite = values[np.isfinite(values)]
    masks = [(values, "")]
    if len(finite):
        masks.append((np.abs(values / 2 - middle(finite) / 2), "abs"))
    if (finite < 0).any():
        masks.append((np.abs(values), "abs"))
    return masks


def _standard(values: Floats) -> Floats:
    """The ranks with mean 0 and length 1; all 0 where the values do not vary."""
    places = ranks(values)
    places -= places.mean()
    length = float(np.sqrt(places @ places))
    return places / length if length else places


def _remainders(values: Floats, truth: Truth) -> tuple[float, str]:
    usable = np.isfinite(values) & (np.abs(values) < _EXACT)
    known = values[usable]
    if len(known) < max(_LEAST_ROWS, 0.5 * len(values) if truth.task == "regression" else 0):
        return 0.0, ""
    whole = bool((known == np.round(known)).all())
    if whole and repeats(known) and len(np.unique(known)) <= BINS:
        return 0.0, ""  # each value is a bin of its own already
    if truth.task == "regression":
        ranks = _standard(truth.ranks[usable])
        found = [
            (min(1.0, abs(float(_standard(np.mod(known, modulus)) @ ranks))), f"mod {modulus}")
            for modulus in (_MODULI if whole else (1,))
        ]
        return max(found)
    return max(
        (_remainder_auc(values, usable, modulus, truth), f"mod {modulus}")
        for modulus in (_MODULI if whole else (1,))
    )


def _remainder_auc(values: Floats, usable: Mask, modulus: int, truth: Truth) -> float:
    """The area of the remainders as levels; of the decimals, two digits."""
    rest = np.zeros(len(values))
    rest[usable] = np.mod(values[usable], modulus)
    levels = max(modulus, 100)
    if modulus == 1:
        rest = np.round(rest * 100) % 100
    codes = np.where(usable, rest, levels).astype(np.int64)
    return class_score(class_table(Coded(codes, levels + 1, levels), truth), BIN_PRIOR).value
