"""What an earlier run of a verb has shown, and a call of it is about to carry out.

A verb that an input makes irreversible, and whose summary has to have a `digest`, is called twice: once to show what
would be done, and once more, with that input, to do exactly that. The digest is what somebody agrees to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from loom.app.prepare import Prepared
from loom.core.index import RunIndex
from loom.process.spec.verb import Verb
from loom.runtime.approval import NotApprovedError
from loom.runtime.consent import Caller, CallPlan, command_for, raised_by

DIGEST = "digest"


def with_staged(would: CallPlan, prepared: Prepared, index: RunIndex, caller: Caller) -> CallPlan:
    """The plan with what the newest run with the same inputs showed; NotApprovedError where none showed anything."""
    verb, inputs = prepared.package.spec.verb, prepared.request.inputs
    raising = _raising(verb, inputs)
    if verb is None or not raising:
        return would
    wanted = _given(inputs, raising)
    for run in index.runs():
        shown = run.summary.get(DIGEST) if (run.verb, run.status) == (verb.command, "ok") else None
        if isinstance(shown, str) and _given(run.inputs) == wanted:
            return replace(would, staged=shown, staged_by=run.name)
    flags = " ".join(f"--{name}" for name in raising)
    why = f"no run without {flags} and otherwise with these inputs has shown what would be done"
    words = tuple(word for word in caller.command if word not in {f"--{name}" for name in raising})
    plain = replace(would, inputs={name: value for name, value in inputs.items() if name not in raising})
    raise NotApprovedError(
        would, why, f"to be shown it first: {command_for(plain, replace(caller, command=words))}"
    )


def _raising(verb: Verb | None, inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The inputs that make a run of a verb carry out what another run of it shows."""
    required = verb.summary.schema_.get("required") if verb is not None and verb.summary is not None else None
    if verb is None or not isinstance(required, list) or DIGEST not in required:
        return ()
    return tuple(name for name, tier in raised_by(verb, inputs).items() if tier == "irreversible")


def _given(inputs: Mapping[str, Any], without: Collection[str] = ()) -> dict[str, Any]:
    """The inputs that somebody gave; a flag that is off is not given."""
    return {
        name: value
        for name, value in inputs.items()
        if name not in without and value is not None and value is not False
    }
