"""What a run has shown is what another one may carry out, and a gate speaks with the words of what it looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loom.app.call import Call
from loom.app.envelope import Envelope
from loom.app.run import carry_out, preview
from loom.runtime.approval import NotApprovedError
from tests.packages import ONE, TOOLS, write_package

SHOWING = TOOLS.replace(
    'data = {"said": word, "verdict": args.get("verdict", "OK")}',
    "import hashlib\n"
    '        digest = "sha256:" + hashlib.sha256(str(word).encode()).hexdigest()\n'
    '        data = {"said": ctx.services["staged"], "digest": digest, "verdict": "OK"}',
)
INPUTS = "{word: {type: text, default: hello}, send: {type: flag, raises_tier: irreversible}}"


def digest(word: str) -> str:
    return "sha256:" + hashlib.sha256(word.encode()).hexdigest()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A verb that shows what it would send by a digest."""
    made = write_package(tmp_path, ONE, last="only", inputs=INPUTS, tools=SHOWING)
    file = made / "process.yaml"
    file.write_text(file.read_text().replace("required: [said]", "required: [said, digest]"))
    return made


def call(package: Path, inputs: Mapping[str, Any], **more: Any) -> Call:
    words = ["loom", "probe", *(f"--{name}={value}" for name, value in inputs.items() if value is not True)]
    words += [f"--{name}" for name, value in inputs.items() if value is True]
    return Call(
        str(package), inputs, transport="local", workspace=package.parent, command=tuple(words), **more
    )


def run(package: Path, inputs: Mapping[str, Any], **more: Any) -> Envelope:
    environ = {
        "LOOM_HOME": str(package.parent / "home"),
        "HOME": str(package.parent),
        "PATH": "/usr/bin:/bin",
    }
    return carry_out(call(package, inputs, **more), environ=environ)


def test_what_nobody_was_shown_is_not_carried_out(package: Path) -> None:
    with pytest.raises(NotApprovedError, match="has shown what would be done") as refused:
        run(package, {"word": "hi", "send": True}, confirm=digest("hi"))
    assert refused.value.fix == "to be shown it first: loom probe --word=hi"


def test_the_digest_that_was_shown_is_what_is_agreed_to_and_what_the_run_is_told(package: Path) -> None:
    assert (run(package, {"word": "hi"}).summary or {})["said"] == ""
    run(package, {"word": "other"})
    with pytest.raises(NotApprovedError, match="there is no terminal") as refused:
        run(package, {"word": "hi", "send": True})
    assert refused.value.fix.endswith(f"--confirm {digest('hi')[7:23]}")
    with pytest.raises(NotApprovedError, match="names another plan"):
        run(package, {"word": "hi", "send": True}, confirm=digest("other"))
    done = run(package, {"word": "hi", "send": True}, confirm=digest("hi")[7:30])
    assert (done.summary or {})["said"] == digest("hi")


def test_only_the_newest_run_with_the_same_inputs_counts(package: Path) -> None:
    run(package, {"word": "hi"})
    file = package / "tools" / "say.py"
    file.write_text(file.read_text().replace("str(word)", "('now ' + str(word))"))
    run(package, {"word": "hi"})
    with pytest.raises(NotApprovedError, match="names another plan"):
        run(package, {"word": "hi", "send": True}, confirm=digest("hi"))
    assert run(package, {"word": "hi", "send": True}, confirm=digest("now hi")).verdict == "OK"


def test_a_verb_that_shows_no_digest_is_agreed_to_by_its_plan(tmp_path: Path) -> None:
    package = write_package(tmp_path, ONE, last="only", inputs=INPUTS)
    environ = {"LOOM_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    plan = preview(call(package, {"send": True}), environ=environ)["digest"]
    assert run(package, {"send": True}, confirm=plan).verdict == "OK"


GATED = """
- {id: look, description: Look., run: {tool: say, args: {word: '${inputs.word}'}}}
- id: only
  description: Act.
  depends_on: [look]
  require: [{phase: look, field: data.verdict, operator: eq, value: PASS}]
  run: {tool: say, args: {word: '${phases.look.data.said}'}}
"""


@pytest.mark.parametrize(
    ("severity", "codes"), [("error", ["too_small"]), ("info", ["too_small", "require"])]
)
def test_a_gate_that_does_not_hold_says_why_in_the_words_of_what_it_looked_at(
    severity: str, codes: list[str], tmp_path: Path
) -> None:
    reason = {"code": "too_small", "severity": severity, "what": "it is too small"}
    said = f'data = {{"said": word, "verdict": "FAIL", "reasons": [{reason}], "next": ["loom runs"], "card": {{"numbers": []}}}}'
    tools = TOOLS.replace('data = {"said": word, "verdict": args.get("verdict", "OK")}', said)
    answer = run(write_package(tmp_path, GATED, last="only", tools=tools), {})
    assert (answer.status, answer.verdict, answer.exit_code) == ("blocked", "BLOCKED", 1)
    assert [each["code"] for each in answer.reasons] == codes
    assert answer.next == ("loom runs",)
    assert answer.card == {"numbers": []}


def test_a_gate_over_a_silent_result_speaks_for_itself(tmp_path: Path) -> None:
    answer = run(write_package(tmp_path, GATED, last="only"), {})
    assert [each["code"] for each in answer.reasons] == ["require"]
    assert answer.next == ()
