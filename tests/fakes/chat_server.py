"""The chat completions API on loopback: streams, tools, structured output, usage."""

from __future__ import annotations

from typing import Any

from tests.fakes.model_server import ModelServer, Says, arguments, event

STOPS = {"end": "stop", "tool_use": "tool_calls", "length": "length", "refused": "content_filter"}


class ChatServer(ModelServer):
    """Speaks as vLLM, Ollama and their like do."""

    def begin(self, step: Says) -> bytes:
        return b": somebody is at work\n\n" + _delta({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        return _delta({"content": text})

    def end(self, step: Says) -> bytes:
        sent = b""
        for index, call in enumerate(step.calls):
            written = arguments(call)
            opened = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
            sent += _delta({"tool_calls": [{"index": index, **opened}]})
            for piece in (written[: len(written) // 2], written[len(written) // 2 :]):
                sent += _delta({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        usage = {
            "prompt_tokens": step.usage.input_tokens,
            "completion_tokens": step.usage.output_tokens,
            "prompt_tokens_details": {"cached_tokens": step.usage.cache_read_tokens},
        }
        sent += _delta({}, STOPS[step.stop])
        return (
            sent + event({"object": "chat.completion.chunk", "choices": [], "usage": usage}) + event("[DONE]")
        )

    def refusal(self, name: str, message: str) -> dict[str, Any]:
        return {"error": {"type": name, "message": message, "code": None}}

    def failure(self, name: str, message: str) -> bytes:
        return event(self.refusal(name, message))


def _delta(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return event({"object": "chat.completion.chunk", "choices": [choice], "usage": None})
