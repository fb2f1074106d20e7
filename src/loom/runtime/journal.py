"""The journal: what every run did, written down before it is done. SQLite in WAL mode, one file per home.

The journal is the truth. A task whose result stands here is never carried out again; a run that was killed
goes on from here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from loom.runtime.database import Database, told
from loom.runtime.grants import SqliteGrants

FORMAT = 1
FILE_NAME = "journal.db"
PAGE = 1_000

RunStatus = Literal["running", "ok", "blocked", "refused", "failed", "error", "interrupted"]
TaskState = Literal["dispatched", "leased", "done"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, process TEXT NOT NULL, experiment_id TEXT, pathspec TEXT, status TEXT NOT NULL,
    verdict TEXT, started REAL NOT NULL, heartbeat REAL NOT NULL, finished REAL,
    version INTEGER NOT NULL, document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS runs_by_start ON runs (started);
CREATE INDEX IF NOT EXISTS runs_by_experiment ON runs (experiment_id);
CREATE INDEX IF NOT EXISTS runs_by_pathspec ON runs (pathspec);
CREATE TABLE IF NOT EXISTS places (pathspec TEXT PRIMARY KEY, run_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_run ON events (run_id, seq);
CREATE TABLE IF NOT EXISTS tasks (
    task_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, phase TEXT NOT NULL, state TEXT NOT NULL,
    lease_until REAL, owner TEXT, result TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tasks_by_run ON tasks (run_id);
"""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the journal knows it."""

    run_id: str
    process: str
    experiment_id: str | None
    pathspec: str | None
    status: RunStatus
    verdict: str | None
    started: float
    heartbeat: float
    finished: float | None
    version: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One thing that happened in a run."""

    seq: int
    run_id: str
    at: float
    kind: str
    body: dict[str, Any]


class ConflictError(RuntimeError):
    """Somebody else changed a run's document meanwhile."""


class Journal:
    """One journal file, for one process and all its threads."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._db = Database(path, _SCHEMA, FORMAT)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @cached_property
    def grants(self) -> SqliteGrants:
        """What was agreed to for the runs in here."""
        # on a connection of its own: what commits there must not end a transaction here, and a grant that
        # was spent stays spent even when the power fails
        with told(self.path):
            return SqliteGrants(self._db.connect("FULL"))

    # runs

    def begin(
        self, run_id: str, process: str, document: Mapping[str, Any], experiment_id: str | None = None
    ) -> RunRecord:
        """Write down that a run starts; the id must be new."""
        now = self._clock()
        self._db.write(
            "INSERT INTO runs VALUES (?, ?, ?, NULL, 'running', NULL, ?, ?, NULL, 1, ?)",
            *(run_id, process, experiment_id, now, now, _dump(document)),
        )
        return self.run(run_id)

    def run(self, run_id: str) -> RunRecord:
        """One run; KeyError when there is none of that id."""
        rows = self._db.rows("SELECT * FROM runs WHERE run_id = ?", run_id)
        if not rows:
            raise KeyError(run_id)
        return _run(rows[0])

    def runs(
        self,
        limit: int = 50,
        process: str | None = None,
        experiment_id: str | None = None,
        without: str | None = None,
    ) -> list[RunRecord]:
        """The latest runs, newest first; `without` names a process whose runs are left out."""
        rows = self._db.rows(
            "SELECT * FROM runs WHERE (?1 IS NULL OR process = ?1) AND (?2 IS NULL OR experiment_id = ?2)"
            " AND (?4 IS NULL OR process <> ?4) ORDER BY started DESC, run_id DESC LIMIT ?3",
            *(process, experiment_id, limit, without),
        )
        return [_run(row) for row in rows]

    def find(self, reference: str) -> RunRecord:
        """The run a pathspec, a run's own name or `last` means; KeyError when there is none. A run that was resumed
        is found under each pathspec it has had."""
        rows = self._db.rows(
            "SELECT * FROM runs WHERE run_id = ?1 OR ?1 = 'last'"
            " OR run_id = (SELECT run_id FROM places WHERE pathspec = ?1)"
            " ORDER BY started DESC, run_id DESC LIMIT 1",
            reference,
        )
        if not rows:
            raise KeyError(reference)
        return _run(rows[0])

    def locate(self, run_id: str, pathspec: str) -> None:
        """Write down under which pathspec a run can be found; under those it had before it still can."""
        with self._db.transaction():
            self._db.write("UPDATE runs SET pathspec = ? WHERE run_id = ?", pathspec, run_id)
            self._db.write("INSERT OR REPLACE INTO places VALUES (?, ?)", pathspec, run_id)

    def reopen(self, run_id: str) -> None:
        """Write down that a run goes on."""
        self._db.write(
            "UPDATE runs SET status = 'running', verdict = NULL, finished = NULL, heartbeat = ? WHERE run_id = ?",
            *(self._clock(), run_id),
        )

    def remove(self, run_id: str) -> None:
        """Forget a run and everything written about it."""
        tables = [name for (name,) in self._db.rows("SELECT name FROM sqlite_master WHERE name = 'grants'")]
        with self._db.transaction():
            for table in ("events", "tasks", "places", *tables, "runs"):
                self._db.write(f"DELETE FROM {table} WHERE run_id = ?", run_id)

    def save(self, run_id: str, document: Mapping[str, Any], version: int) -> int:
        """Replace a run's document if nobody else did meanwhile; returns the new version."""
        done = self._db.write(
            "UPDATE runs SET document = ?, version = version + 1, heartbeat = ? WHERE run_id = ? AND version = ?",
            *(_dump(document), self._clock(), run_id, version),
        )
        if not done.rowcount:
            raise ConflictError(f"{run_id} is no longer at version {version}")
        return version + 1

    def conclude(self, run_id: str, status: RunStatus, verdict: str | None = None) -> None:
        """Write down how a run ended."""
        now = self._clock()
        self._db.write(
            "UPDATE runs SET status = ?, verdict = ?, finished = ?, heartbeat = ? WHERE run_id = ?",
            *(status, verdict, now, now, run_id),
        )

    def beat(self, run_id: str) -> None:
        """Say that a run is alive."""
        self._db.write("UPDATE runs SET heartbeat = ? WHERE run_id = ?", self._clock(), run_id)

    # events

    def append(self, run_id: str, kind: str, body: Mapping[str, Any] | None = None) -> int:
        """Write one event; returns its number, greater than that of any event before it."""
        done = self._db.write(
            "INSERT INTO events (run_id, at, kind, body) VALUES (?, ?, ?, ?)",
            *(run_id, self._clock(), kind, _dump(body or {})),
        )
        return int(done.lastrowid or 0)

    def events(self, run_id: str, after: int = 0) -> Iterator[EventRecord]:
        """The events of a run in order, from a number on; also those that are written meanwhile."""
        page = (
            "SELECT seq, run_id, at, kind, body FROM events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?"
        )
        while rows := self._db.rows(page, run_id, after, PAGE):
            for seq, run, at, kind, body in rows:
                yield EventRecord(seq, run, at, kind, json.loads(body))
            after = rows[-1][0]

    # tasks

    def dispatch(self, task_id: str, run_id: str, phase: str) -> dict[str, Any] | None:
        """Write down that a task is to be done; returns its result if it has been done already."""
        self._db.write(
            "INSERT INTO tasks (task_id, run_id, phase, state) VALUES (?, ?, ?, 'dispatched')"
            " ON CONFLICT (task_id) DO NOTHING",
            *(task_id, run_id, phase),
        )
        return self.result(task_id)

    def lease(self, task_id: str, owner: str, seconds: float) -> bool:
        """Take a task for a while; false when it is done or somebody else holds it."""
        now = self._clock()
        done = self._db.write(
            "UPDATE tasks SET state = 'leased', owner = ?1, lease_until = ?2 WHERE task_id = ?3"
            " AND (state = 'dispatched' OR (state = 'leased' AND (owner = ?1 OR lease_until < ?4)))",
            *(owner, now + seconds, task_id, now),
        )
        return bool(done.rowcount)

    def complete(self, task_id: str, result: Mapping[str, Any]) -> bool:
        """Write a task's result once; false when one stands already, KeyError when nobody dispatched it."""
        done = self._db.write(
            "UPDATE tasks SET state = 'done', result = ? WHERE task_id = ? AND state <> 'done'",
            *(_dump(result), task_id),
        )
        if not done.rowcount and self.result(task_id) is None:
            raise KeyError(task_id)
        return bool(done.rowcount)

    def result(self, task_id: str) -> dict[str, Any] | None:
        """A task's result, if it is done."""
        rows = self._db.rows("SELECT result FROM tasks WHERE task_id = ? AND state = 'done'", task_id)
        return json.loads(rows[0][0]) if rows else None

    def done(self, run_id: str) -> dict[str, dict[str, Any]]:
        """The results of a run's finished tasks, by task."""
        rows = self._db.rows("SELECT task_id, result FROM tasks WHERE run_id = ? AND state = 'done'", run_id)
        return {task: json.loads(result) for task, result in rows}


def _run(row: tuple[Any, ...]) -> RunRecord:
    return RunRecord(*(*row[:-1], json.loads(row[-1])))


def _dump(value: Mapping[str, Any]) -> str:
    # in ASCII: the name of a file need not be Unicode, and SQLite takes nothing else
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
