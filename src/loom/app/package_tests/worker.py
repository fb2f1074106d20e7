"""Carries one case out, in the process that belongs to it, and leaves behind what it came to."""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loom.app.call import Call
from loom.app.envelope import Envelope
from loom.app.package_tests.faults import Faults
from loom.app.package_tests.place import Place, Task
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.runtime.approval import NotApprovedError
from loom.tools.context import NotPermittedError

CarryOut = Callable[..., Envelope]
_KEPT = ("kind", "phase", "item", "gate", "passed", "status")


def main(folder: Path, is_ready: Callable[[], object]) -> None:
    """Carry out the task of a folder, and leave its result and its events there."""
    place = Place(folder)
    task = place.task()
    module, _, name = task.carry_out.partition(":")
    carry_out: CarryOut = getattr(importlib.import_module(module), name)
    is_ready()
    result = carry_out_case(task, place, carry_out)
    write_atomically(place.result, json.dumps(result, default=str).encode())


def carry_out_case(task: Task, place: Place, carry_out: CarryOut) -> dict[str, Any]:
    """What a case came to: how its run ended, or what kept it from being set up; and the faults that came about."""
    faults = Faults(task.case.faults if task.case.mode == "deterministic" else ())
    call = Call(
        package=task.package,
        inputs=task.case.inputs,
        goal=task.case.goal,
        transport="local",
        workspace=place.workspace,
    )
    try:
        _register(task, place)
    except LoomError as error:
        return {"envelope": None, "error": _words(error), "seconds": 0.0, "fired": []}
    watch = _Watcher(place)
    begun = time.monotonic()
    try:
        envelope = carry_out(call, environ=dict(os.environ), on_event=watch, asker=None, faults=faults)
    # a call that is turned down before anything has run is an ending like others
    except (NotApprovedError, NotPermittedError) as error:
        envelope = Envelope(task.package.name, "REFUSED", False, error=_words(error), ended="refused")
    except LoomError as error:
        envelope = Envelope(task.package.name, "ERROR", False, error=_words(error), ended="error")
    seconds = time.monotonic() - begun
    return {"envelope": plain(envelope), "error": None, "seconds": seconds, "fired": sorted(faults.fired)}


def plain(envelope: Envelope) -> dict[str, Any]:
    """All that a judge wants to know of a run: what is printed, and how each phase ended."""
    return envelope.as_json() | {
        "ended": envelope.ended,
        "is_acceptable": envelope.is_acceptable,
        "phases": [dict(phase) for phase in envelope.phases],
    }


def _words(error: LoomError | NotPermittedError) -> dict[str, str]:
    if isinstance(error, LoomError):
        return {"what": error.what, "why": error.why, "fix": error.fix}
    return {"what": "the call is not permitted", "why": str(error), "fix": ""}


def _register(task: Task, place: Place) -> None:
    if not task.objects and not task.runs:
        return
    # reading data takes libraries that most packages do not need
    shelf = importlib.import_module("loom.app.package_tests.shelf")
    shelf.register(task.objects, place)
    shelf.write_down(task.runs, task.package, place)


class _Watcher:
    """Keeps the events of a run, one line each, so that they outlive the process."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._handle = os.open(place.events, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, event: Mapping[str, Any]) -> None:
        kept = {key: event[key] for key in _KEPT if key in event}
        # in one write, so that lines of several threads never mix
        os.write(self._handle, (json.dumps(kept, default=str) + "\n").encode())
        if event.get("kind") == "run_finished":
            # a run that is not written down takes its files along when it ends
            self._place.save_files()
