"""A score is believed unless the sealed rows, or shuffled answers, speak against it."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from loom.science.metrics import Interval, get, interval
from loom.science.search.marking import Code
from loom.science.search.smells import CODES
from loom.science.search.suspicion import WORDS, skill, survives_shuffle, suspect, words_for

AUC = get("auc")


def at(value: float, se: float | None = 0.01) -> Interval:
    half = None if se is None else 2 * se
    low, high = (None, None) if half is None else (value - half, value + half)
    return Interval(value, low, high, se, "by hand", 500, 500)


def test_a_score_that_falls_on_sealed_rows_is_suspect() -> None:
    reason = suspect(AUC, at(0.95), at(0.85))
    assert reason is not None
    assert reason.code == "gap"
    assert reason.what == "auc is 0.95 by the search and 0.85 on sealed rows, 7.1 standard errors apart"
    assert suspect(AUC, at(0.87), at(0.85)) is None
    assert suspect(AUC, at(0.85), at(0.95)) is None, "to be better on sealed rows is luck"
    assert suspect(get("rmse"), at(1.0), at(2.0)) is not None
    assert suspect(get("rmse"), at(2.0), at(1.0)) is None


def test_what_a_candidate_says_of_itself_is_held_against_the_seal() -> None:
    search, seal = at(0.85), at(0.85)
    for name in ("cv", "oof", "score", "auc", "ROC-AUC"):
        reason = suspect(AUC, search, seal, {"rows": 900.0, name: 0.99})
        assert reason is not None
        assert reason.code == "boast"
    assert (
        suspect(AUC, search, seal, {"cv": 0.86, "accuracy": 0.99, "seconds": 7.0, "auc": float("nan")})
        is None
    )
    assert suspect(AUC, search, seal, {"cv": 0.5}) is None, "modesty is no cheat"


def test_nothing_is_suspected_where_nothing_is_known() -> None:
    unknown = Interval(None, None, None, None, "unknown", 3, 0)
    assert suspect(AUC, at(0.9), unknown) is None
    assert suspect(AUC, unknown, at(0.1)) is None
    assert suspect(AUC, at(0.9), at(0.1, None)) is None


def test_a_perfect_score_on_few_rows_is_no_reason_for_suspicion() -> None:
    y = np.arange(40) % 2
    perfect = interval(AUC, y, y * 0.8)
    near = interval(AUC, y, np.where(np.arange(40) == 0, 0.9, y * 0.8))
    assert suspect(AUC, perfect, near) is None


@pytest.mark.parametrize("seed", range(6))
def test_a_fair_model_does_not_survive_shuffled_answers(seed: int) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(600, 2))
    y = (x[:, 0] > 0).astype(int)
    shuffled = random.permutation(y[:300])
    line = LogisticRegression().fit(x[:300], shuffled).predict_proba(x[300:])[:, 1]
    trees = ExtraTreesClassifier(30, random_state=0).fit(x[:300], shuffled).predict_proba(x[300:])
    values = LinearRegression().fit(x[:300], random.permutation(x[:300, 0])).predict(x[300:])
    for found in (
        skill("binary", y[300:], line, 300), skill("multiclass", y[300:], trees, 300),
        skill("regression", x[300:, 0], values, 300),
    ):  # fmt: skip
        assert not survives_shuffle(found.value, 0.0, found.se)


def test_whoever_knows_the_answers_survives_shuffled_ones() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 100)
    known = skill("multiclass", y, np.eye(3)[y] * 0.8 + 0.2 / 3, 80)
    assert survives_shuffle(known.value, 0.0, known.se)
    amounts = random.normal(size=100)
    assert survives_shuffle(
        *(lambda found: (found.value, 0.0, found.se))(skill("regression", amounts, amounts, 80))
    )
    same = skill("binary", np.ones(9), np.ones(9), 80)
    assert not survives_shuffle(same.value, 0.0, same.se)
    assert survives_shuffle(1.0, 2.0, 0.1, sign=-1)


def test_every_code_has_a_sentence() -> None:
    assert {*get_args(Code), *CODES, "constant", "gap", "boast", "survives_shuffle"} == set(WORDS)
    assert all(sentence.startswith(("it ", "its ", "some ", "what ", "the ")) for sentence in WORDS.values())
    assert words_for("deadline_passed") == "deadline passed"
