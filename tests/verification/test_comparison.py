from __future__ import annotations

import operator as python
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.verification import comparison
from loom.verification.comparison import Unevaluable, evaluate, value_at

NUMBERS = st.integers(-5, 5) | st.floats(-5, 5, allow_nan=False)


@given(NUMBERS, NUMBERS)
@settings(derandomize=True, deadline=None, database=None)
def test_numbers_are_ordered_as_numbers_are(left: float, right: float) -> None:
    for name, holds in (("gte", python.ge), ("lte", python.le), ("gt", python.gt), ("lt", python.lt)):
        assert evaluate(name, left, right) is holds(left, right)  # type: ignore[arg-type]
    assert evaluate("eq", left, right) is (left == right) is (not evaluate("ne", left, right))


@pytest.mark.parametrize("word", ["gte", "lte", "gt", "lt"])
@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        ("5", 3),
        (5, "3"),
        (True, 0),
        (5, False),
        (None, 0),
        ([5], 3),
        (float("nan"), 0),
        (float("inf"), 0),
        (10**400, 0),
    ],
)
def test_what_is_no_number_has_no_order(word: Any, actual: object, expected: object) -> None:
    found = evaluate(word, actual, expected)
    assert isinstance(found, Unevaluable) and not found and f"{word} compares numbers" in found.why


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (False, False, True),
        ("a", "a", True),
        ("1", 1, False),
        (None, 0, False),
        ([1, [2]], [1.0, [2]], True),
        ([1], [True], False),
        ([1, 2], [1], False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
    ],
)
def test_equal_is_what_json_means_by_it(left: object, right: object, same: bool) -> None:
    assert evaluate("eq", left, right) is same and evaluate("ne", left, right) is not same


@pytest.mark.parametrize(
    ("actual", "expected", "has"),
    [
        ("abc", "b", True),
        ("abc", "x", False),
        (["a", 1], 1, True),
        (["a", 1], True, False),
        ([["a"]], ["a"], True),
        ({"a": 1}, "a", True),
        ({"a": 1}, "b", False),
    ],
)
def test_texts_lists_and_mappings_contain(actual: object, expected: object, has: bool) -> None:
    assert (
        evaluate("contains", actual, expected) is has
        and evaluate("not_contains", actual, expected) is not has
    )


@pytest.mark.parametrize(("actual", "expected"), [(5, 5), (None, "a"), ("a1", 1), ({"a": 1}, 1), (True, "r")])
def test_what_cannot_contain_is_undecided_both_ways(actual: object, expected: object) -> None:
    for word in ("contains", "not_contains"):
        assert isinstance(evaluate(word, actual, expected), Unevaluable)  # type: ignore[arg-type]


def test_a_pattern_is_looked_for_anywhere() -> None:
    assert evaluate("matches", "one two", r"t\w+") is True and evaluate("matches", "one", "^t") is False


def test_a_pattern_that_cannot_be_read_or_ended_or_compared_is_undecided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(pattern: str, text: str) -> None:
        raise TimeoutError("it took longer")

    for actual, expected, why in (
        ("a", "(", "cannot be read"),
        (5, "5", "compares texts"),
        ("a", 5, "compares texts"),
    ):
        found = evaluate("matches", actual, expected)
        assert isinstance(found, Unevaluable) and why in found.why
    monkeypatch.setattr(comparison, "search", slow)
    assert evaluate("matches", "a", "a") == Unevaluable("it took longer")


DATA = {"report": {"scores": [80, [1, 2]], "empty": {}}, "none": None, "list": [{"id": 7}], "0": "zero"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("report.scores[0]", 80),
        ("report.scores[1][1]", 2),
        ("list[0].id", 7),
        ("none", None),
        ("report.empty", {}),
        ("0", "zero"),
    ],
)
def test_a_path_leads_to_its_value(path: str, value: object) -> None:
    assert value_at(DATA, path) == value and value_at([DATA], f"[0].{path}") == value


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("report.total", "no `total` in scores, empty"),
        ("report.empty.x", "no `x` in an empty mapping"),
        ("report.scores[2]", "there is no item 2"),
        ("report.scores.first", "no `first` in"),
        ("report[0]", "there is no item 0"),
        ("none.x", "no `x` in null"),
        ("report..scores", "is not a path"),
        ("report.scores[x]", "is not a path"),
        ("report.scores[-1]", "is not a path"),
        ("", "is not a path"),
    ],
)
def test_a_path_that_leads_nowhere_says_how_far_it_came(path: str, why: str) -> None:
    found = value_at(DATA, path)
    assert isinstance(found, Unevaluable) and why in found.why
