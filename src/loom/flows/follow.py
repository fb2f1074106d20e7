"""Reads what the phases of a run report while they work, each line once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom.kernel.atomic import write_atomically
from loom.runtime.dispatch import Emit
from loom.runtime.tasks import EVENTS


class Follower:
    """Passes on new lines of the event files in a folder, also across a restart."""

    def __init__(self, tasks: Path, bookmark: Path, emit: Emit) -> None:
        self._tasks = tasks
        self._bookmark = bookmark
        self._emit = emit
        self._read = self._remembered()

    def catch_up(self) -> bool:
        """Pass on every whole line that is new, earliest first; whether there was any."""
        lines: list[bytes] = []
        for path in sorted(self._tasks.glob(f"*{EVENTS}")):
            start = self._read.get(path.name, 0)
            if path.stat().st_size <= start:
                continue
            with path.open("rb") as file:
                file.seek(start)
                block = file.read()
            whole = block[: block.rfind(b"\n") + 1]
            self._read[path.name] = start + len(whole)
            lines += whole.splitlines()
        for _, kind, body in sorted(map(_parsed, lines), key=lambda event: event[0]):
            self._emit(kind, body)
        if lines:
            # an event that is told twice can be recognised, one that is lost cannot
            write_atomically(self._bookmark, json.dumps(self._read).encode())
        return bool(lines)

    def _remembered(self) -> dict[str, int]:
        try:
            return dict(json.loads(self._bookmark.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return {}


def _parsed(line: bytes) -> tuple[str, str, Mapping[str, Any]]:
    """When something happened, what kind of thing, and what is known of it."""
    try:
        event = json.loads(line)
        return str(event.get("at", "")), event["kind"], event["body"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", "note", {"text": f"a report that cannot be read: {line[:200]!r}"}
