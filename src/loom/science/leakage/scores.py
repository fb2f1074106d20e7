"""How well one column alone knows the target, on rows it has not learned from.

Every statistic comes from one small table: for each bin or level, for each of two folds, the rows of each class (or
the sums of the target). A rate is learned from one fold and judged on the other, both ways round, so that a column
of noise scores 0.5 however many levels it has.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loom.science.binning import Coded, Floats, Ints, middle
from loom.science.leakage.truth import Truth
from loom.science.ranking import ranks

LEVEL_PRIOR = 20.0  # rows that a level is believed to be like the rest
BIN_PRIOR = 1.0


@dataclass(frozen=True, slots=True, order=True)
class Score:
    """AUC (macro, one class against the rest) or R², and the best single class."""

    value: float
    best_class: float


@dataclass(frozen=True, slots=True)
class Purity:
    """How often a level's answer, learned on one fold, is right on the other.

    `errors` of `rows` are wrong; always answering the commonest class would be wrong in `base_errors`. For a
    regression `share` is the R² of the levels' means on rows of levels that were seen.
    """

    share: float
    rows: int
    errors: int
    base_errors: int
    covered: float


CHANCE = Score(0.5, 0.5)


def auc(wins: Floats | Ints, losses: Floats | Ints, scores: Floats) -> float:
    """The chance that a winner's score is above a loser's, ties counting half, from counts per score."""
    total_wins, total_losses = wins.sum(), losses.sum()
    if not total_wins or not total_losses:
        return 0.5
    _, place = np.unique(scores, return_inverse=True)
    at_wins, at_losses = np.bincount(place, wins), np.bincount(place, losses)
    below = np.cumsum(at_losses) - at_losses
    return float((at_wins * (below + at_losses / 2)).sum() / (total_wins * total_losses))


def class_table(coded: Coded, target: Truth) -> Ints:
    """Counts by level, fold and class; the last class holds the rows of classes too small to score."""
    width = target.classes + 1
    cell = (coded.codes * 2 + target.folds) * width + target.codes
    return np.bincount(cell, minlength=coded.levels * 2 * width).reshape(coded.levels, 2, width)


def class_score(table: Ints, prior: float) -> Score:
    """Cross-fitted AUC of every class against the rest from the rates of the levels."""
    classes = table.shape[2] - 1
    rows = table.sum(axis=2)
    found = []
    for one in range(1 if classes == 2 and not table[:, :, 2].any() else classes):
        wins = table[:, :, one]
        results, weights = [], []
        for learn, judge in ((0, 1), (1, 0)):
            base = wins[:, learn].sum() / max(rows[:, learn].sum(), 1)
            rates = (wins[:, learn] + prior * base) / (rows[:, learn] + prior)
            results.append(auc(wins[:, judge], rows[:, judge] - wins[:, judge], rates))
            weights.append(float(min(wins[:, judge].sum(), (rows - wins)[:, judge].sum())))
        found.append(float(np.average(results, weights=weights)) if sum(weights) else 0.5)
    return Score(float(np.mean(found)), max(found))


def rank_score(values: Floats, target: Truth) -> Score:
    """AUC of the plain order of a number, upwards or downwards; missing values stand in the middle.

    Both are parallel: the target may be a part of the one that was scanned.
    """
    known = ~np.isnan(values)
    if not known.any():
        return CHANCE
    values = np.where(known, values, middle(values))
    places = ranks(values)
    found = []
    for one in range(1 if target.classes == 2 and not target.pooled else target.classes):
        inside = target.codes == one
        wins, losses = int(inside.sum()), int(len(inside) - inside.sum())
        share = (places[inside].sum() - wins * (wins + 1) / 2) / (wins * losses)
        found.append(max(share, 1 - share))
    return Score(float(np.mean(found)), float(max(found)))


def mean_score(coded: Coded, target: Truth, prior: float) -> Score:
    """Cross-fitted R² of the levels' means, of the target and of its ranks; the better of the two.

    Ranks are looked at as well because 64 bins cannot follow the tail of a skewed target.
    """
    best = max(_r2(coded, target, values, prior) for values in (target.values, target.ranks))
    return Score(best, best)


def _r2(coded: Coded, target: Truth, values: Floats, prior: float) -> float:
    left = total = 0.0
    for learn, judge in ((0, 1), (1, 0)):
        fitted, judged = target.folds == learn, target.folds == judge
        if not fitted.any() or not judged.any():
            return 0.0
        base = float(values[fitted].mean())
        sums = np.bincount(coded.codes[fitted], values[fitted], coded.levels)
        rows = np.bincount(coded.codes[fitted], minlength=coded.levels)
        means = (sums + prior * base) / (rows + prior)
        truth = values[judged]
        left += float(((truth - means[coded.codes[judged]]) ** 2).sum())
        total += float(((truth - truth.mean()) ** 2).sum())
    return 1 - left / total if total > 0 else 0.0


def class_purity(table: Ints) -> Purity:
    """How often the commonest class of a level in one fold is the class in the other, over levels seen in both."""
    rows = errors = base_errors = 0
    for learn, judge in ((0, 1), (1, 0)):
        seen = table[:, learn].sum(axis=1) > 0
        if not seen.any():
            continue
        answers = table[seen, learn].argmax(axis=1)
        judged = table[seen, judge]
        rows += int(judged.sum())
        errors += int(judged.sum() - judged[np.arange(len(answers)), answers].sum())
        base_errors += int(judged.sum() - judged.sum(axis=0).max())
    share = 1 - errors / rows if rows else 0.0
    return Purity(share, rows, errors, base_errors, rows / max(int(table.sum()), 1))


def mean_purity(coded: Coded, target: Truth) -> Purity:
    """R² of the levels' plain means on the rows of the other fold whose level was seen."""
    left = total = 0.0
    rows = 0
    for learn, judge in ((0, 1), (1, 0)):
        fitted, judged = target.folds == learn, target.folds == judge
        sums = np.bincount(coded.codes[fitted], target.values[fitted], coded.levels)
        counts = np.bincount(coded.codes[fitted], minlength=coded.levels)
        codes, truth = coded.codes[judged], target.values[judged]
        seen = counts[codes] > 0
        codes, truth = codes[seen], truth[seen]
        rows += len(truth)
        if len(truth):
            left += float(((truth - sums[codes] / counts[codes]) ** 2).sum())
            total += float(((truth - truth.mean()) ** 2).sum())
    return Purity(1 - left / total if total > 0 else 0.0, rows, 0, 0, rows / max(len(target.rows), 1))


def pure_classes(table: Ints) -> tuple[float, int]:
    """The class that whole levels give away: its share in levels that held nothing else in the other fold, and rows.

    Levels count when they had at least two rows, all of one class that is not the commonest; so a rare target does
    not make every honest level look pure.
    """
    commonest = int(table.sum(axis=(0, 1)).argmax())
    hits = rows = 0
    for learn, judge in ((0, 1), (1, 0)):
        counts = table[:, learn]
        total = counts.sum(axis=1)
        answers = counts.argmax(axis=1)
        pure = (total >= 2) & (counts.max(axis=1) == total) & (answers != commonest)
        judged = table[pure, judge]
        rows += int(judged.sum())
        hits += int(judged[np.arange(len(judged)), answers[pure]].sum())
    return (hits / rows if rows else 0.0), rows


def missing_score(gone: NDArray[np.bool_], target: Truth) -> tuple[float, float, float]:
    """AUC of being missing, how surprising it is (p-value), and for a regression the R² of ranks it explains.

    Classes: the class that missing cells tell best against the rest, by the difference between the shares of missing
    cells, tested as a 2 x 2 table (Fisher's exact test where small) and corrected for the number of classes.
    Regression: the Mann–Whitney statistic between missing and present rows.
    """
    if gone.all() or not gone.any():
        return 0.5, 1.0, 0.0
    # few tables have gaps that need it, and it takes longer to load than all the rest of this
    stats: Any = importlib.import_module("scipy.stats")
    if target.task == "regression":
        result = stats.mannwhitneyu(target.ranks[gone], target.ranks[~gone])
        area = float(result.statistic) / (float(gone.sum()) * float((~gone).sum()))
        share = float(gone.mean())
        explained = 12 * share * (1 - share) * (area - 0.5) ** 2
        return max(area, 1 - area), float(result.pvalue), explained
    areas, p_value = [], 1.0
    for one in range(1 if target.classes == 2 and not target.pooled else target.classes):
        inside = target.codes == one
        cells = np.array(
            [
                [(gone & inside).sum(), (~gone & inside).sum()],
                [(gone & ~inside).sum(), (~gone & ~inside).sum()],
            ]
        )
        shares = cells[:, 0] / np.maximum(cells.sum(axis=1), 1)
        areas.append(0.5 + abs(float(shares[0] - shares[1])) / 2)
        p_value = min(
            p_value,
            float(stats.fisher_exact(cells)[1])
            if cells.min() < 20
            else float(stats.chi2_contingency(cells).pvalue),
        )
    return max(areas), min(1.0, p_value * len(areas)), 0.0
