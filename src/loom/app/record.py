"""What is written down about a run while it goes on, and told to whoever watches."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from loom.app.call import OnEvent
from loom.process.plan import Plan
from loom.runtime.journal import Journal, RunStatus
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.tasks import message_for, result_for, task_id

EVENT_VERSION = 1
LOCATED = "run_located"
"""Says under which pathspec a run can be found, as soon as it has one."""


@dataclass(slots=True)
class Record:
    """The events of one run, in one order for everybody; a verb that leaves no run behind has no journal."""

    run: str
    watcher: OnEvent | None = None
    journal: Journal | None = None
    _seq: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def emit(self, kind: str, body: Mapping[str, Any]) -> None:
        """Write an event down, then tell it."""
        with self._lock:
            if self.journal is not None:
                self._seq = self.journal.append(self.run, kind, body)
                if kind == LOCATED:
                    self.journal.locate(self.run, body["pathspec"])
            else:
                self._seq += 1
            if self.watcher is not None:
                at = datetime.now(UTC).isoformat(timespec="milliseconds")
                head = {
                    "schema_version": EVENT_VERSION,
                    "seq": self._seq,
                    "at": at,
                    "run": self.run,
                    "kind": kind,
                }
                self.watcher({**head, **body})

    def settle(self, plan: Plan, outcomes: Mapping[str, PhaseOutcome], digest: str) -> None:
        """Write the results of phases into the ledger; one that stands there already stays."""
        if self.journal is None:
            return
        for phase, outcome in outcomes.items():
            if not outcome.attempts:
                continue
            message = message_for(plan.step(phase), self.run, phase, digest, {})
            self.journal.dispatch(task_id(self.run, phase, digest), self.run, phase)
            self.journal.complete(message.task_id, result_for(message, outcome).model_dump(mode="json"))

    def conclude(self, status: RunStatus, verdict: str, document: Mapping[str, Any]) -> None:
        """Write down how the run ended."""
        if self.journal is None:
            return
        known = self.journal.run(self.run)
        self.journal.save(self.run, {**known.document, **document}, known.version)
        self.journal.conclude(self.run, status, verdict)
