"""Pictures of a verdict: they compile, their titles say what was found, and what is not there is not drawn."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from loom.science import calibration
from loom.science.charts.chart import Chart
from loom.science.charts.curves import precision_recall, roc
from loom.science.charts.folds import fold_scores, stretches
from loom.science.charts.reliability import reliability
from loom.science.charts.weaknesses import group_rates, mistakes, weak_slices
from loom.science.fairness import assess
from loom.science.pictures import svg

OF = "400 sealed rows of IngestDataset/1"
LINE = [[at / 40, min(1.0, at / 20), max(0.0, at / 20 - 0.1), min(1.0, at / 20 + 0.1)] for at in range(41)]
CURVES = {"base_rate": 0.3, "roc": LINE, "pr": [[at / 40, 1 - at / 80, 0.4, 1.0] for at in range(41)]}
FIGURES: dict[str, Any] = {
    "metric": {"name": "auc", "direction": "higher"},
    "cv": {"folds": [0.8, 0.82, 0.81], "mean": 0.81, "se": 0.006},
    "holdout": {"score": 0.79, "ci": [0.75, 0.83]},
    "baselines": {"dummy": {"score": 0.5}},
}
SPLIT = {
    "by_time": True,
    "lanes": [
        {"lane": "fold 1", "parts": [{"role": "tested", "from": 0.0, "to": 0.4}, {"role": "left out", "from": 0.4, "to": 0.8}]},
        {"lane": "the model", "parts": [{"role": "learned", "from": 0.0, "to": 0.8}, {"role": "sealed", "from": 0.8, "to": 1.0}]},
    ],
}  # fmt: skip
SLICES = [{"name": "`age` > 60 and `plan` is basic", "n": 120, "effect": 0.6, "columns": ["age", "plan"]}]
MISTAKES = {"classes": ["ale", "stout"], "rows": [50, 40], "shares": [[0.9, 0.1], [0.25, 0.75]], "more": 1}


def calibrated(task: str, bias: float = 0.0) -> dict[str, Any]:
    random = np.random.default_rng(0)
    if task == "regression":
        said = random.normal(50, 10, 800)
        return calibration.assess(said + bias + random.normal(0, 5, 800), said, task="regression").as_json()
    said = random.uniform(0.05, 0.95, 800)
    answers = (random.random(800) < np.clip(said + bias, 0, 1)).astype(int)
    return calibration.assess(answers, said, task="binary").as_json()


def groups() -> dict[str, Any]:
    random = np.random.default_rng(0)
    who = np.repeat(["a", "b", "few"], [400, 400, 50])
    said = np.clip(random.random(850) * 0.6 + np.where(who == "a", 0.4, 0.0), 0, 1)
    return assess((random.random(850) < said).astype(int), said, who, task="binary").as_json()


DRAWN: dict[str, tuple[Chart | None, str]] = {
    "roc": (roc(CURVES, OF, auc=0.84), "AUC 0.84: one false alarm in ten finds 20 % of those to be found"),
    "precision": (precision_recall(CURVES, OF), "Finding half of them, 75 % of those named are right; 30 % would be by chance"),
    "folds": (fold_scores(FIGURES, OF), "auc 0.79 on sealed rows; cross-validation promised 0.81"),
    "split": (stretches(SPLIT, {"kind": "time"}, OF), "1 folds of blocks of time, the latest rows sealed"),
    "right": (reliability(calibrated("binary"), OF), "Predictions mean what they say"),
    "wrong": (reliability(calibrated("binary", 0.2), OF), "Predictions are off by"),
    "amounts": (reliability(calibrated("regression", 4), OF), "predictions are off by more than chance"),
    "slices": (weak_slices(SLICES, OF), "The model is worse than it claims where `age` > 60 and `plan` is basic"),
    "groups": (group_rates(groups(), OF), "Chosen: "),
    "mistakes": (mistakes(MISTAKES, OF), "stout is taken for ale in 25 % of its rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_compiles_and_says_what_was_found(name: str) -> None:
    chart, title = DRAWN[name]
    assert chart is not None
    assert title in chart.title
    assert len(json.dumps(chart.spec)) < 40_000
    assert svg(chart.spec).startswith("<svg")


def test_what_is_not_there_is_not_drawn() -> None:
    nothing = [
        roc({}, OF),
        precision_recall({}, OF),
        fold_scores({**FIGURES, "cv": None}, OF),
        weak_slices([], OF),
    ]
    nothing += [
        stretches({}, {"kind": ""}, OF),
        mistakes({}, OF),
        group_rates({"column": "x", "groups": []}, OF),
    ]
    nothing.append(reliability({"task": "binary", "points": []}, OF))
    assert nothing == [None] * 8


def test_a_model_without_sealed_rows_shows_its_folds() -> None:
    chart = fold_scores({**FIGURES, "holdout": None, "baselines": {}}, OF)
    assert chart is not None
    assert chart.title == "Cross-validation gives auc 0.81 ± 0.006"
