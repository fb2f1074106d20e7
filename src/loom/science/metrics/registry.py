"""The metrics, each with its direction, its range and its other names, fixed here and used everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from loom.kernel.errors import LoomError
from loom.science.targets import Task

Direction = Literal["higher", "lower"]
Needs = Literal["probability", "label", "value"]

_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_AMOUNTS: tuple[Task, ...] = ("regression",)
_DEFAULTS: dict[Task, str] = {"binary": "auc", "multiclass": "auc", "regression": "r2"}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: which way is better, what it is of, what it needs, and the values it lies between.

    `best` is that of a perfect model, `worst` the other end of the range (none where there is no end), `chance` that
    of a model that knows nothing, where it is the same for all data.
    """

    name: str
    direction: Direction
    tasks: tuple[Task, ...]
    needs: Needs
    best: float
    worst: float | None
    chance: float | None
    aliases: tuple[str, ...]
    what: str

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is."""
        return 1 if self.direction == "higher" else -1

    def gain(self, score: float, over: float) -> float:
        """How much better a score is than another; below 0 where it is worse."""
        return self.sign * (score - over)

    def clip(self, value: float) -> float:
        """The value, within the range of the metric."""
        ends = [end for end in (self.best, self.worst) if end is not None]
        low = min(ends) if self.worst is not None or self.direction == "lower" else -float("inf")
        high = max(ends) if self.worst is not None or self.direction == "higher" else float("inf")
        return min(max(value, low), high)

    def as_json(self) -> dict[str, Any]:
        """The metric as plain data."""
        return {
            "name": self.name,
            "direction": self.direction,
            "tasks": list(self.tasks),
            "needs": self.needs,
            "best": self.best,
            "worst": self.worst,
            "chance": self.chance,
            "aliases": list(self.aliases),
            "what": self.what,
        }


METRICS: tuple[Metric, ...] = (
    Metric(
        "auc", "higher", _CLASSES, "probability", 1.0, 0.0, 0.5,
        ("roc auc", "auc roc", "auroc", "roc", "area under the roc curve", "area under the curve", "c statistic",
         "roc auc ovr", "rocauc"),
        "how often a row of the class scores above one that is not, ties half; classes: mean of each against the rest",
    ),
    Metric(
        "logloss", "lower", _CLASSES, "probability", 0.0, None, None,
        ("log loss", "cross entropy", "binary cross entropy", "categorical cross entropy", "binary logloss",
         "multi logloss", "mlogloss", "negative log likelihood", "neg log loss", "logarithmic loss"),
        "mean of minus the logarithm of the probability given to what happened",
    ),
    Metric(
        "accuracy", "higher", _CLASSES, "label", 1.0, 0.0, None,
        ("acc", "accuracy score", "share correct"),
        "share of rows whose class is right",
    ),
    Metric(
        "balanced_accuracy", "higher", _CLASSES, "label", 1.0, 0.0, None,
        ("balanced acc", "bacc", "mean recall", "macro recall", "balanced accuracy score"),
        "mean over the classes of the share of their rows that is right",
    ),
    Metric(
        "f1", "higher", _CLASSES, "label", 1.0, 0.0, None,
        ("f1 score", "f score", "f measure", "f1 macro", "macro f1"),
        "harmonic mean of precision and recall of the positive class; classes: mean over all",
    ),
    Metric(
        "ap", "higher", _CLASSES, "probability", 1.0, 0.0, None,
        ("average precision", "average precision score", "pr auc", "prauc", "auprc", "auc pr", "aucpr",
         "area under the precision recall curve", "precision recall auc"),
        "mean precision over the steps of recall; classes: mean of each against the rest",
    ),
    Metric(
        "brier", "lower", _CLASSES, "probability", 0.0, None, None,
        ("brier score", "brier loss", "brier score loss", "neg brier score"),
        "mean squared distance of the probability from what happened; classes: summed over them",
    ),
    Metric(
        "mcc", "higher", _CLASSES, "label", 1.0, -1.0, 0.0,
        ("matthews", "matthews correlation", "matthews corrcoef", "matthews correlation coefficient", "phi coefficient"),
        "correlation of the classes predicted with those that happened",
    ),
    Metric(
        "rmse", "lower", _AMOUNTS, "value", 0.0, None, None,
        ("root mean squared error", "root mean square error", "neg root mean squared error"),
        "square root of the mean squared error, in the unit of the target",
    ),
    Metric(
        "mae", "lower", _AMOUNTS, "value", 0.0, None, None,
        ("mean absolute error", "mean abs error", "neg mean absolute error", "l1 loss"),
        "mean absolute error, in the unit of the target",
    ),
    Metric(
        "r2", "higher", _AMOUNTS, "value", 1.0, None, 0.0,
        ("r squared", "r 2", "r2 score", "rsquared", "coefficient of determination"),
        "share of the target's variance that is explained; 0 is the mean, below 0 is worse than it",
    ),
    Metric(
        "mape", "lower", _AMOUNTS, "value", 0.0, None, None,
        ("mean absolute percentage error", "mean abs percentage error", "neg mean absolute percentage error"),
        "mean absolute error as a share of the target",
    ),
    Metric(
        "rmsle", "lower", _AMOUNTS, "value", 0.0, None, None,
        ("root mean squared log error", "root mean squared logarithmic error", "root mean square log error"),
        "square root of the mean squared error of log(1 + target); for targets from 0 up",
    ),
    Metric(
        "qwk", "higher", ("binary", "multiclass", "regression"), "label", 1.0, -1.0, 0.0,
        ("quadratic weighted kappa", "quadratic kappa", "weighted kappa", "cohen kappa quadratic"),
        "agreement of ordered classes beyond chance, where a miss counts by the square of its distance",
    ),
    Metric(
        "ndcg", "higher", ("binary", "multiclass", "regression"), "value", 1.0, 0.0, None,
        ("normalized discounted cumulative gain", "normalised discounted cumulative gain", "ndcg score"),
        "gain of a ranking, discounted by the logarithm of the place, as a share of the best there is; mean over lists",
    ),
)  # fmt: skip

_BY_NAME = {metric.name: metric for metric in METRICS}


def spellings() -> dict[str, Metric]:
    """Every name and alias in plain words, with its metric."""
    return {
        plain: metric
        for metric in METRICS
        for plain in (metric.name.replace("_", " "), metric.name, *metric.aliases)
    }


def get(name: str) -> Metric:
    """The metric of a name or an alias, however it is spelled: `auc`, `roc_auc`, `ROC-AUC`."""
    plain = " ".join("".join(sign if sign.isalnum() else " " for sign in name.casefold()).split())
    found = _BY_NAME.get(name) or spellings().get(plain)
    if found is None:
        raise unknown(name)
    return found


def default_for(task: Task) -> Metric:
    """The metric of a task when nobody names one: what it says does not depend on the unit or the base rate."""
    return _BY_NAME[_DEFAULTS[task]]


def unknown(text: str) -> LoomError:
    """The refusal of a text that names no metric, with all there are."""
    return LoomError(
        f"`{text[:60]}` names no metric",
        f"the metrics are {', '.join(_BY_NAME)}",
        "--metric auc, or with a threshold --metric 'auc>=0.8'",
    )
