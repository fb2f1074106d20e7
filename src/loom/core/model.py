"""The port of language models: what is asked, what comes back in pieces, and how it can fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from loom.kernel.errors import LoomError

Speaker = Literal["user", "assistant"]
StopReason = Literal["end", "tool_use", "length"]
FailureKind = Literal[
    "auth", "rate_limit", "overloaded", "timeout", "truncated", "invalid", "refused", "transport"
]

PASSES: frozenset[FailureKind] = frozenset({"rate_limit", "overloaded", "timeout", "truncated", "transport"})
"""The kinds of failure that the same request may not meet again."""


class ModelError(LoomError):
    """A model that gave no usable answer: what kind of failure it was, and whether to ask again."""

    kind: FailureKind
    retryable: bool
    retry_after: float | None
    """Seconds after which the provider wants to be asked again, where it said so."""

    def __init__(
        self,
        what: str,
        why: str,
        fix: str,
        *,
        kind: FailureKind = "invalid",
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, why, fix)
        self.kind = kind
        self.retryable = kind in PASSES if retryable is None else retryable
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class ModelTool:
    """A tool that the model may ask for; `parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool. An event when it happens, and a part of the conversation afterwards."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolReturn:
    """What a called tool said, for the model to read."""

    call_id: str
    content: str
    is_error: bool = False


Part = str | ToolCall | ToolReturn


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    speaker: Speaker
    parts: tuple[Part, ...]


def says(*parts: Part) -> Message:
    """The turn of whoever asks the model."""
    return Message("user", parts)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A conversation to carry on, and the limits of the answer."""

    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[ModelTool, ...] = ()
    output_schema: Mapping[str, Any] | None = None
    """A JSON Schema: the answer is one JSON document that fits it, and nothing else."""

    max_tokens: int = 8_000
    temperature: float | None = None
    seconds: float = 120.0
    """How long the whole answer may take, from the first attempt to connect."""

    cache: bool = True
    """Whether the provider may keep `system` and `tools` for the next request that begins with them."""

    def as_json(self) -> dict[str, Any]:
        """What decides the answer, as plain data: all of the request but its time limit and its caching."""
        return {
            "messages": [
                {"speaker": each.speaker, "parts": [_part_as_json(part) for part in each.parts]}
                for each in self.messages
            ],
            "system": self.system,
            "tools": [{**asdict(tool), "parameters": dict(tool.parameters)} for tool in self.tools],
            "output_schema": None if self.output_schema is None else dict(self.output_schema),
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
        }


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that a request and its answer took; the cached ones are among those of the input."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_written_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_written_tokens + other.cache_written_tokens,
        )


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every answer: why it ended, its whole text, and with an output schema its data."""

    stop_reason: StopReason
    text: str
    data: Any = None


ModelEvent = TextDelta | ToolCall | Usage | Finished


class Model(Protocol):
    """Answers requests; may be asked from several threads at once."""

    @property
    def name(self) -> str:
        """What its provider calls it."""

    @property
    def provider(self) -> str:
        """Who answers."""

    def complete(self, request: ModelRequest) -> Iterator[ModelEvent]:
        """The answer as it comes: texts, calls, then one Usage and one Finished; or a ModelError.

        Nothing is asked before the first event is taken; closing the iterator hangs up.
        """


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    stop_reason: StopReason = "end"
    data: Any = None

    def message(self) -> Message:
        """The answer as a turn, to carry the conversation on."""
        return Message("assistant", (*([self.text] if self.text else []), *self.calls))

    def as_json(self) -> dict[str, Any]:
        """The answer as plain data."""
        return {
            "text": self.text,
            "calls": [_part_as_json(call) for call in self.calls],
            "usage": asdict(self.usage),
            "stop_reason": self.stop_reason,
            "data": self.data,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Answer:
        """The answer that plain data describes."""
        return cls(
            data["text"],
            tuple(ToolCall(call["id"], call["name"], call["arguments"]) for call in data["calls"]),
            Usage(**data["usage"]),
            data["stop_reason"],
            data["data"],
        )


def answer(events: Iterable[ModelEvent]) -> Answer:
    """Take a whole answer; one that stops before it has finished is a ModelError."""
    calls: list[ToolCall] = []
    usage = Usage()
    end: Finished | None = None
    for event in events:
        match event:
            case ToolCall():
                calls.append(event)
            case Usage():
                usage += event
            case Finished():
                end = event
    if end is not None:
        return Answer(end.text, tuple(calls), usage, end.stop_reason, end.data)
    raise ModelError(
        "the model's answer has no end",
        "its events stopped before it had finished",
        "see which model answers: loom config explain models.provider",
        kind="truncated",
    )


def _part_as_json(part: Part) -> Any:
    match part:
        case ToolCall():
            return {"id": part.id, "name": part.name, "arguments": dict(part.arguments)}
        case ToolReturn():
            return asdict(part)
    return part
