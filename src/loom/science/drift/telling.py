"""How well a model tells two samples apart, row by row: what single columns do not show, all of them together may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from scipy.special import ndtr

from loom.science.boosting import Matrix, parameters
from loom.science.ranking import area
from loom.science.resources import threads

_FOLDS = 2
_ROUNDS = 40
_LEAST_ROWS = 40
_NAMED = 5
_COLUMNS_PER_TREE = 500


@dataclass(frozen=True, slots=True)
class Telling:
    """The area under the curve of the model on rows it has not seen, its p-value, and the columns it leans on most."""

    auc: float
    p: float
    columns: tuple[str, ...]


def tell_apart(names: Sequence[str], current: Matrix, reference: Matrix, *, seed: int = 0) -> Telling | None:
    """Fit boosted trees on one half of both samples, score the other half, and the other way round.

    The null is that rows of both sides are exchangeable: then the area is 0.5, give or take that of Mann and
    Whitney. None when there are fewer than 40 rows on a side, or no columns.
    """
    if min(len(current), len(reference)) < _LEAST_ROWS or not names:
        return None
    rows = np.concatenate([current, reference])
    side = np.concatenate([np.ones(len(current)), np.zeros(len(reference))])
    fold = np.empty(len(rows), np.int8)
    random = np.random.default_rng(seed)
    for part in (side == 1, side == 0):
        fold[part] = random.permutation(np.arange(part.sum()) % _FOLDS)
    areas, gain = [], np.zeros(len(names))
    cores = threads()
    # every tree looks at some columns of a wide table, all trees together at most of them
    width = min(1.0, _COLUMNS_PER_TREE / len(names))
    options = parameters(seed, threads=cores, objective="binary", learning_rate=0.1, feature_fraction=width)
    data = lightgbm.Dataset(rows, label=side, params=options, free_raw_data=False).construct()
    for held in range(_FOLDS):
        train, test = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        model = lightgbm.train(options, data.subset(train.tolist()), _ROUNDS)
        scores = np.asarray(model.predict(rows[test], num_threads=cores))
        areas.append(area(scores, side[test] == 1))
        gain += model.feature_importance("gain")
    auc = float(np.mean(areas))
    n, m = len(current), len(reference)
    z = (auc - 0.5) / np.sqrt((n + m + 1) / (12 * n * m))
    leading = [names[at] for at in np.argsort(-gain)[:_NAMED].tolist() if gain[at] > 0.02 * gain.sum()]
    return Telling(auc, float(ndtr(-z)), tuple(leading))
