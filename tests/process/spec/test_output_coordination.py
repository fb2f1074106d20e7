"""`output_coordination:` decides who writes a deliverable."""

from __future__ import annotations

from loom.process.spec.output_coordination import OutputCoordination
from tests.process.checking import spec_of


def test_phases_write_their_own_files_all_at_once_by_default() -> None:
    assert OutputCoordination().model_dump() == {
        "strategy": "direct",
        "intermediate_root": ".loom/phase-artifacts",
        "enforce_single_writer": True,
        "publish_mode": "transactional",
        "conflict_policy": "defer_fifo",
        "finalizer_input_policy": "require_all_workers",
    }


def test_the_other_choices_are_accepted() -> None:
    coordination = spec_of(
        "output_coordination: {strategy: fan_in, intermediate_root: parts/here, enforce_single_writer: false,"
        " publish_mode: best_effort, conflict_policy: fail_fast, finalizer_input_policy: allow_partial}\n"
    ).output_coordination
    assert (coordination.strategy, coordination.publish_mode) == ("fan_in", "best_effort")
    assert (coordination.conflict_policy, coordination.finalizer_input_policy) == (
        "fail_fast",
        "allow_partial",
    )


def test_a_phase_may_choose_otherwise() -> None:
    (phase,) = spec_of(
        "phases: [{id: a, description: A., deliverables: [a.md], output_strategy: fan_in, finalizer_input_policy: allow_partial}]\n"
    ).phases
    assert (phase.output_strategy, phase.finalizer_input_policy) == ("fan_in", "allow_partial")
