"""`prompt_contracts:` — what this domain adds to the instructions of each role."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from loom.process.spec.model import SpecModel
from loom.process.spec.types import PhaseNames


class EvidenceContract(SpecModel):
    """Whether phases must hand over evidence records with their results."""

    enabled: bool = False
    """Ask for evidence records."""

    applies_to_phases: PhaseNames = ("*",)
    """Phases that are asked; `"*"` for all."""


def _by_reason(value: Any) -> Any:
    return {"default": value} if isinstance(value, str) else value


class PromptContracts(SpecModel):
    """Instructions that are specific to this process."""

    executor_constraints: str = ""
    """What the executing model must keep to."""

    verifier_constraints: str = ""
    """What the verifying model must keep to."""

    remediation_instructions: Annotated[
        dict[str, str], BeforeValidator(_by_reason, json_schema_input_type=str | dict[str, str])
    ] = Field(default_factory=dict)
    """How to repair a failure: one text, or a mapping by reason code or strategy with `default`."""

    evidence_contract: EvidenceContract = EvidenceContract()
    """Whether phases must hand over evidence records."""
