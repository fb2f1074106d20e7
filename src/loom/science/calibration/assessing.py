"""Whether a model's predictions mean what they say: error above its noise floor, skill, slope, and the curve.

Three rules speak, each with its null and its threshold. FAIL `brier_skill`: the interval of the skill against the
base rate does not reach above 0. REVIEW `calibration_error`: the error is above the 99th percentile of what a
perfectly calibrated model shows at this size, and at least 0.05. REVIEW `calibration_slope`: the whole interval of
the slope lies outside 0.8 to 1.25. What could not be measured is REVIEW `calibration_unknown`.

Measured over 200 seeds each, all rules together trip on 0 to 2 % of right chances of 500 to 20,000 rows, on 1 % of
right shares of four classes, 0 to 2.5 % of right amounts with growing or heavy noise, and 1.5 % where rows depend.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from loom.kernel.verdict import Reason
from loom.science.calibration.error import (
    LEAST_ROWS,
    BinnedError,
    Point,
    at_least,
    binned_error,
    equal_mass,
    reliability,
)
from loom.science.calibration.slope import Slope, slope_of
from loom.science.predictions import Estimate, Floats, Predictions, around, predictions_of, rounded
from loom.science.targets import Task

ERROR = 0.05
# a share that is off by 0.05 is off by a tenth of the deviation of a fair coin
ERROR_OF_AMOUNTS = 0.10
SLOPE = (0.8, 1.25)
_DECILES = 10
_FEW = 20
_UNEVEN = 2.0


@dataclass(frozen=True, slots=True)
class Decile:
    """A tenth of the predicted amounts: their mean, the mean answer, and how residuals lie in it.

    `bias` is the mean residual and `spread` their deviation, both in deviations of all residuals.
    """

    said: float
    true: float
    bias: Estimate
    spread: float
    rows: int

    def as_json(self) -> dict[str, Any]:
        """The tenth as plain data."""
        return {
            "said": rounded(self.said),
            "true": rounded(self.true),
            "bias": self.bias.as_json(),
            "spread": rounded(self.spread),
            "rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, and what speaks against the predictions.

    `error` is of the most likely class when there are several, whose own errors are `classes`; of amounts it is in
    deviations of the answers. `loss` is the Brier score, or the mean squared error of amounts; `skill` is the share
    of it that the base rate, or the mean, would lose more.
    """

    task: Task
    rows: int
    error: BinnedError
    classes: tuple[BinnedError, ...]
    loss: float
    skill: Estimate | None
    slope: Slope
    bias: Estimate
    points: tuple[Point, ...]
    deciles: tuple[Decile, ...]
    findings: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        """The calibration as plain data."""
        amounts = self.task == "regression"
        lost, skilled = ("mse", "r2") if amounts else ("brier", "brier_skill")
        return {
            "task": self.task,
            "n": self.rows,
            "ece": rounded(self.error.value),
            "noise_floor": {"mean": rounded(self.error.floor), "p99": rounded(self.error.p99)},
            "ece_excess": rounded(self.error.excess),
            lost: rounded(self.loss),
            skilled: _json(self.skill),
            "slope": _json(self.slope.slope),
            "intercept": _json(self.slope.intercept),
            "slope_unknown": self.slope.why or None,
            "bias": self.bias.as_json(),
            "points": [point.as_json() for point in self.points],
            "deciles": [decile.as_json() for decile in self.deciles],
            "classes": [
                {"class": code, "ece": rounded(each.value), "noise_floor": rounded(each.floor)}
                for code, each in enumerate(self.classes)
            ],
            "findings": [reason.as_dict() for reason in self.findings],
        }


def assess(
    y: Any,
    p: Any,
    *,
    task: Task | None = None,
    clusters: Any = None,
    order: Any = None,
    seed: int = 0,
    bins: int = 15,
) -> Calibration:
    """Measure how well predictions of unseen rows are calibrated, and say what speaks against them.

    `p` is the chance of yes, a share per class, or an amount. Rows of one cluster, or else of one block in the
    order, count as one when chance is weighed.
    """
    told = predictions_of(y, p, task=task, clusters=clusters, order=order)
    random = np.random.default_rng(seed)
    amounts = told.task == "regression"
    outcome, said = _leading(told)
    error = binned_error(outcome, said, told.clusters, bins=bins, random=random, chances=not amounts)
    classes: tuple[BinnedError, ...] = ()
    if told.task == "multiclass":
        classes = tuple(
            binned_error(hits, shares, told.clusters, bins=bins, random=random, chances=True)
            for hits, shares in zip(told.hits.T, told.p.T, strict=True)
        )
    loss, skill = _skill(told)
    slope = slope_of(told)
    bias = float((outcome - said).mean())
    return Calibration(
        told.task,
        told.rows,
        error,
        classes,
        loss,
        skill,
        slope,
        around(bias, outcome - said - bias, told.clusters),
        () if amounts else reliability(outcome, said, bins=bins),
        _deciles(told) if amounts else (),
        _findings(told.task, error, classes, skill, slope),
    )


def _leading(told: Predictions) -> tuple[Floats, Floats]:
    """Outcome and prediction as one column each: of yes, of the most likely class, or of amounts in deviations."""
    if told.task == "binary":
        return told.y.astype(np.float64), told.p[:, 1]
    if told.task == "multiclass":
        top = told.p.argmax(axis=1)
        return (top == told.y).astype(np.float64), told.p.max(axis=1)
    unit = float(told.y.std()) or 1.0
    return told.y / unit, told.p / unit


def _skill(told: Predictions) -> tuple[float, Estimate | None]:
    """The mean loss, and the share of the loss of a constant that it saves, from the influence of every row on both.

    No skill against an answer that never differs, nor from fewer than 20 rows.
    """
    if told.task == "regression":
        losses = (told.y - told.p) ** 2
        constant = (told.y - told.y.mean()) ** 2
    else:
        rates = told.hits.mean(axis=0)
        losses = ((told.hits - told.p) ** 2).sum(axis=1)
        constant = ((told.hits - rates) ** 2).sum(axis=1)
    loss, reference = float(losses.mean()), float(constant.mean())
    shown = loss / 2 if told.task == "binary" else loss
    if told.rows < _FEW or reference <= 0:
        return shown, None
    # the constant is the best one for these rows, so its own error moves the loss only in the second order
    influence = (losses / loss - constant / reference) * -loss / reference if loss else np.zeros(told.rows)
    return shown, around(1 - loss / reference, influence, told.clusters)


def _deciles(told: Predictions) -> tuple[Decile, ...]:
    residuals = told.y - told.p
    unit = float(residuals.std()) or 1.0
    codes = at_least(equal_mass(told.p, _DECILES), LEAST_ROWS)
    found = []
    for code in range(int(codes.max()) + 1):
        at = np.flatnonzero(codes == code)
        scaled = residuals[at] / unit
        groups = None if told.clusters is None else np.unique(told.clusters[at], return_inverse=True)[1]
        bias = around(float(scaled.mean()), scaled - scaled.mean(), groups)
        found.append(
            Decile(float(told.p[at].mean()), float(told.y[at].mean()), bias, float(scaled.std()), len(at))
        )
    return tuple(found)


def _findings(
    task: Task, error: BinnedError, classes: tuple[BinnedError, ...], skill: Estimate | None, slope: Slope
) -> tuple[Reason, ...]:
    found = []
    if skill is None:
        found.append(
            Reason(
                "calibration_unknown",
                "warning",
                "too few rows, or one answer only, to tell what predictions say",
            )
        )
    elif skill.high <= 0:
        found.append(
            Reason(
                "brier_skill",
                "error",
                "always predicting the mean would do better",
                rounded(skill.high),
                0.0,
            )
        )
    least = ERROR_OF_AMOUNTS if task == "regression" else ERROR
    looks = 1 + len(classes)
    if error.value >= least and error.beyond(looks):
        what = "predictions are further from what came true than chance explains"
        found.append(Reason("calibration_error", "warning", what, rounded(error.value), least))
    worst = max(
        (code for code, each in enumerate(classes) if each.value >= least and each.beyond(looks)),
        key=lambda code: classes[code].excess,
        default=None,
    )
    if worst is not None:
        what = f"the shares of class {worst} are further from what came true than chance explains"
        found.append(Reason("calibration_error", "warning", what, rounded(classes[worst].value), least))
    line = slope.slope
    if line is not None and (line.high < SLOPE[0] or line.low > SLOPE[1]):
        bold = line.high < SLOPE[0]
        what = f"predictions are too {'bold' if bold else 'timid'}: their slope is not 1"
        found.append(
            Reason("calibration_slope", "warning", what, rounded(line.value), SLOPE[0] if bold else SLOPE[1])
        )
    return tuple(found)


def _json(figure: Estimate | None) -> dict[str, float | None] | None:
    return None if figure is None else figure.as_json()
