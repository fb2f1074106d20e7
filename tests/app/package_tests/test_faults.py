"""When a fault comes about."""

from __future__ import annotations

from typing import Any

import pytest

from loom.app.package_tests.faults import KINDS, Faults
from loom.process.spec.tests import Fault


def faults(*declared: dict[str, Any]) -> Faults:
    """Faults as a package declares them."""
    return Faults([Fault.model_validate(each) for each in declared])


def test_only_the_tool_and_the_phase_that_are_named_are_hit() -> None:
    hook = faults({"tool": "fetch", "phase": "gather"})
    assert hook("say", "gather", 1) is None
    assert hook("fetch", "other", 1) is None
    assert hook("fetch", "gather", 1) is not None
    assert hook.fired == {0}


def test_an_attempt_is_one_call_and_zero_is_every_one() -> None:
    hook = faults({"tool": "fetch", "attempt": 2}, {"tool": "say", "attempt": 0})
    assert [hook("fetch", "a", 1) is None for _ in range(3)] == [True, False, True]
    assert [hook("say", "a", 1) is None for _ in range(3)] == [False, False, False]


def test_calls_are_counted_apart_for_each_phase() -> None:
    hook = faults({"tool": "fetch", "phase": "b", "attempt": 1})
    assert hook("fetch", "a", 1) is None
    assert hook("fetch", "b", 1) is not None


@pytest.mark.parametrize("error", KINDS)
def test_a_failure_has_the_kind_and_the_words_of_a_real_one(error: Any) -> None:
    result = faults({"tool": "fetch", "error": error})("fetch", "a", 1)
    assert result is not None
    assert not result.success
    assert (result.error_kind, result.retryable) == (KINDS[error][0], error in ("timeout", "unavailable"))
    assert result.error is not None
    assert result.error.startswith("fetch ")


def test_the_package_may_choose_the_words() -> None:
    result = faults({"tool": "fetch", "message": "no answer"})("fetch", "a", 1)
    assert result is not None
    assert result.error == "no answer"
