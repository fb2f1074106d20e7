"""Small steps from a configuration that does well: one or a few settings moved on their scale, a block more or less."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from loom.science.search.nodes import Challenge, Member, Operator
from loom.science.search.portfolio import rounded
from loom.science.search.rendering import VIEWS, member


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two ends, on a logarithmic or a plain scale."""

    low: float
    high: float
    log: bool = True
    whole: bool = False

    def moved(self, value: float, by: float) -> float:
        """The value after a step, in parts of the range."""
        if self.log:
            moved = math.exp(math.log(max(value, 1e-12)) + by * math.log(self.high / self.low))
        else:
            moved = value + by * (self.high - self.low)
        moved = min(max(moved, self.low), self.high)
        return round(moved) if self.whole else rounded(moved)

    def distance(self, before: float, now: float) -> float:
        """The step between two values, in parts of the range."""
        if self.log:
            return math.log(now / before) / math.log(self.high / self.low)
        return (now - before) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values."""

    values: tuple[Any, ...]


Space = Mapping[str, Range | Choice]

SPACES: Mapping[str, Space] = {
    "linear": {"penalty": Range(1e-3, 1e4)},
    "lightgbm": {
        "learning_rate": Range(0.008, 0.3),
        "num_leaves": Range(3, 255, whole=True),
        "min_data_in_leaf": Range(2, 200, whole=True),
        "feature_fraction": Range(0.15, 1.0, log=False),
        "bagging_fraction": Range(0.4, 1.0, log=False),
        "lambda_l2": Range(0.01, 100),
        "rounds": Range(20, 3000, whole=True),
        "extra_trees": Choice((False, True)),
        "max_bin": Choice((63, 255)),
        "cat_smooth": Range(2, 100),
    },
    "catboost": {
        "learning_rate": Range(0.015, 0.3),
        "depth": Range(3, 9, whole=True, log=False),
        "l2_leaf_reg": Range(0.5, 50),
        "iterations": Range(50, 2000, whole=True),
    },
    "extra_trees": {
        "min_samples_leaf": Range(1, 50, whole=True),
        "max_features": Range(0.1, 1.0, log=False),
    },
    "random_forest": {
        "min_samples_leaf": Range(1, 50, whole=True),
        "max_features": Range(0.1, 1.0, log=False),
    },
    "mlp": {
        "alpha": Range(1e-5, 10),
        "rate": Range(2e-4, 2e-2),
        "epochs": Range(6, 150, whole=True),
        "batch": Choice((32, 64, 128, 256)),
        "hidden": Choice(((32,), (64,), (128,), (64, 32), (128, 64), (256, 64))),
    },
    "knn": {"neighbours": Range(1, 200, whole=True)},
    "svm": {"cost": Range(0.01, 100), "gamma": Range(0.03, 10)},
}
"""What may be moved, by family, and how far."""


@dataclass(frozen=True, slots=True)
class Varied:
    """A member made from another, and how."""

    operator: Operator
    member: Member
    note: str


def varied(
    own: Member,
    challenge: Challenge,
    draw: np.random.Generator,
    *,
    mate: Member | None = None,
    before: Member | None = None,
    width: float = 0.15,
) -> Varied:
    """A step from a member: a block more or less, settings of a mate, the last step once more, or settings moved."""
    kind = draw.random()
    if kind < 0.15:
        block = str(draw.choice(blocks_for(own["family"], challenge)))
        made = _with(own, own["params"], set(own["blocks"]) ^ {block})
        is_less = block in own["blocks"]
        return Varied("ablate" if is_less else "improve", made, f"{'without' if is_less else 'with'} {block}")
    if kind < 0.25 and mate is not None:
        names = [name for name in sorted(mate["params"]) if draw.random() < 0.5]
        params = {**own["params"], **{name: mate["params"][name] for name in names}}
        return Varied("merge", _with(own, params, own["blocks"]), "settings of both")
    if kind < 0.45 and before is not None:
        return Varied("improve", onward(own, before), "further that way")
    return Varied("improve", perturbed(own, draw, width=width), "settings moved")


def perturbed(parent: Member, draw: np.random.Generator, *, width: float = 0.15) -> Member:
    """The member with a few of its settings moved; every setting is moved in the unit of its range."""
    params = dict(parent["params"])
    space = {name: how for name, how in SPACES[parent["family"]].items() if _is_moved(params.get(name))}
    count = min(len(space), 1 + int(draw.integers(3)))
    for name in draw.permutation(sorted(space))[:count]:
        params[str(name)] = _moved(space[str(name)], params[str(name)], draw, width)
    return _with(parent, params, parent["blocks"])


def onward(parent: Member, grandparent: Member) -> Member:
    """The member after the same step once more that led to it."""
    params = dict(parent["params"])
    for name, how in SPACES[parent["family"]].items():
        now, before = params.get(name), grandparent["params"].get(name)
        if isinstance(how, Range) and _is_number(now) and _is_number(before) and now != before:
            step = (
                math.log(now / before) / math.log(how.high / how.low)
                if how.log
                else (now - before) / (how.high - how.low)
            )
            params[name] = how.moved(float(now), step)
    return _with(parent, params, parent["blocks"])


def blocks_for(family: str, challenge: Challenge) -> tuple[str, ...]:
    """The blocks that a family may have on such a table, beyond those that every member has."""
    kinds = list(challenge.columns.values())
    numbers, words = kinds.count("number") + kinds.count("date"), kinds.count("word")
    found = ["missing"]
    if VIEWS[family] == "boosted" and words:
        found.append("categories")
    if numbers >= 2 and family != "knn":
        found.append("pairs")
    if numbers and words and VIEWS[family] != "linear":
        found.append("groups")
    if VIEWS[family] in ("linear", "dense") and numbers:
        found += ["ranks", "levels"]
    if VIEWS[family] == "linear" and numbers:
        found.append("splines")
    if challenge.time:
        found += ["past", "steady"]
    return tuple(found)


def _with(own: Member, params: Mapping[str, Any], blocks: Iterable[str]) -> Member:
    return member(own["family"], params, blocks, seed_offset=own["seed_offset"])


def _moved(how: Range | Choice, value: Any, draw: np.random.Generator, width: float) -> Any:
    if isinstance(how, Choice):
        others: Sequence[Any] = [each for each in how.values if _plain(each) != _plain(value)]
        chosen = others[int(draw.integers(len(others)))]
        return list(chosen) if isinstance(chosen, tuple) else chosen
    step = float(draw.normal(0.0, width))
    moved = how.moved(float(value), step)
    return how.moved(float(value), 2 * step) if moved == value else moved


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_moved(value: Any) -> bool:
    return value is not None and value != "stop"
