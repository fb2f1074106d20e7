"""`validity_contract:` — what must be true of claims before a conclusion may rest on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Count, Ratio, Seq, Text

PruneMode = Literal["drop", "rewrite_uncertainty"]


def _switch(value: Any) -> Any:
    return {"enabled": value} if isinstance(value, bool) else value


class ClaimExtraction(SpecModel):
    """Whether statements are taken out of the text and followed through their life."""

    enabled: bool = True
    """Extract claims and track each one from extracted to supported, contradicted or pruned."""


class TemporalConsistency(SpecModel):
    """Checks on dates: one reporting date, no conflicts between claims, no stale sources."""

    enabled: bool = False
    """Run the temporal checks."""

    require_as_of_alignment: bool = False
    """Every dated claim must agree with the reporting date."""

    enforce_cross_claim_date_conflict_check: bool = False
    """Two claims about the same thing may not carry conflicting dates."""

    max_source_age_days: Count = 0
    """The oldest source that still counts as evidence, in days; 0 means no limit."""

    as_of: str = ""
    """The reporting date as `YYYY-MM-DD`; empty takes the day of the run."""


class FinalGate(SpecModel):
    """The last check before a synthesis is accepted."""

    enforce_verified_context_only: bool = True
    """Keep unresolved claims out of what a synthesis phase reads. Always on for synthesis phases."""

    synthesis_min_verification_tier: Annotated[int, Field(ge=1, le=3)] = 2
    """The least verification tier of a synthesis phase."""

    critical_claim_support_ratio: Ratio = 0.9
    """The share of critical claims that must be supported."""

    temporal_consistency: TemporalConsistency = TemporalConsistency()
    """Checks on dates."""


class ValidityContract(SpecModel):
    """Floors under claims and evidence. A layer may tighten what it inherits; the risk level decides
    what it may loosen."""

    enabled: bool = True
    """Run the validity pipeline."""

    claim_extraction: ClaimExtraction = ClaimExtraction()
    """How claims are found."""

    critical_claim_types: Seq[Text] = ("numeric", "date", "entity_fact")
    """Kinds of claims that must meet `critical_claim_support_ratio`."""

    min_supported_ratio: Ratio = 0.65
    """The least share of extracted claims that evidence must support."""

    max_unverified_ratio: Ratio = 0.35
    """The largest share of extracted claims that may stay unresolved."""

    max_contradicted_count: Count = 0
    """How many claims may be contradicted by evidence."""

    prune_mode: PruneMode = "rewrite_uncertainty"
    """What happens to an unresolved claim: its sentence is dropped, or rewritten as uncertain."""

    require_fact_checker_for_synthesis: bool = False
    """A synthesis passes only after the fact checker has looked at it."""

    final_gate: FinalGate = FinalGate()
    """The last check before a synthesis is accepted."""


ValidityContractField = Annotated[
    ValidityContract, BeforeValidator(_switch, json_schema_input_type=bool | ValidityContract)
]
