"""Who carries out a phase: a tool, called within its bounds, or a process that is a run of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from loom.app.call import Call, OnEvent
from loom.app.envelope import Envelope
from loom.kernel.errors import LoomError
from loom.runtime.driver import Execution, PhaseTask
from loom.tools.context import NotPermittedError, ToolContext
from loom.tools.invoke import CallPolicy, invoke
from loom.tools.registry import ToolRegistry
from loom.tools.results import ToolResult
from loom.tools.tool import Tool

Faults = Callable[[str, str, int], ToolResult | None]
"""Takes a tool, a phase and an attempt; what it answers takes the place of the real result."""

Permit = Callable[[Tool, Mapping[str, Any]], None]
"""Raises where a call goes further than was agreed to."""

_TOLD = ("text", "board", "matters")


class RunProcess(Protocol):
    """Runs a process inside another one."""

    def __call__(self, call: Call, *, on_event: OnEvent | None = None) -> Envelope:
        """Carry the call out; what happens meanwhile is told."""


@dataclass(frozen=True, slots=True)
class PhaseExecutor:
    """Carries out the phases of one run."""

    tools: ToolRegistry
    context: ToolContext
    permit: Permit
    run_process: RunProcess
    nested: Call
    """What all nested runs have in common."""

    faults: Faults | None = None

    def execute(self, task: PhaseTask) -> Execution:
        """Call the tool, or run the nested process."""
        run = task.step.phase.run
        assert run is not None  # phases without one need a model, and such a run does not start
        started = time.perf_counter()
        called = run.tool or run.process or ""
        fault = self.faults(called, task.step.id, task.attempt) if self.faults else None
        if fault is not None:
            return Execution(fault)
        done = self._call(called, task) if run.tool else self._run(called, task)
        return replace(done, seconds=time.perf_counter() - started)

    def _call(self, name: str, task: PhaseTask) -> Execution:
        tool = self.tools.get(name)
        if tool is None:
            return Execution(ToolResult.fail(f"no tool is called {name}", kind="contract"))
        try:
            self.permit(tool, task.args)
        except NotPermittedError as error:
            return Execution(ToolResult.fail(str(error), kind="safety"), tool_calls=0)
        context = replace(
            self.context,
            subtask_id=task.step.id,
            services={**self.context.services, "remediation": [reason.what for reason in task.reasons]}
            if task.reasons
            else self.context.services,
        )
        limits = [each for each in (task.step.timeout_seconds, task.seconds_left) if each is not None]
        policy = CallPolicy(timeout_seconds=min(limits, default=None), sealed=task.sealed)
        result = asyncio.run(invoke(tool, task.args, context, policy))
        level = (result.data or {}).get("sandbox")
        return Execution(result, sandbox=level if isinstance(level, str) else "")

    def _run(self, name: str, task: PhaseTask) -> Execution:
        given = {key: value for key, value in task.args.items() if value is not None}
        try:
            call = replace(self.nested, package=name, inputs=given)
            done = self.run_process(call, on_event=self._relay(task.step.id))
        except NotPermittedError as error:
            # it would go further than the run that calls it was agreed to
            return Execution(ToolResult.fail(str(error), kind="safety"), tool_calls=0)
        except LoomError as error:
            told = {"what": error.what, "why": error.why, "fix": error.fix}
            return Execution(ToolResult.fail(f"{error.what}: {error.why}", {"error": told}, kind="contract"))
        if done.ended == "interrupted":
            raise KeyboardInterrupt
        if done.ended in ("error", "failed"):
            told = dict(done.error or {})
            why = told.get("what", f"{name} did not end well")
            result = ToolResult.fail(why, {"error": told} if told else None)
        else:
            # what it says beside its summary is what a gate that looks at it has to show
            beside = {
                "reasons": list(done.reasons),
                "next": list(done.next),
                "acceptable": done.exit_code == 0,
            }
            result = ToolResult.ok(f"{name}: {done.verdict}", beside)
        return Execution(
            result,
            verdict=done.verdict,
            summary=dict(done.summary) if done.summary is not None else None,
            pathspec=done.pathspec,
        )

    def _relay(self, phase: str) -> OnEvent:
        """Tells how far a nested run is, as progress of the phase it is."""

        def relay(event: Mapping[str, Any]) -> None:
            if event["kind"] == "phase_started":
                self.context.services["tell"](phase, {"text": str(event.get("phase"))})
            elif event["kind"] == "progress":
                told = {name: event[name] for name in _TOLD if event.get(name)}
                self.context.services["tell"](phase, told)

        return relay
