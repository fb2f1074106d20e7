"""Answers that are known beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.core.model import Answer, ModelError, ModelRequest, ToolCall, answer, says
from loom.kernel.errors import LoomError
from loom.models.scripted import ScriptedModel, read_script


def test_each_kind_of_line_is_answered_in_its_turn_and_requests_are_kept() -> None:
    failed = ModelError("it fails", "so", "loom doctor", kind="overloaded")
    whole = Answer("I look.", (ToolCall("c", "look", {}),))
    model = ScriptedModel(["text", {"n": 1}, whole, failed])
    requests = [ModelRequest((says(str(n)),)) for n in range(3)]
    assert answer(model.complete(requests[0])).text == "text"
    assert answer(model.complete(ModelRequest((), output_schema={"type": "object"}))).data == {"n": 1}
    assert answer(model.complete(requests[1])).calls == whole.calls
    with pytest.raises(ModelError) as raised:
        answer(model.complete(requests[2]))
    assert raised.value is failed
    assert [request.messages for request in model.requests] == [
        requests[0].messages,
        (),
        requests[1].messages,
        requests[2].messages,
    ]


def test_after_the_last_line_it_says_how_many_there_were() -> None:
    model = ScriptedModel(["only"], name="tale.json")
    answer(model.complete(ModelRequest(())))
    with pytest.raises(ModelError, match=r"tale.json holds 1 answers, and was asked 2 times"):
        answer(model.complete(ModelRequest(())))


def test_a_script_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tale.json"
    file.write_text('["a", {"n": 2}]')
    model = read_script(file)
    assert model.name == "tale.json"
    assert [answer(model.complete(ModelRequest(()))).text for _ in range(2)] == ["a", '{"n": 2}']


@pytest.mark.parametrize("written", ["", "{}", "[1]", "[" * 50_000, "\x00"])
def test_a_file_that_is_no_script_is_named(tmp_path: Path, written: str) -> None:
    file = tmp_path / "tale.json"
    file.write_text(written)
    with pytest.raises(LoomError) as raised:
        read_script(file)
    assert str(file) in raised.value.what


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="cannot be read"):
        read_script(tmp_path / "none.json")
