"""Arithmetic, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.tools.expression import FUNCTIONS, ExpressionError, evaluate, shown


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("2 ** 10", "1024"),
        ("1_000.50 * 2", "2001"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("7 % -3", "-2"),
        ("round(2.345, 2)", "2.35"),
        ("round(-2.5)", "-3"),
        ("round(1234, -2)", "1200"),
        ("sqrt(2) ** 2 - 2 < 1e-20", "true"),
        ("12345678901234567890123 * 3", "37037036703703703670369"),
        ("mean(xs) + median([3, 1, 2]) + count(xs)", "7"),
        ("stdev(2, 4)", "1.414213562373095048801688724"),
        ("max(xs, 9) - min(xs)", "8"),
        ("1 if a > 2 and not a == 4 else 0", "1"),
        ("1 < 2 < 3", "true"),
        ("log(8, 2) + log2(8) + log10(100) + floor(2.9) + ceil(2.1)", "13"),
        ("factorial(20)", "2432902008176640000"),
        ("10 ** 40", "1E+40"),
        ("abs(-3) + exp(0) + sum(xs) + sin(0) + 0 * pi", "10"),
    ],
)
def test_expressions_have_exact_values(expression: str, value: str) -> None:
    assert shown(evaluate(expression, {"a": 3, "xs": [1, 2, 3]})) == value


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("1 / 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("9 ** 9 ** 9 ** 9", "grows beyond"),
        ("exp(100000)", "grows beyond"),
        ("factorial(10 ** 9)", "factorial takes"),
        ("sqrt(-1)", "no value"),
        ("log(0) * 0", "division by zero|no value|infinit"),
        ("x + 1", "x is not given"),
        ("[1, 2]", "a list"),
        ("[1] + [2]", "a list stands"),
        ("1 +", "cannot be read"),
        ("(" * 300 + "1" + ")" * 300, "cannot be read|nested"),
        ("-" * 100 + "1", "nested"),
        ("+".join(["1"] * 400), "too many parts"),
        ("max()", "no value"),
        ("round(1, 99)", "at most"),
        ("__import__('os').system('id')", "not arithmetic"),
        ("().__class__", "not arithmetic"),
        ("open('f')", "not arithmetic|not a function"),
        ("lambda: 1", "not arithmetic"),
        ("[x for x in [1]]", "not arithmetic"),
        ("'a' * 10 ** 9", "not arithmetic"),
        ("1j", "not arithmetic"),
        ("f'{1}'", "not arithmetic"),
        ("sum(*[1])", "not arithmetic"),
        ("2 @ 3", "not arithmetic"),
        ("1 << 99999", "not arithmetic"),
        ("1 is 1", "not a comparison"),
        ("(a := 1)", "not arithmetic"),
        ("tan(1e9999)", "no value"),
        ("1e99999", "not finite|grows beyond|no value|too large"),
    ],
)
def test_what_has_no_value_says_why(expression: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=why):
        evaluate(expression, {})


def test_numbers_that_are_given_are_finite() -> None:
    with pytest.raises(ExpressionError, match="not finite"):
        evaluate("a", {"a": float("inf")})


NUMBERS = st.integers(-99, 99).map(str) | st.sampled_from(["0.5", "1e3", "a", "[1, 2]", "9999999", "True"])
WORDS = st.sampled_from(
    ["+", "-", "*", "/", "**", "//", "%", "(", ")", ",", "<", "==", " if ", " else ", " and "]
)
NAMES = st.sampled_from([f"{name}(" for name in FUNCTIONS])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(NUMBERS | WORDS | NAMES, max_size=9))
def test_any_text_has_a_finite_value_or_a_reason(parts: list[str]) -> None:
    try:
        value = evaluate("".join(parts), {"a": 3})
    except ExpressionError as error:
        assert str(error)
    else:
        assert shown(value)
