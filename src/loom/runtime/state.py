"""Where a phase is in its life. Everything a decision needs is in here, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Stage(StrEnum):
    """The stages of one phase."""

    READY = "ready"
    EXECUTING = "executing"
    WAITING = "waiting"
    VERIFYING = "verifying"
    GATING = "gating"
    PUBLISHING = "publishing"
    REMEDIATING = "remediating"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    BLOCKED = "blocked"
    EXHAUSTED = "exhausted"
    REPLANNING = "replanning"
    CANCELLED = "cancelled"


FINAL = frozenset({Stage.ACCEPTED, Stage.REJECTED, Stage.BLOCKED, Stage.EXHAUSTED, Stage.CANCELLED})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a phase may spend, whatever happens to it. None bounds nothing."""

    max_attempts: int = 1
    """How often its loop may go round; a new plan starts the count anew."""

    max_invocations: int | None = None
    """How often it may be carried out: attempts and retries, under all its plans."""

    max_retries: int = 0
    """How often an attempt that failed may be repeated, over all attempts."""

    max_replans: int = 0
    stop_without_progress: int = 0
    """After how many attempts without a better score it gives up; 0 means never."""

    max_seconds: float | None = None
    """On the clock: carrying out, checking, and the pauses between."""

    max_tokens: int | None = None
    max_tool_calls: int | None = None
    full_rerun: bool = False
    seed: int = 0
    backoff_seconds: float = 0.5
    backoff_cap_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a phase has spent so far."""

    invocations: int = 0
    retries: int = 0
    replans: int = 0
    seconds: float = 0.0
    tokens: int = 0
    tool_calls: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a phase is where it is."""

    code: str
    what: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class AttemptState:
    """One phase: its stage, its limits, what it has spent, and what has gone wrong."""

    limits: Limits = field(default_factory=Limits)
    stage: Stage = Stage.READY
    attempt: int = 0
    spent: Spent = field(default_factory=Spent)
    reasons: tuple[Reason, ...] = ()
    best_score: float | None = None
    without_progress: int = 0

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.stage in FINAL
