"""Orchestrators: a model that takes a goal apart, the workers it may ask, and when it sums up."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from loom.core.families.model import (
    ConfigModel,
    Dotted,
    Items,
    Name,
    Natural,
    PositiveInteger,
    PositiveNumber,
    Schema,
    Text,
    Tier,
    distinct,
    refuse_whole,
)


class CheckpointRule(ConfigModel):
    """When the conversation is summed up, and how much of it stays as it was."""

    token_threshold: PositiveInteger | None = None
    recent_window: Natural | None = None


class AvailableWorker(ConfigModel):
    """A worker the orchestrator may ask, and what for."""

    name: Name
    description: Text
    default_model_tier: Tier | None = None
    input_schema: Schema = None
    input_schema_ref: Dotted | None = None
    output_schema: Schema = None
    output_schema_ref: Dotted | None = None


class OrchestratorConfig(ConfigModel):
    """How goals are taken apart, and how much of that happens at once."""

    name: Name
    description: Text | None = None
    system_prompt: Text | None = Field(None, validate_default=True)
    checkpoint: CheckpointRule | None = None
    max_concurrent_goals: PositiveInteger | None = None
    max_concurrent_tasks: PositiveInteger | None = None
    timeout_seconds: PositiveNumber = None
    available_workers: Annotated[Items[AvailableWorker] | None, AfterValidator(distinct)] = None

    @field_validator("system_prompt", mode="before")
    @classmethod
    def _is_there(cls, value: Any) -> Any:
        if value is None:
            refuse_whole("missing 'system_prompt' (required for LLM orchestrator)")
        return value
