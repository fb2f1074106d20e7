"""Whatever a server does, its answer or one of eight kinds of failure comes back, in time."""

from __future__ import annotations

import logging
import pickle
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.utils import formatdate

import pytest

from loom.core.model import PASSES, Answer, Model, ModelError, ModelRequest, ToolCall, answer, says
from loom.kernel.redact import Secret
from loom.models import line
from loom.models.anthropic import AnthropicModel
from loom.models.openai_compatible import OpenAiCompatibleModel
from loom.models.party import Party
from tests.fakes.chat_server import ChatServer
from tests.fakes.messages_server import MessagesServer
from tests.fakes.model_server import (
    FailsMidway,
    HangsUp,
    Holds,
    ModelServer,
    Says,
    Sends,
    Status,
    Step,
    event,
)

KEY = "sk-canary-0123456789abcdef"

Serve = Callable[..., tuple[Model, ModelServer]]


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands between a test and its server."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(params=[MessagesServer, ChatServer])
def serve(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Starts a server with this script, and a model that talks to it."""
    with ExitStack() as stack:

        def start(*script: Step) -> tuple[Model, ModelServer]:
            server: ModelServer = stack.enter_context(request.param(script))
            return _model(request.param, server.address), server

        yield start


def _model(wire: type[ModelServer], address: str) -> Model:
    if wire is MessagesServer:
        return AnthropicModel("a-model", Secret(KEY), address)
    return OpenAiCompatibleModel("a-model", Secret(KEY), f"{address}/v1")


def ask(model: Model, seconds: float = 20.0) -> Answer:
    return answer(model.complete(ModelRequest((says("hello"),), seconds=seconds)))


def failure(model: Model, seconds: float = 20.0) -> ModelError:
    with pytest.raises(ModelError) as raised:
        ask(model, seconds)
    return raised.value


STATUSES = [
    (400, "invalid_request_error", "invalid"),
    (401, "authentication_error", "auth"),
    (402, "billing_error", "auth"),
    (403, "permission_error", "auth"),
    (404, "not_found_error", "invalid"),
    (408, "", "timeout"),
    (413, "request_too_large", "invalid"),
    (429, "rate_limit_error", "rate_limit"),
    (429, "insufficient_quota", "auth"),
    (500, "api_error", "overloaded"),
    (503, "", "overloaded"),
    (504, "", "timeout"),
    (529, "overloaded_error", "overloaded"),
    (302, "", "invalid"),
]


@pytest.mark.parametrize(("code", "name", "kind"), STATUSES)
def test_a_refusal_of_the_server_has_a_kind_and_is_not_repeated_here(
    serve: Serve, code: int, name: str, kind: str
) -> None:
    model, server = serve(Status(code, name, "because\nof this", {"Location": "http://127.0.0.1:9/"}))
    failed = failure(model)
    assert failed.kind == kind
    assert failed.retryable == (kind in PASSES)
    assert failed.why == f"status {code}: because of this"
    assert len(str(failed).splitlines()) == 3
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("1e9", 3600.0), ("-4", 0.0), ("nan", None), ("soon", None)],
)
def test_the_wait_that_a_server_asks_for_is_kept(serve: Serve, written: str, seconds: float | None) -> None:
    failed = failure(serve(Status(429, "rate_limit_error", headers={"Retry-After": written}))[0])
    assert failed.retry_after == seconds


def test_the_wait_may_be_a_date() -> None:
    party = Party("p", "m", "V", Secret(""))
    found = party.answered(429, (), "", formatdate(time.time() + 600, usegmt=True)).retry_after
    assert found is not None
    assert 500 < found <= 600
    assert party.answered(429, (), "", formatdate(0, usegmt=True)).retry_after == 0.0


@pytest.mark.parametrize(
    "body", [b"", b"<html>down</html>", b"[" * 50_000, b"\xff\xfe", b"[1]", b'{"error": 3}']
)
def test_a_refusal_may_say_anything(serve: Serve, body: bytes) -> None:
    assert failure(serve(Status(500, body=body))[0]).kind == "overloaded"


def test_what_a_server_says_is_short_and_cannot_steer_a_terminal(serve: Serve) -> None:
    failed = failure(serve(Status(400, message="\x1b[31m" + "long " * 1000))[0])
    assert "\x1b" not in str(failed)
    assert len(failed.why) < 300


@pytest.mark.parametrize(("name", "kind"), [("overloaded_error", "overloaded"), ("what", "overloaded")])
def test_a_failure_in_the_middle_of_a_stream_is_one(serve: Serve, name: str, kind: str) -> None:
    failed = failure(serve(FailsMidway(name, "sorry"))[0])
    assert failed.kind == kind
    assert "sorry" in failed.why


@pytest.mark.parametrize("politely", [True, False])
def test_a_stream_that_ends_too_early_is_truncated_and_not_repeated(serve: Serve, politely: bool) -> None:
    model, server = serve(HangsUp("half of", politely), Says("whole"))
    failed = failure(model)
    assert (failed.kind, failed.retryable) == ("truncated", True)
    assert len(server.asked) == 1


def test_a_line_that_breaks_before_any_answer_is_opened_once_more(serve: Serve) -> None:
    assert ask(serve(HangsUp(), Says("at last"))[0]).text == "at last"
    model, server = serve(HangsUp(), HangsUp(), Says("too late"))
    failed = failure(model)
    assert (failed.kind, failed.retryable) == ("transport", True)
    assert len(server.asked) == 2


@pytest.mark.parametrize("wire", [MessagesServer, ChatServer])
def test_a_server_that_is_not_there_is_a_failure_of_transport(wire: type[ModelServer]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        failed = failure(_model(wire, f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert (failed.kind, failed.retryable) == ("transport", True)


@pytest.mark.parametrize("text", [None, "", "and so"], ids=["silent", "begun", "midway"])
def test_an_answer_that_does_not_come_in_time_is_given_up(serve: Serve, text: str | None) -> None:
    failed = failure(serve(Holds(threading.Event(), text))[0], seconds=0.15)
    assert (failed.kind, failed.retryable) == ("timeout", True)


def test_the_time_is_that_of_the_whole_answer_not_of_a_wait(serve: Serve) -> None:
    # each piece would be in time
    model, _ = serve(Sends(b": still at work\n\n", times=60, pause=0.02))
    assert failure(model, seconds=0.2).kind == "timeout"


NONSENSE = {
    "not json": event("{no", "message_start"),
    "not an object": event([1, "x"], "message_start"),
    "too deep": event("[" * 50_000, "message_start"),
    "not text": b"event: message_start\ndata: \xff\xfe\n\n",
    "wrong types": event(
        {"type": "message_start", "message": 3, "choices": [[]], "usage": "x"}, "message_start"
    ),
    "a number for a text": event(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": 7},
            "choices": [{"delta": {"content": 7}}],
        },
        "content_block_delta",
    ),
    "arguments of no call": event(
        {
            "type": "content_block_delta",
            "index": 5,
            "delta": {"type": "input_json_delta", "partial_json": "{}"},
            "choices": [{"delta": {"tool_calls": [{"index": 5, "function": 3}, 4]}}],
        },
        "content_block_delta",
    ),
    "nothing": b"",
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_a_stream_of_nonsense_is_a_failure(serve: Serve, body: bytes) -> None:
    assert failure(serve(Sends(body))[0]).kind in ("invalid", "truncated")


def test_a_page_is_no_stream(serve: Serve) -> None:
    failed = failure(serve(Sends(b"<html>log in</html>", "text/html"))[0])
    assert failed.kind == "invalid"
    assert "text/html" in failed.why


def test_a_body_without_end_is_not_read_to_the_end(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MAX_BYTES", 300_000)
    monkeypatch.setattr(line, "MAX_LINE", 200_000)
    for body in (b"x" * 50_000, b"x" * 49_999 + b"\n"):
        failed = failure(serve(Sends(body, times=400))[0])
        assert failed.kind == "invalid"
        assert "longer than" in failed.why
    assert failure(serve(Status(500, body=b"x" * 400_000))[0]).kind == "invalid"


@pytest.mark.parametrize("written", ["{", "[1]", '"x"', "{'a': 1}"])
def test_arguments_that_are_no_object_are_invalid(serve: Serve, written: str) -> None:
    call = ToolCall("a", "look", Unreadable(written))
    failed = failure(serve(Says("", (call,), "tool_use"))[0])
    assert (failed.kind, failed.retryable) == ("invalid", True)
    assert "`look`" in failed.why


class Unreadable(dict[str, object]):
    """Arguments that a server writes as it likes."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.written = written


def test_the_key_is_in_no_exception_no_log_and_no_traceback(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = f"{KEY} is unknown; Authorization: Bearer {KEY}"
    steps = (
        Status(401, "authentication_error", said),
        FailsMidway("x", said),
        HangsUp("a"),
        HangsUp(),
        HangsUp(),
    )
    model, server = serve(*steps)
    for _ in range(4):
        failed = failure(model)
        assert failed.__cause__ is None
        assert failed.__context__ is None
        assert KEY not in "".join(traceback.format_exception(failed)) + repr(failed) + repr(vars(failed))
    assert KEY in str(server.asked[0].headers)
    assert server.asked
    assert KEY not in caplog.text


def test_a_failure_can_be_handed_to_another_process(serve: Serve) -> None:
    failed = failure(serve(Status(429, "rate_limit_error", headers={"Retry-After": "3"}))[0])
    back = pickle.loads(pickle.dumps(failed))
    assert (str(back), vars(back)) == (str(failed), vars(failed))
