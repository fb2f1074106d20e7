"""One number per metric: `score`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from loom.kernel.errors import LoomError
from loom.science.metrics.cases import Case, case, undefined, weights_of
from loom.science.metrics.ranking import area_value, lists_of
from loom.science.metrics.registry import Metric, get
from loom.science.metrics.resampling import numbered
from loom.science.metrics.sums import sums_of


def score(
    metric: Metric | str, y: ArrayLike, p: ArrayLike, *, threshold: float = 0.5, weights: ArrayLike | None = None,
    lists: NDArray[np.generic] | None = None,
) -> float:  # fmt: skip
    """The metric of predictions, as scikit-learn defines it.

    `y` are codes of classes, or amounts; `p` is the probability of the positive class, one column per class, or the
    amount. With several classes auc and ap are the mean of each class against the rest, over the classes that occur;
    f1 and balanced accuracy are means over classes. `lists` are the rankings of ndcg, else all rows are one. Refused
    where the metric has no value, such as auc of one class.
    """
    read = case(metric if isinstance(metric, Metric) else get(metric), y, p, threshold)
    weigh = weights_of(weights, len(read))
    if weigh is not None:
        read, weigh = read.at(weigh > 0), weigh[weigh > 0]
    return value_of(read, weigh, lists)


def value_of(read: Case, weights: NDArray[np.float64] | None, lists: NDArray[np.generic] | None) -> float:
    """The value of a case; refused where there is none."""
    name = read.metric.name
    why = undefined(read)
    if why is not None:
        raise LoomError(f"{name} has no value", why, "more rows, or another --metric")
    if name in ("auc", "ap"):
        return area_value(read, weights)
    if name != "ndcg":
        return sums_of(read).value(weights)
    if weights is not None:
        raise LoomError("ndcg takes no weights", "a place in a list is a whole one", "leave the weights out")
    return float(gains_of(read, lists).mean())


def gains_of(read: Case, lists: NDArray[np.generic] | None) -> NDArray[np.float64]:
    """The ndcg of each list, in the order of their ids."""
    if read.y.min() < 0:
        raise LoomError("ndcg cannot be computed", "some gains are below 0", "--metric rmse")
    codes = np.zeros(len(read), np.int64) if lists is None else numbered(lists, len(read), "lists")
    return lists_of(read.y, read.p, codes).gains()
