"""What the steps of a compiled flow call, played from a script: `script.json` in the run's folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from loom.flows.cards import store_card
from loom.runtime.outcome import PhaseOutcome, of_items
from loom.runtime.tasks import TaskFolder, task_name

NOTHING = "nothing to do"


def begin(flow):
    flow.loom_done = {}
    flow.loom_seen = {name: getattr(flow, name) for name, _ in flow._get_parameters()}
    _note("begin", flow.loom_seen)


def perform(flow, phase):
    act = _script().get(phase, {})
    item = flow.index if "items" in act else None
    name = task_name(phase, item)
    _note("started", {"phase": name, "pid": os.getpid(), "cwd": str(Path.cwd())}, name)
    print(f"performing {name}", flush=True)
    marker = _folder().path / f"{name}.tried"
    if "dies" in act and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), getattr(signal, act["dies"]))
    if "raises" in act:
        raise RuntimeError(act["raises"])
    if "leaves" in act:
        subprocess.Popen([sys.executable, "-c", act["leaves"]])
    if "waits_for" in act:
        deadline = time.monotonic() + 60
        while not Path(act["waits_for"]).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    data = {"input": flow.input if item is not None else None, **act.get("data", {})}
    data["environ"] = {name: os.environ.get(name) for name in act.get("environ", [])}
    outcome = PhaseOutcome(phase, act.get("status", "accepted"), data=data, attempts=1)
    _folder().keep(name, "digest", outcome)
    flow.loom_done = {**flow.loom_done, name: outcome.as_json()}
    _note("finished", {"phase": name}, name)


def items(flow, phase):
    return _script().get(phase, {}).get("items") or [NOTHING]


def join(flow, inputs):
    flow.loom_done = {name: done for each in inputs for name, done in each.loom_done.items()}
    for phase, act in _script().items():
        if "items" in act:
            parts = [flow.loom_done[name] for name in sorted(flow.loom_done) if name.startswith(f"{phase}.")]
            if len(parts) == len(act["items"] or [NOTHING]):
                whole = of_items(phase, tuple(PhaseOutcome.from_json(part) for part in parts))
                _folder().keep(phase, "digest", whole)


def finish(flow):
    flow.loom_card = {"envelope": {"VERDICT": "OK", "verb": "example"}, "phases": []}
    card = (
        store_card(flow, "<p>stored by the task itself</p>") if _script().get("run", {}).get("card") else None
    )
    _note("finish", {"done": sorted(flow.loom_done), "card": str(card)})


def _folder():
    return TaskFolder(Path(os.environ["LOOM_RUN_FOLDER"]) / "tasks")


def _script():
    file = Path(os.environ["LOOM_RUN_FOLDER"]) / "script.json"
    return json.loads(file.read_text()) if file.exists() else {}


def _note(kind, body, name="run"):
    _folder().append(name, kind, body)
