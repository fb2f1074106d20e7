"""A model whose answers are known beforehand: for tests, for examples, for a try without a network."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from loom.core.model import Answer, ModelEvent, ModelRequest, Usage
from loom.kernel.errors import LoomError
from loom.kernel.redact import Secret
from loom.models.gathering import Gathering
from loom.models.party import Party

PROVIDER = "scripted"
MAX_BYTES = 16 * 1024 * 1024

Line = str | Mapping[str, Any] | Answer | LoomError
"""A text; data that is answered as JSON; a whole answer, such as one with calls; a failure that is raised."""


class ScriptedModel:
    """Gives the answers of a list, in its order, and remembers what it was asked."""

    provider = PROVIDER

    def __init__(self, lines: Iterable[Line], name: str = "script") -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        self._lines = tuple(lines)
        self._party = Party(PROVIDER, name, "", Secret(""))
        self._lock = threading.Lock()

    def complete(self, request: ModelRequest) -> Iterator[ModelEvent]:
        """The next answer of the list; after the last one, a ModelError."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        if number >= len(self._lines):
            why = f"{self.name} holds {len(self._lines)} answers, and was asked {number + 1} times"
            raise self._party.failure("invalid", "has nothing more to say", why)
        line = self._lines[number]
        if isinstance(line, LoomError):
            raise line
        yield from speak(self._party, request, _whole(line))


def speak(party: Party, request: ModelRequest, answer: Answer) -> Iterator[ModelEvent]:
    """An answer that is already there as the events that it would have come in."""
    gathering = Gathering(party, request)
    for piece in answer.text.splitlines(keepends=True):
        yield from gathering.text(piece)
    for key, call in enumerate(answer.calls):
        gathering.call(key, call.id, call.name)
        gathering.arguments(key, json.dumps(dict(call.arguments)))
    usage = answer.usage
    gathering.count(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_written_tokens=usage.cache_written_tokens,
    )
    yield from gathering.finish(answer.stop_reason)


def read_script(path: Path) -> ScriptedModel:
    """The script in a file: a JSON list of texts and objects."""
    what, fix = f"{path} is no script", 'write a JSON list, such as ["first answer", {"second": 2}]'
    try:
        with path.open("rb") as file:
            lines = json.loads(file.read(MAX_BYTES))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{path} cannot be read", why, f"ls -l {path}") from None
    except (ValueError, RecursionError) as error:
        raise LoomError(what, f"it is not JSON: {error}", fix) from None
    if not isinstance(lines, list) or not all(isinstance(line, str | dict) for line in lines):
        raise LoomError(what, "it is not a list of texts and objects", fix)
    return ScriptedModel(lines, path.name)


def _whole(line: str | Mapping[str, Any] | Answer) -> Answer:
    if isinstance(line, Answer):
        return line
    text = line if isinstance(line, str) else json.dumps(dict(line))
    return Answer(text, usage=Usage(output_tokens=len(text.split())))
