"""Processes that write to one journal at once.

python -m tests.runtime.writers FILE NAME COUNT   begins a run and writes events, tasks and documents
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from loom.runtime.journal import ConflictError, Journal

SHARED = "shared"


def main(file: str, name: str, count: int) -> None:
    """Write as much as one run does, and count up a document that all of them share."""
    sys.stdin.readline()
    with closing(Journal(Path(file))) as journal:
        journal.begin(name, "eda", {"n": 0})
        for number in range(count):
            journal.append(name, "tick", {"n": number})
            journal.dispatch(f"task-{number}", name, "phase")
            if journal.lease(f"task-{number}", name, 60.0):
                journal.complete(f"task-{number}", {"by": name})
            _count_up(journal)
        journal.conclude(name, "ok", "PASS")


def _count_up(journal: Journal) -> None:
    while True:
        run = journal.run(SHARED)
        try:
            journal.save(SHARED, {"n": run.document["n"] + 1}, run.version)
            return
        except ConflictError:
            continue


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
