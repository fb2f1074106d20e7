"""What can be known before anything runs: order, executors, tools, tiers and bounds on the cost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.process.plan import Cost, Plan, plan
from loom.process.steps import RESERVED, step_name
from tests.process.checking import HEAD, WORK, check, maximal

PHASES = (
    HEAD
    + """\
tools: {required: [web_search, calculator]}
verb: {command: c, tier: workspace-write, inputs: {a: {type: text}, b: {type: flag, raises_tier: irreversible}, d: {type: flag, raises_tier: expensive}}}
phases:
  - {id: end-note, description: Tell., depends_on: [next, gather], is_synthesis: true, verification_tier: 3, model_tier: 3}
  - {id: gather, description: Gather., run: {tool: web_search, args: {a: "${inputs.a}", b: [1, "${run.seed}"]}}, retries: 2, resources: {timeout_seconds: 10}}
  - id: next
    description: Score.
    depends_on: [gather]
    for_each: "${phases.gather.data.all}"
    run: {process: eda, args: {a: "${item}"}}
    resources: {timeout_seconds: 60}
  - id: loop
    description: Loop.
    verification_tier: 2
    iteration:
      enabled: true
      max_attempts: 3
      max_total_runner_invocations: 4
      stop_on_no_improvement_attempts: 1
      iteration_budget: {max_wall_clock_seconds: 300, max_tokens: 5000, max_tool_calls: 9}
      gates:
        - {id: a, type: tool_metric, tool: calculator, metric_path: a, operator: gte, value: 1}
        - {id: b, type: tool_metric, tool: spreadsheet, metric_path: a, operator: eq, value: 1}
"""
)


def planned(text: str) -> Plan:
    package = check(text, warnings=False).package
    assert package is not None
    return plan(package)


def test_phases_are_put_in_order_and_in_waves() -> None:
    found = planned(PHASES)
    assert found.order == ("gather", "loop", "next", "end-note")
    assert found.waves == (("gather", "loop"), ("next",), ("end-note",))
    assert found.critical_path == ("gather", "next", "end-note")
    assert [(step.id, step.wave, step.on_critical_path) for step in found.steps] == [
        ("gather", 0, True),
        ("loop", 0, False),
        ("next", 1, True),
        ("end-note", 2, True),
    ]


def test_each_phase_says_who_carries_it_out_and_with_what() -> None:
    gather, loop, following, note = planned(PHASES).steps
    assert (gather.executor, gather.model_tier, gather.tools, gather.attempts) == (
        "tool",
        None,
        ("web_search",),
        3,
    )
    assert (loop.executor, loop.model_tier, loop.tools, loop.attempts) == (
        "model",
        2,
        ("calculator", "spreadsheet"),
        4,
    )
    assert (following.executor, following.step, following.tools) == ("process", "next_phase", ())
    assert (note.executor, note.step, note.model_tier, note.attempts) == ("model", "end_note", 3, 1)
    assert list(gather.reads()) == ["inputs.a", "run.seed"]
    assert list(following.reads()) == ["item", "phases.gather.data.all"]
    assert (gather.timeout_seconds, note.timeout_seconds) == (10, None)


def test_the_whole_process_says_what_it_needs() -> None:
    found = planned(PHASES)
    assert found.tools == ("web_search", "calculator", "spreadsheet")
    assert found.processes == ("eda",)
    assert found.model_tiers == (2, 3)
    assert (found.tier, found.raised_tier) == ("workspace-write", "irreversible")
    assert planned(HEAD + WORK).tier == "workspace-write"


def test_costs_are_bounded_as_far_as_the_declaration_bounds_them() -> None:
    # one call of the synthesis and four of the loop; a majority of three, and one verifier per attempt
    assert planned(PHASES).cost == Cost(model_calls=5, verifier_calls=3 + 4, tokens=None, seconds=None)
    bounded = PHASES.replace(
        "model_tier: 3}", "model_tier: 3, run: {tool: t}, resources: {timeout_seconds: 1}}"
    )
    # how often a for_each runs is not known before; without it every second is
    assert planned(bounded).cost == Cost(model_calls=4, verifier_calls=7, tokens=5_000, seconds=None)
    once = bounded.replace('    for_each: "${phases.gather.data.all}"\n', "").replace("${item}", "x")
    assert planned(once).cost.seconds == 3 * 10 + 300 + 60 + 1


def test_a_loop_that_is_off_costs_nothing() -> None:
    step = planned(PHASES.replace("enabled: true", "enabled: false")).steps[1]
    assert (step.id, step.attempts, step.tools) == ("loop", 1, ())


def test_a_process_without_models_spends_no_tokens() -> None:
    text = HEAD + "phases: [{id: a, description: A., run: {tool: t}, resources: {timeout_seconds: 5}}]\n"
    assert planned(text).cost == Cost(0, 0, 0, 5)
    assert planned(text).model_tiers == ()


def test_a_cycle_cannot_be_planned() -> None:
    package = check(HEAD + "phases: [{id: a, description: A., depends_on: [a]}]\n").package
    assert package is not None
    with pytest.raises(ValueError, match="dependency cycle"):
        plan(package)


def test_the_declaration_with_every_key_can_be_planned() -> None:
    found = planned(maximal())
    assert found.order == ("collect", "prices", "compare", "decide")
    assert found.processes == ("eda",)
    assert found.raised_tier == "irreversible"


@pytest.mark.parametrize(
    ("phase", "step"),
    [
        ("profile", "profile"),
        ("end-note", "end_note"),
        ("input", "input_phase"),
        ("index", "index_phase"),
        ("next", "next_phase"),
        ("name", "name_phase"),
        ("cmd", "cmd_phase"),
        ("start", "start_phase"),
        ("end", "end_phase"),
        ("self", "self_phase"),
        ("2024-totals", "phase_2024_totals"),
    ],
)
def test_a_phase_becomes_a_step_with_a_name_the_engine_takes(phase: str, step: str) -> None:
    assert step_name(phase) == step


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,12}", fullmatch=True))
def test_every_id_becomes_an_identifier_that_is_not_reserved(phase: str) -> None:
    step = step_name(phase)
    assert step.isidentifier()
    assert step not in RESERVED
