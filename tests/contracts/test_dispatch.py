"""One package, every transport: the same results, the same events, the same files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loom.app.call import Call, Transport
from loom.app.envelope import Envelope
from loom.app.run import carry_out
from tests.packages import DIAMOND, WITH_MARK, write_package

VOLATILE = {"schema_version", "seq", "at", "run", "seconds", "pathspec", "experiment_id"}
OF_ONE_TRANSPORT = {"run_located"}


@dataclass
class Ran:
    """A run, and everything it left."""

    answer: Envelope
    events: list[dict[str, Any]]
    files: dict[str, bytes]
    marks: list[str]

    @property
    def said(self) -> list[str]:
        """The events without what differs from run to run, in no order: phases side by side have none."""
        kept = [
            {key: value for key, value in event.items() if key not in VOLATILE}
            for event in self.events
            if event["kind"] not in OF_ONE_TRANSPORT
        ]
        return sorted(map(repr, kept))


def run(folder: Path, package: Path, transport: Transport, inputs: Mapping[str, Any]) -> Ran:
    home = folder / f"home-{transport}"
    environ = {**_plain_environment(), "LOOM_HOME": str(home)}
    events: list[dict[str, Any]] = []
    mark = folder / f"marks-{transport}"
    given = {**inputs, **({"mark": str(mark)} if "mark" in (package / "process.yaml").read_text() else {})}
    call = Call(str(package), given, transport=transport, workspace=folder, experiment_id="loom-aaaaaa")
    answer = carry_out(call, environ=environ, on_event=lambda event: events.append(dict(event)))
    work = next(iter((home / "runs").iterdir())) / "workspace"
    files = {str(p.relative_to(work)): p.read_bytes() for p in sorted(work.rglob("*")) if p.is_file()}
    # the place of the marks is the one input that has to differ
    said = [eval(repr(event).replace(str(mark), "MARKS")) for event in events]
    return Ran(answer, said, files, sorted(mark.read_text().splitlines()) if mark.exists() else [])


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("METAFLOW_", "LOOM_"))}


BLOCKED = """
- {id: first, description: Begin., run: {tool: say, args: {word: 3, mark: '${inputs.mark}'}}}
- id: gated
  description: Only when the word is larger.
  depends_on: [first]
  require: [{phase: first, field: data.said, operator: gt, value: 5}]
  run: {tool: say, args: {word: never, mark: '${inputs.mark}'}}
- {id: beside, description: Goes on., depends_on: [first], run: {tool: say, args: {word: on, mark: '${inputs.mark}'}}}
- {id: last, description: End., depends_on: [gated, beside], run: {tool: say, args: {word: end, mark: '${inputs.mark}'}}}
"""

FAILING = """
- {id: first, description: Begin., run: {tool: say, args: {word: a, fail: now, mark: '${inputs.mark}'}}}
- {id: last, description: End., depends_on: [first], run: {tool: say, args: {word: end, mark: '${inputs.mark}'}}}
"""

RETRIED = """
- id: only
  description: Never works, and is tried again.
  run: {tool: say, args: {word: a, fail: io, mark: '${inputs.mark}'}}
  retries: 2
"""

EACH = """
- id: each
  description: Once per word.
  for_each: "${inputs.words}"
  run: {tool: say, args: {word: '${item}', mark: '${inputs.mark}'}}
- id: last
  description: All.
  depends_on: [each]
  run: {tool: say, args: {word: '${phases.each.data}', mark: '${inputs.mark}'}}
"""
WORDS = "{words: {type: text, repeat: true}, mark: {type: text, required: true}}"

CASES: dict[str, tuple[str, str, dict[str, Any], str, int]] = {
    "diamond": (DIAMOND, WITH_MARK, {"word": "hi"}, "ok", 4),
    "blocked": (BLOCKED, WITH_MARK, {}, "blocked", 2),
    "failing": (FAILING, WITH_MARK, {}, "error", 1),
    "retried": (RETRIED, WITH_MARK, {}, "error", 3),
    "for-each-of-three": (EACH, WORDS, {"words": ["a", "b", "c"]}, "ok", 4),
    "for-each-of-none": (EACH, WORDS, {}, "ok", 1),
}


@pytest.mark.parametrize("case", CASES)
def test_every_transport_gives_the_same_results_events_and_files(case: str, tmp_path: Path) -> None:
    phases, inputs, given, ended, calls = CASES[case]
    last = "only" if "id: only" in phases else "last"
    package = write_package(tmp_path, phases, inputs=inputs, last=last)
    local = run(tmp_path, package, "local", given)
    flow = run(tmp_path, package, "metaflow", given)
    assert (local.answer.ended, flow.answer.ended) == (ended, ended), flow.answer
    assert local.answer.exit_code == flow.answer.exit_code
    assert len(local.marks) == calls
    assert flow.marks == local.marks
    assert flow.files == local.files
    assert flow.said == local.said
    assert _told(flow.answer) == _told(local.answer)
    assert flow.answer.pathspec == "ProbeFlow/1"


def _told(answer: Envelope) -> dict[str, Any]:
    told = answer.as_json()
    for name in ("pathspec", "run", "card_path"):
        del told[name]

    told["next"] = []
    del told["gate"]["plan"]  # it names the file of the marks
    if told["error"]:
        told["error"] = {**told["error"], "fix": ""}
    return told
