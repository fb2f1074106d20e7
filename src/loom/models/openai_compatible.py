"""Any service that speaks the chat completions API: Ollama, vLLM, NIM, OpenRouter, OpenAI and many more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from loom.core.model import Message, ModelError, ModelEvent, ModelRequest, StopReason, ToolCall, ToolReturn
from loom.kernel.redact import Secret
from loom.models.gathering import Gathering
from loom.models.line import MAX_LINE, Line, converse
from loom.models.party import Party

PROVIDER = "openai-compatible"
VARIABLE = "OPENAI_API_KEY"

_STOPS: dict[str, StopReason] = {
    "stop": "end",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "length": "length",
}


class OpenAiCompatibleModel:
    """A model behind an address that ends where `/chat/completions` begins; without a key it sends none."""

    provider = PROVIDER

    def __init__(self, name: str, key: Secret, url: str) -> None:
        self.name = name
        self._party = Party(PROVIDER, name, VARIABLE, key)
        self._url = url.rstrip("/")
        self._is_openai = httpx2.URL(url).host == "api.openai.com"

    def __repr__(self) -> str:
        return f"OpenAiCompatibleModel({self.name!r})"

    def complete(self, request: ModelRequest) -> Iterator[ModelEvent]:
        """The answer as it comes; see the port."""
        return converse(self._party, request.seconds, lambda line: self._events(line, request))

    def _events(self, line: Line, request: ModelRequest) -> Iterator[ModelEvent]:
        gathering = Gathering(self._party, request)
        key = self._party.key
        headers = {"Authorization": f"Bearer {key.reveal()}"} if key else {}
        address = f"{self._url}/chat/completions"
        with line.client.stream("POST", address, json=self._body(request), headers=headers) as response:
            if response.status_code != 200:
                raise self._refused(response)
            stop: str | None = None
            for event in httpx2.EventSource(response, max_event_size=MAX_LINE):
                if event.data.strip() == "[DONE]":
                    break
                chunk = json.loads(event.data) if event.data else {}
                if not isinstance(chunk, Mapping):
                    raise self._party.unreadable("an event of its stream is no object")
                if chunk.get("error"):
                    raise self._party.answered(_number(chunk["error"]), *_complaint(chunk))
                _count(gathering, chunk.get("usage"))
                choice = _first(chunk.get("choices"))
                yield from self._take(gathering, _mapping(choice.get("delta")))
                written = choice.get("finish_reason")
                stop = written if isinstance(written, str) else stop
        if stop is None:
            raise self._party.cut_off()
        if stop == "content_filter":
            raise self._party.refuses("a content filter stopped it")
        yield from gathering.finish(_STOPS.get(stop, "end"))

    def _take(self, gathering: Gathering, delta: Mapping[str, Any]) -> Iterator[ModelEvent]:
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            raise self._party.refuses(refusal)
        yield from gathering.text(delta.get("content"))
        calls = delta.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else []):
            call = _mapping(call)
            index = call.get("index")
            key = index if isinstance(index, int) else place
            function = _mapping(call.get("function"))
            gathering.call(key, call.get("id"), function.get("name"))
            gathering.arguments(key, function.get("arguments"))

    def _refused(self, response: httpx2.Response) -> ModelError:
        body = response.read()
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = body.decode("utf-8", "replace")
        names, message = _complaint(said)
        return self._party.answered(response.status_code, names, message, response.headers.get("retry-after"))

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        """The request in the words of the API; only what was asked for is in it."""
        body: dict[str, Any] = {
            "model": self.name,
            "stream": True,
            "stream_options": {"include_usage": True},
            # OpenAI has given the limit a new name, which most others do not know
            "max_completion_tokens" if self._is_openai else "max_tokens": request.max_tokens,
            "messages": [
                *([{"role": "system", "content": request.system}] if request.system else []),
                *(turn for message in request.messages for turn in _turns(message)),
            ],
        }
        if request.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": dict(tool.parameters),
                    },
                }
                for tool in request.tools
            ]
        if request.output_schema is not None:
            named = {"name": "answer", "schema": dict(request.output_schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        if request.temperature is not None:
            body["temperature"] = request.temperature
        return body


def _turns(message: Message) -> Iterator[dict[str, Any]]:
    """One turn as the API knows it: each return of a tool is a turn of its own, before any text."""
    for part in message.parts:
        if isinstance(part, ToolReturn):
            content = f"error: {part.content}" if part.is_error else part.content
            yield {"role": "tool", "tool_call_id": part.call_id, "content": content}
    text = "\n\n".join(part for part in message.parts if isinstance(part, str) and part)
    calls = [part for part in message.parts if isinstance(part, ToolCall)]
    if calls:
        yield {
            "role": message.speaker,
            "content": text or None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
                }
                for call in calls
            ],
        }
    elif text:
        yield {"role": message.speaker, "content": text}


def _count(gathering: Gathering, usage: object) -> None:
    known = _mapping(usage)
    gathering.count(
        input_tokens=known.get("prompt_tokens"),
        output_tokens=known.get("completion_tokens"),
        cache_read_tokens=_mapping(known.get("prompt_tokens_details")).get("cached_tokens"),
    )


def _complaint(said: object) -> tuple[tuple[object, ...], str]:
    """What a server calls a failure, and its words; servers differ in where they put them."""
    outer = _mapping(said)
    inner = _mapping(outer.get("error"))
    words = [inner.get("message"), outer.get("error"), outer.get("message"), outer.get("detail"), said]
    return (inner.get("code"), inner.get("type")), next((word for word in words if isinstance(word, str)), "")


def _number(error: object) -> int:
    """The status that an error in a stream would have had before it; 0 where it has none."""
    code = _mapping(error).get("code")
    return code if isinstance(code, int) else 0


def _first(choices: object) -> Mapping[str, Any]:
    return _mapping(choices[0]) if isinstance(choices, list) and choices else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
