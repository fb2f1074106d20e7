"""Whether predictions are too bold or too timid: the slope that would put them right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from loom.science.predictions import Estimate, Floats, Ints, Predictions, summed

_STEPS = 60
_ENDLESS = 20.0
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Slope:
    """1 when predictions are neither too bold (below) nor too timid (above); `why` says why there is none."""

    slope: Estimate | None
    intercept: Estimate | None
    why: str = ""


def slope_of(told: Predictions) -> Slope:
    """Cox's recalibration: the answers regressed on what was said, with an interval that respects clusters.

    For yes and no it is the logistic regression on the log odds of the predictions; for more classes one slope on
    their logarithms with an intercept per class; for amounts ordinary least squares. The null is slope 1. A
    probability of 0 or 1 counts as half a row in all: nothing nearer could be told from so many rows.
    """
    return _line(told) if told.task == "regression" else _logistic(told)


def _line(told: Predictions) -> Slope:
    centred = told.p - told.p.mean()
    size = float((centred**2).sum())
    if size <= (_SAME * max(1.0, float(np.abs(told.p).max()))) ** 2 * told.rows:
        return Slope(None, None, "the predictions never differ")
    slope = float(centred @ told.y) / size
    start = float(told.y.mean() - slope * told.p.mean())
    design = np.column_stack([told.p, np.ones(told.rows)])
    errors = told.y - design @ [slope, start]
    return _with_intervals(
        np.array([slope, start]), design.T @ design, design * errors[:, None], told.clusters, errors.var()
    )


def _logistic(told: Predictions) -> Slope:
    # a class that no row has tells nothing about the slope; the rest is judged as if it did not exist
    present = np.flatnonzero(np.bincount(told.y, minlength=told.p.shape[1]))
    if len(present) < 2:
        return Slope(None, None, "all answers are one class")
    nearest = min(0.5 / told.rows, 0.01)
    logs = np.log(np.maximum(told.p[:, present], nearest))
    logs -= logs[:, :1]
    if np.ptp(logs, axis=0).max() < _SAME:
        return Slope(None, None, "the predictions never differ")
    hits = told.hits[:, present]
    if len(present) == 2 and _separated(logs[:, 1], hits[:, 1] == 1):
        return Slope(None, None, "the predictions separate the classes")
    found = _newton(logs, hits)
    if found is None:
        return Slope(None, None, "the predictions nearly separate the classes")
    values, curvature, scores = found
    result = _with_intervals(values, curvature, scores, told.clusters, 1.0)
    return result if len(present) == 2 else Slope(result.slope, None)


def _separated(odds: Floats, yes: np.ndarray) -> bool:
    return bool(odds[~yes].max() <= odds[yes].min() or odds[yes].max() <= odds[~yes].min())


def _newton(logs: Floats, hits: Floats) -> tuple[Floats, Floats, Floats] | None:
    """The slope and the intercepts of all classes but the first, their curvature, and the scores of the rows."""
    values = np.zeros(logs.shape[1])
    values[0] = 1.0
    likelihood, shares = _likelihood(values, logs, hits)
    for _ in range(_STEPS):
        curvature, scores = _derivatives(shares, logs, hits)
        step = np.linalg.lstsq(curvature, scores.sum(0), rcond=None)[0]
        scale = 1.0
        while scale > 1e-4:
            further, moved = _likelihood(values + scale * step, logs, hits)
            if further >= likelihood - 1e-12 * abs(likelihood):
                break
            scale /= 2
        values, likelihood, shares = values + scale * step, further, moved
        if abs(values[0]) > _ENDLESS:
            return None
        if np.abs(step).max() < 1e-8:
            return (values, *_derivatives(shares, logs, hits))
    return None


def _likelihood(values: Floats, logs: Floats, hits: Floats) -> tuple[float, Floats]:
    heights = values[0] * logs
    heights[:, 1:] += values[1:]
    heights -= heights.max(axis=1, keepdims=True)
    shares = np.exp(heights)
    total = shares.sum(axis=1)
    return float((hits * heights).sum() - np.log(total).sum()), shares / total[:, None]


def _derivatives(shares: Floats, logs: Floats, hits: Floats) -> tuple[Floats, Floats]:
    weighted = shares * logs
    mean = weighted.sum(axis=1)
    k = logs.shape[1]
    curvature = np.empty((k, k))
    curvature[0, 0] = (weighted * logs).sum() - (mean**2).sum()
    curvature[0, 1:] = curvature[1:, 0] = (weighted - shares * mean[:, None])[:, 1:].sum(0)
    curvature[1:, 1:] = np.diag(shares[:, 1:].sum(0)) - shares[:, 1:].T @ shares[:, 1:]
    missed = hits - shares
    return curvature, np.column_stack([(missed * logs).sum(axis=1), missed[:, 1:]])


def _with_intervals(
    values: Floats, curvature: Floats, scores: Floats, clusters: Ints | None, noise: float
) -> Slope:
    units = summed(scores, clusters)
    number = len(units)
    if number < 2:
        return Slope(None, None, "all rows belong together")
    inverse = np.linalg.pinv(curvature)
    robust = np.diag(inverse @ (units.T @ units) @ inverse) * number / (number - 1)
    # with few rows of a class the robust interval is too narrow, and never should be narrower than the plain one
    spread = np.sqrt(np.maximum(robust, noise * np.diag(inverse)))
    reach = (float(ndtri(0.975)) if clusters is None else float(stdtrit(number - 1, 0.975))) * spread
    found = [
        Estimate(float(value), float(value - each), float(value + each))
        for value, each in zip(values, reach, strict=True)
    ]
    return Slope(found[0], found[1])
