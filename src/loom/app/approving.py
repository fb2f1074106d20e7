"""What a run would do, for somebody to agree to, and how far it may go once they have."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from loom.app.call import Asker, Call
from loom.app.prepare import Prepared, package_digest
from loom.app.staging import with_staged
from loom.app.toolbox import toolbox
from loom.core.durations import seconds_of
from loom.core.index import RunIndex
from loom.process.loader import ProcessLoader
from loom.process.plan import Plan, plan
from loom.runtime.approval import Approved, Approver, auto_limit_minutes
from loom.runtime.consent import (
    Caller,
    CallPlan,
    Contribution,
    Estimate,
    ToolUse,
    contributions,
    effective_tier,
    raised_by,
    rank,
)
from loom.runtime.grants import Clearance, HomeKey, SqliteGrants
from loom.runtime.journal import Journal
from loom.runtime.lookup import NothingThereError, Scope, fill
from loom.settings.layers import Settings
from loom.tools.registry import ToolRegistry

ITEM = "${item}"
"""Stands for the item of a `for_each` before there is any: what it will be is not known, which is not nothing."""


def approver_of(home: Path, settings: Settings | None = None, journal: Journal | None = None) -> Approver:
    """The place where grants are made; without a journal they last as long as this process."""
    if journal is not None:
        store = journal.grants
    else:
        store = SqliteGrants(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))
    minutes = auto_limit_minutes(settings) if settings else 0
    return Approver(store, HomeKey(home), time.time, minutes)


def call_plan(
    planned: Plan, inputs: Mapping[str, Any], loader: ProcessLoader, registry: ToolRegistry
) -> CallPlan:
    """Exactly what a run would do, the processes it runs inside itself included."""
    package = planned.package
    verb = package.spec.verb
    tools = list(_uses(planned, inputs, registry))
    nested = list(_nested(planned, inputs, loader))
    why = contributions(planned.tier, raised_by(verb, inputs) if verb else None, tools, nested)
    return CallPlan(
        name=verb.command if verb else package.name,
        version=package.spec.version,
        package_digest=package_digest(package),
        inputs=dict(inputs),
        why=why,
        cost=Estimate(minutes=_minutes(planned, inputs, why, nested), tokens=planned.cost.tokens or None),
        hosts=tuple(package.spec.permissions.network) if package.spec.permissions else (),
    )


def _nested(planned: Plan, inputs: Mapping[str, Any], loader: ProcessLoader) -> Iterator[CallPlan]:
    """What processes inside the run would do, with their inputs as far as those of the run decide them."""
    scope = Scope(inputs, item=ITEM)
    for step in planned.steps:
        run = step.phase.run
        if run is None or not run.process:
            continue
        inner = plan(loader.load(run.process).package)
        given = {name: _if_known(value, scope) for name, value in run.args.items()}
        would = call_plan(inner, given, loader, toolbox(inner.package))
        # how many items there are is known only when it runs
        yield replace(would, cost=replace(would.cost, minutes=None)) if step.phase.for_each else would


def _minutes(
    planned: Plan, inputs: Mapping[str, Any], why: Sequence[Contribution], nested: Sequence[CallPlan]
) -> float | None:
    """How long the expensive part of a call works at most; of a call that is not expensive, the whole of it."""
    inside = {each.source for each in nested}
    own = effective_tier(each for each in why if each.source not in inside)
    dear = [each.cost.minutes for each in nested if rank(each.tier) >= rank("expensive")]
    seconds = _bound(planned, inputs)
    parts = [*dear, *([] if dear and rank(own) < rank("expensive") else [seconds and seconds / 60])]
    return None if None in parts else round(sum(each for each in parts if each is not None), 2)


def _bound(planned: Plan, inputs: Mapping[str, Any]) -> float | None:
    """The seconds after which a call is over, as far as it is known."""
    verb = planned.package.spec.verb
    for name, declared in (verb.inputs if verb else {}).items():
        if declared.bounds_time:
            found = seconds_of(str(inputs.get(name) or declared.default or ""))
            if found is not None:
                return found
    return planned.cost.seconds


def approve(
    prepared: Prepared,
    call: Call,
    approver: Approver,
    loader: ProcessLoader,
    asker: Asker | None,
    index: RunIndex | None = None,
) -> tuple[CallPlan, Approved, Clearance]:
    """Have somebody agree to the run if it needs that, and say how far it may go.

    The index knows the runs that have shown what this one is to carry out; without it there are none.
    """
    would = call_plan(prepared.plan, prepared.request.inputs, loader, prepared.tools)
    caller = Caller(call.caller, call.command)
    if index is not None:
        would = with_staged(would, prepared, index, caller)
    key = prepared.request.key
    approved = approver.recall(would, key) if call.resume else None
    if call.clearance:
        parent = approver.admit(call.clearance, call.parent)
        if rank(would.tier) <= rank("expensive"):
            return would, Approved(), approver.delegate(parent, would, key)
    if approved is None:
        approved = approver.approve(would, caller, key, call.confirm, asker)
    return would, approved, approver.redeem(approved.grant, would, key)


def _uses(planned: Plan, inputs: Mapping[str, Any], registry: ToolRegistry) -> Iterator[ToolUse]:
    """The calls that phases will make, with their arguments as far as the inputs decide them."""
    scope = Scope(inputs, item=ITEM)
    called = set()
    for step in planned.steps:
        run = step.phase.run
        tool = registry.get(run.tool) if run is not None and run.tool else None
        if run is not None and tool is not None:
            called.add(tool.name)
            yield ToolUse(tool, {name: _if_known(value, scope) for name, value in run.args.items()})
    for name in planned.tools:
        tool = registry.get(name)
        if tool is not None and name not in called:
            yield ToolUse(tool)


def _if_known(value: Any, scope: Scope) -> Any:
    try:
        return fill(value, scope)
    except NothingThereError:
        return value
