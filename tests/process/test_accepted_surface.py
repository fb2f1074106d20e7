"""What packages written elsewhere may contain: each form loads, and what cannot act is said to."""

from __future__ import annotations

import pytest

from loom.process.check import check_text
from tests.process.lint.example import check_of

PHASE = "phases:\n  - {id: work, description: Work."
RULE = "verification:\n  rules:\n    - {name: r, check: x"
CHECK = "verification:\n  policy:\n    semantic_checks:\n      - {name: c"

ACCEPTED = {
    **{f"risk_level {word}": f"risk_level: {word}" for word in ("low", "medium", "high", "critical")},
    **{
        f"risk_level {word} means medium": f"risk_level: {word}"
        for word in ("normal", "med", "mid", "std", "standard")
    },
    "tools.guidance": "tools: {guidance: Prefer tables., required: [calculator], excluded: [a_tool_nobody_has]}",
    "a phase of two keys": PHASE + "}",
    "verification tier 3": PHASE + ", verification_tier: 3}",
    "validity switched by a word": PHASE + ", validity_contract: true}",
    "a reserved step name": "phases:\n  - {id: input, description: Work.}",
    "deliverable with em dash": PHASE + ', deliverables: ["a.md — text"]}',
    "deliverable with hyphen": PHASE + ', deliverables: ["a.md - text"]}',
    "deliverable with colon": PHASE + ', deliverables: ["a.md: text"]}',
    "deliverable with colon, unquoted": PHASE + ", deliverables: [a.md: text]}",
    "deliverable by name": PHASE + ", deliverables: [a.md]}",
    **{
        f"{key} {value}": f"{RULE}, {key}: {value}}}"
        for key, values in {
            "enforcement": ("hard", "advisory"),
            "failure_class": ("hard_integrity", "recoverable_placeholder", "semantic"),
            "remediation_mode": (
                "none",
                "confirm_or_prune",
                "targeted_remediation",
                "queue_follow_up",
                "remediate_and_retry",
            ),
            "scope": ("phase", "global"),
            "target": ("output", "deliverables"),
            "applies_to_phases": ("work", "[work]", '"*"'),
        }.items()
        for value in values
    },
    "cardinality": RULE + ", type: regex, requires_exact_cardinality: true, min_count: 2}",
    **{
        f"tool_success_policy {word}": f"verification: {{policy: {{static_checks: {{tool_success_policy: {word}}}}}}}"
        for word in ("method_resilient", "development_balanced", "safety_integrity_only", "all_tools_hard")
    },
    "output contract": "verification: {policy: {output_contract: {required_fields: [passed], metadata_fields: [a], counters: [b], flags: [c]}}}",
    "pass and fail states": "verification: {policy: {pass_states: [pass], fail_states: [fail], outcome_policy: {pass_states: [ok], own_key: 1}}}",
    **{
        f"capability {word}": f"{CHECK}, capability: {word}}}"
        for word in (
            "artifact_static",
            "command_execution",
            "service_runtime",
            "browser_runtime",
            "report_rendering",
        )
    },
    "every key of a check": CHECK
    + ", id: c2, capability: service_runtime, target: site, helper: serve_static, kind: smoke, check: It answers., "
    "description: Why., optional: true, severity: warning, enforcement: advisory, scope: global}",
    "strategies as a list": "verification: {remediation: {strategies: [{name: fix, own: 1}], default_strategy: fix}}",
    "strategies by name": "verification: {remediation: {strategies: {fix: {own: 1}}, default_strategy: fix}}",
    "retry budget as a number": "verification: {remediation: {retry_budget: 3, transient_retry_policy: {max_attempts: 2, own: 1}}}",
    **{
        f"critical path {word}": f"verification: {{remediation: {{critical_path_behavior: {word}}}}}"
        for word in ("block", "confirm_or_prune_then_queue", "queue_follow_up")
    },
    "auth scopes": "auth: {required: [{provider: forge, source: api, resource_ref: 'api_integration:forge', scopes: [read], modes: [api_key]}]}",
    "remediation text": "prompt_contracts: {executor_constraints: a, verifier_constraints: b, remediation_instructions: Fix it.}",
    "remediation by reason": "prompt_contracts: {remediation_instructions: {default: Fix it., placeholder: Fill it in.}}",
    "evidence": "evidence: {record_schema: {required_fields: [id], facets: [city]}, extraction: {url: source.url, web_fetch: {title: page.title}}, summarization: {max_records: 5, own: 1}}",
    "free keys anywhere": PHASE + ", x-owner: me}\nx-team: {anything: [1, null]}",
    "a command as one text": PHASE
    + ", iteration: {enabled: true, max_attempts: 2, max_total_runner_invocations: 2, "
    "iteration_budget: {max_wall_clock_seconds: 1, max_tokens: 1, max_tool_calls: 1}, "
    "gates: [{id: t, type: command_exit, command: 'python -m pytest -q', operator: eq, value: 0, timeout_seconds: 5}]}}",
    "a list index in a metric path": PHASE
    + ", iteration: {enabled: true, max_attempts: 2, max_total_runner_invocations: 2, stop_on_no_improvement_attempts: 1, "
    "iteration_budget: {max_wall_clock_seconds: 1, max_tokens: 1, max_tool_calls: 1}, "
    "gates: [{id: t, type: tool_metric, tool: score, metric_path: 'a.b[0].c', operator: gte, value: 1}]}}",
}


@pytest.mark.parametrize("fragment", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_an_accepted_form_loads(fragment: str) -> None:
    assert not [d for d in check_of(fragment).report.diagnostics if d.severity == "error"]


@pytest.mark.parametrize(
    "operator", ["gte", "lte", "gt", "lt", "eq", "ne", "contains", "not_contains", "matches"]
)
def test_each_operator_is_accepted_where_it_can_act(operator: str) -> None:
    value = "a" if operator in ("eq", "ne", "contains", "not_contains", "matches") else "1"
    gate = f"{{phase: first, field: data.x, operator: {operator}, value: {value}}}"
    text = f"phases:\n  - {{id: first, description: W.}}\n  - {{id: work, description: W., depends_on: [first], require: [{gate}]}}"
    assert not [d for d in check_of(text).report.diagnostics if d.severity == "error"]


def test_what_is_accepted_and_cannot_act_is_said() -> None:
    inert = [
        "verification: {remediation: {strategies: [{name: fix, own: 1}]}}",
        "verification: {policy: {outcome_policy: {own: 1}}}",
        PHASE + ", model_tier: 3, run: {tool: t}}",
        PHASE + ", iteration: {max_attempts: 3}}",
    ]
    for fragment in inert:
        assert "LM990" in [d.code for d in check_of(fragment).report.diagnostics], fragment


def test_a_version_one_package_loads_and_names_the_migration() -> None:
    text = b"""name: memo
version: "1.2"
tags: [research]
phase_mode: strict
tools: {guidance: Use tables., required: [web_search], excluded: [shell_execute]}
phases:
  - {id: gather, description: Gather., depends_on: [], model_tier: 2, deliverables: ["notes.md - what was found"]}
verification:
  rules: [{name: sourced, description: d, check: Is it sourced?, severity: error, type: llm, applies_to_phases: [gather]}]
memory: {extract_types: [{type: fact, description: A fact.}], extraction_guidance: Facts first.}
"""
    checked = check_text(text, "process.yaml")
    assert checked.package is not None and not checked.report.errors
    (deprecated,) = [d for d in checked.report.diagnostics if d.code == "LM212"]
    assert deprecated.fix == "loom process migrate process.yaml --write"
    refused = check_text(text.replace(b"name: memo\n", b"name: memo\nschema_version: 3\n"), "process.yaml")
    assert [d.code for d in refused.report.diagnostics if d.severity == "error"] == ["LM211"]


def test_health_check_is_not_taken_for_healthcare() -> None:
    assert "LM414" not in [d.code for d in check_of("name: health-check\ntags: [service]").report.diagnostics]
    assert "LM414" in [
        d.code
        for d in check_text(
            b"name: x\nschema_version: 2\ntags: [healthcare]\nphases: [{id: a, description: b}]", "p"
        ).report.diagnostics
    ]
