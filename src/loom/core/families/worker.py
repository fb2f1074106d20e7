"""Workers: a prompt and a model, or a processor of one's own, behind two contracts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from loom.core.families.model import (
    ConfigModel,
    Data,
    Dotted,
    Items,
    Name,
    Plain,
    PositiveNumber,
    Schema,
    Text,
    Tier,
    distinct,
    refuse,
    refuse_whole,
)
from loom.core.plain import shown


def _choice(*words: str) -> BeforeValidator:
    listed = " or ".join(f"'{word}'" for word in words)

    def choose(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            refuse(f"must be {listed}, got {shown(value)}")
        return value

    return BeforeValidator(choose)


def _always(value: Any) -> Any:
    if value is not True:
        refuse("must be true (workers are stateless)")
    return value


def _field_names(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and name for name in value):
        refuse("must be a list of field names")
    return tuple(value)


class KnowledgeSilo(ConfigModel):
    """Knowledge a worker may use: a folder it reads, or a tool it asks."""

    name: Name
    type: Annotated[Literal["folder", "tool"], _choice("folder", "tool")]
    description: Text | None = None
    path: Text | None = Field(None, validate_default=True)
    permissions: Annotated[Literal["read", "read_write"], _choice("read", "read_write")] = "read"
    provider: Dotted | None = Field(None, validate_default=True)
    config: Data | None = None

    @field_validator("path", "provider", mode="before")
    @classmethod
    def _fits_the_type(cls, value: Any, info: ValidationInfo) -> Any:
        key, kind = str(info.field_name), info.data.get("type")
        wanted = {"folder": "path", "tool": "provider"}.get(str(kind))
        if value is None and key == wanted:
            refuse_whole(f"a silo of type '{kind}' is missing '{key}'")
        if value is not None and wanted not in (None, key):
            refuse_whole(f"a silo of type '{kind}' has no '{key}'")
        return value


class WorkerConfig(ConfigModel):
    """What one type of worker is: its kind, its contracts, its limits and its knowledge."""

    name: Name
    description: Text | None = None
    worker_kind: Annotated[Literal["llm", "processor"], _choice("llm", "processor")] = "llm"
    system_prompt: Text | None = Field(None, validate_default=True)
    processing_backend: Dotted | None = Field(None, validate_default=True)
    backend_config: Data | None = None
    default_model_tier: Tier | None = None
    input_schema: Schema = None
    input_schema_ref: Dotted | None = None
    output_schema: Schema = None
    output_schema_ref: Dotted | None = None
    timeout_seconds: PositiveNumber = None
    max_input_tokens: PositiveNumber = None
    max_output_tokens: PositiveNumber = None
    reset_after_task: Annotated[Literal[True], BeforeValidator(_always)] | None = None
    knowledge_silos: Annotated[Items[KnowledgeSilo] | None, AfterValidator(distinct)] = None
    knowledge_sources: Items[Plain] | None = None
    workspace_dir: Text | None = None
    resolve_file_refs: Annotated[tuple[str, ...], BeforeValidator(_field_names)] | None = None

    @field_validator("system_prompt", "processing_backend", mode="before")
    @classmethod
    def _belongs_to_the_kind(cls, value: Any, info: ValidationInfo) -> Any:
        kind = info.data.get("worker_kind")
        if value is None and (info.field_name, kind) == ("system_prompt", "llm"):
            refuse_whole("LLM worker missing required key 'system_prompt'")
        if value is None and (info.field_name, kind) == ("processing_backend", "processor"):
            refuse_whole("processor worker missing 'processing_backend'")
        return value

    @field_validator("resolve_file_refs", mode="after")
    @classmethod
    def _has_a_workspace(cls, value: tuple[str, ...] | None, info: ValidationInfo) -> Any:
        # a workspace that is written but wrong is reported at its own key
        if value is not None and info.data.get("workspace_dir", "wrong") is None:
            refuse("requires 'workspace_dir' to be set")
        return value
