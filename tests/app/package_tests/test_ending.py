"""How a run ended, and which phase decided it."""

from __future__ import annotations

from loom.app.package_tests.ending import ending_of
from tests.app.package_tests.seen import package_of, phase, seen

CHAIN = package_of("""
phases:
  - {id: c, description: C., depends_on: [b], run: {tool: calculator, args: {expression: "1"}}}
  - {id: a, description: A., run: {tool: calculator, args: {expression: "1"}}}
  - {id: b, description: B., depends_on: [a], run: {tool: calculator, args: {expression: "1"}}}
  - {id: aside, description: D., run: {tool: calculator, args: {expression: "1"}}}
""")


def test_the_phase_that_decides_is_the_first_that_did_not_end_well() -> None:
    run = seen(
        phase("a"), phase("b", "rejected", "rule"), phase("c", "blocked", "dependency"), ended="failed"
    )
    assert run.envelope is not None
    ending = ending_of(CHAIN, run.envelope)
    assert (ending.status, ending.phases, ending.codes) == ("failed", ("b",), ("rule",))
    assert ending.words == "failed with verdict OK in b"


def test_phases_side_by_side_decide_together() -> None:
    run = seen(phase("a", "rejected", "tool_failure"), phase("aside", "exhausted", "gate"), ended="error")
    assert run.envelope is not None
    assert set(ending_of(CHAIN, run.envelope).phases) == {"a", "aside"}


def test_a_phase_that_had_nothing_to_do_decides_nothing() -> None:
    run = seen(phase("a", "skipped"), phase("b", "rejected", "rule"), ended="failed")
    assert run.envelope is not None
    assert ending_of(CHAIN, run.envelope).phases == ("b",)


def test_a_verdict_is_decided_by_the_phases_that_gave_it() -> None:
    package = package_of("""
verb:
  command: small
  tier: read-only
  verdict: {from: phases.last.data.verdict, values: [OK, FAIL], ok: [OK]}
phases:
  - {id: inner, description: A., run: {tool: calculator, args: {expression: "1"}}}
  - {id: last, description: B., depends_on: [inner], run: {tool: calculator, args: {expression: "1"}}}
""")
    run = seen(phase("inner", verdict="FAIL"), phase("last", data={"verdict": "FAIL"}), verdict="FAIL")
    assert run.envelope is not None
    ending = ending_of(package, run.envelope)
    assert (ending.status, ending.phases, ending.is_acceptable) == ("ok", ("inner", "last"), False)


def test_an_interrupted_run_is_an_error() -> None:
    run = seen(phase("a", "cancelled", "cancelled"), ended="interrupted", verdict="ERROR")
    assert run.envelope is not None
    assert ending_of(CHAIN, run.envelope).status == "error"
