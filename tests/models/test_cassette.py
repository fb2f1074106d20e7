"""What was recorded is played; what was not is an error that names the tape."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from loom.core.model import Answer, ModelError, ModelRequest, ToolCall, Usage, answer, says
from loom.kernel.errors import LoomError
from loom.models.cassette import CassetteModel
from loom.models.scripted import ScriptedModel

ONE, TWO = (ModelRequest((says(text),), "system") for text in ("one", "two"))


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return tmp_path / "tape.jsonl"


def record(tape: Path, *answers: Answer | str, asked: ModelRequest = ONE) -> list[Answer]:
    model = CassetteModel(tape, ScriptedModel(answers))
    return [answer(model.complete(asked)) for _ in answers]


def test_what_was_recorded_is_played_without_the_model(tape: Path) -> None:
    said = Answer("a\nb é", (ToolCall("c", "look", {"x": 1}),), Usage(5, 4, 3, 2), "tool_use")
    recorded = record(tape, said)
    assert recorded == [said]
    assert [answer(CassetteModel(tape).complete(ONE))] == recorded


def test_the_nth_time_gives_the_nth_answer(tape: Path) -> None:
    record(tape, "first", "second")
    model = CassetteModel(tape)
    assert [answer(model.complete(ONE)).text for _ in range(2)] == ["first", "second"]
    with pytest.raises(ModelError, match="has 2 answers to this request, and it was made 3 times"):
        answer(model.complete(ONE))


def test_a_request_that_is_not_on_the_tape_names_the_file(tape: Path) -> None:
    record(tape, "first")
    with pytest.raises(ModelError) as raised:
        answer(CassetteModel(tape).complete(TWO))
    assert str(tape) in raised.value.why
    assert not raised.value.retryable


def test_only_what_is_new_is_asked_and_added(tape: Path) -> None:
    record(tape, "first")
    behind = ScriptedModel(["second"])
    model = CassetteModel(tape, behind)
    assert [answer(model.complete(request)).text for request in (ONE, TWO)] == ["first", "second"]
    assert behind.requests == [TWO]
    assert answer(CassetteModel(tape).complete(TWO)).text == "second"


def test_data_is_held_to_the_schema_when_it_is_played_too(tape: Path) -> None:
    asked = ModelRequest((says("?"),), output_schema={"type": "object", "required": ["n"]})
    assert record(tape, '{"n": 1}', asked=asked)[0].data == {"n": 1}
    tape.write_text(tape.read_text().replace('{\\"n\\": 1}', '{\\"m\\": 1}'))
    with pytest.raises(ModelError, match="'n' is a required property"):
        answer(CassetteModel(tape).complete(asked))


def test_a_failure_is_not_recorded(tape: Path) -> None:
    failed = ModelError("it fails", "so", "loom doctor", kind="overloaded")
    model = CassetteModel(tape, ScriptedModel([failed, "at last"]))
    with pytest.raises(ModelError):
        answer(model.complete(ONE))
    assert answer(model.complete(ONE)).text == "at last"
    assert len(tape.read_text().splitlines()) == 1


def test_requests_are_written_without_secrets_and_for_nobody_else(tape: Path) -> None:
    secret = "sk-canary-0123456789abcdef"
    asked = ModelRequest((says(f"the key is {secret}"),), f"export ANTHROPIC_API_KEY={secret}")
    record(tape, "kept", asked=asked)
    assert secret not in tape.read_text()
    assert stat.S_IMODE(tape.stat().st_mode) == 0o600
    assert answer(CassetteModel(tape).complete(asked)).text == "kept"


def test_half_a_line_that_a_kill_has_left_is_dropped(tape: Path) -> None:
    record(tape, "first")
    whole = tape.read_bytes()
    tape.write_bytes(whole + whole[:40])
    assert answer(CassetteModel(tape).complete(ONE)).text == "first"
    record(tape, "second", asked=TWO)
    assert tape.read_bytes().startswith(whole)
    assert answer(CassetteModel(tape).complete(TWO)).text == "second"


@pytest.mark.parametrize("line", ["{}", "nothing", "[" * 50_000, '{"digest": "d", "answer": {"text": 3}}'])
def test_a_damaged_line_is_named(tape: Path, line: str) -> None:
    record(tape, "first")
    with tape.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(LoomError, match=r"tape\.jsonl:2 is no line of a cassette"):
        CassetteModel(tape)


def test_a_tape_that_is_not_there_is_named_unless_it_is_to_be_recorded(tape: Path) -> None:
    with pytest.raises(LoomError, match="cannot be read"):
        CassetteModel(tape)
    CassetteModel(tape, ScriptedModel([]))
    assert not tape.exists()


def test_a_tape_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="cannot be written"):
        record(tmp_path / "none" / "tape.jsonl", "first")
