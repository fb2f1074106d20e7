"""Cards of runs: stored by the task that made them, found by Metaflow's own client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from loom.flows.dispatch import MetaflowDispatcher
from loom.settings.engine import engine_environment
from tests.flows.building import clean_environ, phases, planned, prepared

FLOW = """\
from metaflow import FlowSpec, card, step


class CardFlow(FlowSpec):
    @card(type="loom")
    @step
    def only(self):
        self.loom_card = {"envelope": {"VERDICT": "PASS", "verb": "<example>"}, "phases": []}


if __name__ == "__main__":
    CardFlow()
"""
CLIENT = """\
import json, sys
from metaflow import Run, namespace
from metaflow.cards import get_cards
namespace(None)
task = next(iter(next(iter(Run(sys.argv[1])))))
print(json.dumps([[card.type, card.get()] for card in get_cards(task)]))
"""


def cards_of(pathspec: str, environ: dict[str, str], home: Path) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, pathspec], env=environ, cwd=home.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_the_card_of_a_run_lies_where_the_client_finds_it(tmp_path: Path) -> None:
    run = prepared(
        tmp_path,
        planned(phases({"a": [], "b": ["a"], "c": ["a"], "only": ["b", "c"]})),
        {"run": {"card": True}},
    )
    # the last step follows a join; a flow of one step is looked at with the object store
    environ = clean_environ(tmp_path)
    done = MetaflowDispatcher(run.home, environ).dispatch(run, lambda kind, body: None)
    assert done.card_path is not None and done.card_path.read_text() == "<p>stored by the task itself</p>"
    assert done.card_path.is_relative_to(run.home / ".metaflow" / "mf.cards" / "ExampleFlow" / "runs" / "1")
    assert done.pathspec is not None
    embedded = {**environ, **engine_environment(run.home, environ)}
    assert cards_of(done.pathspec, embedded, run.home) == [["loom", "<p>stored by the task itself</p>"]]


def test_a_flow_written_by_hand_may_use_the_type_of_card(tmp_path: Path) -> None:
    environ = clean_environ(tmp_path)
    embedded = {**environ, **engine_environment(tmp_path, environ)}
    flow = tmp_path / "card_flow.py"
    flow.write_text(FLOW)
    run = [sys.executable, str(flow), "--quiet", "run", "--run-id-file", str(tmp_path / "id")]
    done = subprocess.run(run, env=embedded, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    ((kind, html),) = cards_of(f"CardFlow/{(tmp_path / 'id').read_text()}", embedded, tmp_path)
    assert kind == "loom" and "PASS" in html and "loom &lt;example&gt;" in html
