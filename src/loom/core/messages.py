"""The messages the parts of the runtime exchange; a phase is a task, its outcome a result."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

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
        """The tier a phase's `model_tier` asks for."""
        return (cls.LOCAL, cls.STANDARD, cls.FRONTIER)[tier - 1]


ErrorKind = Literal["model", "tool", "io", "timeout", "contract", "safety"]


def _new_id() -> str:
    return str(uuid4())


def _now() -> datetime:
    return datetime.now(UTC)


class Message(BaseModel):
    """What every message has: a frozen shape, known keys only, and the version of its shape."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION


class TaskError(Message):
    """Why a task failed, and whether trying again can help."""

    kind: ErrorKind
    message: str
    retryable: bool


class TaskMessage(Message):
    """Work for one worker. The payload meets the worker's input schema."""

    task_id: str = Field(default_factory=_new_id)
    parent_task_id: str | None = None
    worker_type: str
    payload: dict[str, Any]
    model_tier: ModelTier = ModelTier.STANDARD
    priority: TaskPriority = TaskPriority.NORMAL
    max_retries: Annotated[int, Field(ge=0)] = 2
    retry_count: Annotated[int, Field(ge=0)] = 0
    attempt: Annotated[int, Field(ge=1)] = 1
    idempotency_key: str | None = None
    deadline: datetime | None = None
    created_at: datetime = Field(default_factory=_now)
    request_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class TaskResult(Message):
    """What became of a task. The output meets the worker's output schema."""

    task_id: str
    parent_task_id: str | None = None
    worker_type: str
    status: TaskStatus
    output: dict[str, Any] | None = None
    error: TaskError | None = None
    model_used: str | None = None
    token_usage: dict[str, int] = Field(default_factory=dict)
    processing_time_ms: Annotated[int, Field(ge=0)] = 0
    attempt: Annotated[int, Field(ge=1)] = 1
    idempotency_key: str | None = None
    completed_at: datetime = Field(default_factory=_now)


class OrchestratorGoal(Message):
    """What somebody wants, in words, with what is needed to begin."""

    goal_id: str = Field(default_factory=_new_id)
    instruction: str
    context: dict[str, Any] = Field(default_factory=dict)
    request_id: str | None = None
    priority: TaskPriority = TaskPriority.NORMAL
    created_at: datetime = Field(default_factory=_now)


class CheckpointState(Message):
    """Enough of an orchestrator's memory to go on from."""

    goal_id: str
    original_instruction: str
    executive_summary: str
    completed_tasks: list[dict[str, Any]] = Field(default_factory=list)
    pending_tasks: list[dict[str, Any]] = Field(default_factory=list)
    open_issues: list[str] = Field(default_factory=list)
    decisions_made: list[str] = Field(default_factory=list)
    context_token_count: Annotated[int, Field(ge=0)] = 0
    checkpoint_number: Annotated[int, Field(ge=0)] = 0
    created_at: datetime = Field(default_factory=_now)
