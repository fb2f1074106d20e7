"""What every run answers with: one shape for all verbs, the object that `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loom.kernel.verdict import EXIT_INTERRUPTED, EXIT_OK, EXIT_OUTCOME, EXIT_SETUP

SCHEMA_VERSION = 1
RunStatus = Literal["ok", "blocked", "refused", "error"]
Ended = Literal["ok", "failed", "blocked", "refused", "error", "interrupted"]

_STATUS: dict[Ended, RunStatus] = {
    "ok": "ok",
    "failed": "error",
    "blocked": "blocked",
    "refused": "refused",
    "error": "error",
    "interrupted": "error",
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outcome of one call. Keys are stable; new ones may be added."""

    verb: str
    verdict: str
    is_acceptable: bool
    """Whether the verdict is one of those the verb declares acceptable."""

    pathspec: str | None = None
    card_path: str | None = None
    summary: Mapping[str, Any] | None = None
    gate: Mapping[str, Any] | None = None
    """The tier of the call and how it was approved."""

    reasons: tuple[Mapping[str, Any], ...] = ()
    next: tuple[str, ...] = ()
    """The commands that make sense now."""

    error: Mapping[str, str] | None = None
    """What, why and fix, when the run could not be carried out."""

    ended: Ended = "ok"
    """How it ended, told finer than by the status: what was judged bad apart from what went wrong."""

    run: str | None = None
    """Loom's own name of the run: what `loom show`, `logs` and `resume` take beside the pathspec."""

    phases: tuple[Mapping[str, Any], ...] = ()
    """How each phase ended: for cards, tests and resuming; not part of the printed object."""

    card: Mapping[str, Any] | None = None
    """What the page of the run is to show, in the blocks of `loom.tools.card`; not part of it either."""

    @property
    def exit_code(self) -> int:
        """0 acceptable, 1 not acceptable, 2 it could not be carried out, 130 interrupted."""
        if self.ended == "interrupted":
            return EXIT_INTERRUPTED
        if self.ended == "error":
            return EXIT_SETUP
        return EXIT_OK if self.ended == "ok" and self.is_acceptable else EXIT_OUTCOME

    @property
    def status(self) -> RunStatus:
        """How it ended, in the four words of the printed object."""
        return _STATUS[self.ended]

    def as_json(self) -> dict[str, Any]:
        """The object as it is printed."""
        return {
            "schema_version": SCHEMA_VERSION,
            "verb": self.verb,
            "status": self.status,
            "VERDICT": self.verdict,
            "pathspec": self.pathspec,
            "card_path": self.card_path,
            "summary": self.summary,
            "gate": self.gate,
            "reasons": list(self.reasons),
            "next": list(self.next),
            "error": self.error,
            "run": self.run,
        }
