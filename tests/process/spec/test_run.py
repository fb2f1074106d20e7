"""`run:`, `require:` and `resources:` of a phase."""

from __future__ import annotations

from loom.process.spec.phases import Phase
from loom.process.spec.run import Requirement, Resources, Run
from tests.process.checking import spec_of


def phase_with(keys: str) -> Phase:
    return spec_of(
        f"phases:\n  - {{id: plan, description: Plan.}}\n  - {{id: a, description: A., depends_on: [plan], {keys}}}\n"
    ).phases[1]


def test_a_tool_is_called_with_arguments_of_every_type() -> None:
    run = phase_with(
        'run: {tool: t, args: {a: 1, b: [true, null], c: {d: "${phases.plan.data}"}, e: 1.5, f: yes}}'
    ).run
    assert run == Run(
        tool="t", args={"a": 1, "b": [True, None], "c": {"d": "${phases.plan.data}"}, "e": 1.5, "f": "yes"}
    )


def test_a_process_may_be_run_instead() -> None:
    run = phase_with("run: {process: eda}").run
    assert run is not None
    assert (run.tool, run.process, run.args) == (None, "eda", {})


def test_an_entry_gate_reads_a_field_of_an_earlier_phase() -> None:
    phase = phase_with("require: [{phase: plan, field: data.leaks, operator: eq, value: false}]")
    assert phase.require == (Requirement(phase="plan", field="data.leaks", operator="eq", value=False),)


def test_a_phase_asks_for_little_by_default() -> None:
    assert Resources().model_dump() == {"cpu": 1, "memory_mb": 2048, "gpu": 0, "timeout_seconds": 600}


def test_half_a_core_and_half_a_second_can_be_asked_for() -> None:
    resources = phase_with("resources: {cpu: 0.5, timeout_seconds: 0.5, gpu: 1, memory_mb: 1}").resources
    assert resources is not None
    assert (resources.cpu, resources.timeout_seconds, resources.gpu) == (0.5, 0.5, 1)


def test_a_loop_names_a_list_and_uses_its_items() -> None:
    phase = phase_with('for_each: "${phases.plan.data.all}", run: {tool: t, args: {a: "${item.b}"}}')
    assert phase.for_each == "${phases.plan.data.all}"
