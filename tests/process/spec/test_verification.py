"""`verification:` rules, checks and repairs, with the short forms each of them has."""

from __future__ import annotations

import pytest

from loom.process.spec.verification import Remediation, Rule, SemanticCheck, Verification
from tests.process.checking import spec_of


def rule_with(keys: str) -> Rule:
    return spec_of(f"verification: {{rules: [{{name: a, check: b, {keys}}}]}}\n").verification.rules[0]


def remediation_with(keys: str) -> Remediation:
    return spec_of(f"verification: {{remediation: {{{keys}}}}}\n").verification.remediation


def test_a_rule_is_a_question_to_a_model_that_warns_by_default() -> None:
    rule = Rule.model_validate({"name": "a", "check": "b"})
    assert (rule.type, rule.severity, rule.target, rule.scope) == ("llm", "warning", "output", "phase")
    assert (rule.applies_to_phases, rule.min_count, rule.hard) == (("*",), 0, False)


@pytest.mark.parametrize(
    ("keys", "hard"),
    [
        ("severity: error", True),
        ("severity: warning", False),
        ("severity: error, enforcement: advisory", False),
        ("severity: error, enforcement: hard", True),
        ("severity: warning, enforcement: hard", True),
        ("enforcement: advisory", False),
    ],
)
def test_an_error_rejects_unless_it_is_only_advice(keys: str, hard: bool) -> None:
    assert rule_with(keys).hard is hard


@pytest.mark.parametrize(
    ("written", "phases"), [("work", ("work",)), ("[work]", ("work",)), ("'*'", ("*",)), ("[]", ())]
)
def test_phases_of_a_rule_are_one_name_or_a_list(written: str, phases: tuple[str, ...]) -> None:
    assert rule_with(f"applies_to_phases: {written}").applies_to_phases == phases


@pytest.mark.parametrize("failure", ["hard_integrity", "recoverable_placeholder", "semantic"])
@pytest.mark.parametrize(
    "mode", ["none", "confirm_or_prune", "targeted_remediation", "queue_follow_up", "remediate_and_retry"]
)
def test_every_failure_can_be_repaired_in_every_mode(failure: str, mode: str) -> None:
    rule = rule_with(
        f"failure_class: {failure}, remediation_mode: {mode}, scope: global, requires_exact_cardinality: true, min_count: 2, type: regex"
    )
    assert (rule.failure_class, rule.remediation_mode, rule.min_count) == (failure, mode, 2)


def test_the_policy_asks_the_model_first_by_default() -> None:
    policy = Verification().policy
    assert (policy.mode, policy.static_checks.tool_success_policy) == ("llm_first", "method_resilient")
    assert (policy.semantic_checks, policy.output_contract.required_fields) == ((), ())
    assert not policy.outcome_policy.treat_verifier_infra_as_warning


@pytest.mark.parametrize("name", ["name: a", "id: a", "name: a, id: b"])
def test_a_semantic_check_is_named_by_name_or_id(name: str) -> None:
    (check,) = spec_of(
        f"verification: {{policy: {{semantic_checks: [{{{name}, check: b}}]}}}}\n"
    ).verification.policy.semantic_checks
    assert isinstance(check, SemanticCheck)
    assert (check.capability, check.severity, check.optional) == ("artifact_static", "error", False)


def test_states_may_stand_in_the_policy_or_below_it() -> None:
    policy = spec_of(
        "verification: {policy: {pass_states: [ok], outcome_policy: {fail_states: [bad], theirs: 1}}}\n"
    ).verification.policy
    assert (policy.pass_states, policy.outcome_policy.fail_states) == (("ok",), ("bad",))
    assert policy.outcome_policy.model_extra == {"theirs": 1}


def test_strategies_are_a_list_or_a_mapping_by_name() -> None:
    as_list = remediation_with("strategies: [{name: a, depth: 2}, {name: b}], default_strategy: b")
    as_mapping = remediation_with("strategies: {a: {depth: 2}, b: {}}, default_strategy: b")
    assert as_list == as_mapping
    assert [strategy.name for strategy in as_list.strategies] == ["a", "b"]
    assert as_list.strategies[0].model_extra == {"depth": 2}


def test_a_budget_is_a_number_or_a_mapping() -> None:
    short = remediation_with("retry_budget: 3, transient_retry_policy: 0")
    assert short == remediation_with(
        "retry_budget: {max_attempts: 3}, transient_retry_policy: {max_attempts: 0}"
    )
    assert Remediation().retry_budget.max_attempts == 2
    assert remediation_with("retry_budget: {backoff_seconds: 1, jitter: 2}").retry_budget.model_extra == {
        "jitter": 2
    }
    assert Remediation().critical_path_behavior == "block"
