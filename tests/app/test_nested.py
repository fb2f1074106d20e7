"""Processes inside a process: what they say beside their summary, where they stopped, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loom.app.call import Call
from loom.app.envelope import Envelope
from loom.app.run import carry_out
from tests.packages import ONE, TOOLS, write_package

SAYING = TOOLS.replace(
    'data = {"said": word,',
    'ctx.services["tell"](ctx.subtask_id, {"text": f"half of {word}", "matters": True})\n'
    '        data = {"reasons": [{"code": "why", "severity": "error", "what": "it is so"}],'
    ' "next": ["loom runs"], "said": word,',
)
OUTER = """
- {id: inside, description: Run it., run: {process: inner, args: {word: "${inputs.word}"}}}
- {id: after, description: Run it again., depends_on: [inside], run: {process: inner}, require: GATE}
- id: last
  description: End.
  depends_on: [after]
  run: {tool: say, args: {word: "${phases.after.pathspec}"}}
"""
GATE = "[{phase: inside, field: summary.said, operator: eq, value: open}]"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"LOOM_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}


def run(
    tmp_path: Path, environ: Mapping[str, str], word: str, events: list[Any], only: str = ONE
) -> Envelope:
    write_package(
        tmp_path / "loom-processes", only, last="only", name="inner", flow="InnerFlow", tools=SAYING
    )
    outer = write_package(tmp_path, OUTER.replace("GATE", GATE), last="last", name="outer")
    call = Call(str(outer), {"word": word}, transport="local", workspace=tmp_path)
    return carry_out(call, environ=environ, on_event=events.append)


def test_a_gate_that_does_not_hold_names_the_stage_and_says_what_the_run_before_said(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    answer = run(tmp_path, environ, "shut", [])
    assert (answer.verdict, answer.exit_code) == ("BLOCKED", 1)
    stages = [{"verb": "inner", "pathspec": "InnerFlow/1", "verdict": "OK"}]
    assert answer.summary == {"stages": stages, "failed_stage": "inner"}
    assert [reason["what"] for reason in answer.reasons] == ["it is so"]
    assert answer.next == ("loom runs",)


def test_a_stage_that_fails_is_the_one_that_is_named(tmp_path: Path, environ: dict[str, str]) -> None:
    failing = "- {id: only, description: Say it., run: {tool: say, args: {fail: true}}}"
    answer = run(tmp_path, environ, "open", [], failing)
    assert (answer.ended, answer.exit_code) == ("error", 2)
    assert answer.summary is not None
    assert answer.summary["failed_stage"] == "inner"


def test_runs_inside_another_that_no_engine_keeps_have_numbers_to_refer_to(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    answer = run(tmp_path, environ, "open", [])
    assert answer.summary is not None
    assert answer.summary["said"] == "InnerFlow/2"


def test_how_far_a_run_inside_is_shows_at_the_phase_it_is(tmp_path: Path, environ: dict[str, str]) -> None:
    events: list[Mapping[str, Any]] = []
    run(tmp_path, environ, "open", events)
    told = [(event["phase"], event["text"]) for event in events if event["kind"] == "progress"]
    assert told[:2] == [("inside", "only"), ("inside", "half of open")]
    assert all(event["run"] == events[0]["run"] for event in events), "it is told as the run's own"
