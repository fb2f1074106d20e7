"""What the machine asks the driver to do. The driver decides how, and reports back as an event."""

from __future__ import annotations

from dataclasses import dataclass

from loom.runtime.state import Reason


@dataclass(frozen=True, slots=True)
class Execute:
    """Carry the phase out."""

    attempt: int
    from_scratch: bool = True
    """Whether to forget what was wrong with the attempt before."""

    seconds_left: float | None = None
    """What is left of the phase's time, if that is bounded."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Pause, then report that the pause is over."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Verify:
    """Check the result."""

    attempt: int


@dataclass(frozen=True, slots=True)
class EvaluateGates:
    """Look at the loop's gates."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Remediate:
    """Prepare the next attempt from what failed."""

    attempt: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """Make the deliverables visible, all of them or none."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Replan:
    """Ask for another plan; this phase cannot go on with the present one."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Write down something that should not have happened."""

    what: str


Action = Execute | Wait | Verify | EvaluateGates | Remediate | Publish | Replan | Note
