"""What is sent to Anthropic's service, and what of its own comes back."""

from __future__ import annotations

import threading
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
from loom.models.anthropic import AnthropicModel
from tests.fakes.messages_server import COUNTED, MessagesServer
from tests.fakes.model_server import Holds, Says, Sends, event

TOOLS = (ModelTool("a", "first", {"type": "object"}), ModelTool("b", "second", {"type": "object"}))
KEPT = {"type": "ephemeral"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagesServer]:
    monkeypatch.setenv("no_proxy", "*")
    with MessagesServer() as running:
        yield running


def ask(server: MessagesServer, request: ModelRequest) -> tuple[Answer, dict[str, Any]]:
    """The answer, and the body that the server got."""
    server.then(Says('{"n": 1}'))
    said = answer(AnthropicModel("a-model", Secret("the-key"), server.address).complete(request))
    return said, server.asked[-1].body


def test_a_plain_request_holds_nothing_that_was_not_asked_for(server: MessagesServer) -> None:
    _, body = ask(server, ModelRequest((says("hello"),), max_tokens=99))
    assert body == {
        "model": "a-model",
        "max_tokens": 99,
        "stream": True,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
    }
    asked = server.asked[-1]
    assert asked.path.partition("?")[0] == "/v1/messages"
    assert "the-key" in asked.headers.get("x-api-key", "") + asked.headers.get("authorization", "")
    assert asked.headers["anthropic-version"]


def test_one_mark_keeps_tools_and_system_prompt_for_the_next_request(server: MessagesServer) -> None:
    _, body = ask(server, ModelRequest((says("hello"),), "be brief", TOOLS))
    assert body["system"] == [{"type": "text", "text": "be brief", "cache_control": KEPT}]
    assert not any("cache_control" in tool for tool in body["tools"])
    _, body = ask(server, ModelRequest((says("hello"),), tools=TOOLS))
    assert [tool.get("cache_control") for tool in body["tools"]] == [None, KEPT]
    _, body = ask(server, ModelRequest((says("hello"),), "be brief", TOOLS, cache=False))
    assert "cache_control" not in str(body)


def test_a_schema_is_sent_in_the_subset_that_is_accepted_and_a_temperature_as_it_is(
    server: MessagesServer,
) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    said, body = ask(server, ModelRequest((says("?"),), output_schema=schema, temperature=0.5))
    sent = body["output_config"]["format"]
    assert sent["type"] == "json_schema"
    assert sent["schema"]["additionalProperties"] is False
    assert "minimum" not in sent["schema"]["properties"]["n"]
    assert said.data == {"n": 1}
    assert body["temperature"] == 0.5
    _, body = ask(server, ModelRequest((says("?"),), output_schema={"properties": {}}))
    assert body["output_config"]["format"]["schema"] == {"properties": {}}


def test_what_tools_returned_stands_before_text_and_empty_texts_are_left_out(server: MessagesServer) -> None:
    turns = (
        says("where?", ""),
        Message("assistant", ("I look.", ToolCall("c", "a", {"x": 1}))),
        says("so?", ToolReturn("c", "nowhere", is_error=True)),
    )
    _, body = ask(server, ModelRequest(turns, tools=TOOLS))
    assert [part["type"] for turn in body["messages"] for part in turn["content"]] == [
        "text",
        "text",
        "tool_use",
        "tool_result",
        "text",
    ]
    assert body["messages"][1]["content"][1] == {
        "type": "tool_use",
        "id": "c",
        "name": "a",
        "input": {"x": 1},
    }
    assert body["messages"][2]["content"][0] == {
        "type": "tool_result",
        "tool_use_id": "c",
        "content": "nowhere",
        "is_error": True,
    }


def test_cached_tokens_are_counted_among_those_of_the_input(server: MessagesServer) -> None:
    server.then(Says("x", usage=Usage(100, 5, 60, 30)))
    said = answer(AnthropicModel("m", Secret("k"), server.address).complete(ModelRequest((says("?"),))))
    assert said.usage == Usage(100, 5, 60, 30)


def test_tokens_are_counted_by_the_service(server: MessagesServer) -> None:
    model = AnthropicModel("a-model", Secret("k"), server.address)
    assert model.count_tokens(ModelRequest((says("hello"),), "be brief", TOOLS)) == COUNTED
    assert not server.asked


def test_counting_fails_like_asking(server: MessagesServer) -> None:
    with pytest.raises(ModelError) as raised:
        AnthropicModel("m", Secret("k"), "http://127.0.0.1:1").count_tokens(ModelRequest((says("?"),)))
    assert raised.value.kind == "transport"


def test_thoughts_pings_and_what_is_new_are_passed_over(server: MessagesServer) -> None:
    whole = Says("so it is")
    thought = {"type": "thinking", "thinking": "", "signature": ""}
    server.then(
        Sends(
            server.begin(whole)
            + event(
                {"type": "content_block_start", "index": 1, "content_block": thought}, "content_block_start"
            )
            + event(
                {
                    "type": "content_block_delta",
                    "index": 1,
                    "delta": {"type": "thinking_delta", "thinking": "hm"},
                },
                "content_block_delta",
            )
            + event({"type": "of_tomorrow", "index": {}}, "of_tomorrow")
            + server.piece("so it is")
            + server.end(whole)
        )
    )
    model = AnthropicModel("m", Secret("k"), server.address)
    assert answer(model.complete(ModelRequest((says("?"),)))).text == "so it is"


def test_hanging_up_frees_the_connection_at_once(server: MessagesServer) -> None:
    server.then(Holds(threading.Event(), "so "))
    events = AnthropicModel("m", Secret("k"), server.address).complete(ModelRequest((says("?"),)))
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert not [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and not thread.finished.is_set()
    ]
