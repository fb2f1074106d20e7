"""One case, carried out by something that says what a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom.app.call import Call
from loom.app.envelope import Envelope
from loom.app.package_tests.place import Place, Task
from loom.app.package_tests.worker import carry_out_case
from loom.kernel.errors import LoomError
from loom.process.spec.tests import Case
from loom.tools.context import NotPermittedError


def outcome_of(folder: Path, carry_out: Callable[..., Envelope], **case: Any) -> dict[str, Any]:
    """What a case comes to."""
    declared = {"id": "it", "mode": "deterministic", "goal": "See.", **case}
    task, place = Task(Case.model_validate(declared), folder / "package"), Place(folder / "0")
    place.prepare(task, None, {})
    return carry_out_case(task, place, carry_out)


def test_a_case_is_called_as_a_person_would_call_it_here(tmp_path: Path) -> None:
    calls: list[Call] = []

    def carry_out(call: Call, *, asker: object, **_: Any) -> Envelope:
        calls.append(call)
        assert asker is None
        return Envelope("small", "OK", True)

    outcome = outcome_of(tmp_path, carry_out, inputs={"n": 1})
    assert calls == [
        Call(
            tmp_path / "package", {"n": 1}, "See.", transport="local", workspace=tmp_path / "0" / "workspace"
        )
    ]
    assert (outcome["envelope"]["ended"], outcome["envelope"]["is_acceptable"]) == ("ok", True)


def test_events_are_kept_one_per_line_without_what_nobody_reads(tmp_path: Path) -> None:
    def carry_out(_: Call, *, on_event: Callable[[dict[str, Any]], None], **__: Any) -> Envelope:
        on_event({"kind": "phase_started", "phase": "a", "attempt": 1, "seq": 1})
        on_event({"kind": "gate_evaluated", "phase": "a", "gate": "g", "passed": True, "value": 3})
        return Envelope("small", "OK", True)

    outcome_of(tmp_path, carry_out)
    lines = Place(tmp_path / "0").events.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"kind": "phase_started", "phase": "a"},
        {"kind": "gate_evaluated", "phase": "a", "gate": "g", "passed": True},
    ]


def test_faults_are_handed_on_and_those_that_came_about_are_told(tmp_path: Path) -> None:
    def carry_out(_: Call, *, faults: Callable[[str, str, int], object], **__: Any) -> Envelope:
        assert faults("fetch", "a", 1) is not None
        return Envelope("small", "ERROR", False, ended="error")

    declared = [{"tool": "say"}, {"tool": "fetch"}]
    assert outcome_of(tmp_path, carry_out, faults=declared)["fired"] == [1]


@pytest.mark.parametrize(
    ("error", "ended", "what"),
    [
        (LoomError("small needs n", "it has none", "loom small --n 1"), "error", "small needs n"),
        (NotPermittedError("nobody granted it"), "refused", "the call is not permitted"),
    ],
)
def test_a_call_that_is_turned_down_is_an_ending(
    error: Exception, ended: str, what: str, tmp_path: Path
) -> None:
    def carry_out(*_: object, **__: object) -> Envelope:
        raise error

    envelope = outcome_of(tmp_path, carry_out)["envelope"]
    assert (envelope["ended"], envelope["error"]["what"]) == (ended, what)
