"""Runs a package: from a call to its answer. Everything that can go wrong before it starts is a LoomError."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from loom.app.approving import approve, approver_of, call_plan
from loom.app.beginning import begin, folder_of, opened, pathspecs_of
from loom.app.call import Asker, Call, OnEvent
from loom.app.conclude import conclude, kept_by
from loom.app.envelope import Envelope
from loom.app.executors import Faults
from loom.app.prepare import Prepared, prepare, refuse_models_out_of_reach
from loom.app.record import Record
from loom.app.run_index import JournalIndex
from loom.app.services import Keeping
from loom.app.workshop import Workshop
from loom.kernel.errors import LoomError
from loom.process.loader import ProcessLoader
from loom.runtime.approval import Approver
from loom.runtime.consent import CallPlan
from loom.runtime.dispatch import Dispatched, Dispatcher, PreparedRun
from loom.runtime.grants import Clearance
from loom.runtime.inline import InlineDispatcher
from loom.runtime.journal import RunStatus
from loom.settings.engine import engine_environment
from loom.settings.layers import loom_home


def carry_out(
    call: Call,
    *,
    environ: Mapping[str, str],
    on_event: OnEvent | None = None,
    asker: Asker | None = None,
    faults: Faults | None = None,
) -> Envelope:
    """Run a package, or go on with a run, and answer with what came of it."""
    environ = _in_force(environ, call)
    home = loom_home(environ)
    with ExitStack() as open_things:
        prepared, journal = opened(call, environ, open_things)
        refuse_models_out_of_reach(prepared, environ)
        approver = approver_of(home, prepared.settings, journal)
        loader, index = _loader(prepared, environ), JournalIndex(environ, prepared.request.key)
        would, approved, clearance = approve(prepared, call, approver, loader, asker, index)
        request = replace(prepared.request, clearance=clearance.token(), staged=would.staged)
        prepared = prepared.with_request(request)
        run = PreparedRun(request, prepared.plan, open_things.enter_context(folder_of(prepared)), home)
        record = Record(request.key, on_event, journal)
        begin(run, prepared, call, record, would)
        if approved.note:
            record.emit("note", {"text": approved.note})
        nested = bool(call.parent)
        return _Work(prepared, run, record, environ, approver, clearance, faults, nested).go(would)


def preview(call: Call, *, environ: Mapping[str, str]) -> dict[str, Any]:
    """What a call would do, without doing any of it."""
    prepared = prepare(call, environ, key="run-preview")
    would = call_plan(prepared.plan, prepared.request.inputs, _loader(prepared, environ), prepared.tools)
    return {
        "process": prepared.process.name,
        "version": prepared.process.version,
        "tier": would.tier,
        "digest": would.short_digest,
        "why_tier": [
            {"source": each.source, "tier": each.tier, "because": each.because} for each in would.why
        ],
        "inputs": dict(prepared.request.inputs),
        "phases": [
            {
                "id": step.id,
                "executor": step.executor,
                "calls": (step.phase.run.tool or step.phase.run.process) if step.phase.run else None,
                "after": list(step.phase.depends_on),
                "args": dict(step.phase.run.args) if step.phase.run else {},
            }
            for step in prepared.plan.steps
        ],
        "cost": str(would.cost),
    }


@dataclass(frozen=True, slots=True)
class _Work:
    """One run under way."""

    prepared: Prepared
    run: PreparedRun
    record: Record
    environ: Mapping[str, str]
    approver: Approver
    clearance: Clearance
    faults: Faults | None
    is_nested: bool

    def go(self, would: CallPlan) -> Envelope:
        started = time.monotonic()
        try:
            done = self._dispatcher().dispatch(self.run, self.record.emit)
        except KeyboardInterrupt:
            done = Dispatched({}, interrupted=True)
        except LoomError:
            self.record.conclude("error", "ERROR", {})
            raise
        if self._keeping == "folder":
            done = self._named(self._registered(done))
        answer = conclude(self.prepared.plan, self.run.request, done, command=self.prepared.command)
        answer = replace(
            answer,
            run=self.run.request.key if self.prepared.leaves_a_run else None,
            gate={"tier": would.tier, "plan": would.short_digest},
        )
        self._settle(done, answer)
        body = {"status": answer.status, "ended": answer.ended, "verdict": answer.verdict}
        seconds = round(time.monotonic() - started, 3)
        self.record.emit("run_finished", {**body, "pathspec": answer.pathspec, "seconds": seconds})
        return answer

    @property
    def _keeping(self) -> Keeping:
        return "folder" if self.run.request.transport == "local" else "metaflow"

    def _dispatcher(self) -> Dispatcher:
        if self.run.request.transport == "local" or not self.prepared.leaves_a_run:
            shop = Workshop(
                self.prepared,
                self.environ,
                self._keeping,
                partial(self.approver.permit_call, clearance=self.clearance, run_id=self.run.request.key),
                partial(carry_out, environ=self.environ, faults=self.faults),
                self.faults,
            )
            workers = os.cpu_count() or 1
            return InlineDispatcher(
                lambda run, emit: shop.phases(run, lambda _, kind, body: emit(kind, body), workers=workers),
                workers,
            )
        module = importlib.import_module("loom.flows.dispatch")  # what follows it takes long to import
        dispatcher: Dispatcher = module.MetaflowDispatcher(self.run.home, self.environ)
        return dispatcher

    def _registered(self, done: Dispatched) -> Dispatched:
        """Data objects of a run that no engine keeps get their place in a folder; a failed run registers none."""
        verb = self.prepared.package.spec.verb
        made = [outcome for outcome in done.outcomes.values() if outcome.data_objects]
        broken = any(not outcome.is_good for outcome in done.outcomes.values())
        if verb is None or verb.flow is None or not made or broken:
            return done
        catalogue = importlib.import_module("loom.dataio.catalogue").DirectoryCatalogue(
            self.run.home / "objects"
        )
        pathspec = catalogue.register(verb.flow, made[0].data_objects[0])
        outcomes = {
            name: replace(outcome, data={**outcome.data, "dataset_ref": pathspec})
            if isinstance(outcome.data, dict) and "dataset_ref" in outcome.data and outcome.data_objects
            else outcome
            for name, outcome in done.outcomes.items()
        }
        return replace(done, outcomes=outcomes, pathspec=pathspec)

    def _named(self, done: Dispatched) -> Dispatched:
        """A run inside another that no engine keeps gets a number too: the runs after it refer to it."""
        verb = self.prepared.package.spec.verb
        if done.pathspec is not None or not self.is_nested or verb is None or verb.flow is None:
            return done
        number = importlib.import_module("loom.flows.run_ids").next_run_id(
            self.run.home / "objects" / verb.flow
        )
        return replace(done, pathspec=f"{verb.flow}/{number}")

    def _settle(self, done: Dispatched, answer: Envelope) -> None:
        journal = self.record.journal
        if journal is None:
            return
        if answer.pathspec:
            journal.locate(self.run.request.key, answer.pathspec)
        self.record.settle(self.prepared.plan, done.outcomes, self.run.request.digest)
        nested = [outcome.pathspec for outcome in done.outcomes.values() if outcome.pathspec != done.pathspec]
        reads = [
            *pathspecs_of(self.prepared),
            *(each for each in nested if isinstance(each, str)),
        ]
        status: RunStatus = answer.ended
        self.record.conclude(
            status,
            answer.verdict,
            {
                "pathspec": answer.pathspec,
                "card_path": answer.card_path,
                "reads": list(dict.fromkeys(reads)),
                "kept": kept_by(done.outcomes),
                "card": _without_plots(answer.card),
                "summary": answer.summary,
                "reasons": list(answer.reasons),
                "next": list(answer.next),
                "error": answer.error,
                # what a phase gave lies with the run; the journal stays small enough to be read whole
                "phases": [_without_data(phase) for phase in answer.phases],
            },
        )


def _without_plots(card: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What `loom show` prints of a card; plots are on the page itself."""
    if card is None:
        return None
    sections = card.get("sections") or ()
    return {**card, "sections": [each for each in sections if each.get("kind") == "table"]}


def _without_data(phase: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in phase.items() if key != "data"}


def _loader(prepared: Prepared, environ: Mapping[str, str]) -> ProcessLoader:
    return ProcessLoader(Path(prepared.request.cwd), home=loom_home(environ))


def _in_force(environ: Mapping[str, str], call: Call) -> Mapping[str, str]:
    """The environment with Metaflow configured; this process takes it over, for Metaflow reads it on import."""
    if call.transport == "local":
        return environ
    added = engine_environment(loom_home(environ), environ)
    os.environ.update(added)
    return {**environ, **added}
