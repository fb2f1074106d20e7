"""Ensembles: greedy, honest about their gain, and no dearer than they may be."""

from __future__ import annotations

import numpy as np
import pytest

from loom.kernel.errors import LoomError
from loom.science.metrics import get, score
from loom.science.search.ensembling import greedy, members_of, mixed
from loom.science.search.nodes import Node, Proposal
from loom.science.search.rendering import member

ROWS = 600


def voices(count: int, *, noise: float = 1.0, seed: int = 0) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Predictions that are wrong in ways of their own, and the truth."""
    draw = np.random.default_rng(seed)
    truth = draw.normal(size=ROWS)
    return {node: truth + draw.normal(0, noise * (1 + 0.05 * node), ROWS) for node in range(count)}, truth


def node(number: int, *members: dict[str, object]) -> Node:
    return Node(number, Proposal("draft", "linear", "code", members=members))


def test_models_that_err_in_different_ways_are_better_together() -> None:
    said, truth = voices(6)
    weights = greedy(said, truth, get("rmse"))
    assert len(weights) > 3 and sum(weights.values()) == pytest.approx(1)
    together = score("rmse", truth, mixed(said, weights))
    assert together < 0.6 * min(score("rmse", truth, each) for each in said.values())
    assert list(weights.values()) == sorted(weights.values(), reverse=True)


def test_the_best_stays_alone_where_others_add_nothing() -> None:
    said, truth = voices(1, noise=0.2)
    draw = np.random.default_rng(5)
    said |= {at: said[0] + draw.normal(0, 2.0, ROWS) for at in range(1, 5)}
    assert greedy(said, truth, get("rmse")) == {0: 1.0}


def test_a_gain_on_the_rows_it_was_chosen_by_alone_is_none() -> None:
    draw = np.random.default_rng(3)
    truth = draw.integers(0, 2, 80)
    said = {at: draw.random(80) for at in range(20)}
    said[20] = np.clip(0.5 + 0.2 * (truth - 0.5) + draw.normal(0, 0.05, 80), 0, 1)
    assert greedy(said, truth, get("auc")) == {20: 1.0}


def test_copies_of_the_best_do_not_join_it() -> None:
    said, truth = voices(1)
    assert greedy({0: said[0], 1: said[0].copy(), 2: said[0].copy()}, truth, get("rmse")) == {0: 1.0}


def test_of_two_that_say_the_same_the_quicker_one_speaks() -> None:
    said, truth = voices(1)
    assert greedy({3: said[0], 4: said[0]}, truth, get("rmse"), seconds={3: 9.0, 4: 1.0}) == {4: 1.0}


def test_an_ensemble_takes_no_more_time_than_it_may() -> None:
    said, truth = voices(8)
    seconds = {number: 1.0 + number for number in said}
    weights = greedy(said, truth, get("rmse"), seconds=seconds, limit=6.5)
    assert len(weights) > 1 and sum(seconds[number] for number in weights) <= 6.5
    assert len(greedy(said, truth, get("rmse"), seconds=seconds, limit=0.1)) == 1


@pytest.mark.parametrize(("name", "classes"), [("auc", 2), ("logloss", 2), ("accuracy", 3), ("logloss", 3)])
def test_classes_are_put_together_by_the_metric_itself(name: str, classes: int) -> None:
    draw = np.random.default_rng(1)
    truth = draw.integers(0, classes, ROWS)
    said = {}
    for number in range(5):
        raw = np.exp(1.2 * np.eye(classes)[truth] + draw.normal(0, 1.0, (ROWS, classes)))
        shares = raw / raw.sum(axis=1, keepdims=True)
        said[number] = shares[:, 1] if classes == 2 else shares
    metric = get(name)
    weights = greedy(said, truth, metric)
    best = max(metric.sign * score(metric, truth, each) for each in said.values())
    assert metric.sign * score(metric, truth, mixed(said, weights)) > best


def test_what_cannot_be_scored_does_not_speak() -> None:
    said, truth = voices(3)
    said[0] = np.full(ROWS, np.nan)
    assert 0 not in greedy(said, truth, get("rmse"))
    with pytest.raises(LoomError, match="nothing to put together"):
        greedy({0: said[0]}, truth, get("rmse"))


def test_members_share_the_weight_of_their_node_and_equal_ones_are_one() -> None:
    ridge, other, trees = (
        member("linear", {"penalty": 1.0}),
        member("linear", {"penalty": 2.0}),
        member("knn", {"neighbours": 5}),
    )
    mixture = [dict(ridge, weight=3.0), dict(trees, weight=1.0)]
    nodes = [node(4, *mixture), node(2, dict(ridge)), node(9, dict(other))]
    found = members_of({4: 0.4, 2: 0.6}, nodes)
    assert [(each["family"], each["weight"]) for each in found] == [("linear", 0.9), ("knn", 0.1)]
    assert members_of({4: 0.5, 7: 0.5}, [nodes[0], node(7)]) == ()
