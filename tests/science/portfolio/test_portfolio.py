"""The models that Loom fits by itself."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from loom.science.portfolio import MEMBERS, best_single, blend, dummy, fit_member
from loom.science.targets import Task

ROWS = 600


def table(task: Task, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(ROWS, 5)).astype(np.float32)
    matrix[::9, 2] = np.nan
    matrix[0, 3] = np.inf
    score = matrix[:, 0] + random.normal(size=ROWS) / 2
    if task == "regression":
        return matrix, score.astype(np.float64)
    return matrix, np.digitize(score, [0.0] if task == "binary" else [-0.5, 0.5])


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_a_member_learns_what_there_is_and_survives_being_stored(
    member: str, task: Task, classes: int
) -> None:
    matrix, answers = table(task)
    model = fit_member(member, matrix, answers, task, classes=classes)  # type: ignore[arg-type]
    again = pickle.loads(pickle.dumps(fit_member(member, matrix, answers, task, classes=classes)))  # type: ignore[arg-type]
    fresh, truth = table(task, seed=1)
    predicted = model.predict(fresh)
    assert np.array_equal(predicted, again.predict(fresh))
    if task == "regression":
        assert np.corrcoef(predicted, truth)[0, 1] > 0.8
    else:
        guess = predicted > 0.5 if task == "binary" else predicted.argmax(1)
        assert (guess == truth).mean() > (0.75 if task == "binary" else 0.6)
        assert predicted.min() >= 0
        assert task == "binary" or np.allclose(predicted.sum(1), 1)


@pytest.mark.parametrize("member", MEMBERS)
def test_classes_that_a_fold_has_not_seen_get_nothing(member: str) -> None:
    matrix, answers = table("binary")
    some = fit_member(member, matrix, answers * 2, "multiclass", classes=4)  # type: ignore[arg-type]
    assert np.all(some.predict(matrix)[:, [1, 3]] == 0)
    one = fit_member(member, matrix, np.ones(ROWS, int), "multiclass", classes=3)  # type: ignore[arg-type]
    assert np.array_equal(one.predict(matrix[:1]), [[0, 1, 0]])
    assert fit_member(member, matrix, np.zeros(ROWS, int), "binary", classes=2).predict(matrix[:1]) == [0]  # type: ignore[arg-type]


def test_the_better_member_counts_and_of_equal_ones_the_simpler() -> None:
    truth = np.tile([0.0, 1.0], 100)
    good, bad = np.where(truth == 1, 0.8, 0.2), np.full(200, 0.5)
    assert blend({"linear": bad, "boosted": good}, truth, "binary") == {"boosted": 1.0}
    assert blend({"linear": good, "boosted": good}, truth, "binary") == {"linear": 1.0}
    noise = np.random.default_rng(0).normal(size=(2, 200))
    values = {"linear": truth + noise[0], "boosted": truth + noise[1]}
    assert blend(values, truth, "regression") == {"linear": 0.5, "boosted": 0.5}


def test_the_dummy_says_the_same_of_everybody() -> None:
    assert np.array_equal(dummy(np.array([0, 1, 1, 1]), "binary", 2, classes=2), [0.75, 0.75])
    assert np.array_equal(dummy(np.array([0, 2]), "multiclass", 1, classes=3), [[0.5, 0.0, 0.5]])
    assert np.array_equal(dummy(np.array([1.0, 3.0]), "regression", 1), [2.0])


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_the_best_column_alone_is_found_also_where_it_is_not_monotone(task: Task, classes: int) -> None:
    matrix, _ = table(task)
    score = np.abs(matrix[:, 4])
    answers = score if task == "regression" else np.digitize(score, [0.6] if task == "binary" else [0.4, 1.0])
    single = best_single(matrix, answers, task, classes=classes)
    assert single.column == 4
    predicted = single.predict(matrix)
    assert predicted.shape == ((ROWS, 3) if task == "multiclass" else (ROWS,))
    assert single.predict(np.full((1, 5), np.nan, np.float32)).shape[0] == 1
