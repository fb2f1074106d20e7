"""The Messages API on loopback: streams, tools, structured output, usage, token counts."""

from __future__ import annotations

from typing import Any

from tests.fakes.model_server import Asked, ModelServer, Says, arguments, event

STOPS = {"end": "end_turn", "tool_use": "tool_use", "length": "max_tokens", "refused": "refusal"}
COUNTED = 321


class MessagesServer(ModelServer):
    """Speaks as Anthropic's service does."""

    def begin(self, step: Says) -> bytes:
        usage = step.usage
        fresh = usage.input_tokens - usage.cache_read_tokens - usage.cache_written_tokens
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "a-model",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": fresh,
                "output_tokens": 1,
                "cache_read_input_tokens": usage.cache_read_tokens,
                "cache_creation_input_tokens": usage.cache_written_tokens,
            },
        }
        return (
            _typed("message_start", message=message)
            + _typed("ping")
            + _typed("content_block_start", index=0, content_block={"type": "text", "text": ""})
        )

    def piece(self, text: str) -> bytes:
        return _typed("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def end(self, step: Says) -> bytes:
        sent = _typed("content_block_stop", index=0)
        for index, call in enumerate(step.calls, start=1):
            block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
            sent += _typed("content_block_start", index=index, content_block=block)
            written = arguments(call)
            for piece in ("", written[: len(written) // 2], written[len(written) // 2 :]):
                delta = {"type": "input_json_delta", "partial_json": piece}
                sent += _typed("content_block_delta", index=index, delta=delta)
            sent += _typed("content_block_stop", index=index)
        stop: dict[str, Any] = {"stop_reason": STOPS[step.stop], "stop_sequence": None}
        if step.stop == "refused":
            stop["stop_details"] = {"type": "refusal", "category": None, "explanation": "it may not"}
        usage = {"output_tokens": step.usage.output_tokens}
        return sent + _typed("message_delta", delta=stop, usage=usage) + _typed("message_stop")

    def refusal(self, name: str, message: str) -> dict[str, Any]:
        return {"type": "error", "error": {"type": name, "message": message}}

    def failure(self, name: str, message: str) -> bytes:
        return event(self.refusal(name, message), "error")

    def aside(self, asked: Asked) -> dict[str, Any] | None:
        return {"input_tokens": COUNTED} if asked.path.endswith("/count_tokens") else None


def _typed(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, kind)
