"""A home in which something was run: a journal with the runs that a test asks for."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom.app.history import History
from loom.runtime.journal import FILE_NAME, Journal, RunStatus
from loom.runtime.owner import owner

DEAD = {"pid": 1, "started": "0", "boot": "another"}


@dataclass
class Past:
    """A home and a clock that stands still unless it is moved."""

    home: Path
    now: float = 1_700_000_000.0
    made: list[str] = field(default_factory=list)

    def clock(self) -> float:
        """What time it is."""
        return self.now

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """The journal, for writing."""
        with closing(Journal(self.home / FILE_NAME, clock=self.clock)) as journal:
            yield journal

    @contextmanager
    def history(self) -> Iterator[History]:
        """The same, for reading."""
        with self.journal() as journal:
            yield History(journal, self.home, self.clock)

    def run(
        self,
        pathspec: str | None,
        verb: str = "eda",
        *,
        status: RunStatus = "ok",
        verdict: str | None = "OK",
        reads: tuple[str, ...] = (),
        experiment: str = "loom-abc123",
        seconds: float = 2.0,
        events: tuple[tuple[str, dict[str, Any]], ...] = (),
        **document: Any,
    ) -> str:
        """Write down a run that took place; its own name. A status of running means that it never ended."""
        key = f"run-{len(self.made):010d}"
        self.made.append(key)
        folder = self.home / "runs" / key
        folder.mkdir(parents=True)
        (folder / "request.json").write_text("{}")
        told = {
            "process": {"name": verb, "version": "0.1.0"},
            "loom": "0.1.0",
            "tier": "read-only",
            "plan": "ab12",
            "folder": str(folder),
            "reads": list(reads),
            "owner": DEAD,
            "request": {"inputs": {"dataset": "IngestDataset/1"}, "clearance": "a secret", "cwd": "/here"},
        }
        with self.journal() as journal:
            journal.begin(key, verb, told | document, experiment)
            if pathspec:
                journal.locate(key, pathspec)
            for kind, body in events:
                journal.append(key, kind, body)
            self.now += seconds
            journal.beat(key)
            if status != "running":
                journal.conclude(key, status, verdict)
        return key

    def running(self, pathspec: str, verb: str = "eda", **document: Any) -> str:
        """Write down a run that this very process carries out."""
        return self.run(pathspec, verb, status="running", verdict=None, owner=owner(), **document)

    def blob(self, content: bytes, *, age: float = 7200.0) -> str:
        """Keep bytes where the folder catalogue does; their key."""

        digits = hashlib.sha256(content).hexdigest()
        path = self.home / "objects" / "blobs" / digits[:2] / digits
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (self.now - age, self.now - age))
        return f"sha256:{digits}"

    def registered(self, number: int, *parts: str) -> None:
        """Enter a data object with these parts into the folder catalogue."""
        record = json.dumps({"schema": {}, "parts": {f"p{n}": {"key": key} for n, key in enumerate(parts)}})
        entry = self.home / "objects" / "IngestDataset" / str(number) / "entry.json"
        entry.parent.mkdir(parents=True)
        entry.write_text(json.dumps({"record": self.blob(record.encode())}))
