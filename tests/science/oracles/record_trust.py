"""Recomputes `trust.json`: what fairlearn, MAPIE and statsmodels say about predictions anybody can make again.

    python -m tests.science.oracles.record_trust

needs these libraries, which nothing else in the project does. A model of the Titanic is recorded as rounded
coefficients, so that its predictions are the same wherever they are computed.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from tests.science.trust_data import DATA, biased, chances, titanic, titanic_chances

RECORDED = Path(__file__).with_name("trust.json")
TERMS = ("intercept", "female", "class", "age", "siblings")


def recorded() -> dict[str, Any]:
    """The figures as they were recorded."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def fairness_of(y: np.ndarray, chosen: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """Fairlearn's figures for a decision."""
    fair = importlib.import_module("fairlearn.metrics")
    metrics = importlib.import_module("sklearn.metrics")
    by_group = fair.MetricFrame(
        metrics={
            "selection_rate": fair.selection_rate,
            "tpr": fair.true_positive_rate,
            "fpr": fair.false_positive_rate,
            "precision": metrics.precision_score,
        },
        y_true=y,
        y_pred=chosen,
        sensitive_features=groups,
    ).by_group
    whole = {"sensitive_features": groups}
    return {
        "groups": {
            name: {key: float(row[key]) for key in by_group.columns} for name, row in by_group.iterrows()
        },
        "demographic_parity_ratio": float(fair.demographic_parity_ratio(y, chosen, **whole)),
        "demographic_parity_difference": float(fair.demographic_parity_difference(y, chosen, **whole)),
        "equalized_odds_difference": float(fair.equalized_odds_difference(y, chosen, **whole)),
    }


def computed() -> dict[str, Any]:
    """All figures, as the libraries compute them now."""
    found: dict[str, Any] = {}
    if DATA.exists():
        y, features, sex = titanic()
        model = LogisticRegression(max_iter=1_000).fit(features, y)
        weights = [round(float(w), 3) for w in (model.intercept_[0], *model.coef_[0])]
        chosen = (titanic_chances(weights) >= 0.5).astype(int)
        found["titanic"] = {
            "coefficients": dict(zip(TERMS, weights, strict=True)),
            **fairness_of(y, chosen, sex),
        }
    y, p, groups = biased()
    found["biased"] = fairness_of(y, (p >= 0.5).astype(int), groups)
    y, p = chances()
    order = np.argsort(p)
    mapie = importlib.import_module("mapie.metrics.calibration")
    models = importlib.import_module("statsmodels.api")
    fitted = models.Logit(y, models.add_constant(np.log(p / (1 - p)))).fit(disp=0)
    found["calibration"] = {
        "ece": {
            str(bins): float(
                mapie.expected_calibration_error(
                    y[order], p[order], num_bins=bins, split_strategy="array split"
                )
            )
            for bins in (5, 10, 20)
        },
        "intercept": float(fitted.params[0]),
        "slope": float(fitted.params[1]),
        "slope_ci": [float(end) for end in fitted.conf_int()[1]],
    }
    return found


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(computed(), indent=2) + "\n", encoding="utf-8")
