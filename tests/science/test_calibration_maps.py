"""Recalibration: predictions put right, in the same order, by a map that survives being written down."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, softmax

from loom.kernel.errors import LoomError
from loom.science.calibration import Recalibration, assess, recalibrate
from loom.science.calibration.recalibration import Kind
from tests.science.trust_data import outcomes

RNG = np.random.default_rng


def bold(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = RNG(seed)
    odds = rng.normal(-0.5, 1.2, rows)
    return outcomes(expit(odds), rng), expit(2 * odds + 0.5)


@pytest.mark.parametrize(("rows", "kind"), [(150, "platt"), (1_500, "beta"), (6_000, "isotonic")])
def test_the_size_of_the_smaller_class_decides_and_unseen_chances_get_better(rows: int, kind: Kind) -> None:
    found = recalibrate(*bold(rows))
    assert found.kind == kind
    y, p = bold(4_000, seed=1)
    before, after = assess(y, p), assess(y, found.apply(p))
    assert before.findings
    assert after.loss < before.loss
    assert after.error.value < 0.5 * before.error.value or rows < 1_000
    assert not after.findings or rows < 1_000


@pytest.mark.parametrize("kind", ["platt", "beta", "isotonic", "temperature", "vector"])
def test_chances_keep_their_order(kind: Kind) -> None:
    found = recalibrate(*bold(800), kind=kind)
    right = found.apply(np.linspace(0, 1, 501))if kind not in ("temperature", "vector") else found.apply(
        np.column_stack([np.linspace(1, 0, 501), np.linspace(0, 1, 501)])
    )[:, 1]  # fmt: skip
    assert (np.diff(right) >= -1e-12).all()
    assert ((right >= 0) & (right <= 1)).all()


@pytest.mark.parametrize("kind", ["platt", "beta", "isotonic"])
def test_predictions_that_are_the_wrong_way_round_are_levelled_not_turned(kind: Kind) -> None:
    y, p = bold(2_000)
    right = recalibrate(y, 1 - p, kind=kind).apply(np.linspace(0, 1, 101))
    assert (np.diff(right) >= -1e-12).all()
    assert right.mean() == pytest.approx(y.mean(), abs=0.02)


@pytest.mark.parametrize("classes", [3, 5])
@pytest.mark.parametrize("rows", [300, 6_000])
def test_shares_of_classes_get_better_and_add_up_to_one(classes: int, rows: int) -> None:
    def draw(seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        rng = RNG(seed)
        heights = rng.normal(0, 1.2, (number, classes))
        p = softmax(heights, axis=1)
        y = np.minimum((p.cumsum(axis=1) > rng.random((number, 1))).argmax(axis=1), classes - 1)
        return y, softmax(2 * heights, axis=1)

    found = recalibrate(*draw(0, rows))
    assert found.kind == ("temperature" if rows == 300 else "vector")
    y, p = draw(1, 4_000)
    right = found.apply(p)
    assert right.sum(axis=1) == pytest.approx(np.ones(4_000))
    assert assess(y, right).loss < assess(y, p).loss
    if found.kind == "temperature":
        assert (right.argmax(axis=1) == p.argmax(axis=1)).all()


@pytest.mark.parametrize("kind", ["identity", "platt", "beta", "isotonic"])
def test_a_map_survives_being_written_down(kind: Kind) -> None:
    found = recalibrate(*bold(500), kind=kind)
    again = Recalibration.from_json(json.loads(json.dumps(found.as_json(), allow_nan=False)))
    new = RNG(3).random(200)
    assert (again.apply(new) == found.apply(new)).all()
    both = np.column_stack([1 - new, new])
    assert again.apply(both)[:, 1] == pytest.approx(found.apply(new))


def test_separable_and_single_answers_teach_nothing_wild() -> None:
    p = np.linspace(0.01, 0.99, 60)
    apart = recalibrate((p > 0.5).astype(int), p).apply(np.array([0.0, 0.5, 1.0]))
    assert ((apart > 0) & (apart < 1)).all()
    assert recalibrate(np.ones(60, int), p).kind == "identity"
    with pytest.raises(LoomError, match="amounts"):
        recalibrate(np.linspace(0, 5, 60), p)
