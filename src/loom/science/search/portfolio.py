"""What is worth trying first: strong configurations by task, size and kinds of columns, and what each may cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from loom.science.search.nodes import Challenge, Member
from loom.science.search.rendering import member

LABELS = ("f1", "mcc", "balanced_accuracy", "qwk")
"""The metrics of labels for which one half is not where an answer should turn."""

_TINY = 0.03
_FEW = 1_500

_Listed = tuple[str, dict[str, Any], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration with the words that say what it is."""

    member: Member
    note: str


def openers(challenge: Challenge) -> tuple[Draft, ...]:
    """What is tried before all else: three different models that are quickly fitted."""
    return tuple(
        _draft(challenge, *each)
        for each in (
            ("linear", "as it is", {"penalty": 1.0}, ()),
            ("lightgbm", "fast", _boosted(0.1, 15), ("categories",)),
            ("extra_trees", "fast", _trees(60, 3, 0.5), ()),
        )
    )


def drafts(challenge: Challenge, *, catboost: bool = False) -> tuple[Draft, ...]:
    """The portfolio for such a table, the most promising first; families take turns."""
    small = challenge.rows < 3_000
    found: dict[str, list[_Listed]] = {
        "lightgbm": list(_lightgbm(challenge, small)),
        "linear": list(_linear(challenge)),
        "mlp": [
            ("one layer", _network([64], 60 if small else 30, 1.0), ("ranks",)),
            ("two layers", _network([64, 32], 40 if small else 20, 0.1), ("ranks", "levels")),
            ("one wide layer", _network([160], 40 if small else 20, 0.3), ()),
        ],
        "extra_trees": [
            ("many trees", _trees(200, 2, 0.6), ()),
            ("many trees, all columns", _trees(200, 1, 1.0), ()),
            ("many trees, few columns", _trees(200, 5, 0.3), ("missing",)),
        ],
        "random_forest": [
            ("many trees, large leaves", _trees(150, 5, 0.4), ()),
            ("many trees", _trees(150, 2, 0.4), ("missing",)),
        ],
        "svm": [
            ("round kernels", {"cost": 1.0, "gamma": 1.0}, ()),
            ("round kernels, wide", {"cost": 3.0, "gamma": 0.3}, ("ranks",)),
            ("round kernels, narrow", {"cost": 10.0, "gamma": 1.0}, ()),
        ],
        "knn": [("15 neighbours", {"neighbours": 15}, ())],
    }
    if catboost:
        found["catboost"] = [
            ("", {"iterations": 400, "learning_rate": 0.06, "depth": 6, "l2_leaf_reg": 3.0}, ("categories",)),
            ("shallow", {"iterations": 600, "learning_rate": 0.05, "depth": 4, "l2_leaf_reg": 5.0}, ("categories",)),
        ]  # fmt: skip
    if challenge.time:
        found = {family: list(_with_time(each)) for family, each in found.items()}
    order = [
        "lightgbm",
        "linear",
        "lightgbm",
        "catboost",
        "mlp",
        "extra_trees",
        "svm",
        "lightgbm",
        "random_forest",
        "knn",
    ]
    return tuple(_draft(challenge, family, *each) for family, each in _in_turn(found, order))


def _lightgbm(challenge: Challenge, small: bool) -> Iterator[_Listed]:
    usual = ("categories",)
    rate = 0.04 if small else 0.06
    yield "slow, small trees", _boosted(rate, 8, lambda_l2=5.0, feature_fraction=0.6), usual
    yield (
        "slow, all columns",
        _boosted(rate, 31, feature_fraction=1.0, lambda_l2=5.0, min_data_in_leaf=40),
        usual,
    )
    yield "random cuts", _boosted(rate, 31, extra_trees=True, min_data_in_leaf=5), ()
    yield "stumps", _boosted(0.08, 4, lambda_l2=2.0), usual
    if challenge.task == "regression":
        yield "amounts as counts", _boosted(rate, 24, objective="poisson", feature_fraction=0.7), usual
    if challenge.metric.name in ("mae", "mape"):
        yield "absolute errors", _boosted(rate, 31, objective=challenge.metric.name), usual
    yield "some columns", _boosted(rate, 24, feature_fraction=0.4, lambda_l2=1.0), usual
    yield "pairs of columns", _boosted(rate, 16, feature_fraction=0.5), (*usual, "pairs", "missing")
    if small:
        yield "three draws, few rounds", _boosted(0.05, 6, rounds=120, bags=3, min_data_in_leaf=10), usual
    else:
        yield "large trees", _boosted(rate, 127, feature_fraction=0.6, min_data_in_leaf=10), usual
    yield "means within levels", _boosted(rate, 24, feature_fraction=0.6), ("groups", "missing")


def _linear(challenge: Challenge) -> Iterator[_Listed]:
    yield "bent", {"penalty": 3.0}, ("splines", "levels")
    yield "ranks", {"penalty": 0.3}, ("ranks", "missing")
    if challenge.task == "regression":
        yield "logarithms of the answer", {"penalty": 3.0, "target": "log"}, ("splines", "levels")
    yield "bent, strong penalty", {"penalty": 60.0}, ("splines", "levels", "pairs")
    yield "strong penalty", {"penalty": 30.0}, ("missing",)


def _with_time(listed: Iterable[_Listed]) -> Iterator[_Listed]:
    """Each configuration with what happened lately, every other one without what only grows; the first also as it is."""
    for place, (note, params, blocks) in enumerate(listed):
        yield f"{note}, with the past", params, (*blocks, "past", *(("steady",) if place % 2 else ()))
        if not place:
            yield f"{note}, without what grows", params, (*blocks, "steady")


def _draft(
    challenge: Challenge, family: str, note: str, params: Mapping[str, Any], blocks: Iterable[str]
) -> Draft:
    if family == "lightgbm" and challenge.rows < _FEW:
        params = {"bags": 3, **params}
    return Draft(member(family, params, {*blocks, *standing(challenge)}), note)


def standing(challenge: Challenge) -> tuple[str, ...]:
    """The blocks that every member has on such a table."""
    kinds = set(challenge.columns.values())
    found = [block for block, kind in (("dates", "date"), ("text", "text")) if kind in kinds]
    if challenge.metric.name in LABELS and challenge.task != "regression":
        found.append("threshold")
    return tuple(found)


def _boosted(rate: float, leaves: int, *, rounds: int | str = "stop", **params: Any) -> dict[str, Any]:
    return {
        "rounds": rounds,
        "learning_rate": rate,
        "num_leaves": leaves,
        "min_data_in_leaf": 20,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 0.1,
        **params,
    }


def _trees(count: int, leaf: int, share: float) -> dict[str, Any]:
    return {"n_estimators": count, "min_samples_leaf": leaf, "max_features": share}


def _network(hidden: list[int], epochs: int, alpha: float) -> dict[str, Any]:
    return {"hidden": hidden, "epochs": epochs, "alpha": alpha, "rate": 0.002, "batch": 64, "bags": 3}


def _in_turn(found: Mapping[str, list[Any]], order: list[str]) -> Iterator[tuple[str, Any]]:
    left = {family: list(each) for family, each in found.items()}
    while any(left.values()):
        for family in order:
            if left.get(family):
                yield family, left[family].pop(0)


def cost(each: Member, challenge: Challenge) -> float:
    """The seconds that one trial of a member may take on one thread of a usual machine, within a factor of a few."""
    return _reading(each, challenge) + _fitting(each, challenge)


def thrifty(each: Member, challenge: Challenge, most: float) -> Member | None:
    """The member, or one like it that is content with less, so that a trial takes at most so long; none if there is none.

    First it learns faster, with fewer trees or epochs; then from fewer rows, as far as its family bears that.
    """
    left = max(most - _reading(each, challenge), most / 4)
    family, params = each["family"], dict(each["params"])
    while _fitting({**each, "params": params}, challenge) > left:
        less = _less(family, params, challenge.rows)
        if less is None:
            return None
        params |= less
    return {**each, "params": params}


_LESS: Mapping[str, tuple[tuple[str, float, float], ...]] = {
    "lightgbm": (("learning_rate", 1.5, 0.25), ("rounds", 0.6, 40), ("bags", 0.5, 1)),
    "catboost": (("learning_rate", 1.3, 0.2), ("iterations", 0.7, 50)),
    "extra_trees": (("n_estimators", 0.6, 50),),
    "random_forest": (("n_estimators", 0.6, 40),),
    "mlp": (("bags", 0.6, 1), ("epochs", 0.6, 8), ("batch", 2, 512)),
}
_FEWEST: Mapping[str, int] = {"svm": 1_000, "mlp": 4_000, "knn": 4_000, "linear": 8_000}


def _less(family: str, params: Mapping[str, Any], rows: int) -> dict[str, Any] | None:
    """The next setting that makes a member quicker; none where it has become too little."""
    for name, times, end in _LESS.get(family, ()):
        value = params.get(name)
        if isinstance(value, int | float) and (value < end if times > 1 else value > end):
            changed = min(value * times, end) if times > 1 else max(value * times, end)
            return {name: int(changed) if isinstance(value, int) else rounded(changed)}
    fewer = int(rounded(min(params.get("most_rows", rows), rows) * 0.6, 2))
    return {"most_rows": fewer} if fewer >= _FEWEST.get(family, 12_000) else None


def rounded(value: float, digits: int = 3) -> float:
    """A number with a few digits."""
    return float(f"{value:.{digits}g}")


def _rows(challenge: Challenge) -> float:
    return challenge.rows * (1 - 1 / max(challenge.folds, 5))


def _reading(each: Member, challenge: Challenge) -> float:
    rows, columns = _rows(challenge), len(challenge.columns)
    texts = list(challenge.columns.values()).count("text")
    past = 3e-6 * rows * columns if "past" in each["blocks"] else 0.0
    return _TINY + 2e-7 * rows * columns + 4e-5 * rows * texts + past


def _fitting(each: Member, challenge: Challenge) -> float:
    kinds = list(challenge.columns.values())
    words, texts = kinds.count("word"), kinds.count("text")
    narrow = len(kinds) + 10 * kinds.count("date") + 40 * texts
    narrow += 8 * kinds.count("number") if "past" in each["blocks"] else 0
    wide = narrow + 6 * words + (5 * narrow if "splines" in each["blocks"] else 0)
    wide += 1_000 * texts if each["family"] == "linear" else 0
    classes = max(challenge.classes, 2) - 1 if challenge.task == "multiclass" else 1
    rows = min(_rows(challenge), each["params"].get("most_rows", np.inf))
    fit = float(_FITS[each["family"]](each["params"], rows, narrow, wide, classes))
    return fit * (2 if "threshold" in each["blocks"] else 1)


def _boosted_cost(params: Mapping[str, Any], rows: float, narrow: float, wide: float, classes: int) -> float:
    bags, leaves = params.get("bags", 1), params["num_leaves"]
    # those that stop by themselves are fitted once more on all rows
    found = min(2_000.0, 30 / params["learning_rate"]) * (1.1 + bags)
    rounds = found if params["rounds"] == "stop" else params["rounds"] * bags
    return float(rounds * classes * narrow * (1.5e-9 * rows * math.log2(leaves + 1) + 3e-7 * leaves) + 1e-3)


def _forest_cost(weight: float) -> Any:
    def seconds(params: Mapping[str, Any], rows: float, narrow: float, wide: float, classes: int) -> float:
        return float(
            weight * params["n_estimators"] * rows * math.log2(rows + 2) * narrow * params["max_features"]
        )

    return seconds


def _network_cost(params: Mapping[str, Any], rows: float, narrow: float, wide: float, classes: int) -> float:
    sizes = [wide, *params["hidden"], classes]
    weights = sum(one * other for one, other in pairwise(sizes))
    return float(params["epochs"] * params["bags"] * rows * (7e-10 * weights + 3e-4 / params["batch"]))


_FITS: Mapping[str, Any] = {
    "linear": lambda params, rows, narrow, wide, classes: 1e-8 * rows * min(wide, 300) ** 2 * classes,
    "lightgbm": _boosted_cost,
    "catboost": lambda params, rows, narrow, wide, classes: (
        params["iterations"] * classes * (2e-8 * rows * narrow + 1e-3)
    ),
    "extra_trees": _forest_cost(1e-8),
    "random_forest": _forest_cost(1.8e-8),
    "mlp": _network_cost,
    "knn": lambda params, rows, narrow, wide, classes: 1.5e-10 * rows * rows * wide,
    "svm": lambda params, rows, narrow, wide, classes: 2e-9 * rows * rows * wide * (1 + classes / 4),
}
