"""What can happen to a phase. Events carry facts; the machine decides what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loom.runtime.state import Reason

FailureKind = Literal["model", "tool", "io", "timeout", "contract", "safety"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What carrying out, or checking, has cost."""

    seconds: float = 0.0
    tokens: int = 0
    tool_calls: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """The phase's turn has come; with reasons, its entry gates do not hold."""

    unmet: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Executed:
    """An execution came back with a result."""

    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class ExecutionFailed:
    """An execution came back with a failure."""

    kind: FailureKind
    message: str
    retryable: bool
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class WaitElapsed:
    """The pause before another try is over."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The result was checked; empty reasons mean that it passed."""

    reasons: tuple[Reason, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class GatesEvaluated:
    """The loop's gates were looked at; the score is that of the first score-like gate, higher is better."""

    failed: tuple[Reason, ...] = ()
    score: float | None = None
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Published:
    """The deliverables are visible; with reasons, none of them is."""

    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Remediated:
    """What had to be repaired before the next attempt has been prepared."""


@dataclass(frozen=True, slots=True)
class Replanned:
    """A new plan was made, or refused."""

    accepted: bool


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody wants the phase to stop."""

    why: str = "interrupted"


Event = (
    Started
    | Executed
    | ExecutionFailed
    | WaitElapsed
    | Verified
    | GatesEvaluated
    | Published
    | Remediated
    | Replanned
    | Cancelled
)
