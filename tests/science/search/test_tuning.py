"""Small steps from a configuration."""

from __future__ import annotations

import numpy as np
import pytest

from loom.science.metrics import get
from loom.science.search.nodes import Challenge
from loom.science.search.portfolio import drafts
from loom.science.search.rendering import VIEWS, member
from loom.science.search.tuning import SPACES, Choice, Range, blocks_for, onward, perturbed

CHALLENGE = Challenge("binary", get("auc"), 2_000, {"a": "number", "b": "number", "c": "word"}, 2, 5)


def test_a_range_is_walked_in_its_own_unit_and_never_left() -> None:
    rate = Range(0.01, 1.0)
    assert rate.moved(0.1, 0.5) == 1.0 and rate.moved(0.1, -0.5) == 0.01 and rate.moved(0.1, 9.0) == 1.0
    assert Range(1, 100, whole=True).moved(10, 0.25) == 32
    assert Range(0.0, 1.0, log=False).moved(0.5, 0.1) == 0.6
    assert rate.distance(0.1, 1.0) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "draft", drafts(CHALLENGE, catboost=True), ids=lambda draft: f"{draft.member['family']}: {draft.note}"
)
def test_a_step_changes_some_settings_within_their_ranges_and_nothing_else(draft: object) -> None:
    parent = draft.member  # type: ignore[attr-defined]
    draw = np.random.default_rng(0)
    for _ in range(20):
        made = perturbed(parent, draw)
        changed = {name for name in made["params"] if made["params"][name] != parent["params"][name]}
        assert len(changed) <= 3 and set(made["params"]) == set(parent["params"])
        assert made["blocks"] == parent["blocks"] and made["family"] == parent["family"]
        for name in changed:
            how = SPACES[parent["family"]][name]
            if isinstance(how, Range):
                assert how.low <= made["params"][name] <= how.high
            else:
                assert tuple(np.atleast_1d(made["params"][name])) in [
                    tuple(np.atleast_1d(each)) for each in how.values
                ]


def test_the_same_draw_makes_the_same_step() -> None:
    parent = drafts(CHALLENGE)[0].member
    assert perturbed(parent, np.random.default_rng(4)) == perturbed(parent, np.random.default_rng(4))


def test_going_on_doubles_the_step_that_led_here() -> None:
    before = member("lightgbm", {"learning_rate": 0.1, "num_leaves": 16, "rounds": "stop"})
    now = member("lightgbm", {"learning_rate": 0.05, "num_leaves": 32, "rounds": "stop"}, ["pairs"])
    assert onward(now, before) == member(
        "lightgbm", {"learning_rate": 0.025, "num_leaves": 64, "rounds": "stop"}, ["pairs"]
    )


def test_blocks_are_offered_where_there_is_something_to_make_them_of() -> None:
    words = Challenge("binary", get("auc"), 500, {"c": "word"}, 2, 5)
    assert blocks_for("lightgbm", words) == ("missing", "categories")
    assert {"splines", "pairs"} <= set(blocks_for("linear", CHALLENGE))
    timed = Challenge("regression", get("r2"), 500, {"a": "number"}, 0, 5, time=True)
    assert {"past", "steady"} <= set(blocks_for("lightgbm", timed))


def test_every_family_has_a_space() -> None:
    assert set(SPACES) == set(VIEWS)
    assert all(isinstance(how, Range | Choice) for space in SPACES.values() for how in space.values())
