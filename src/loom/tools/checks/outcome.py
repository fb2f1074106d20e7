"""What became of a check: the product passed or failed, or the check itself could not be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from loom.sandbox.policy import Level

State = Literal["passed", "failed", "unavailable"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check. `unavailable` says nothing about the product."""

    state: State
    summary: str
    output: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    files_changed: Sequence[str] = ()
    truncated: bool = False
    sandbox: Level | None = None
    """How closed in the programs were that the check started; None when it started none."""


def judged(wrong: Sequence[str], passed: str, data: Mapping[str, Any], output: str = "") -> Outcome:
    """Passed when nothing is wrong; otherwise failed, with what is."""
    if not wrong:
        return Outcome("passed", passed, output, {**data, "failures": []})
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return Outcome(
        "failed", wrong[0] + more, "\n".join([*wrong, output]).strip(), {**data, "failures": list(wrong)}
    )
