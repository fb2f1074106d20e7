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
_FEWEST = 1_000

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
            ("lightgbm", "fast", _boosted(learning_rate=0.1, num_leaves=15), ("categories",)),
            ("extra_trees", "fast", _trees(60, 3, 0.5), ()),
        )
    )


def drafts(challenge: Challenge, *, catboost: bool = False) -> tuple[Draft, ...]:
    """The portfolio for such a table, the most promising first; families take turns."""
    small = challenge.rows < 3_000
    found = {
        "lightgbm": list(_lightgbm(challenge, small)),
        "linear": list(_linear(challenge)),
        "extra_trees": [
            ("many trees", _trees(250, 2, 0.6), ()),
            ("many trees, all columns", _trees(250, 1, 1.0), ()),
            ("many trees, few columns", _trees(250, 4, 0.3), ("missing",)),
        ],
        "mlp": [
            ("two layers", _network([64, 32], 30 if not small else 60, 0.01), ("ranks", "levels")),
            ("two layers, plain scale", _network([128, 64], 20 if not small else 40, 0.1), ()),
            ("one layer", _network([64], 40 if not small else 80, 1.0), ("ranks",)),
        ],
        "random_forest": [
            ("many trees", _trees(200, 2, 0.4), ()),
            ("many trees, large leaves", _trees(200, 6, 0.4), ("missing",)),
        ],
        "svm": [
            ("round kernels", {"cost": 1.0, "gamma": 1.0}, ()),
            ("round kernels, wide", {"cost": 3.0, "gamma": 0.3}, ("ranks",)),
            ("round kernels, narrow", {"cost": 10.0, "gamma": 1.0}, ()),
        ],
        "knn": [("15 neighbours", {"neighbours": 15}, ()), ("5 neighbours, by ranks", {"neighbours": 5}, ("ranks",))],
    }  # fmt: skip
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
    categories = ("categories",)
    yield (
        "slow, small trees",
        _boosted(learning_rate=0.03, num_leaves=8, lambda_l2=5.0, feature_fraction=0.6),
        categories,
    )
    yield "slow", _boosted(learning_rate=0.04, num_leaves=31, feature_fraction=0.6, lambda_l2=1.0), categories
    if challenge.task == "regression":
        yield (
            "amounts as counts",
            _boosted(learning_rate=0.05, num_leaves=31, objective="poisson", feature_fraction=0.7),
            categories,
        )
    if challenge.metric.name in ("mae", "mape"):
        yield (
            "absolute errors",
            _boosted(learning_rate=0.05, num_leaves=31, objective=challenge.metric.name),
            categories,
        )
    yield "random cuts", _boosted(learning_rate=0.05, num_leaves=31, extra_trees=True, min_data_in_leaf=5), ()
    if small:
        yield (
            "three draws, few rounds",
            _boosted(learning_rate=0.05, num_leaves=6, rounds=120, bags=3, min_data_in_leaf=10),
            categories,
        )
    else:
        yield (
            "large trees",
            _boosted(learning_rate=0.04, num_leaves=127, feature_fraction=0.5, min_data_in_leaf=10),
            categories,
        )
    yield (
        "pairs of columns",
        _boosted(learning_rate=0.04, num_leaves=16, feature_fraction=0.5),
        ("categories", "pairs", "missing"),
    )
    yield "stumps", _boosted(learning_rate=0.08, num_leaves=4, lambda_l2=2.0), categories
    yield (
        "means within levels",
        _boosted(learning_rate=0.04, num_leaves=24, feature_fraction=0.6),
        ("groups", "missing"),
    )


def _linear(challenge: Challenge) -> Iterator[_Listed]:
    yield "bent", {"penalty": 3.0}, ("splines", "levels")
    yield "strong penalty", {"penalty": 30.0}, ("missing",)
    yield "bent, strong penalty", {"penalty": 60.0}, ("splines", "levels", "pairs")
    if challenge.task == "regression":
        yield "logarithms of the answer", {"penalty": 3.0, "target": "log"}, ("splines", "levels")
    yield "ranks", {"penalty": 0.3}, ("ranks", "missing")


def _with_time(listed: Iterable[_Listed]) -> Iterator[_Listed]:
    """Each configuration with what happened lately, every other one without what only grows; the first also as it is."""
    for place, (note, params, blocks) in enumerate(listed):
        yield f"{note}, with the past", params, (*blocks, "past", *(("steady",) if place % 2 else ()))
        if not place:
            yield f"{note}, without what grows", params, (*blocks, "steady")


def _draft(
    challenge: Challenge, family: str, note: str, params: Mapping[str, Any], blocks: Iterable[str]
) -> Draft:
    return Draft(member(family, params, {*blocks, *standing(challenge)}), note)


def standing(challenge: Challenge) -> tuple[str, ...]:
    """The blocks that every member has on such a table."""
    kinds = set(challenge.columns.values())
    found = [block for block, kind in (("dates", "date"), ("text", "text")) if kind in kinds]
    if challenge.metric.name in LABELS and challenge.task != "regression":
        found.append("threshold")
    return tuple(found)


def _boosted(*, rounds: int | str = "stop", **params: Any) -> dict[str, Any]:
    usual = {
        "min_data_in_leaf": 20,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 0.1,
    }
    return {"rounds": rounds, **usual, **params}


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
    """The member, or the same learned from fewer rows, so that a trial takes at most so long; none where it cannot."""
    left = max(most - _reading(each, challenge), most / 4)
    params = dict(each["params"])
    while _fitting({**each, "params": params}, challenge) > left:
        params["most_rows"] = int(min(params.get("most_rows", challenge.rows), challenge.rows) * 0.6)
        if params["most_rows"] < _FEWEST:
            return None
    if "most_rows" in params:
        params["most_rows"] = int(rounded(params["most_rows"], 2))
    return {**each, "params": params}


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
    stop = params["rounds"] == "stop"
    rounds = (
        min(2_000.0, 15 / params["learning_rate"]) * 2.2 if stop else params["rounds"] * params.get("bags", 1)
    )
    leaves = params["num_leaves"]
    return float(rounds * classes * narrow * (2e-9 * rows * math.log2(leaves + 1) + 4e-7 * leaves) + 1e-3)


def _forest_cost(weight: float) -> Any:
    def seconds(params: Mapping[str, Any], rows: float, narrow: float, wide: float, classes: int) -> float:
        return float(
            weight * params["n_estimators"] * rows * math.log2(rows + 2) * narrow * params["max_features"]
        )

    return seconds


def _network_cost(params: Mapping[str, Any], rows: float, narrow: float, wide: float, classes: int) -> float:
    sizes = [wide, *params["hidden"], classes]
    weights = sum(one * other for one, other in pairwise(sizes))
    return float(params["epochs"] * params["bags"] * rows * (7e-10 * weights + 1.5e-4 / params["batch"]))


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
