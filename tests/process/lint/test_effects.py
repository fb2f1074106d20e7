"""Whatever is accepted either acts or is named with the reason why it cannot."""

from __future__ import annotations

import pytest

from tests.process.lint.example import findings

TOOL = "phases:\n  - {id: work, description: Work., run: {tool: calculator}}\n"
LOOP = "phases:\n  - {id: work, description: Work., iteration: {%s}}\n"
TEMPORAL = "{final_gate: {temporal_consistency: {%s}}}"


def phase(text: str) -> str:
    return f"phases:\n  - {{id: work, description: Work., {text}}}\n"


def idle(text: str) -> dict[str, str]:
    return {found.path: found.detail for found in findings(text, "LM990")}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (
            "verification: {remediation: {strategies: [{name: prune, depth: 2, x-note: mine}]}}",
            "verification.remediation.strategies[0].depth",
        ),
        (
            "verification: {remediation: {strategies: {prune: {depth: 2}}}}",
            "verification.remediation.strategies.prune.depth",
        ),
        (
            "verification: {remediation: {retry_budget: {max_attempts: 1, jitter: 2}}}",
            "verification.remediation.retry_budget.jitter",
        ),
        (
            "verification: {remediation: {transient_retry_policy: {jitter: 2}}}",
            "verification.remediation.transient_retry_policy.jitter",
        ),
        (
            "verification: {policy: {outcome_policy: {strict: true}}}",
            "verification.policy.outcome_policy.strict",
        ),
        ("evidence: {summarization: {style: short}}", "evidence.summarization.style"),
        ("evidence: {summarization: {enabled: false, max_chars: 10}}", "evidence.summarization.max_chars"),
        (LOOP % "enabled: false, max_attempts: 3", "phases[0].iteration"),
        (LOOP % "max_attempts: 3", "phases[0].iteration"),
        (
            LOOP % "enabled: true, replan_on_exhaustion: false, max_replans_after_exhaustion: 1",
            "phases[0].iteration.max_replans_after_exhaustion",
        ),
        (phase("run: {tool: calculator}, model_tier: 3"), "phases[0].model_tier"),
        (phase("output_strategy: fan_in"), "phases[0].output_strategy"),
        (
            phase("deliverables: [a.md], finalizer_input_policy: allow_partial"),
            "phases[0].finalizer_input_policy",
        ),
        ("output_coordination: {intermediate_root: .parts}", "output_coordination.intermediate_root"),
        (
            "output_coordination: {finalizer_input_policy: allow_partial}",
            "output_coordination.finalizer_input_policy",
        ),
        (
            "validity_contract: {enabled: false, min_supported_ratio: 0.7}",
            "validity_contract.min_supported_ratio",
        ),
        (
            phase("validity_contract: {enabled: false, prune_mode: drop}"),
            "phases[0].validity_contract.prune_mode",
        ),
        (
            "validity_contract: " + TEMPORAL % "max_source_age_days: 30",
            "validity_contract.final_gate.temporal_consistency.max_source_age_days",
        ),
        (
            phase("validity_contract: " + TEMPORAL % "enabled: false, as_of: 2026-01-31"),
            "phases[0].validity_contract.final_gate.temporal_consistency.as_of",
        ),
        (
            "verification: {rules: [{name: a, check: Is it?, min_count: 2}]}",
            "verification.rules[0].min_count",
        ),
        (
            "verification: {rules: [{name: a, check: Is it?, requires_exact_cardinality: true}]}",
            "verification.rules[0].requires_exact_cardinality",
        ),
        (
            "verification: {policy: {semantic_checks: [{name: a, kind: smoke}]}}",
            "verification.policy.semantic_checks[0].kind",
        ),
        (
            "prompt_contracts: {evidence_contract: {applies_to_phases: [work]}}",
            "prompt_contracts.evidence_contract.applies_to_phases",
        ),
        ("verb: {command: c, tier: read-only, card: c}", "verb.card"),
        (
            TOOL + "tests: [{id: a, mode: deterministic, goal: Try., script: {work: [{output: A.}]}}]",
            "tests[0].script.work",
        ),
        (TOOL + "persona: You are an analyst.", "persona"),
        (TOOL + "tool_guidance: Show your work.", "tool_guidance"),
        (TOOL + "tools: {guidance: Show your work.}", "tools.guidance"),
        (TOOL + "planner_examples: []", "planner_examples"),
        (TOOL + "replanning: {triggers: None.}", "replanning"),
        (TOOL + "memory: {extraction_guidance: Facts.}", "memory"),
        (TOOL + "workspace_analysis: {guidance: Look.}", "workspace_analysis"),
        (
            TOOL + "prompt_contracts: {executor_constraints: Be brief.}",
            "prompt_contracts.executor_constraints",
        ),
        (
            TOOL + "prompt_contracts: {verifier_constraints: Be strict.}",
            "prompt_contracts.verifier_constraints",
        ),
    ],
)
def test_a_key_without_effect_is_named_once(text: str, path: str) -> None:
    found = idle(text)
    assert list(found) == [path]
    if "iteration" not in path:
        assert found[path].startswith(f"`{path.rsplit('.', 1)[-1]}`: ")


@pytest.mark.parametrize(
    "text",
    [
        "verification: {remediation: {strategies: [{name: prune, x-note: mine}], retry_budget: 3}}",
        LOOP % "enabled: false",
        phase("model_tier: 3"),
        phase("run: {tool: calculator}, verification_tier: 2, is_synthesis: true, retries: 2"),
        phase("deliverables: [a.md], output_strategy: fan_in, finalizer_input_policy: allow_partial"),
        phase("deliverables: [a.md]") + "output_coordination: {strategy: fan_in, intermediate_root: .parts}",
        "validity_contract: false",
        "validity_contract: " + TEMPORAL % "enabled: true, max_source_age_days: 30",
        "validity_contract: " + TEMPORAL % "max_source_age_days: 0",
        "risk_level: high\nvalidity_contract: " + TEMPORAL % "max_source_age_days: 30",
        "name: legal-review # no risk_level\nvalidity_contract: " + TEMPORAL % "max_source_age_days: 30",
        "validity_contract: "
        + TEMPORAL % "enabled: true"
        + "\n"
        + phase("validity_contract: " + TEMPORAL % "max_source_age_days: 30"),
        "validity_contract: "
        + TEMPORAL % "max_source_age_days: 30"
        + "\n"
        + phase("validity_contract: " + TEMPORAL % "enabled: true"),
        "validity_contract: {enabled: false, min_supported_ratio: 0.7}\n" + phase("validity_contract: true"),
        "verification: {rules: [{name: a, type: regex, check: '^#', min_count: 2}]}",
        "prompt_contracts: {evidence_contract: {enabled: true, applies_to_phases: [work]}}",
        "verb: {command: c, tier: read-only, flow: CFlow, card: c}",
        TOOL
        + "prompt_contracts: {verifier_constraints: Be strict.}\nverification: {rules: [{name: a, check: Is it?}]}",
        TOOL
        + "tests: [{id: a, mode: deterministic, goal: Try., script: {work: [{verifier: {passed: false}}]}}]",
        TOOL + "description: Adds.\nauthor: The team\ntags: [sums]",
    ],
)
def test_a_key_that_acts_is_not_named(text: str) -> None:
    assert idle(text) == {}


def test_a_phase_that_was_left_out_may_have_had_a_model() -> None:
    assert idle(TOOL + "  - {id: torn, description: 3}\npersona: You are an analyst.") == {}
