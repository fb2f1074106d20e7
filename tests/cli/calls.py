"""Stands in for the runtime: remembers what was asked for, and answers as it was told to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loom.app.call import Asker, Call, OnEvent
from loom.app.envelope import Envelope

STARTED = {"kind": "run_started", "verb": "ingest", "flow": "IngestDataset", "phases": ["register"]}
EVENTS: tuple[dict[str, Any], ...] = (
    {**STARTED, "experiment_id": "loom-abc123"},
    {"kind": "phase_started", "phase": "register", "attempt": 1},
    {"kind": "phase_finished", "phase": "register", "status": "accepted", "seconds": 1.25},
    {"kind": "run_finished", "status": "ok", "verdict": "OK", "pathspec": "IngestDataset/7", "seconds": 1.5},
)


@dataclass
class Calls:
    """Every call that was made, and the answer that each one gets."""

    envelope: Envelope = field(default_factory=lambda: Envelope("ingest", "OK", True, "IngestDataset/7"))
    error: BaseException | None = None
    question: str = ""
    preview: dict[str, Any] = field(default_factory=dict)
    made: list[Call] = field(default_factory=list)
    answers: list[bool | None] = field(default_factory=list)

    @property
    def last(self) -> Call:
        """The latest call."""
        return self.made[-1]

    def carry_out(
        self,
        call: Call,
        *,
        environ: Mapping[str, str],
        on_event: OnEvent | None = None,
        asker: Asker | None = None,
    ) -> Envelope:
        """Remember the call, tell its events, and answer."""
        self.made.append(call)
        if self.question:
            self.answers.append(asker.confirm(self.question) if asker else None)
        for seq, event in enumerate(EVENTS, start=1):
            if on_event is not None:
                on_event(
                    {"schema_version": 1, "seq": seq, "at": "2026-01-02T03:04:05Z", "run": "run-1", **event}
                )
        if self.error is not None:
            raise self.error
        return self.envelope

    def show(self, call: Call, *, environ: Mapping[str, str]) -> dict[str, Any]:
        """Remember the call, and say what it would do."""
        self.made.append(call)
        if self.error is not None:
            raise self.error
        return self.preview
