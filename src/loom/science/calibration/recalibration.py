"""Putting predictions right: a monotone map, learned from predictions of rows that the model had not seen."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from loom.kernel.errors import LoomError
from loom.science.predictions import Floats, Predictions, predictions_of

Kind = Literal["identity", "platt", "beta", "isotonic", "temperature", "vector"]

_BETA_ROWS = 100
_ISOTONIC_ROWS = 1_000
_VECTOR_ROWS = 200
_EDGE = 1e-6
_LEAST_SLOPE = 0.01
_MOST_SLOPE = 100.0


@dataclass(frozen=True, slots=True)
class Recalibration:
    """A map from predictions to better ones; `numbers` is all it has learned.

    platt: slope and intercept on the log odds. beta: slopes on ln p and -ln(1 - p), and an intercept. isotonic: the
    knots between which it is linear. temperature: one slope on the logarithms of all shares. vector: a slope and an
    intercept for each. Slopes are never negative, so that what was more likely stays so.
    """

    kind: Kind
    numbers: Mapping[str, tuple[float, ...]]

    def apply(self, p: Any) -> Floats:
        """New predictions put right: the chances of yes, or the shares of classes, in the shape they came in."""
        said = np.asarray(p, np.float64)
        if self.kind == "identity":
            return said.copy()
        if self.kind in ("temperature", "vector"):
            return _shares(said, *(np.array(self.numbers[key]) for key in ("slopes", "intercepts")))
        yes = said if said.ndim == 1 else said[:, -1]
        if self.kind == "isotonic":
            right = np.interp(yes, self.numbers["said"], self.numbers["true"])
        else:
            right = expit(_odds(self.kind, yes) @ np.array(self.numbers["slopes"]))
            right = np.clip(right, _EDGE, 1 - _EDGE)
        return right if said.ndim == 1 else np.column_stack([1 - right, right])

    def as_json(self) -> dict[str, Any]:
        """The map as plain data."""
        return {"kind": self.kind, **{key: list(values) for key, values in self.numbers.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recalibration:
        """The map that `as_json` wrote down."""
        return cls(
            data["kind"],
            {key: tuple(map(float, values)) for key, values in data.items() if key != "kind"},
        )


def recalibrate(y: Any, p: Any, *, kind: Kind | None = None) -> Recalibration:
    """Learn the map from answers and predictions of rows that the model had not seen.

    Without a kind, the size of the smaller class decides: Platt's line below 100 rows, a beta map below 1,000,
    isotonic steps with straight lines between them above; for several classes one temperature while the smallest
    has fewer than 200 rows, else a slope and an intercept for each. One answer only teaches nothing, and leaves
    predictions as they are.
    """
    told = predictions_of(y, p)
    if told.task == "regression":
        raise LoomError(
            "amounts cannot be recalibrated",
            "the map is for probabilities",
            "leave recalibration out, or predict classes with --target",
        )
    counts = np.bincount(told.y, minlength=told.p.shape[1])
    if np.count_nonzero(counts) < 2 and kind is None:
        return Recalibration("identity", {})
    found = kind or _kind(told, int(counts.min()))
    return _LEARNERS[found](told)


def _kind(told: Predictions, least: int) -> Kind:
    if told.task == "multiclass":
        return "vector" if least >= _VECTOR_ROWS else "temperature"
    return "platt" if least < _BETA_ROWS else "beta" if least < _ISOTONIC_ROWS else "isotonic"


def _odds(kind: Kind, yes: Floats) -> Floats:
    """What the slopes multiply: log odds and 1, or the two logarithms and 1."""
    near = np.clip(yes, _EDGE, 1 - _EDGE)
    parts = [np.log(near), -np.log1p(-near)]
    ones = np.ones(len(near))
    return np.column_stack([parts[0] + parts[1], ones] if kind == "platt" else [*parts, ones])


def _line(kind: Kind) -> Callable[[Predictions], Recalibration]:
    def learn(told: Predictions) -> Recalibration:
        yes = told.y == 1
        # Platt's targets: one imagined row on the other side of each class, so that slopes stay finite
        goal = np.where(yes, (yes.sum() + 1) / (yes.sum() + 2), 1 / ((~yes).sum() + 2))
        design = _odds(kind, told.p[:, 1])

        def loss(slopes: Floats) -> tuple[float, Floats]:
            heights = design @ slopes
            value = (np.logaddexp(0, heights) - goal * heights).mean()
            return float(value), design.T @ (expit(heights) - goal) / told.rows

        free = design.shape[1] - 1
        bounds = [(0.0, _MOST_SLOPE)] * free + [(None, None)]
        best = minimize(loss, [1.0] * free + [0.0], jac=True, bounds=bounds, method="L-BFGS-B")
        return Recalibration(kind, {"slopes": tuple(map(float, best.x))})

    return learn


def _isotonic(told: Predictions) -> Recalibration:
    yes = told.p[:, 1]
    # applying a map, which is what most do, needs none of it
    isotonic: Any = importlib.import_module("sklearn.isotonic")
    fitted = isotonic.IsotonicRegression(y_min=0, y_max=1).fit_transform(yes, told.y)
    _, step = np.unique(fitted, return_inverse=True)
    rows = np.bincount(step)
    # a step is a count like any other: with half a row of either answer it is never quite 0 or 1
    true = (np.bincount(step, told.y) + 0.5) / (rows + 1)
    knots = np.bincount(step, yes) / rows
    return Recalibration(
        "isotonic",
        {"said": tuple(map(float, knots)), "true": tuple(map(float, np.maximum.accumulate(true)))},
    )


def _scaling(kind: Kind) -> Callable[[Predictions], Recalibration]:
    def learn(told: Predictions) -> Recalibration:
        classes = told.p.shape[1]
        logs, hits = np.log(np.maximum(told.p, _EDGE)), told.hits
        each = classes if kind == "vector" else 1

        def loss(values: Floats) -> tuple[float, Floats]:
            slopes, intercepts = values[:each], values[each:] if each > 1 else 0.0
            heights = logs * slopes + intercepts
            shares = np.exp(heights - logsumexp(heights, axis=1, keepdims=True))
            # a single imagined row holds every number near "as it is"
            start = np.concatenate([np.ones(each), np.zeros(len(values) - each)])
            pull = values - start
            missed = shares - hits
            value = (logsumexp(heights, axis=1) - (hits * heights).sum(1)).sum() + (pull**2).sum() / 2
            steep = (missed * logs).sum(0)
            slope = steep if each > 1 else np.array([steep.sum()])
            gradient = np.concatenate([slope, missed.sum(0)]) if each > 1 else slope
            return float(value) / told.rows, (gradient + pull) / told.rows

        bounds = [(_LEAST_SLOPE, _MOST_SLOPE)] * each + [(None, None)] * (classes if each > 1 else 0)
        start = [1.0] * each + [0.0] * (classes if each > 1 else 0)
        best = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
        slopes = best[:each] if each > 1 else np.full(classes, best[0])
        intercepts = best[each:] if each > 1 else np.zeros(classes)
        return Recalibration(
            kind, {"slopes": tuple(map(float, slopes)), "intercepts": tuple(map(float, intercepts))}
        )

    return learn


def _shares(said: Floats, slopes: Floats, intercepts: Floats) -> Floats:
    heights = np.log(np.maximum(said, _EDGE)) * slopes + intercepts
    shares = np.maximum(np.exp(heights - logsumexp(heights, axis=1, keepdims=True)), _EDGE)
    right: Floats = shares / shares.sum(axis=1, keepdims=True)
    return right


def _as_it_is(_: Predictions) -> Recalibration:
    return Recalibration("identity", {})


_LEARNERS: Mapping[Kind, Callable[[Predictions], Recalibration]] = {
    "identity": _as_it_is,
    "platt": _line("platt"),
    "beta": _line("beta"),
    "isotonic": _isotonic,
    "temperature": _scaling("temperature"),
    "vector": _scaling("vector"),
}
