"""What a phase may spend follows from what it declares and from the settings in force."""

from __future__ import annotations

import pytest

from loom.process.spec.phases import Phase
from loom.runtime.limits import MAX_RETRIES, limits_of
from loom.runtime.state import Limits
from tests.runtime.plans import LOOP, only_step

OFF = {"execution.enable_process_iteration_loops": False}
REPLANS = "execution.max_iteration_replans_after_exhaustion"


def test_a_phase_that_declares_nothing_has_one_attempt() -> None:
    assert limits_of(only_step(), {}) == Limits()
    assert limits_of(only_step(), {}, seed=7).seed == 7


@pytest.mark.parametrize(("declared", "most"), [(0, 0), (1, 1), (3, 3), (4, 3), (10, 3)])
def test_retries_are_capped(declared: int, most: int) -> None:
    assert limits_of(only_step(f"    retries: {declared}\n"), {}) == Limits(max_retries=most)
    assert (
        most
        <= MAX_RETRIES
        < max(each.le for each in Phase.model_fields["retries"].metadata if hasattr(each, "le"))
    )


def test_a_loop_brings_all_its_limits() -> None:
    assert limits_of(only_step("    retries: 2\n" + LOOP), {}, seed=3) == Limits(
        max_attempts=3,
        max_invocations=5,
        max_retries=2,
        stop_without_progress=2,
        max_seconds=60,
        max_tokens=1000,
        max_tool_calls=20,
        seed=3,
    )


def test_a_full_rerun_is_one() -> None:
    assert limits_of(only_step(LOOP + "      strategy: full_rerun\n"), {}).full_rerun
    assert not limits_of(only_step(LOOP + "      strategy: targeted_remediation\n"), {}).full_rerun


def test_loops_that_are_switched_off_leave_one_attempt_and_the_retries() -> None:
    step = only_step("    retries: 2\n" + LOOP)
    assert limits_of(step, OFF) == Limits(max_retries=2)
    assert limits_of(step, {"execution.enable_process_iteration_loops": True}).max_attempts == 3


def test_a_loop_that_is_not_on_is_none() -> None:
    assert limits_of(only_step(LOOP.replace("enabled: true", "enabled: false")), {}) == Limits()


@pytest.mark.parametrize(
    ("rest", "setting", "most"),
    [
        ("", {}, 0),
        ("      max_replans_after_exhaustion: 4\n", {}, 4),
        ("      max_replans_after_exhaustion: 4\n", {REPLANS: 2}, 2),
        ("      max_replans_after_exhaustion: 1\n", {REPLANS: 2}, 1),
        ("      max_replans_after_exhaustion: 4\n      replan_on_exhaustion: false\n", {}, 0),
    ],
)
def test_replans_are_what_both_the_loop_and_the_settings_allow(
    rest: str, setting: dict[str, int], most: int
) -> None:
    assert limits_of(only_step(LOOP + rest), setting).max_replans == most
