"""The journal of runs: whether it can be read, and which runs it takes to be going on that are not."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loom.runtime.journal import FORMAT
from loom.runtime.owner import is_alive

_SECONDS = 0.5
_STEPS = 10_000
_MOST = 200


def journal(path: Path) -> dict[str, Any]:
    """Whether the journal can be read by this release, and the runs in it that nobody carries on with."""
    facts: dict[str, Any] = {
        "path": str(path),
        "exists": False,
        "format": None,
        "reads": FORMAT,
        "runs": 0,
        "log_bytes": 0,
        "stale": [],
        "problem": "",
    }
    try:
        path.stat()
        with path.open("rb") as file:
            file.read(16)
    except (FileNotFoundError, NotADirectoryError):
        return facts
    except OSError as error:
        return {**facts, "exists": True, "problem": (error.strerror or str(error)).lower()}
    facts |= {"exists": True, "log_bytes": _log_bytes(path)}
    try:
        with closing(_open(path)) as db:
            return {**facts, **_look(db)}
    except sqlite3.Error as error:
        return {**facts, "problem": str(error)}


def checkpoint(path: Path) -> str:
    """Move the journal's log into the journal itself; what came of it, or nothing if there was no need."""
    if not _log_bytes(path):
        return ""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=1.0)) as db:
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return "" if busy else f"wrote the log of {path} into it"


def _log_bytes(path: Path) -> int:
    """How much of the journal is not in its file yet."""
    with suppress(OSError):
        return path.with_name(path.name + "-wal").stat().st_size
    return 0


def _open(path: Path) -> sqlite3.Connection:
    """A connection that changes no run. Where SQLite cannot keep its own files, it is told that nobody writes."""
    options = "mode=ro" if os.access(path.parent, os.W_OK) else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{options}", uri=True, timeout=1.0)


def _look(db: sqlite3.Connection) -> dict[str, Any]:
    deadline = time.monotonic() + _SECONDS
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found != FORMAT:
        return {"format": found}
    running = db.execute(
        "SELECT run_id, process, heartbeat, document FROM runs WHERE status = 'running'"
        " ORDER BY started DESC LIMIT ?",
        (_MOST,),
    )
    now = time.time()
    stale = [
        {"run": run, "process": process, "hours": round((now - heartbeat) / 3600, 1)}
        for run, process, heartbeat, document in running
        if not is_alive(_owner(document))
    ]
    count = db.execute("SELECT count(*) FROM runs").fetchone()[0]
    return {"format": found, "runs": count, "stale": stale, "problem": _damage(db, deadline)}


def _owner(document: str) -> dict[str, Any]:
    try:
        found = json.loads(document)["owner"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _damage(db: sqlite3.Connection, deadline: float) -> str:
    """What SQLite finds wrong with the file, as far as it comes within the time."""
    db.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        said = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return ""
        raise
    return "" if said == "ok" else f"it is damaged: {said[:200]}"
