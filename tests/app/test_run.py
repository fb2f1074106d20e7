"""From a call to its answer, in one process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loom.app.call import Call
from loom.app.envelope import Envelope
from loom.app.run import carry_out, preview
from loom.kernel.errors import LoomError
from loom.runtime.journal import Journal
from tests.packages import DIAMOND, ONE, TOOLS, WITH_MARK, write_package

SPENDING = TOOLS.replace('frozenset({"reads", "writes"})', 'frozenset({"spend"})')
SENDING = TOOLS.replace('frozenset({"reads", "writes"})', 'frozenset({"external"})')


class Answering:
    """A person at a terminal."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer
        self.shown: list[str] = []

    def confirm(self, text: str) -> bool:
        self.shown.append(text)
        return self.answer


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"LOOM_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}


def run(
    package: Path, environ: Mapping[str, str], inputs: Mapping[str, Any] | None = None, **more: Any
) -> Envelope:
    asker = more.pop("asker", None)
    call = Call(str(package), inputs or {}, transport="local", workspace=package.parent, **more)
    return carry_out(call, environ=environ, asker=asker)


def test_the_answer_has_the_verdict_and_the_summary_the_package_declares(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    answer = run(write_package(tmp_path, ONE, last="only"), environ, {"word": "hi"})
    assert (answer.verdict, answer.summary, answer.exit_code) == ("OK", {"said": "hi"}, 0)


def test_a_verdict_that_is_not_acceptable_exits_1(tmp_path: Path, environ: dict[str, str]) -> None:
    phases = ONE.replace("word: '${inputs.word}'", "word: x, verdict: FAIL")
    answer = run(write_package(tmp_path, phases, last="only"), environ)
    assert (answer.status, answer.verdict, answer.exit_code) == ("ok", "FAIL", 1)


def test_a_verdict_nobody_declared_is_an_error(tmp_path: Path, environ: dict[str, str]) -> None:
    phases = ONE.replace("word: '${inputs.word}'", "word: x, verdict: SPLENDID")
    answer = run(write_package(tmp_path, phases, last="only"), environ)
    assert answer.exit_code == 2
    assert answer.error is not None
    assert "SPLENDID" in answer.error["why"]


def test_a_summary_that_does_not_fit_its_schema_is_an_error(tmp_path: Path, environ: dict[str, str]) -> None:
    package = write_package(tmp_path, ONE, last="only")
    file = package / "process.yaml"
    file.write_text(file.read_text().replace("required: [said]", "required: [said, rows]"))
    answer = run(package, environ)
    assert answer.exit_code == 2
    assert answer.error is not None
    assert "rows" in answer.error["why"]


def test_the_journal_knows_what_ran_with_what_and_how_it_ended(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    package = write_package(tmp_path, DIAMOND, inputs=WITH_MARK, last="last")
    answer = run(package, environ, {"mark": str(tmp_path / "marks")})
    journal = Journal(tmp_path / "home" / "journal.db")
    found = journal.find("last")
    assert found.run_id == answer.run
    assert (found.process, found.status, found.verdict) == ("probe", "ok", "OK")
    assert found.document["request"]["inputs"]["word"] == "hello"
    kinds = [event.kind for event in journal.events(found.run_id)]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"
    assert kinds.count("phase_finished") == 4
    assert len(journal.done(found.run_id)) == 4
    journal.close()


def test_a_verb_without_a_flow_leaves_nothing_behind(tmp_path: Path, environ: dict[str, str]) -> None:
    answer = run(write_package(tmp_path, ONE, last="only", flow=None), environ)
    assert answer.exit_code == 0
    assert answer.run is None
    assert not (tmp_path / "home").exists()


def test_a_process_inside_a_process_hands_over_its_verdict_summary_and_pathspec(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    processes = tmp_path / "loom-processes"
    write_package(processes, ONE, last="only", name="inner", flow="InnerFlow")
    phases = """
- {id: inside, description: Run it., run: {process: inner, args: {word: "${inputs.word}"}}}
- id: last
  description: Say what it said.
  depends_on: [inside]
  require: [{phase: inside, field: verdict, operator: eq, value: OK}]
  run: {tool: say, args: {word: "${phases.inside.summary.said}"}}
"""
    outer = write_package(processes, phases, last="last", name="outer")
    call = Call(str(outer), {"word": "deep"}, transport="local", workspace=tmp_path)
    answer = carry_out(call, environ=environ)
    assert answer.summary is not None
    assert answer.summary["said"] == "deep"
    journal = Journal(tmp_path / "home" / "journal.db")
    runs = {record.process: record for record in journal.runs()}
    assert runs["inner"].document["parent"] == runs["outer"].run_id
    assert runs["inner"].experiment_id == runs["outer"].experiment_id
    journal.close()


def test_what_a_process_inside_is_given_decides_how_far_the_one_around_it_goes(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    processes = tmp_path / "loom-processes"
    reading = TOOLS.replace('frozenset({"reads", "writes"})', 'frozenset({"reads"})')
    inputs = "{word: {type: text, default: x}, keep: {type: flag, raises_tier: workspace-write}}"
    made = write_package(
        processes, ONE, last="only", name="inner", inputs=inputs, tier="read-only", tools=reading
    )
    assert made.is_dir()
    phases = """
- {id: inside, description: Run it., run: {process: inner, args: {keep: true}}}
- {id: last, description: End., depends_on: [inside], run: {tool: say, args: {word: done}}}
"""
    outer = write_package(processes, phases, last="last", name="outer", tier="read-only", tools=reading)
    would = preview(Call(str(outer), transport="local", workspace=tmp_path), environ=environ)
    assert would["tier"] == "workspace-write"
    answer = carry_out(Call(str(outer), transport="local", workspace=tmp_path), environ=environ)
    assert (answer.ended, answer.exit_code) == ("ok", 0)


def test_a_process_that_would_run_itself_does_not_start(tmp_path: Path, environ: dict[str, str]) -> None:
    processes = tmp_path / "loom-processes"
    for name, other in (("ping", "pong"), ("pong", "ping")):
        phases = f"- {{id: only, description: Again., run: {{process: {other}}}}}"
        write_package(processes, phases, last="only", name=name)
    call = Call("ping", {}, transport="local", workspace=tmp_path)
    with pytest.raises(LoomError, match="run itself without end"):
        carry_out(call, environ=environ)


def test_a_verb_whose_tools_are_not_there_says_so_before_anything_happens(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    package = write_package(tmp_path, ONE.replace("tool: say", "tool: probe_missing"), last="only")
    with pytest.raises(LoomError) as refused:
        run(package, environ)
    assert "not built yet" in refused.value.what
    assert "probe_missing" in refused.value.why
    assert not (tmp_path / "home" / "runs").exists()


def test_a_phase_for_a_model_is_refused_by_name(tmp_path: Path, environ: dict[str, str]) -> None:
    package = write_package(tmp_path, f"- {{id: think, description: Think.}}\n{ONE}", last="only")
    with pytest.raises(LoomError, match="think"):
        run(package, environ)


def test_money_is_spent_only_after_a_person_said_so(tmp_path: Path, environ: dict[str, str]) -> None:
    package = write_package(tmp_path, ONE, last="only", tools=SPENDING, tier="read-only")
    with pytest.raises(LoomError, match="--confirm"):
        run(package, environ)
    nobody, somebody = Answering(False), Answering(True)
    with pytest.raises(LoomError, match="the answer was no"):
        run(package, environ, asker=nobody)
    assert run(package, environ, asker=somebody).exit_code == 0
    assert "expensive" in somebody.shown[0]
    digest = preview(Call(str(package), workspace=tmp_path), environ=environ)["digest"]
    assert run(package, environ, confirm=digest).exit_code == 0
    with pytest.raises(LoomError, match="another plan"):
        run(package, environ, {"word": "else"}, confirm=digest)


@pytest.mark.parametrize("caller", ["agent", "package"])
def test_an_agent_cannot_confirm_what_only_a_person_may(
    caller: str, tmp_path: Path, environ: dict[str, str]
) -> None:
    package = write_package(tmp_path, ONE, last="only", tools=SENDING)
    digest = preview(Call(str(package), workspace=tmp_path), environ=environ)["digest"]
    with pytest.raises(LoomError, match="only a person"):
        run(package, environ, confirm=digest, caller=caller)


def test_a_tool_that_turns_out_to_go_further_than_was_agreed_is_stopped(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    # what it does depends on an argument that only an earlier phase decides
    tools = TOOLS.replace(
        '    effects = frozenset({"reads", "writes"})\n',
        '    effects = frozenset({"reads", "writes", "external"})\n'
        "    def effects_of(self, args):\n"
        '        return self.effects if args.get("word") == "send" else frozenset({"reads"})\n',
    )
    phases = """
- {id: first, description: Decide., run: {tool: say, args: {word: se}}}
- {id: only, description: Act., depends_on: [first], run: {tool: say, args: {word: "${phases.first.data.said}nd"}}}
"""
    answer = run(write_package(tmp_path, phases, last="only", tools=tools), environ)
    assert (answer.ended, answer.verdict, answer.exit_code) == ("refused", "REFUSED", 1)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "file").write_text("")
    package = write_package(tmp_path, ONE, last="only")
    with pytest.raises(LoomError) as refused:
        run(package, {**environ, "LOOM_HOME": str(tmp_path / "file" / "home")})
    assert str(tmp_path / "file" / "home") in str(refused.value)


def test_a_run_that_has_finished_is_not_resumed(tmp_path: Path, environ: dict[str, str]) -> None:
    package = write_package(tmp_path, ONE, last="only")
    answer = run(package, environ)
    with pytest.raises(LoomError, match="has finished"):
        run(package, environ, resume=answer.run)
    with pytest.raises(LoomError, match="there is no run"):
        run(package, environ, resume="ProbeFlow/99")


def test_a_preview_changes_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    package = write_package(tmp_path, DIAMOND, inputs=WITH_MARK, last="last")
    shown = preview(Call(str(package), {"mark": "m"}, workspace=tmp_path), environ=environ)
    assert [phase["id"] for phase in shown["phases"]] == ["first", "left", "right", "last"]
    assert shown["tier"] == "workspace-write"
    assert not (tmp_path / "home").exists()
