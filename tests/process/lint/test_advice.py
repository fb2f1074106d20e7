"""Advice is given where it applies, and a package that follows it hears nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.lint.example import check_of, findings

THREE = """
phases:
  - {id: gather, description: Gather.}
  - {id: analyse, description: Analyse., depends_on: [gather]}
  - {id: conclude, description: Conclude., depends_on: [analyse]}
"""
TOOLS_ONLY = """
author: The analytics team
verb: {command: compare, tier: read-only, flow: CompareFlow}
phases:
  - {id: gather, description: Gather., run: {tool: web_fetch}}
  - {id: analyse, description: Analyse., depends_on: [gather], run: {tool: calculator}}
  - {id: conclude, description: Conclude., depends_on: [analyse], run: {tool: document_write}}
tests: [{id: fails, mode: deterministic, goal: Fail., expect: {status: failed}}]
# file: README.md
Compares products.
"""
COMPLETE = """
author: The analytics team
persona: You are an analyst who separates facts from guesses.
tools: {required: [web_fetch, document_write]}
dependencies: ["requests==2.32.3"]
validity_contract: {claim_extraction: {enabled: true}, min_supported_ratio: 0.75}
phases:
  - id: gather
    description: Gather prices and features.
    acceptance_criteria: Each product has a price with a source.
    deliverables: [notes.md — prices with sources]
  - id: analyse
    description: Compare the products.
    depends_on: [gather]
    acceptance_criteria: Each product is compared with each other one.
    deliverables: [comparison.csv — one row per pair]
  - id: conclude
    description: Recommend one product.
    depends_on: [analyse]
    is_synthesis: true
    verification_tier: 2
    acceptance_criteria: One product is named, with three reasons.
    deliverables: [report.md — the recommendation]
verification:
  rules:
    - {name: no-placeholders, type: regex, severity: error, check: '\\[TBD\\]|\\[TODO\\]', target: deliverables}
    - {name: sourced, check: Does every price name its source?}
memory: {extract_types: [{type: pricing_fact}, {type: feature_gap}, {type: open_question}]}
planner_examples:
  - {goal: Compare two phones., subtasks: [{id: gather}, {id: conclude, depends_on: [gather]}]}
  - {goal: Compare three banks., subtasks: [{id: gather}, {id: analyse, depends_on: [gather]}]}
replanning: {triggers: A price cannot be found., guidance: Say so and go on.}
tests:
  - {id: smoke, mode: deterministic, goal: Compare two phones.}
  - {id: unsupported, mode: deterministic, goal: Compare rumours., expect: {status: failed, phase: conclude}}
# file: README.md
Compares products.
"""


@pytest.mark.parametrize("text", [TOOLS_ONLY, COMPLETE])
def test_a_sensible_package_is_quiet(text: str, tmp_path: Path) -> None:
    assert check_of(text, tmp_path).report.diagnostics == ()


def test_a_package_without_models_hears_nothing_about_models() -> None:
    heard = {found.code for found in check_of(TOOLS_ONLY).report.diagnostics}
    assert heard.isdisjoint({"LM903", "LM904", "LM905", "LM906", "LM907", "LM908", "LM909", "LM910", "LM911"})


def test_every_model_phase_is_asked_for_criteria_and_deliverables() -> None:
    text = THREE + "  - {id: send, description: Send., run: {tool: document_write}}\n"
    for code, key in (("LM904", "acceptance_criteria"), ("LM905", "deliverables")):
        assert [found.path for found in findings(text, code)] == [
            f"phases[{index}].{key}" for index in range(3)
        ]


def test_a_level_that_can_be_inferred_is_left_to_the_rule_about_inference() -> None:
    assert findings("name: churn-note # no risk_level", "LM902")
    assert not findings("name: legal-review # no risk_level", "LM902")


def test_advice_about_a_key_with_a_mistake_in_it_waits_until_it_is_repaired() -> None:
    assert findings("tags: [a]", "LM903")
    assert not findings("persona: 3", "LM903")


def test_software_needs_no_synthesis() -> None:
    assert findings(THREE, "LM907")
    assert not findings(THREE + "verification: {policy: {mode: static_first}}", "LM907")
    assert not findings("tags: [one-phase]", "LM907")


@pytest.mark.parametrize("check", [r"\[TBD\]", "(?i)todo", "<PLACEHOLDER>"])
def test_a_rule_against_placeholders_counts_however_it_is_spelt(check: str) -> None:
    rule = f"verification: {{rules: [{{name: closed, type: regex, check: '{check}'}}]}}"
    assert not findings(rule, "LM908")
    assert findings(rule, "LM909")
    assert findings(rule.replace("regex", "llm"), "LM908")


def test_a_semantic_check_is_a_check_of_the_domain() -> None:
    assert not findings(
        "verification: {policy: {semantic_checks: [{name: sums, check: Do they add up?}]}}", "LM909"
    )


@pytest.mark.parametrize("code", ["LM910", "LM911"])
def test_planning_advice_is_for_planned_processes_of_some_size(code: str) -> None:
    assert findings(THREE, code)
    assert findings("phase_mode: suggestive" + THREE, code)
    assert not findings("phase_mode: strict" + THREE, code)
    assert not findings("tags: [one-phase]", code)


def test_one_planner_example_is_not_enough() -> None:
    (found,) = findings(THREE + "planner_examples: [{goal: Compare., subtasks: [{id: gather}]}]", "LM910")
    assert found.detail == "1 of at least 2"


def test_a_subtask_that_mirrors_no_phase_is_answered_with_the_nearest_one() -> None:
    (found,) = findings(THREE + "planner_examples: [{goal: Compare., subtasks: [{id: gathering}]}]", "LM916")
    assert (found.path, found.fix) == ("planner_examples[0].subtasks[0].id", "did you mean `gather`?")


def test_contradictions_are_advised_against_in_every_contract() -> None:
    contract = "validity_contract: {max_contradicted_count: 2}"
    text = f"{contract}\nphases:\n  - {{id: work, description: Work., {contract}}}"
    assert [found.path for found in findings(text, "LM921")] == [
        "validity_contract.max_contradicted_count",
        "phases[0].validity_contract.max_contradicted_count",
    ]
