"""What the steps of a compiled flow call. The same work as in one process, with Metaflow around it.

A flow that Loom starts finds its request in a folder; one that is started by hand makes its own from its
parameters. Whatever travels from step to step is an artifact, so that a step may run on another machine.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

from loom.app.approving import approve, approver_of
from loom.app.beginning import REQUEST
from loom.app.call import Call
from loom.app.conclude import conclude, kept_by
from loom.app.envelope import Envelope
from loom.app.prepare import Prepared, prepare, prepared_from
from loom.app.record import LOCATED
from loom.app.run import carry_out
from loom.app.services import Services
from loom.app.workshop import Workshop
from loom.flows.cards import store_card
from loom.flows.dispatch import CARD
from loom.flows.parameters import GOAL, INPUTS, parameters_of
from loom.kernel.errors import LoomError
from loom.process.loader import ProcessLoader
from loom.process.plan import plan
from loom.render.html.page import card_html
from loom.runtime.dispatch import TASKS, Dispatched, PreparedRun, RunRequest
from loom.runtime.grants import Clearance
from loom.runtime.lookup import NothingThereError
from loom.runtime.outcome import PhaseOutcome, by_phase
from loom.runtime.phases import Phases
from loom.runtime.run_machine import blocked_by
from loom.runtime.tasks import TaskFolder, task_name
from loom.settings.layers import loom_home

RUN_FOLDER = "LOOM_RUN_FOLDER"
NOTHING = "loom: nothing to do"
"""Stands for the item of a `for_each` that has none: Metaflow cannot split into nothing."""

EXIT_WITHOUT_RETRY = 202
_LIBRARIES = ("loom", "metaflow", "polars", "pyarrow", "pandas", "numpy", "scikit-learn", "lightgbm")


def begin(flow: Any) -> None:
    """Settle what the run is: its request, and under which declaration and policy it runs."""
    request = _request(flow)
    prepared = _prepared(replace(request, process=_process_of(flow)))
    process = prepared.process
    flow.loom_request = request.as_json()
    flow.loom_outcomes = {}
    flow.loom_events = []
    flow.loom_files = {}
    flow.loom_process = {
        "name": process.name,
        "version": process.version,
        "digest": request.digest,
        "declaration": prepared.package.source.text,
        "risk": process.risk,
        "policy": {name: asdict(value) for name, value in process.policy.items()},
    }
    if RUN_FOLDER in os.environ:
        TaskFolder(Path(os.environ[RUN_FOLDER]) / TASKS).append("run", LOCATED, {"pathspec": _pathspec()})
    flow.loom_libraries = {name: found for name in _LIBRARIES if (found := _version(name))}


def perform(flow: Any, phase: str) -> None:
    """Carry a phase out, or its one item this task was given; what became of it is an artifact."""
    task = _Task.of(flow)
    step = task.prepared.plan.step(phase)
    outcomes = task.outcomes
    statuses = {name: outcome.status for name, outcome in outcomes.items()}
    broken = blocked_by(step.phase.depends_on, statuses)
    stopped = TaskFolder(task.run.tasks).stopped_by()
    if broken is not None or stopped is not None:
        name, outcome = (
            phase,
            task.phases.not_run(phase, "blocked" if broken else "cancelled", broken or stopped or ""),
        )
    elif step.phase.for_each:
        if flow.input == NOTHING:
            name, outcome = phase, task.phases.carry_out(phase, outcomes)
        else:
            name = task_name(phase, flow.index)
            outcome = task.phases.carry_out_item(phase, outcomes, list(flow.loom_items), flow.index)
    else:
        name, outcome = phase, task.phases.carry_out(phase, outcomes)
    if step.phase.is_critical_path and not outcome.is_good:
        TaskFolder(task.run.tasks).stop(phase)
    flow.loom_outcomes = {**flow.loom_outcomes, name: outcome.as_json()}
    task.leave(flow, outcome)


def items(flow: Any, phase: str) -> list[Any]:
    """What the next step goes over."""
    task = _Task.of(flow)
    outcomes = task.outcomes
    after = task.prepared.plan.step(phase).phase.depends_on
    statuses = {name: outcome.status for name, outcome in outcomes.items()}
    if blocked_by(after, statuses) is not None:
        return [NOTHING]
    try:
        return task.phases.items(phase, outcomes) or [NOTHING]
    except NothingThereError:
        return [NOTHING]


def join(flow: Any, inputs: Any) -> None:
    """Bring the branches together: outcomes by phase, the items of a `for_each` as one outcome."""
    branches = list(inputs)
    first = branches[0]
    for name in ("loom_request", "loom_process", "loom_libraries"):
        setattr(flow, name, getattr(first, name))
    merged: dict[str, Any] = {}
    for branch in branches:
        merged |= branch.loom_outcomes
    flow.loom_outcomes = _folded(merged)
    flow.loom_events = [event for branch in branches for event in branch.loom_events]
    flow.loom_files = {name: file for branch in branches for name, file in branch.loom_files.items()}


def finish(flow: Any) -> None:
    """Conclude the run: its verdict and summary, the data objects it made, its card."""
    task = _Task.of(flow)
    outcomes = task.outcomes
    done = Dispatched(outcomes, task.pathspec)
    answer = conclude(task.prepared.plan, task.request, done, command=task.prepared.command)
    answer = replace(answer, run=task.request.key)
    flow.verdict, flow.status = answer.verdict, answer.status
    flow.summary = dict(answer.summary) if answer.summary is not None else None
    flow.reasons, flow.next_commands = list(answer.reasons), list(answer.next)
    _show(flow, answer)
    if answer.ended in ("error", "failed", "interrupted"):
        _say(answer)
        # Metaflow would carry the step out again, and what failed is settled
        sys.exit(EXIT_WITHOUT_RETRY)
    made = [key for outcome in outcomes.values() for key in outcome.data_objects]
    if made:
        # most flows make none, and the libraries behind it take longer to import than a step takes
        artifacts_of = importlib.import_module("loom.dataio.artifacts").artifacts_of
        for key in made:
            for name, value in artifacts_of(key, task.services["blobs"]).items():
                setattr(flow, name, value)
    if kept := kept_by(outcomes):
        from_record = importlib.import_module("loom.dataio.files").from_record
        for name, record in kept.items():
            if hasattr(flow, name):
                raise ValueError(f"a file cannot be kept as {name}: the flow has something of that name")
            setattr(flow, name, from_record(record, task.services["blobs"]))


@dataclass(frozen=True, slots=True)
class _Task:
    """One task of a flow: the run it belongs to, and where it stands."""

    request: RunRequest
    prepared: Prepared
    run: PreparedRun
    phases: Phases
    pathspec: str
    services: Services
    outcomes: dict[str, PhaseOutcome]
    events: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, flow: Any) -> _Task:
        """The task this process carries out."""
        request = replace(RunRequest.from_json(flow.loom_request), process=_process_of(flow))
        prepared = _prepared(request)
        pathspec = _pathspec()
        home = loom_home(os.environ)
        run = PreparedRun(request, prepared.plan, _folder(flow), home)
        run.workspace.mkdir(parents=True, exist_ok=True)
        for name, content in flow.loom_files.items():
            path = run.workspace / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        events: list[dict[str, Any]] = []
        folder = TaskFolder(run.tasks)

        def tell(task: str, kind: str, body: Mapping[str, Any]) -> None:
            if RUN_FOLDER in os.environ:
                folder.append(task, kind, body)
            else:
                events.append({"task": task, "kind": kind, "body": dict(body)})

        shop = _workshop(prepared, request)
        phases = shop.phases(run, tell, pathspec=pathspec)
        left = {name: PhaseOutcome.from_json(each) for name, each in flow.loom_outcomes.items()}
        outcomes = by_phase(left)
        return cls(request, prepared, run, phases, pathspec, shop.services(run, pathspec), outcomes, events)

    def leave(self, flow: Any, outcome: PhaseOutcome) -> None:
        """Leave what another machine would not find: events, and files of the workspace."""
        if RUN_FOLDER in os.environ:
            return
        flow.loom_events = [*flow.loom_events, *self.events]
        files = dict(flow.loom_files)
        for name in outcome.deliverables:
            with suppress(OSError):
                files[name] = (self.run.workspace / name).read_bytes()
        flow.loom_files = files


def _pathspec() -> str:
    current = sys.modules["metaflow"].current
    return f"{current.flow_name}/{current.run_id}"


def _request(flow: Any) -> RunRequest:
    """The request that Loom left, or the one that this flow's parameters make."""
    left = os.environ.get(RUN_FOLDER)
    if left:
        return RunRequest.from_json(json.loads((Path(left) / REQUEST).read_bytes()))
    named = _process_of(flow)
    loader = ProcessLoader(home=loom_home(os.environ))
    planned = plan(loader.load(named).package)
    parameters = parameters_of(planned)
    given = {each.input: getattr(flow, each.name) for each in parameters if each.input is not None}
    given |= dict(getattr(flow, INPUTS, None) or {})
    call = Call(
        named,
        {name: value for name, value in given.items() if value is not None},
        goal=str(getattr(flow, GOAL, "") or ""),
        command=("python", *sys.argv),
    )
    prepared = prepare(call, os.environ, key=f"run-{secrets.token_hex(5)}")
    approver = approver_of(prepared.home, prepared.settings)
    _, _, clearance = approve(prepared, call, approver, loader, None)
    return replace(prepared.request, clearance=clearance.token())


def _process_of(flow: Any) -> str:
    """What the flow says it runs; a package that lies beside the flow is found there, on whatever machine."""
    constants = vars(sys.modules[type(flow).__module__])
    named = str(constants["PROCESS"])
    return str((Path(constants["__file__"]).parent / named).resolve()) if named.startswith(".") else named


def _prepared(request: RunRequest) -> Prepared:
    return _loaded(json.dumps(request.as_json()))


@cache
def _loaded(request: str) -> Prepared:
    return prepared_from(RunRequest.from_json(json.loads(request)), os.environ)


def _workshop(prepared: Prepared, request: RunRequest) -> Workshop:
    approver = approver_of(prepared.home)
    clearance: Clearance = approver.admit(request.clearance, request.key)
    return Workshop(
        prepared,
        os.environ,
        "metaflow",
        partial(approver.permit_call, clearance=clearance, run_id=request.key),
        partial(carry_out, environ=os.environ),
    )


def _folder(flow: Any) -> Path:
    left = os.environ.get(RUN_FOLDER)
    return Path(left) if left else Path(tempfile.mkdtemp(prefix="loom-step-"))


def _folded(outcomes: Mapping[str, Any]) -> dict[str, Any]:
    found = by_phase({name: PhaseOutcome.from_json(each) for name, each in outcomes.items()})
    return {phase: outcome.as_json() for phase, outcome in found.items()}


def _show(flow: Any, answer: Envelope) -> None:
    """Leave the run's card: for Metaflow, and beside the run where Metaflow keeps its cards elsewhere."""
    phases = [{key: value for key, value in phase.items() if key != "data"} for phase in answer.phases]
    flow.loom_card = {"envelope": answer.as_json(), "phases": phases, "card": answer.card}
    html = card_html(answer.as_json(), phases, answer.card)
    stored = store_card(flow, html)
    left = os.environ.get(RUN_FOLDER)
    if stored is None and left:
        (Path(left) / CARD).write_text(html, encoding="utf-8")


def _say(answer: Envelope) -> None:
    error = answer.error or {}
    print(LoomError(error.get("what", ""), error.get("why", ""), error.get("fix", "")), file=sys.stderr)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
