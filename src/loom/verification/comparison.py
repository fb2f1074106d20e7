"""Comparisons of a value with what is wanted: decided, or said why they cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loom.process.paths import NothingThereError, dig
from loom.process.patterns import PatternError, search
from loom.process.spec.types import Operator

MAX_SHOWN = 120

_TOO_LARGE = 1e300
_ORDER: dict[Operator, Callable[[float, float], bool]] = {
    "gte": lambda actual, expected: actual >= expected,
    "lte": lambda actual, expected: actual <= expected,
    "gt": lambda actual, expected: actual > expected,
    "lt": lambda actual, expected: actual < expected,
}


@dataclass(frozen=True, slots=True)
class Unevaluable:
    """A comparison that means nothing, and why."""

    why: str

    def __bool__(self) -> bool:
        return False


def evaluate(operator: Operator, actual: object, expected: object) -> bool | Unevaluable:
    """Whether the actual value stands in this relation to the expected one, if that can be said."""
    if operator in _ORDER:
        if not (is_number(actual) and is_number(expected)):
            return Unevaluable(f"{operator} compares numbers, not {shown(actual)} with {shown(expected)}")
        return _ORDER[operator](actual, expected)  # type: ignore[arg-type]
    match operator:
        case "eq":
            return _same(actual, expected)
        case "ne":
            return not _same(actual, expected)
        case "contains":
            return _contains(actual, expected)
        case "not_contains":
            found = _contains(actual, expected)
            return found if isinstance(found, Unevaluable) else not found
    return _matches(actual, expected)


def value_at(data: object, path: str) -> object | Unevaluable:
    """The value at a dotted path with list indexes, such as `report.scores[0]`."""
    found: object
    try:
        found = dig(data, path)
    except NothingThereError as error:
        return Unevaluable(str(error))
    return found


def shown(value: object) -> str:
    """A value as it is written in a reason."""
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def is_number(value: object) -> bool:
    """Whether a value can be compared as a number; true, NaN and what no float can hold cannot."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _TOO_LARGE  # NaN is not below anything


def _same(left: object, right: object) -> bool:
    """Whether two values are the same in JSON: 1 is 1.0, and true is neither."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return left == right


def _contains(actual: object, expected: object) -> bool | Unevaluable:
    if isinstance(actual, list | tuple):
        return any(_same(each, expected) for each in actual)
    if isinstance(actual, str | Mapping) and isinstance(expected, str):
        return expected in actual
    return Unevaluable(f"{shown(actual)} cannot contain {shown(expected)}")


def _matches(actual: object, expected: object) -> bool | Unevaluable:
    if not (isinstance(actual, str) and isinstance(expected, str)):
        return Unevaluable(f"matches compares texts, not {shown(actual)} with {shown(expected)}")
    try:
        return search(expected, actual) is not None
    except PatternError as error:
        return Unevaluable(f"the pattern {shown(expected)} cannot be read: {error.why}")
    except TimeoutError as error:
        return Unevaluable(str(error))
