"""Predictions take the form of the sample: its columns, its rows, its words."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.metrics import get
from loom.science.search.submission import Form, form_of
from loom.science.validation.problem import Problem

P = np.array([0.1, 0.9, 0.6])


def problem_of(answers: list[Any], task: Any = "binary", **more: Any) -> Problem:
    frame = pl.DataFrame({"id": range(len(answers)), "x": 0.5, "y": answers})
    return Problem(frame, "y", task, **more)


YES = problem_of(["no", "yes"] * 4, ids=("id",))
BIT = problem_of([0, 1] * 4, ids=("id",))
THREE = problem_of(["a", "b", "c"] * 4, "multiclass", ids=("id",))
AMOUNT = problem_of([0.0, 1.0, 2.0, 4.0], "regression", ids=("id",))
TEST = pl.DataFrame({"id": [11, 12, 13], "x": [1.0, 2.0, 3.0]})


def table(form: Form, said: np.ndarray) -> dict[str, list[Any]]:
    return pl.read_csv(io.BytesIO(form.filled(said))).to_dict(as_series=False)


def asked(
    problem: Problem, metric: str, sample: dict[str, list[Any]] | None, said: np.ndarray = P
) -> dict[str, list[Any]]:
    frame = None if sample is None else pl.DataFrame(sample)
    return table(form_of(problem, get(metric), TEST, frame), said)


@pytest.mark.parametrize(
    ("problem", "metric", "shown", "said"),
    [
        (YES, "auc", [0, 0, 0], [0.1, 0.9, 0.6]),
        (YES, "auc", [0.5, 0.5, 0.5], [0.1, 0.9, 0.6]),
        (YES, "accuracy", [0.5, 0.5, 0.5], [0.1, 0.9, 0.6]),
        (YES, "auc", ["no", "no", "no"], ["no", "yes", "yes"]),
        (YES, "auc", [None, None, None], [0.1, 0.9, 0.6]),
        (BIT, "auc", [0, 1, 0], [0.1, 0.9, 0.6]),
        (BIT, "accuracy", [0, 1, 0], [0, 1, 1]),
        (BIT, "f1", [0.0, 0.0, 0.0], [0, 1, 1]),
        (problem_of([1, 2] * 4), "auc", [1, 2, 1], [1, 2, 2]),
        (problem_of([1.0, 2.0] * 4), "f1", [1, 1, 1], [1, 2, 2]),
        (problem_of([False, True] * 4), "accuracy", [False] * 3, [False, True, True]),
    ],
)
def test_values_of_the_sample_say_whether_labels_are_wanted(
    problem: Problem, metric: str, shown: list[Any], said: list[Any]
) -> None:
    assert asked(problem, metric, {"id": [11, 12, 13], "y": shown}) == {"id": [11, 12, 13], "y": said}


def test_flags_are_written_as_the_sample_writes_them() -> None:
    flags = problem_of([False, True] * 4)
    for shown, wanted in (("False", "True"), ("false", "true")):
        form = form_of(flags, get("accuracy"), TEST, pl.DataFrame({"id": [11, 12, 13], "y": [shown] * 3}))
        assert form.filled(P).decode().splitlines()[2] == f"12,{wanted}"


def test_rows_are_in_the_order_of_the_sample() -> None:
    assert asked(AMOUNT, "rmse", {"id": [13, 11, 12], "price": [0, 0, 0]}) == {
        "id": [13, 11, 12], "price": [0.6, 0.1, 0.9],
    }  # fmt: skip
    text = form_of(AMOUNT, get("rmse"), TEST, pl.DataFrame({"id": ["12", "13", "11"], "y": [0] * 3})).filled(
        P
    )
    assert text.decode().splitlines() == ["id,y", "12,0.9", "13,0.6", "11,0.1"]


def test_ids_keep_their_zeros_and_may_be_made_of_several_columns() -> None:
    test = pl.DataFrame({"shop": ["007", "007", "008"], "day": [1, 2, 1], "x": [0.0] * 3})
    sample = pl.DataFrame({"shop": ["007", "008", "007"], "day": [2, 1, 1], "y": [0.0] * 3})
    text = form_of(AMOUNT, get("rmse"), test, sample).filled(P).decode()
    assert text.splitlines() == ["shop,day,y", "007,2,0.9", "008,1,0.6", "007,1,0.1"]


def test_a_sample_of_other_rows_gives_its_columns_only() -> None:
    form = form_of(AMOUNT, get("rmse"), TEST, pl.DataFrame({"id": [1, 2], "price": [0, 0]}))
    assert table(form, P) == {"id": [11, 12, 13], "price": [0.1, 0.9, 0.6]}
    assert "other rows" in form.notes[0]


def test_rows_that_share_an_id_keep_their_order() -> None:
    test = pl.DataFrame({"id": [7, 7, 8], "x": [0.0] * 3})
    form = form_of(AMOUNT, get("rmse"), test, pl.DataFrame({"id": [7, 7, 8], "y": [0] * 3}))
    assert table(form, P) == {"id": [7, 7, 8], "y": [0.1, 0.9, 0.6]}
    assert not form.notes


def test_an_id_that_test_does_not_have_goes_by_the_order_of_rows() -> None:
    assert asked(AMOUNT, "rmse", {"Id": [901, 902, 903], "y": [0] * 3}) == {
        "Id": [901, 902, 903],
        "y": [0.1, 0.9, 0.6],
    }
    assert asked(AMOUNT, "rmse", {"y": [0] * 3}) == {"y": [0.1, 0.9, 0.6]}


SHARES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]])


@pytest.mark.parametrize("names", [("c", "a", "b"), ("C", "A", "B"), ("Status_C", "Status_A", "Status_B"), ("p_c_y", "p_a_y", "p_b_y")])  # fmt: skip
def test_columns_of_classes_are_in_the_order_of_the_sample(names: tuple[str, ...]) -> None:
    sample = {"id": [11, 12, 13]} | {name: [0.0] * 3 for name in names}
    found = asked(THREE, "logloss", sample, SHARES)
    assert list(found) == ["id", *names]
    assert np.allclose(np.column_stack([found[name] for name in names]), SHARES[:, [2, 0, 1]])


def test_numbers_of_classes_are_found_in_names() -> None:
    problem = problem_of([1, 2, 10] * 4, "multiclass", ids=("id",))
    found = asked(problem, "logloss", {"id": [11, 12, 13], "Class_10": [0.0] * 3, "Class_1": [0.0] * 3, "Class_2": [0.0] * 3}, SHARES)  # fmt: skip
    assert np.allclose(found["Class_10"], SHARES[:, 2])
    assert np.allclose(found["Class_2"], SHARES[:, 1])


def test_two_classes_may_have_a_column_each() -> None:
    found = asked(YES, "logloss", {"id": [11, 12, 13], "yes": [0.0] * 3, "no": [0.0] * 3})
    assert np.allclose(found["yes"], P)
    assert np.allclose(found["no"], 1 - P)


def test_one_column_of_many_classes_holds_labels() -> None:
    assert asked(THREE, "logloss", {"id": [11, 12, 13], "y": ["a"] * 3}, SHARES)["y"] == ["a", "c", "b"]
    numbers = problem_of([3, 4, 5] * 4, "multiclass")
    assert asked(numbers, "accuracy", {"id": [11, 12, 13], "y": [3] * 3}, SHARES)["y"] == [3, 5, 4]


def test_a_sample_that_fits_nothing_is_left_and_said_so() -> None:
    form = form_of(THREE, get("logloss"), TEST, pl.DataFrame({"id": [11], "red": [0.1], "green": [0.2]}))
    assert list(table(form, SHARES)) == ["id", "a", "b", "c"]
    assert form.notes
    assert form_of(AMOUNT, get("rmse"), TEST, pl.DataFrame({"id": [11], "y": [0], "z": [0]})).notes
    assert form_of(AMOUNT, get("rmse"), TEST, pl.DataFrame({"id": [11]})).notes


@pytest.mark.parametrize(
    ("problem", "metric", "wanted"),
    [
        (YES, "auc", {"id": [11, 12, 13], "y": [0.1, 0.9, 0.6]}),
        (YES, "mcc", {"id": [11, 12, 13], "y": ["no", "yes", "yes"]}),
        (AMOUNT, "rmse", {"id": [11, 12, 13], "y": [0.1, 0.9, 0.6]}),
        (problem_of([0.0, 1.0], "regression"), "rmse", {"row": [0, 1, 2], "y": [0.1, 0.9, 0.6]}),
    ],
)
def test_without_a_sample_rows_are_named_by_their_ids_or_numbered(
    problem: Problem, metric: str, wanted: dict[str, list[Any]]
) -> None:
    assert asked(problem, metric, None) == wanted


def test_without_a_sample_many_classes_have_columns_unless_labels_are_judged() -> None:
    assert list(asked(THREE, "logloss", None, SHARES)) == ["id", "a", "b", "c"]
    assert asked(THREE, "accuracy", None, SHARES) == {"id": [11, 12, 13], "y": ["a", "c", "b"]}


def test_amounts_are_such_as_the_metric_can_take() -> None:
    said = np.array([-1.5, 2.4, 9.0])
    assert asked(AMOUNT, "rmsle", None, said)["y"] == [0.0, 2.4, 9.0]
    assert asked(AMOUNT, "qwk", None, said)["y"] == [0.0, 2.0, 4.0]


def test_predictions_of_other_rows_are_refused() -> None:
    with pytest.raises(LoomError, match="cannot be written"):
        form_of(AMOUNT, get("rmse"), TEST).filled(np.zeros(5))
