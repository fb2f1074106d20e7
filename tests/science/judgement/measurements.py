"""Measurements of a model that nothing speaks against, to be spoiled one at a time."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

HONEST: dict[str, Any] = {
    "task": "binary",
    "metric": {"name": "auc", "direction": "higher", "bounded": True, "threshold": None},
    "splitter": {"kind": "stratified", "why": "no time, no groups", "horizon_assumed": False},
    "cv": {"folds": [0.80, 0.82, 0.81, 0.80, 0.82], "mean": 0.81, "se": 0.005},
    "holdout": {
        "digest": "sha256:1",
        "n": 1200,
        "score": 0.80,
        "ci": [0.77, 0.83],
        "se": 0.015,
        "openings": 1,
    },
    "baselines": {
        "dummy": {"name": "the base rate", "score": 0.5},
        "simple": [{"name": "logistic regression", "difference": {"value": 0.03, "ci": [0.01, 0.05]}}],
    },
    "permutation_p": 0.001,
    "canary": {"score": 0.49, "chance": 0.5, "ci": [0.46, 0.52]},
    "calibration": {"ece": 0.02, "findings": []},
    "slices": [],
    "fairness": "not assessed",
    "leakage": {"flags": [], "suspects": []},
    "overlaps": {"rows": 0, "groups": None, "times": None},
    "adversarial": {"auc": 0.51, "columns": []},
    "target_missing": 0.0,
    "errors": {},
}

REGRESSION: dict[str, Any] = HONEST | {
    "task": "regression",
    "metric": {"name": "rmse", "direction": "lower", "bounded": False, "threshold": None},
    "cv": {"folds": [2.0, 2.1, 1.9], "mean": 2.0, "se": 0.03},
    "holdout": {
        "digest": "sha256:1",
        "n": 1200,
        "score": 2.05,
        "ci": [1.95, 2.15],
        "se": 0.05,
        "openings": 1,
    },
    "baselines": {
        "dummy": {"name": "the mean", "score": 4.0},
        "simple": [{"name": "ridge regression", "difference": {"value": 0.2, "ci": [0.1, 0.3]}}],
    },
    "canary": {"score": 4.02, "chance": 4.0, "ci": [3.9, 4.14]},
}


def spoiled(path: str, value: Any, honest: dict[str, Any] = HONEST) -> dict[str, Any]:
    """The measurements with another value at `a.b`."""
    measured = deepcopy(honest)
    *parents, last = path.split(".")
    place = measured
    for name in parents:
        place = place[name]
    place[last] = value
    return measured
