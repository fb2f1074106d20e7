"""The messages the parts of the runtime exchange; a phase is a task, its outcome a result.

A message holds only what JSON can carry, so that every transport delivers what was sent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import uuid4

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    Strict,
    model_validator,
)

from loom.core.names import Token
from loom.core.plain import why_not_json

SCHEMA_VERSION = 1


class TaskPriority(StrEnum):
    """How urgent a task is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


class TaskStatus(StrEnum):
    """Where a task is in its life."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    RETRY = "retry"


class ModelTier(StrEnum):
    """How capable a model a task needs."""

    LOCAL = "local"
    STANDARD = "standard"
    FRONTIER = "frontier"

    @classmethod
    def of_phase(cls, tier: int) -> ModelTier:
        """The tier a phase's `model_tier` of 1, 2 or 3 asks for."""
        if type(tier) is not int or not 1 <= tier <= 3:
            raise ValueError(f"a phase has model tier 1, 2 or 3, not {tier!r}")
        return (cls.LOCAL, cls.STANDARD, cls.FRONTIER)[tier - 1]


ErrorKind = Literal["model", "tool", "io", "timeout", "contract", "safety"]


def _new_id() -> str:
    return str(uuid4())


def _now() -> datetime:
    return datetime.now(UTC)


def _can_travel(value: Any) -> Any:
    wrong = why_not_json(value)
    if wrong:
        raise ValueError(wrong)
    return value


def _not_a_number(value: Any) -> Any:
    # pydantic would read 5, and "5", as five seconds after the epoch
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    raise ValueError("expected a date and time, such as 2030-01-31T12:00:00Z")


_Word = TypeVar("_Word", bound=StrEnum)
_Item = TypeVar("_Item")

# strict models take no text for a word of a list, no list for a tuple; JSON has only those
_OneOf = Annotated[_Word, Strict(False)]
_Several = Annotated[tuple[_Item, ...], Strict(False)]
_Text = Annotated[str, AfterValidator(_can_travel)]
_Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
_Attempt = Annotated[int, Field(ge=1, le=2**31 - 1)]
_Moment = Annotated[AwareDatetime, Strict(False), BeforeValidator(_not_a_number)]
_Data = Annotated[dict[str, JsonValue], BeforeValidator(_can_travel)]


class Part(BaseModel):
    """A frozen shape with known keys and strict values; a refusal does not repeat the value."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


class Message(Part):
    """What every message has: the version of its shape."""

    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION


class TaskError(Part):
    """Why a task failed, and whether trying again can help."""

    kind: ErrorKind
    message: _Text
    retryable: bool


class TaskMessage(Message):
    """Work for one worker. The payload meets the worker's input schema."""

    task_id: Token = Field(default_factory=_new_id)
    parent_task_id: Token | None = None
    worker_type: Token
    payload: _Data
    model_tier: _OneOf[ModelTier] = ModelTier.STANDARD
    priority: _OneOf[TaskPriority] = TaskPriority.NORMAL
    max_retries: _Count = 2
    retry_count: _Count = 0
    attempt: _Attempt = 1
    idempotency_key: _Text | None = None
    deadline: _Moment | None = None
    created_at: _Moment = Field(default_factory=_now)
    request_id: _Text | None = None
    metadata: _Data = Field(default_factory=dict)


class TaskResult(Message):
    """What became of a task. The output meets the worker's output schema."""

    task_id: Token
    parent_task_id: Token | None = None
    worker_type: Token
    status: _OneOf[TaskStatus]
    output: _Data | None = None
    error: TaskError | None = None
    model_used: _Text | None = None
    token_usage: dict[_Text, _Count] = Field(default_factory=dict)
    processing_time_ms: _Count = 0
    attempt: _Attempt = 1
    idempotency_key: _Text | None = None
    completed_at: _Moment = Field(default_factory=_now)

    @model_validator(mode="after")
    def _says_why_it_failed(self) -> Self:
        if self.status is TaskStatus.FAILED and self.error is None:
            raise ValueError("a failed task says why: `error` is missing")
        if self.status is TaskStatus.COMPLETED and self.error is not None:
            raise ValueError("a completed task has no error")
        return self


class OrchestratorGoal(Message):
    """What somebody wants, in words, with what is needed to begin."""

    goal_id: Token = Field(default_factory=_new_id)
    instruction: _Text
    context: _Data = Field(default_factory=dict)
    request_id: _Text | None = None
    priority: _OneOf[TaskPriority] = TaskPriority.NORMAL
    created_at: _Moment = Field(default_factory=_now)


class CheckpointState(Message):
    """Enough of an orchestrator's memory to go on from."""

    goal_id: Token
    original_instruction: _Text
    executive_summary: _Text
    completed_tasks: _Several[_Data] = ()
    pending_tasks: _Several[_Data] = ()
    open_issues: _Several[_Text] = ()
    decisions_made: _Several[_Text] = ()
    context_token_count: _Count = 0
    checkpoint_number: _Count = 0
    created_at: _Moment = Field(default_factory=_now)
