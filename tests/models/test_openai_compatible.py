"""What is sent to a chat completions API, and how servers differ in what they send back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from loom.core.model import (
    Answer,
    Message,
    ModelError,
    ModelRequest,
    ModelTool,
    ToolCall,
    ToolReturn,
    Usage,
    answer,
    says,
)
from loom.kernel.redact import Secret
from loom.models import openai_compatible
from loom.models.openai_compatible import OpenAiCompatibleModel
from tests.fakes.chat_server import ChatServer
from tests.fakes.model_server import Says, Sends, Status, event

TOOL = ModelTool("a", "first", {"type": "object"})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("no_proxy", "*")
    with ChatServer() as running:
        yield running


def opened(server: ChatServer, key: str = "the-key") -> OpenAiCompatibleModel:
    return OpenAiCompatibleModel("a-model", Secret(key), f"{server.address}/v1/")


def ask(server: ChatServer, request: ModelRequest, key: str = "the-key") -> tuple[Answer, dict[str, Any]]:
    """The answer, and the body that the server got."""
    server.then(Says('{"n": 1}'))
    return answer(opened(server, key).complete(request)), server.asked[-1].body


def heard(server: ChatServer, *chunks: object) -> Answer:
    """What is understood of these events."""
    server.then(Sends(b"".join(map(event, chunks))))
    return answer(opened(server).complete(ModelRequest((says("?"),))))


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def test_a_plain_request_holds_nothing_that_was_not_asked_for(server: ChatServer) -> None:
    _, body = ask(server, ModelRequest((says("hello"),), max_tokens=99))
    assert body == {
        "model": "a-model",
        "max_tokens": 99,
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "hello"}],
    }
    assert server.asked[-1].path == "/v1/chat/completions"
    assert server.asked[-1].headers["authorization"] == "Bearer the-key"


def test_without_a_key_none_is_sent(server: ChatServer) -> None:
    ask(server, ModelRequest((says("hello"),)), key="")
    assert "authorization" not in server.asked[-1].headers


def test_tools_schema_temperature_and_system_prompt_are_sent(server: ChatServer) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    said, body = ask(server, ModelRequest((says("?"),), "be brief", (TOOL,), schema, temperature=0.5))
    assert said.data == {"n": 1}
    assert body["messages"][0] == {"role": "system", "content": "be brief"}
    assert body["tools"] == [
        {
            "type": "function",
            "function": {"name": "a", "description": "first", "parameters": {"type": "object"}},
        }
    ]
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema},
    }
    assert body["temperature"] == 0.5


def test_each_return_of_a_tool_is_a_turn_of_its_own(server: ChatServer) -> None:
    turns = (
        says("where?"),
        Message("assistant", (ToolCall("c", "a", {"x": 1}), ToolCall("d", "a", {}))),
        says("so?", ToolReturn("c", "here"), ToolReturn("d", "broken", is_error=True), "well?"),
    )
    _, body = ask(server, ModelRequest(turns, tools=(TOOL,)))
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "tool", "tool", "user"]
    calls = body["messages"][1]["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{"x": 1}, {}]
    assert body["messages"][3] == {"role": "tool", "tool_call_id": "d", "content": "error: broken"}
    assert body["messages"][4]["content"] == "so?\n\nwell?"


def test_openai_itself_is_told_the_limit_by_its_new_name() -> None:
    model = OpenAiCompatibleModel("m", Secret(""), "https://api.openai.com/v1")
    body = model._body(ModelRequest((says("?"),), max_tokens=5))
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


def test_a_stream_may_end_without_done_and_without_usage(server: ChatServer) -> None:
    said = heard(server, chunk({"content": "x"}), chunk({}, "stop"))
    assert (said.text, said.usage) == ("x", Usage())


def test_whole_calls_may_all_come_under_the_same_number_or_without_one(server: ChatServer) -> None:
    calls = [
        {"index": 0, "id": "c", "function": {"name": "a", "arguments": '{"x": 1}'}},
        {"index": 0, "id": "d", "function": {"name": "b", "arguments": "{}"}},
    ]
    expected = (ToolCall("c", "a", {"x": 1}), ToolCall("d", "b", {}))
    one_by_one = [chunk({"tool_calls": [call]}) for call in calls]
    assert heard(server, *one_by_one, chunk({}, "stop")).calls == expected
    unnumbered = [{key: value for key, value in call.items() if key != "index"} for call in calls]
    said = heard(server, chunk({"tool_calls": unnumbered}), chunk({}, "tool_calls"))
    assert (said.calls, said.stop_reason) == (expected, "tool_use")


def test_a_call_without_an_id_gets_one(server: ChatServer) -> None:
    call = {"index": 0, "function": {"name": "a", "arguments": ""}}
    assert heard(server, chunk({"tool_calls": [call]}), chunk({}, "stop")).calls == (
        ToolCall("call_0", "a", {}),
    )


def test_json_in_a_fence_is_read(server: ChatServer) -> None:
    server.then(Says('```json\n{"n": 2}\n```'))
    asked = ModelRequest((says("?"),), output_schema={"type": "object"})
    assert answer(opened(server).complete(asked)).data == {"n": 2}


def test_line_ends_of_unicode_do_not_end_a_line(server: ChatServer) -> None:
    written = json.dumps(chunk({"content": "a\u2028b\x85c"}), ensure_ascii=False)
    assert heard(server, written, chunk({}, "stop")).text == "a\u2028b\x85c"


def test_a_refusal_in_words_is_one(server: ChatServer) -> None:
    with pytest.raises(ModelError) as raised:
        heard(server, chunk({"refusal": "I must not."}))
    assert raised.value.kind == "refused"
    assert "I must not." in raised.value.why


@pytest.mark.parametrize(
    ("code", "kind"),
    [(429, "rate_limit"), (502, "overloaded"), ("server_error", "overloaded"), (401, "auth")],
)
def test_a_failure_in_a_stream_may_have_a_number(server: ChatServer, code: object, kind: str) -> None:
    with pytest.raises(ModelError) as raised:
        heard(server, {"error": {"code": code, "message": "sorry"}, **chunk({"content": ""}, "error")})
    assert raised.value.kind == kind


@pytest.mark.parametrize(
    "said", [{"error": "no such model"}, {"message": "no such model"}, {"detail": "no such model"}]
)
def test_the_words_of_a_refusal_are_found_wherever_they_stand(server: ChatServer, said: object) -> None:
    server.then(Status(404, body=json.dumps(said).encode()))
    with pytest.raises(ModelError) as raised:
        answer(opened(server).complete(ModelRequest((says("?"),))))
    assert raised.value.why == "status 404: no such model"


def test_nothing_but_the_provider_is_called_by_its_name() -> None:
    assert openai_compatible.PROVIDER == OpenAiCompatibleModel.provider == "openai-compatible"
