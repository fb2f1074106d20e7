"""Router rules: which tier a worker gets, and how much of a tier is used at once."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from loom.core.families.model import TIERS, ConfigModel, Name, PositiveInteger, Rate, mapping, refuse
from loom.core.messages import ModelTier
from loom.core.plain import shown

_LISTED = [str(tier) for tier in TIERS]


def _override(value: Any) -> ModelTier:
    if not isinstance(value, str):
        refuse("must be a string")
    if value not in TIERS:
        refuse(f"= {shown(value)} is not a valid tier (must be one of {_LISTED})")
    return ModelTier(value)


def _tier_name(value: Any) -> ModelTier:
    if not isinstance(value, str) or value not in TIERS:
        refuse(f"unknown tier (must be one of {_LISTED})")
    return ModelTier(value)


class RateLimit(ConfigModel):
    """How much of one tier is used at once, and per minute."""

    max_concurrent: PositiveInteger | None = None
    tokens_per_minute: Rate | None = None


class RouterRules(ConfigModel):
    """Tiers by worker, limits by tier."""

    tier_overrides: (
        Annotated[
            dict[Name, Annotated[ModelTier, BeforeValidator(_override)]],
            BeforeValidator(mapping),
        ]
        | None
    ) = None
    rate_limits: (
        Annotated[
            dict[Annotated[ModelTier, BeforeValidator(_tier_name)], RateLimit],
            BeforeValidator(mapping),
        ]
        | None
    ) = None
