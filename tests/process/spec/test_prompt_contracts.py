"""`prompt_contracts:` add to the instructions of each role."""

from __future__ import annotations

import pytest

from loom.process.spec.prompt_contracts import PromptContracts
from tests.process.checking import spec_of


def test_nothing_is_added_by_default() -> None:
    contracts = PromptContracts()
    assert (
        contracts.executor_constraints,
        contracts.verifier_constraints,
        contracts.remediation_instructions,
    ) == ("", "", {})
    assert (contracts.evidence_contract.enabled, contracts.evidence_contract.applies_to_phases) == (
        False,
        ("*",),
    )


def test_instructions_are_one_text_or_one_per_reason() -> None:
    short = spec_of("prompt_contracts: {remediation_instructions: Mend it.}\n").prompt_contracts
    assert short.remediation_instructions == {"default": "Mend it."}
    long = spec_of(
        "prompt_contracts: {remediation_instructions: {default: Mend it., unsupported: Drop it.}}\n"
    ).prompt_contracts
    assert long.remediation_instructions == {"default": "Mend it.", "unsupported": "Drop it."}


@pytest.mark.parametrize(
    ("written", "phases"), [("work", ("work",)), ("[work]", ("work",)), ('["*"]', ("*",))]
)
def test_evidence_is_asked_of_one_phase_or_of_several(written: str, phases: tuple[str, ...]) -> None:
    contracts = spec_of(
        f"prompt_contracts: {{evidence_contract: {{enabled: true, applies_to_phases: {written}}}}}\n"
    ).prompt_contracts
    assert contracts.evidence_contract.applies_to_phases == phases
