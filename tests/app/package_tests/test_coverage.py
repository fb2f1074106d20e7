"""What of a package a case reached."""

from __future__ import annotations

from loom.app.package_tests.coverage import Coverage, reached_by
from loom.app.package_tests.place import Seen
from loom.app.package_tests.pool import Ended
from tests.app.package_tests.seen import package_of, phase, seen

PACKAGE = package_of("""
phases:
  - id: a
    description: A.
    run: {tool: calculator, args: {expression: "1"}}
    iteration:
      enabled: true
      max_attempts: 2
      max_total_runner_invocations: 2
      stop_on_no_improvement_attempts: 2
      iteration_budget: {max_wall_clock_seconds: 10, max_tokens: 10, max_tool_calls: 10}
      gates:
        - {id: value, type: tool_metric, tool: calculator, metric_path: result, operator: gte, value: 1}
        - {id: text, type: artifact_regex, target: output, pattern: x, blocking: false}
  - id: b
    description: B.
    depends_on: [a]
    run: {tool: calculator, args: {expression: "1"}}
    require: [{phase: a, field: data.leak, operator: eq, value: false}]
verification:
  rules:
    - {name: everywhere, type: regex, severity: error, check: TBD}
    - {name: in-b, type: regex, severity: error, check: TBD, applies_to_phases: b}
    - {name: judged, type: llm, check: Is it good?}
""")
NEED = "b needs a.data.leak eq False"


def test_all_there_is_to_reach_is_named_in_the_order_of_the_package() -> None:
    there = Coverage.of(PACKAGE).there
    assert there == {
        "phases": ("a", "b"),
        "gates": ("a.value", "a.text"),
        "requirements": (NEED,),
        "rules": ("everywhere", "in-b", "judged"),
        "failure paths": ("a", "b"),
    }


def test_a_good_run_reaches_phases_gates_and_rules_but_no_failure() -> None:
    events = [{"kind": "gate_evaluated", "phase": "a", "gate": "value", "passed": True}]
    found = reached_by(PACKAGE, seen(phase("a"), phase("b"), events=events))
    assert found.reached["phases"] == {"a", "b"}
    assert found.reached["gates"] == {"a.value"}
    assert found.reached["requirements"] == {NEED}
    assert found.reached["rules"] == {"everywhere", "in-b"}
    assert found.missed("failure paths") == ("a", "b")


def test_a_phase_that_is_blocked_by_its_own_gate_reaches_its_failure_and_is_not_run() -> None:
    found = reached_by(PACKAGE, seen(phase("a"), phase("b", "blocked", "require"), ended="blocked"))
    assert found.reached["phases"] == {"a"}
    assert found.reached["requirements"] == {NEED}
    assert found.reached["failure paths"] == {"b"}
    assert found.reached["rules"] == {"everywhere"}


def test_a_phase_that_waits_for_one_that_broke_reaches_nothing() -> None:
    run = seen(phase("a", "rejected", "tool_failure"), phase("b", "blocked", "dependency"), ended="error")
    found = reached_by(PACKAGE, run)
    assert found.reached["failure paths"] == {"a"}
    assert found.reached["requirements"] == found.reached["rules"] == frozenset()


def test_a_case_that_was_cut_off_counts_as_far_as_it_came() -> None:
    cut = Seen(Ended(-9), events=({"kind": "phase_started", "phase": "a"},))
    assert reached_by(PACKAGE, cut).reached["phases"] == {"a"}


def test_cases_reach_things_together() -> None:
    good = reached_by(PACKAGE, seen(phase("a"), phase("b")))
    bad = reached_by(PACKAGE, seen(phase("a", "rejected", "rule"), ended="failed"))
    assert Coverage.of(PACKAGE).together([good, bad]).missed("failure paths") == ("b",)
