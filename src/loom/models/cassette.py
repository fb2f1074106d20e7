"""A tape of what a model was asked and what it said: recorded once, played as often as wanted."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loom.core.model import Answer, Finished, Model, ModelEvent, ModelRequest, answer
from loom.kernel.errors import LoomError
from loom.kernel.ids import digest_json
from loom.kernel.redact import Secret, redact
from loom.models.party import Party
from loom.models.scripted import speak

PROVIDER = "cassette"
MAX_LINE = 16 * 1024 * 1024


class CassetteModel:
    """Plays a file of JSON lines: the nth time that a request is made, it gives the nth answer to it.

    With a model behind it, what is not on the tape is asked of that model and recorded. Without one it is
    an error that names the file. Requests are written without secrets, and found by their digest.
    """

    provider = PROVIDER

    def __init__(self, path: Path, behind: Model | None = None) -> None:
        self.name = path.name
        self._path = path
        self._behind = behind
        self._party = Party(PROVIDER, path.name, "", Secret(""))
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._tape: dict[str, list[Answer]] = {}
        if behind is None or path.exists():
            for digest, recorded in _read(path):
                self._tape.setdefault(digest, []).append(recorded)

    def complete(self, request: ModelRequest) -> Iterator[ModelEvent]:
        """The recorded answer, or that of the model behind; otherwise a ModelError that names the file."""
        digest = digest_json(request.as_json())
        with self._lock:
            number = self._asked[digest]
            self._asked[digest] += 1
        recorded = self._tape.get(digest, [])
        if number < len(recorded):
            yield from speak(self._party, request, recorded[number])
        elif self._behind is None:
            raise self._missing(number, len(recorded))
        else:
            events = []
            for event in self._behind.complete(request):
                events.append(event)
                if isinstance(event, Finished):  # whoever listens need not come back after it
                    self._record(digest, request, answer(events))
                yield event

    def _missing(self, number: int, recorded: int) -> LoomError:
        why = f"{self._path} has no such request"
        if recorded:
            why = f"{self._path} has {recorded} answers to this request, and it was made {number + 1} times"
        fix = f"record it anew with the model itself: mv {self._path} {self._path}.old"
        return self._party.failure("invalid", "has no answer on its tape", why, fix)

    def _record(self, digest: str, request: ModelRequest, said: Answer) -> None:
        entry = {
            "digest": digest,
            "request": _redacted(request.as_json()),
            "answer": said.as_json(),
        }
        line = json.dumps(entry, sort_keys=True).encode() + b"\n"
        with self._lock:
            try:
                _append(self._path, line)
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                raise LoomError(
                    f"{self._path} cannot be written", why, f"ls -ld {self._path.parent}"
                ) from None


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return {key: _redacted(inner) for key, inner in value.items()}
        case list():
            return [_redacted(inner) for inner in value]
    return value


def _append(path: Path, line: bytes) -> None:
    """Add one line; half a line that a kill has left at the end is dropped first."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                end = sum(len(each) for each in file if each.endswith(b"\n"))
        file.seek(end)
        file.truncate()
        file.write(line)


def _read(path: Path) -> Iterator[tuple[str, Answer]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                if not line.endswith(b"\n") and len(line) < MAX_LINE:
                    return  # whoever wrote it was killed before the end
                yield _entry(path, number, line)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"the cassette {path} cannot be read", why, f"ls -l {path}") from None


def _entry(path: Path, number: int, line: bytes) -> tuple[str, Answer]:
    try:
        entry = json.loads(line)
        return str(entry["digest"]), Answer.from_json(entry["answer"])
    except (ValueError, RecursionError, KeyError, TypeError):
        fix = f"remove the line: sed -i {number}d {path}"
        raise LoomError(f"{path}:{number} is no line of a cassette", "it is damaged", fix) from None
