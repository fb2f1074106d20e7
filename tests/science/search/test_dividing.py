"""The seal is carved as a holdout is, and by a look at every row no fold shares anything with it."""

from __future__ import annotations

import os
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.kernel.errors import LoomError
from loom.science.search.dividing import Division, divide
from loom.science.targets import Task
from loom.science.validation.problem import Problem

PLAYED = 1_000 if os.environ.get("LOOM_SOAK") else 60
HORIZON = 2.0


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A small table with ties in time, entities that stay or go, equal rows, and a target of any task."""
    rows = draw(st.integers(24, 70))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    task: Task = draw(st.sampled_from(["binary", "multiclass", "regression"]))
    moments = draw(st.integers(6, rows))
    time = np.sort(random.integers(0, moments, rows))
    entities = draw(st.integers(6, rows))
    leaves = draw(st.booleans())
    group = time * entities // moments if leaves else random.integers(0, entities, rows)
    rare = draw(st.sampled_from([0.5, 0.15, 0.02]))
    classes = (random.random(rows) < rare) + (0 if task == "binary" else 2 * (random.random(rows) < 0.3))
    order = random.permutation(rows)
    frame = pl.DataFrame(
        {
            "t": time[order],
            "g": [f"entity {one}" for one in group[order]],
            "x": random.integers(0, draw(st.integers(3, 200)), rows),
            "y": random.normal(size=rows) if task == "regression" else [f"c{one}" for one in classes],
        }
    )
    by_time, by_group = draw(st.booleans()), draw(st.booleans())
    kept = frame if by_time or by_group else frame.select("x", "y")
    return Problem(kept, "y", task, ("t",) if by_time else (), "g" if by_group else None)


def shares(found: Division, cells: pl.Series) -> bool:
    """Whether a value of a column is on both sides: sealed and learned from or tested, or learned from and tested."""
    values = cells.to_numpy()
    sides = [(found.seal, np.concatenate([fold.train, fold.test])) for fold in found.folds]
    sides += [(fold.train, fold.test) for fold in found.folds]
    return any(np.isin(values[one], values[other]).any() for one, other in sides)


@settings(max_examples=PLAYED)
@given(problem=problems(), seed=st.integers(0, 3))
def test_seal_and_folds_share_no_row_no_entity_and_no_time(problem: Problem, seed: int) -> None:
    try:
        found = divide(problem, horizon=HORIZON if problem.time else None, seed=seed)
    except LoomError as refused:
        assert refused.why
        assert refused.fix
        return
    assert not shares(found, pl.Series(np.arange(problem.train.height)))
    answers = problem.train["y"].to_numpy()
    for part in (found.seal, *(fold.test for fold in found.folds), *(fold.train for fold in found.folds)):
        assert len(np.unique(answers[part])) > 1, "nothing can be scored on it"
    if problem.group:
        assert not shares(found, problem.train["g"])
    if problem.time:
        times = problem.train["t"].to_numpy()
        for fold in found.folds:
            known = times[np.concatenate([fold.train, fold.test])] + HORIZON
            assert known.max() < times[found.seal].min()
    elif not problem.group and not any("equal" in note for note in found.notes):
        assert not shares(found, problem.train["x"])
    again = divide(problem, horizon=HORIZON if problem.time else None, seed=seed)
    assert again.as_json() == found.as_json()
    assert np.array_equal(again.seal, found.seal)


def plain(rows: int, task: Task = "binary", seed: int = 0) -> Problem:
    random = np.random.default_rng(seed)
    y = random.normal(size=rows) if task == "regression" else np.arange(rows) % (2 if task == "binary" else 3)
    return Problem(pl.DataFrame({"x": random.normal(size=rows), "y": y}), "y", task)


@pytest.mark.parametrize(("rows", "folds"), [(60, 5), (5_000, 5), (5_001, 3), (30_000, 3), (30_001, 1)])
def test_the_larger_the_table_the_fewer_the_folds(rows: int, folds: int) -> None:
    found = divide(plain(rows, "multiclass"))
    assert len(found.folds) == folds
    assert 0.14 <= len(found.seal) / rows <= 0.2
    used = len(found.seal) + len(found.folds[0].train) + len(found.folds[0].test)
    assert used == rows, "without time or entities no row is lost"


def test_every_row_that_is_not_sealed_is_tested_once() -> None:
    found = divide(plain(400, "regression"))
    tested = np.concatenate([fold.test for fold in found.folds])
    assert sorted([*tested, *found.seal]) == list(range(400))
    assert np.array_equal(found.searched, np.sort(tested))


def test_another_seed_seals_other_rows() -> None:
    one, other = (divide(plain(200), seed=seed) for seed in (0, 1))
    assert not np.array_equal(one.seal, other.seal)


def test_limits_of_rows_can_be_set() -> None:
    assert len(divide(plain(200), five_up_to=50, three_up_to=100).folds) == 1


@pytest.mark.parametrize("positives", [4, 5, 8])
def test_a_few_rows_of_the_rarer_class_are_in_every_part(positives: int) -> None:
    frame = pl.DataFrame({"x": range(60), "y": [1] * positives + [0] * (60 - positives)})
    found = divide(Problem(frame, "y", "binary"))
    answers = frame["y"].to_numpy()
    assert answers[found.seal].any()
    assert all(answers[fold.test].any() and answers[fold.train].any() for fold in found.folds)


def test_too_few_rows_of_a_class_are_refused_with_their_number() -> None:
    frame = pl.DataFrame({"x": range(60), "y": [1] * 3 + [0] * 57})
    with pytest.raises(LoomError, match="too rare"):
        divide(Problem(frame, "y", "binary"))


def test_rows_of_rare_classes_are_learned_from_and_never_tested() -> None:
    frame = pl.DataFrame({"x": range(90), "y": ["a"] * 50 + ["b"] * 37 + ["c"] * 2 + ["d"]})
    found = divide(Problem(frame, "y", "multiclass"))
    rare = {87, 88, 89}
    assert len(found.folds) == 5
    for fold in found.folds:
        assert rare <= set(fold.train.tolist())
        assert rare.isdisjoint([*fold.test.tolist(), *found.seal.tolist()])
    assert any("too rare" in note for note in found.notes)


def test_rare_rows_of_an_entity_that_is_tested_are_not_learned_from() -> None:
    rows = 200
    frame = pl.DataFrame(
        {"x": range(rows), "g": [at % 20 for at in range(rows)], "y": ["rare" if at == 7 else "ab"[at % 3 % 2] for at in range(rows)]}
    )  # fmt: skip
    found = divide(Problem(frame, "y", "multiclass", group="g"))
    entities = frame["g"].to_numpy()
    for fold in found.folds:
        assert 7 not in fold.test
        assert (7 in fold.train) == (7 not in entities[np.concatenate([fold.test, found.seal])])


def test_rows_without_an_answer_are_nowhere_and_are_counted() -> None:
    frame = pl.DataFrame({"x": range(100), "y": [None if at % 10 == 0 else at % 2 for at in range(100)]})
    found = divide(Problem(frame, "y", "binary"))
    shown = np.concatenate([found.seal, *(fold.train for fold in found.folds)])
    assert not (shown % 10 == 0).any()
    assert found.notes[0].startswith("10 rows have no answer")


def test_the_seal_begins_earlier_where_the_latest_rows_have_one_answer() -> None:
    frame = pl.DataFrame({"t": range(100), "y": [at % 2 if at < 75 else 0 for at in range(100)]})
    found = divide(Problem(frame, "y", "binary", time=("t",)))
    assert found.seal.min() == 73
    one_sided = pl.DataFrame({"t": range(100), "y": [at % 2 if at < 40 else 0 for at in range(100)]})
    with pytest.raises(LoomError, match="by time"):
        divide(Problem(one_sided, "y", "binary", time=("t",)))


def test_one_part_of_many_ordered_rows_is_the_one_right_before_the_seal() -> None:
    frame = pl.DataFrame({"t": range(300), "y": [at % 2 for at in range(300)]})
    found = divide(Problem(frame, "y", "binary", time=("t",)), five_up_to=10, three_up_to=20)
    (fold,) = found.folds
    assert fold.train.max() < fold.test.min()
    assert fold.test.max() + 1 == found.seal.min()


def test_entities_that_go_on_through_time_are_sealed_in_part() -> None:
    cells = list(product(range(40), range(30)))
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"t": [t for t, _ in cells], "g": [g for _, g in cells], "y": random.integers(0, 2, len(cells))}
    )
    found = divide(Problem(frame, "y", "binary", time=("t",), group="g"))
    assert found.kind == "time+group"
    assert not shares(found, frame["g"])
    assert 0.05 <= len(found.seal) / len(cells) <= 0.2
    assert found.left_out == sum(
        int(note.split()[0].replace(",", "")) for note in found.notes if "share" in note
    )


@pytest.mark.parametrize(
    ("columns", "kind"),
    [({"y": [0, 1] * 8}, {}), ({"t": [3] * 40, "y": [0, 1] * 20}, {"time": ("t",)}), ({"g": [1] * 39 + [2], "y": [0, 1] * 20}, {"group": "g"})],
)  # fmt: skip
def test_what_cannot_be_divided_is_refused_with_a_way_out(
    columns: dict[str, list[int]], kind: dict[str, object]
) -> None:
    with pytest.raises(LoomError) as refused:
        divide(Problem(pl.DataFrame(columns), "y", "binary", **kind))  # type: ignore[arg-type]
    assert refused.value.fix


def test_rows_before_the_seal_that_are_all_of_one_time_are_shuffled() -> None:
    frame = pl.DataFrame({"t": [2020] * 80 + [2021] * 20, "x": range(100), "y": [0, 1] * 50})
    found = divide(Problem(frame, "y", "binary", time=("t",)))
    assert found.seal.tolist() == list(range(80, 100))
    assert len(found.folds) == 5
