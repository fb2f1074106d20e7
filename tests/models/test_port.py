"""Requests and answers as plain data."""

from __future__ import annotations

import json
import pickle

import pytest

from loom.core.model import (
    Answer,
    Finished,
    Message,
    ModelError,
    ModelRequest,
    ModelTool,
    TextDelta,
    ToolCall,
    ToolReturn,
    Usage,
    answer,
    says,
)
from loom.kernel.errors import LoomError
from loom.kernel.ids import digest_json

CALL = ToolCall("c", "look", {"what": ["x"]})


def test_an_answer_is_collected_from_its_events() -> None:
    events = [
        TextDelta("a"),
        TextDelta("b"),
        CALL,
        Usage(3, 2),
        Usage(1, 1, 1),
        Finished("tool_use", "ab", None),
    ]
    collected = answer(events)
    assert collected == Answer("ab", (CALL,), Usage(4, 3, 1), "tool_use")
    assert collected.message() == Message("assistant", ("ab", CALL))


def test_events_without_an_end_are_truncated() -> None:
    with pytest.raises(ModelError) as raised:
        answer([TextDelta("a"), Usage(1, 1)])
    assert (raised.value.kind, raised.value.retryable) == ("truncated", True)


def test_an_answer_makes_the_way_through_json() -> None:
    said = Answer("é", (CALL,), Usage(1, 2, 3, 4), "tool_use", {"x": [1, None]})
    assert Answer.from_json(json.loads(json.dumps(said.as_json()))) == said


def test_a_request_is_the_same_whatever_its_time_limit_and_caching() -> None:
    turns = (says("a", ToolReturn("c", "r", True)), Message("assistant", ("b", CALL)))
    request = ModelRequest(turns, "s", (ModelTool("t", "d", {"type": "object"}),), {"type": "object"})
    hasty = ModelRequest(turns, "s", request.tools, {"type": "object"}, seconds=1.0, cache=False)
    other = ModelRequest(turns, "s", request.tools, {"type": "object"}, max_tokens=1)
    assert digest_json(request.as_json()) == digest_json(hasty.as_json()) != digest_json(other.as_json())


@pytest.mark.parametrize(
    ("kind", "again"), [("rate_limit", True), ("auth", False), ("refused", False), ("timeout", True)]
)
def test_the_kind_of_a_failure_says_whether_to_ask_again(kind: str, again: bool) -> None:
    failed = ModelError("it failed", "so", "loom doctor", kind=kind)  # type: ignore[arg-type]
    assert failed.retryable is again
    assert isinstance(failed, LoomError)
    assert pickle.loads(pickle.dumps(failed)).kind == kind
