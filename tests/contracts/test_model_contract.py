"""What every model promises, whoever answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from loom.core.model import (
    Answer,
    Finished,
    Message,
    Model,
    ModelError,
    ModelRequest,
    ModelTool,
    StopReason,
    TextDelta,
    ToolCall,
    ToolReturn,
    Usage,
    answer,
    says,
)
from loom.kernel.redact import Secret
from loom.models import gathering
from loom.models.anthropic import AnthropicModel
from loom.models.cassette import CassetteModel
from loom.models.openai_compatible import OpenAiCompatibleModel
from loom.models.scripted import ScriptedModel
from tests.fakes.chat_server import ChatServer
from tests.fakes.messages_server import MessagesServer
from tests.fakes.model_server import Says

KEY = "sk-canary-0123456789abcdef"
POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer", "minimum": 0}, "note": {"type": "string"}},
    "required": ["x"],
    "additionalProperties": False,
}
LOOK = ModelTool(
    "look", "Looks something up.", {"type": "object", "properties": {"what": {"type": "string"}}}
)
HELLO = ModelRequest((says("hello"),), seconds=20)

Open = Callable[..., Model]


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands between a test and its server."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(params=["anthropic", "openai-compatible", "scripted", "cassette", "played"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens a model that will give these answers."""
    kind: str = request.param
    with ExitStack() as stack:

        def opened(*script: Says) -> Model:
            match kind:
                case "anthropic":
                    messages = stack.enter_context(MessagesServer(script))
                    return AnthropicModel("a-model", Secret(KEY), messages.address)
                case "openai-compatible":
                    chat = stack.enter_context(ChatServer(script))
                    return OpenAiCompatibleModel("a-model", Secret(KEY), f"{chat.address}/v1")
            scripted = ScriptedModel(map(_line, script))
            if kind == "scripted":
                return scripted
            tape = CassetteModel(tmp_path / "tape.jsonl", scripted)
            return tape if kind == "cassette" else Played(tape, tmp_path / "tape.jsonl")

        yield opened


class Played:
    """What has just been recorded, from the file."""

    name, provider = "tape.jsonl", "cassette"

    def __init__(self, tape: Model, path: Path) -> None:
        self._tape, self._path = tape, path

    def complete(self, request: ModelRequest) -> Iterator[TextDelta | ToolCall | Usage | Finished]:
        answer(self._tape.complete(request))
        yield from CassetteModel(self._path).complete(request)


def _line(step: Says) -> Answer | ModelError:
    if step.stop == "refused":
        return ModelError("it refuses", "it may not", "ask for something else", kind="refused")
    stop: StopReason = "length" if step.stop == "length" else "end"
    return Answer(step.text, step.calls, step.usage, stop)


def test_text_comes_in_pieces_and_ends_with_one_usage_and_one_finished(room: Open) -> None:
    text = "One line.\nAnother, with é, 漢 and 🙂.\n\nA last one."
    events = list(room(Says(text, usage=Usage(100, 20, 60, 0))).complete(HELLO))
    pieces = [event.text for event in events if isinstance(event, TextDelta)]
    assert len(pieces) > 1
    assert "".join(pieces) == text
    assert events[-2:] == [Usage(100, 20, 60, 0), Finished("end", text)]
    assert len(events) == len(pieces) + 2


def test_a_model_has_a_name_and_a_provider_and_shows_no_key(room: Open) -> None:
    model = room(Says("hello"))
    assert model.name
    assert model.provider
    assert KEY not in repr(model) + str(model) + repr(vars(model))


def test_a_call_of_a_tool_and_what_it_returned_make_the_way_there_and_back(room: Open) -> None:
    call = ToolCall("call_7", "look", {"what": 'a "word"', "deep": [{"n": 1.5}, None, "é"]})
    model = room(Says("I look it up.", (call,), "tool_use"), Says("It is there."))
    asked = ModelRequest((says("where is it?"),), tools=(LOOK,), seconds=20)
    first = answer(model.complete(asked))
    assert first.calls == (call,)
    assert first.stop_reason == "tool_use"
    turns = (*asked.messages, first.message(), says(ToolReturn("call_7", "on the table"), "so?"))
    second = answer(model.complete(ModelRequest(turns, tools=(LOOK,), seconds=20)))
    assert (second.text, second.stop_reason, second.calls) == ("It is there.", "end", ())


def test_several_calls_keep_their_order_and_one_may_have_no_arguments(room: Open) -> None:
    calls = (ToolCall("b", "look", {}), ToolCall("a", "look", {"what": "x"}))
    said = answer(room(Says("", calls, "tool_use")).complete(HELLO))
    assert said.calls == calls
    assert said.message() == Message("assistant", calls)


def test_structured_output_arrives_as_data_that_fits_its_schema(room: Open) -> None:
    said = answer(
        room(Says('{"x": 3, "note": "é"}')).complete(ModelRequest((says("?"),), output_schema=POINT))
    )
    assert said.data == {"x": 3, "note": "é"}
    assert said.text == '{"x": 3, "note": "é"}'


def test_without_a_schema_json_stays_text(room: Open) -> None:
    assert answer(room(Says('{"x": 3}')).complete(HELLO)).data is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("I would rather talk.", "not JSON"),
        ("", "it is empty"),
        ('{"x": "three"}', "output.x"),
        ('{"x": -1}', "output.x"),
        ('{"x": NaN}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"x": 1, "note": "\\ud800"}', "not JSON"),
    ],
    ids=["prose", "empty", "wrong type", "out of range", "not a number", "too deep", "half a letter"],
)
def test_an_answer_that_does_not_fit_the_schema_is_invalid_and_may_be_asked_for_again(
    room: Open, text: str, why: str
) -> None:
    with pytest.raises(ModelError) as raised:
        answer(room(Says(text)).complete(ModelRequest((says("?"),), output_schema=POINT)))
    assert (raised.value.kind, raised.value.retryable) == ("invalid", True)
    assert why in raised.value.why


def test_a_text_that_ran_out_of_tokens_says_so_and_data_that_did_is_truncated(room: Open) -> None:
    assert answer(room(Says("and then", stop="length")).complete(HELLO)).stop_reason == "length"
    with pytest.raises(ModelError) as raised:
        answer(room(Says('{"x": 1', stop="length")).complete(ModelRequest((says("?"),), output_schema=POINT)))
    assert (raised.value.kind, raised.value.retryable) == ("truncated", False)


def test_a_refusal_is_a_failure_that_is_not_repeated(room: Open) -> None:
    with pytest.raises(ModelError) as raised:
        answer(room(Says("", stop="refused")).complete(HELLO))
    assert (raised.value.kind, raised.value.retryable) == ("refused", False)


def test_an_empty_answer_is_an_answer(room: Open) -> None:
    said = answer(room(Says("")).complete(HELLO))
    assert (said.text, said.calls, said.stop_reason) == ("", (), "end")


def test_an_enormous_answer_is_refused_before_it_is_whole(
    room: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MAX_LETTERS", 20_000)
    with pytest.raises(ModelError) as raised:
        answer(room(Says("so much\n" * 4_000)).complete(HELLO))
    assert raised.value.kind == "invalid"
    assert "longer than" in raised.value.why


def test_whoever_stops_listening_leaves_nothing_behind(room: Open) -> None:
    model = room(Says("a\nb\nc"), Says("next"))
    events = model.complete(HELLO)
    assert isinstance(next(events), TextDelta)
    events.close()  # type: ignore[attr-defined]
    assert answer(model.complete(ModelRequest((says("and now?"),)))).text == "next"


def test_nothing_is_asked_before_the_first_event_is_taken(room: Open) -> None:
    model = room(Says("only"))
    model.complete(HELLO)
    assert answer(model.complete(HELLO)).text == "only"


def test_several_threads_may_ask_at_once(room: Open) -> None:
    model = room(*[Says(f"answer {n}") for n in range(4)])
    requests = [ModelRequest((says(f"question {n}"),), seconds=20) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda request: answer(model.complete(request)).text, requests))
    assert sorted(texts) == [f"answer {n}" for n in range(4)]


def test_the_end_of_a_script_is_a_model_error(room: Open) -> None:
    with pytest.raises(ModelError):
        answer(room().complete(HELLO))
