"""Floors under the validity contract: what each risk level demands, and how a value meets a floor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loom.process.spec.process import ProcessSpec, RiskLevel

HIGH_RISK_TOKENS = frozenset(
    {
        "investment",
        "investing",
        "finance",
        "financial",
        "medical",
        "medicine",
        "healthcare",
        "legal",
        "law",
        "compliance",
    }
)

Merge = Callable[[Any, Any], Any]


def _union(floor: Any, value: Any) -> Any:
    return tuple(dict.fromkeys((*floor, *value)))


def _shorter_limit(floor: Any, value: Any) -> Any:
    """Of two limits the tighter; zero means no limit."""
    return min(floor, value) if floor and value else floor or value


def _replace(floor: Any, value: Any) -> Any:
    return value


def _either(floor: Any, value: Any) -> Any:
    return floor or value


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the contract: its default at each level of risk and how a written value meets it."""

    relaxed: Any
    strict: Any
    merge: Merge
    soft: bool = False
    """Below high risk the author may go under the default, with a warning."""


FIELDS: Mapping[str, Field] = {
    "enabled": Field(True, True, _either, soft=True),
    "claim_extraction.enabled": Field(True, True, _either, soft=True),
    "critical_claim_types": Field(
        ("numeric", "date", "entity_fact"), ("numeric", "date", "entity_fact"), _union
    ),
    "min_supported_ratio": Field(0.65, 0.8, max),
    "max_unverified_ratio": Field(0.35, 0.2, min),
    "max_contradicted_count": Field(0, 0, min),
    "prune_mode": Field("rewrite_uncertainty", "rewrite_uncertainty", _replace),
    "require_fact_checker_for_synthesis": Field(False, True, _either),
    "final_gate.enforce_verified_context_only": Field(True, True, _either, soft=True),
    "final_gate.synthesis_min_verification_tier": Field(2, 2, max, soft=True),
    "final_gate.critical_claim_support_ratio": Field(0.9, 1.0, max),
    "final_gate.temporal_consistency.enabled": Field(False, True, _either),
    "final_gate.temporal_consistency.require_as_of_alignment": Field(False, True, _either),
    "final_gate.temporal_consistency.enforce_cross_claim_date_conflict_check": Field(False, True, _either),
    "final_gate.temporal_consistency.max_source_age_days": Field(0, 365, _shorter_limit),
    "final_gate.temporal_consistency.as_of": Field("", "", _replace),
}
SYNTHESIS_HARDENING: Mapping[str, Any] = {"final_gate.enforce_verified_context_only": True}


def is_strict(risk: RiskLevel) -> bool:
    """Whether the level's floors may not be undercut at all."""
    return risk in ("high", "critical")


def floor_of(field: str, risk: RiskLevel) -> Any:
    """What the level demands of a field."""
    return FIELDS[field].strict if is_strict(risk) else FIELDS[field].relaxed


def is_looser(field: str, value: Any, than: Any, risk: RiskLevel) -> bool:
    """Whether a written value demands less than another; what the floor adds anyway is not missed."""
    rule = FIELDS[field]
    if rule.merge is _replace:
        return False
    if rule.merge is _union:
        return not set(than) <= {*value, *floor_of(field, risk)}
    return bool(rule.merge(than, value) != value)


def infer_risk(spec: ProcessSpec) -> tuple[RiskLevel, str] | None:
    """A high level implied by a word of the name or the tags, and that word."""
    token = high_risk_token(spec.name, spec.tags)
    return ("high", token) if token else None


def high_risk_token(name: str, tags: Iterable[str]) -> str | None:
    """The first word that implies a high level of risk; whole words only."""
    words = (word for text in (name, *tags) for word in re.split(r"[^a-z0-9]+", text.lower()))
    return next((word for word in words if word in HIGH_RISK_TOKENS), None)


def risk_of(spec: ProcessSpec) -> RiskLevel:
    """The level in force: written, else inferred, else medium."""
    if spec.risk_level is not None:
        return spec.risk_level
    inferred = infer_risk(spec)
    return inferred[0] if inferred else "medium"
