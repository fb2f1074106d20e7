"""An answer that comes in pieces: each is bounded and checked, and the end is made of all of them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from loom.core.model import Finished, ModelEvent, ModelRequest, StopReason, TextDelta, ToolCall, Usage
from loom.models.party import Party

MAX_LETTERS = 2_000_000
MAX_CALLS = 128


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    pieces: list[str] = field(default_factory=list)


class Gathering:
    """Collects one answer; what is too long, is no JSON or does not fit the schema is a ModelError."""

    def __init__(self, party: Party, request: ModelRequest) -> None:
        self._party = party
        self._request = request
        self._texts: list[str] = []
        self._calls: list[_Call] = []
        self._open: dict[object, _Call] = {}
        self._letters = 0
        self._usage: dict[str, int] = {}

    def text(self, piece: object) -> Iterator[TextDelta]:
        """The next piece of text."""
        written = self._taken(piece)
        if written:
            self._texts.append(written)
            yield TextDelta(written)

    def call(self, key: object, call_id: object, name: object) -> None:
        """A call begins; `key` is how its provider refers to it until another one begins under that key."""
        said_id, said_name = self._taken(call_id), self._taken(name)
        found = self._open.get(key)
        if found is None or (said_id and found.id and said_id != found.id):
            found = self._open[key] = _Call(said_id, said_name)
            self._calls.append(found)
        found.id, found.name = found.id or said_id, found.name or said_name
        if len(self._calls) > MAX_CALLS:
            raise self._party.unreadable(f"it asks for more than {MAX_CALLS} tools at once")

    def arguments(self, key: object, piece: object) -> None:
        """The next piece of a call's arguments."""
        if key not in self._open:
            raise self._party.unreadable("it gives arguments to a call that has not begun")
        self._open[key].pieces.append(self._taken(piece))

    def count(self, **tokens: object) -> None:
        """Tokens as they are known so far; a later number replaces an earlier one."""
        self._usage |= {
            name: number
            for name, number in tokens.items()
            if isinstance(number, int) and not isinstance(number, bool) and number >= 0
        }

    def finish(self, stop: StopReason) -> Iterator[ModelEvent]:
        """The end: the calls, the usage, and all of the text with the data it stands for."""
        text = "".join(self._texts)
        yield Usage(**self._usage)  # an answer that is no use is paid for as well
        calls = [self._whole(number, call, stop) for number, call in enumerate(self._calls)]
        data = None
        if self._request.output_schema is not None and not calls:
            if stop == "length":
                raise self._party.full(self._request.max_tokens)
            data = self._data(text)
        yield from calls
        yield Finished("tool_use" if calls and stop == "end" else stop, text, data)

    def _whole(self, number: int, call: _Call, stop: StopReason) -> ToolCall:
        if not call.name:
            raise self._party.unreadable("it asks for a tool without a name")
        written = "".join(call.pieces)
        try:
            arguments = _json(written) if written.strip() else {}
        except (ValueError, RecursionError):
            if stop == "length":
                raise self._party.full(self._request.max_tokens) from None
            raise self._party.unreadable(f"the arguments for `{call.name}` are not JSON") from None
        if not isinstance(arguments, dict):
            raise self._party.unreadable(f"the arguments for `{call.name}` are not an object")
        return ToolCall(call.id or f"call_{number}", call.name, arguments)

    def _data(self, text: str) -> Any:
        try:
            data = _json(_unfenced(text))
        except (ValueError, RecursionError):
            said = "it is not JSON" if text.strip() else "it is empty"
            raise self._party.unreadable(said) from None
        contracts = importlib.import_module("loom.core.contracts")  # a fifth of a second, and rarely needed
        wrong: list[str] = contracts.validate_output(data, dict(self._request.output_schema or {}))
        if wrong:
            raise self._party.unreadable(wrong[0])
        return data

    def _taken(self, piece: object) -> str:
        if piece is None:
            return ""
        if not isinstance(piece, str):
            raise self._party.unreadable(f"a piece of it is a {type(piece).__name__}, not text")
        self._letters += len(piece)
        if self._letters > MAX_LETTERS:
            raise self._party.unreadable(f"it is longer than {MAX_LETTERS:,} letters")
        # JSON can spell half a letter, which no file could hold
        return piece if piece.isascii() else piece.encode("utf-8", "replace").decode("utf-8")


def _json(written: str) -> Any:
    data = json.loads(written, parse_constant=_refuse)
    json.dumps(data, ensure_ascii=False).encode("utf-8")  # half a letter is an error here, not later
    return data


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _unfenced(text: str) -> str:
    """The inside of a fenced block, which some models put around their JSON."""
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```") and "\n" in stripped:
        return stripped[:-3].partition("\n")[2]
    return stripped
