from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.plain import MAX_DEPTH, shown, why_not_json

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_what_json_can_carry_is_not_complained_about_and_comes_back_equal(value: Any) -> None:
    assert why_not_json(value) == ""
    assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "it is nan"),
        ({"a": [1, {"b": float("-inf")}]}, "a[1].b is -inf"),
        ({"a": (1, 2)}, "a is a tuple"),
        ({"a": {1: 2}}, "a has a key that is not text"),
        ([b"x"], "[0] is a bytes"),
        ("\ud800", "it holds half of a surrogate pair"),
        ({"\ud800": 1}, "it has a key that holds half of a surrogate pair"),
        ([10**300], "[0] has more than 300 digits"),
        (object(), "it is a object"),
    ],
)
def test_what_json_cannot_carry_is_named_with_its_place(value: Any, said: str) -> None:
    assert why_not_json(value).startswith(said)


def test_depth_is_limited_and_a_circle_is_only_deep() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert "nested more than" in why_not_json(circle)
    assert why_not_json(_nested(MAX_DEPTH)) == ""
    assert "nested more than" in why_not_json(_nested(MAX_DEPTH + 1))


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "'x'"),
        ("a" * 100, "'" + "a" * 79 + "…'"),
        ("\x1b[31m\n", "'\\x1b[31m\\x0a'"),
        (10**5000, "a huge int"),
        ([10**5000], "a huge list"),
        (None, "'None'"),
    ],
    ids=["text", "long", "control", "huge_number", "huge_list", "nothing"],
)
def test_a_shown_value_is_short_and_cannot_steer_a_terminal(value: Any, text: str) -> None:
    assert shown(value) == text
