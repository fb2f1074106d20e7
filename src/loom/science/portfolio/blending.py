"""How much each member counts: the weights at which the out-of-fold predictions together lose least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from loom.science.portfolio.members import Floats, Member
from loom.science.targets import Task

_STEPS = 4
_SURE = 1e-6


def blend(
    predictions: Mapping[Member, Floats], answers: npt.NDArray[np.float64], task: Task
) -> dict[Member, float]:
    """Weights in quarters that lose least; of two that lose the same, the simpler one."""
    names = list(predictions)
    grid = [
        tuple(part / _STEPS for part in parts)
        for parts in product(range(_STEPS + 1), repeat=len(names))
        if sum(parts) == _STEPS
    ]
    # the first member is the simplest, and one alone is simpler than two
    grid.sort(key=lambda weights: (sum(weight > 0 for weight in weights), [-weight for weight in weights]))
    losses = [_loss(mixed([predictions[name] for name in names], weights), answers, task) for weights in grid]
    best = grid[int(np.argmin(np.round(losses, 9)))]
    return {name: weight for name, weight in zip(names, best, strict=True) if weight > 0}


def mixed(predictions: Sequence[Floats], weights: Sequence[float]) -> Floats:
    """Predictions, weighed."""
    total: Floats = np.zeros_like(predictions[0], np.float64)
    for each, weight in zip(predictions, weights, strict=True):
        if weight:
            total += weight * each
    return total


def _loss(predicted: Floats, answers: npt.NDArray[np.float64], task: Task) -> float:
    if task == "regression":
        return float(np.mean((predicted - answers) ** 2))
    codes = answers.astype(np.int64)
    right = (
        np.where(codes == 1, predicted, 1 - predicted)
        if task == "binary"
        else predicted[np.arange(len(codes)), codes]
    )
    return float(-np.mean(np.log(np.clip(right, _SURE, 1))))
