"""Anthropic's models, over the official SDK: streaming, tools, structured output, prompt caching, token counts."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from loom.core.model import (
    Message,
    ModelError,
    ModelEvent,
    ModelRequest,
    StopReason,
    ToolCall,
    ToolReturn,
)
from loom.kernel.redact import Secret
from loom.models.gathering import Gathering
from loom.models.line import Line, converse
from loom.models.party import Party

# its types are as large as the rest of Loom, and nothing here needs them
sdk: Any = importlib.import_module("anthropic")

PROVIDER = "anthropic"
VARIABLE = "ANTHROPIC_API_KEY"

_KEPT = {"cache_control": {"type": "ephemeral"}}
_STOPS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "pause_turn": "end",
    "tool_use": "tool_use",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}


class AnthropicModel:
    """A model of Anthropic's, or one behind an address that speaks its Messages API."""

    provider = PROVIDER

    def __init__(self, name: str, key: Secret, url: str | None = None) -> None:
        self.name = name
        self._party = Party(PROVIDER, name, VARIABLE, key)
        self._url = url

    def __repr__(self) -> str:
        return f"AnthropicModel({self.name!r})"

    def complete(self, request: ModelRequest) -> Iterator[ModelEvent]:
        """The answer as it comes; see the port."""
        return converse(
            self._party,
            request.seconds,
            lambda line: self._events(line, request),
            (sdk.AnthropicError,),
            self._understood,
        )

    def count_tokens(self, request: ModelRequest) -> int:
        """How many tokens the request has, as the provider counts them; asks it, and costs nothing."""
        counted: list[int] = []

        def ask(line: Line) -> Iterator[ModelEvent]:
            body = _body(self.name, request)
            wanted = {key: body[key] for key in ("model", "messages", "system", "tools") if key in body}
            found = self._client(line).messages.count_tokens(**wanted, timeout=line.timeout).input_tokens
            if not isinstance(found, int):
                raise self._party.unreadable("it gave no number of tokens")
            counted.append(found)
            yield from ()

        list(converse(self._party, request.seconds, ask, (sdk.AnthropicError,), self._understood))
        return counted[0]

    def _client(self, line: Line) -> Any:
        return sdk.Anthropic(
            api_key=self._party.key.reveal(),
            base_url=self._url,
            http_client=line.client,
            max_retries=0,  # the SDK would also repeat what a server refused; see `converse`
            open_telemetry=False,
        )

    def _events(self, line: Line, request: ModelRequest) -> Iterator[ModelEvent]:
        gathering = Gathering(self._party, request)
        body = _body(self.name, request)
        with self._client(line).messages.create(**body, stream=True, timeout=line.timeout) as stream:
            kind = stream.response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "text/event-stream":
                raise self._party.unreadable(f"it is {kind or 'of no kind'}, not a stream of events")
            stop: str | None = None
            for event in stream:
                plain = event.to_dict(warnings=False) if hasattr(event, "to_dict") else event
                if not isinstance(plain, Mapping):
                    raise self._party.unreadable("an event of its stream is no object")
                if plain.get("type") == "message_stop":
                    yield from gathering.finish(self._stop(stop))
                    return
                stop = _text(plain, "delta", "stop_reason") or stop
                if stop == "refusal":
                    raise self._party.refuses(_text(plain, "delta", "stop_details", "explanation"))
                yield from _take(gathering, plain)
        raise self._party.cut_off()

    def _stop(self, written: str | None) -> StopReason:
        if written is None:
            raise self._party.cut_off()
        return _STOPS.get(written, "end")

    def _understood(self, error: Exception) -> ModelError | None:
        match error:
            case sdk.APITimeoutError():
                return self._party.failure("timeout", "took too long", "nobody answered")
            case sdk.APIConnectionError():
                why = str(error.__cause__ or error)
                return self._party.failure("transport", "cannot be reached", why)
            case sdk.APIStatusError():
                named = error.body if isinstance(error.body, Mapping) else {}
                return self._party.answered(
                    error.status_code,
                    (_text(named, "error", "type"), _text(named, "type")),
                    _text(named, "error", "message") or _plain_body(error.body),
                    error.response.headers.get("retry-after"),
                )
            case sdk.AnthropicError():
                return self._party.unreadable(type(error).__name__)
        return None


def _body(name: str, request: ModelRequest) -> dict[str, Any]:
    """The request in the words of the Messages API; only what was asked for is in it."""
    tools: list[dict[str, Any]] = [
        {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
        for tool in request.tools
    ]
    system: list[dict[str, Any]] = [{"type": "text", "text": request.system}] if request.system else []
    if request.cache:
        # a mark keeps all that stands before it: tools come first, then the system prompt
        for part in (system or tools)[-1:]:
            part |= _KEPT
    body: dict[str, Any] = {
        "model": name,
        "max_tokens": request.max_tokens,
        "messages": [_message(message) for message in request.messages],
    }
    if tools:
        body["tools"] = tools
    if system:
        body["system"] = system
    if request.output_schema is not None:
        body["output_config"] = {
            "format": {"type": "json_schema", "schema": _accepted(request.output_schema)}
        }
    if request.temperature is not None:
        body["extra_body"] = {"temperature": request.temperature}
    return body


def _message(message: Message) -> dict[str, Any]:
    # what tools returned has to stand before any text
    parts = sorted(message.parts, key=lambda part: not isinstance(part, ToolReturn))
    return {"role": message.speaker, "content": [_part(part) for part in parts if part != ""]}


def _part(part: str | ToolCall | ToolReturn) -> dict[str, Any]:
    match part:
        case ToolCall():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": dict(part.arguments)}
        case ToolReturn():
            said = {"type": "tool_result", "tool_use_id": part.call_id, "content": part.content}
            return {**said, "is_error": True} if part.is_error else said
    return {"type": "text", "text": part}


def _accepted(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the subset that the service takes; the answer is held to the whole of it here."""
    try:
        accepted: dict[str, Any] = sdk.transform_schema(dict(schema))
    except (ValueError, TypeError, AssertionError):
        return dict(schema)
    return accepted


def _take(gathering: Gathering, event: Mapping[str, Any]) -> Iterator[ModelEvent]:
    index = event.get("index")
    match event.get("type"), event:
        case "message_start", {"message": {"usage": dict(usage)}}:
            _count(gathering, usage)
        case "message_delta", {"usage": dict(usage)}:
            _count(gathering, usage)
        case "content_block_start", {"content_block": {"type": "tool_use", **block}}:
            gathering.call(index, block.get("id"), block.get("name"))
        case "content_block_start", {"content_block": {"type": "text", "text": text}}:
            yield from gathering.text(text)
        case "content_block_delta", {"delta": {"type": "text_delta", "text": text}}:
            yield from gathering.text(text)
        case "content_block_delta", {"delta": {"type": "input_json_delta", "partial_json": piece}}:
            gathering.arguments(index, piece)


def _count(gathering: Gathering, usage: Mapping[str, Any]) -> None:
    read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    gathering.count(
        output_tokens=usage.get("output_tokens"), cache_read_tokens=read, cache_written_tokens=written
    )
    fresh = usage.get("input_tokens")
    if isinstance(fresh, int):
        # here the cached ones are counted apart
        gathering.count(input_tokens=fresh + _number(read) + _number(written))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _text(data: Any, *path: str) -> str:
    """The text at a path of plain data that nobody has checked; empty when there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, str) else ""


def _plain_body(body: object) -> str:
    return body if isinstance(body, str) else ""
