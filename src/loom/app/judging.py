"""How the results of a package's phases are judged: by its own rules, checks and gates.

Reasons are plain and redacted: they are shown to people, written to the journal and told to whoever makes the
next attempt.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loom.app.publishing import deliverables_of, publish
from loom.app.run_judging import end_of, judge_run
from loom.kernel.errors import LoomError
from loom.kernel.redact import redact
from loom.process.plan import Step
from loom.process.references import PHASE_FIELDS
from loom.process.resolve import ResolvedProcess
from loom.process.spec.iteration import Gate, ToolMetricGate
from loom.process.spec.run import Run
from loom.process.spec.verification import Policy
from loom.runtime.dispatch import Emit
from loom.runtime.driver import Execution, Executor, PhaseTask
from loom.runtime.events import GatesEvaluated, Usage
from loom.runtime.outcome import PhaseOutcome
from loom.runtime.state import Reason
from loom.tools.context import NotPermittedError, Permissions, ToolContext
from loom.tools.registry import ToolRegistry
from loom.tools.results import ToolResult
from loom.verification.attempt import Attempt, Call
from loom.verification.gates import Evidence, RunCommand, evaluate_gates, require_unmet
from loom.verification.outcome import Finding, Report
from loom.verification.static import helper_calls, verify

if TYPE_CHECKING:
    from loom.tools.programs import Ended

HELPER = "verification_helper"
_REPORT = "render_verification_report"
_MAX_TOLD = 20


def _nobody(kind: str, body: Mapping[str, Any]) -> None:
    """Told where nobody listens."""


@dataclass(frozen=True, slots=True)
class PackageJudge:
    """Judges by what the package declares, without a model; what takes one is told and never passed."""

    process: ResolvedProcess
    workspace: Path
    executor: Executor
    settings: Mapping[str, Any] = field(default_factory=dict)
    tools: ToolRegistry | None = None
    """The tools of the run, to know what a gate's tool can be given."""

    context: ToolContext | None = None
    """In which the commands of gates run."""

    tell: Emit = _nobody
    """Told of every gate that was looked at, of advice, and of what nobody could assess."""

    _before: dict[str, Mapping[str, PhaseOutcome]] = field(default_factory=dict, repr=False)
    """By phase, how those ended that came before it."""

    def unmet(self, step: Step, outcomes: Mapping[str, PhaseOutcome]) -> tuple[Reason, ...]:
        """The entry gates that do not hold."""
        self._before[step.id] = outcomes
        known = {name: _plain(outcome) for name, outcome in outcomes.items()}
        return tuple(Reason("require", redact(why)) for why in require_unmet(step.phase, known))

    def verify(self, task: PhaseTask, execution: Execution) -> tuple[Reason, ...]:
        """What is wrong with the result; nothing when it passes."""
        attempt = self._attempt(task, execution)
        report = verify(self.process, task.step.id, attempt)
        wanted = helper_calls(self._policy, "phase")
        if report.passed and wanted:
            # what costs time looks at a result only when nothing else rejects it
            helpers = self._carry_out(wanted, task)
            report = verify(self.process, task.step.id, replace(attempt, helpers=helpers))
        if report.passed:
            report += self._end(task, attempt)
        self._mention(report, task)
        return tuple(_reason(finding) for finding in report.hard)

    def gates(self, task: PhaseTask, execution: Execution) -> GatesEvaluated:
        """The gates of the loop that do not hold, and the attempt's score."""
        loop = task.step.loop
        if loop is None:
            return GatesEvaluated()
        found = {
            name: self._execute(name, task, self._fitting(name, task)) for name in _others(loop.gates, task)
        }
        evidence = Evidence(
            self._attempt(task, execution),
            deliverables=deliverables_of(task.step),
            summary=_summary(execution),
            settings=self.settings,
        )

        async def call_tool(name: str) -> ToolResult | None:
            return found[name].result if name in found else None

        report = asyncio.run(
            evaluate_gates(loop.gates, evidence, run_command=self._run_command(task), call_tool=call_tool)
        )
        for each in report.results:
            said = {"gate": each.gate, "passed": each.passed, "blocking": each.blocking}
            self.tell("gate_evaluated", {**_about(task), **said, "what": redact(each.why)})
        spent = Usage(
            tokens=sum(each.tokens for each in found.values()),
            tool_calls=sum(each.tool_calls for each in found.values()),
        )
        failed = tuple(
            Reason(f"gate_{each.gate}", redact(f"gate {each.gate}: {each.why}"), True)
            for each in report.failed
        )
        return GatesEvaluated(failed, report.score, spent)

    def published(self, task: PhaseTask, execution: Execution) -> tuple[str, ...]:
        """The deliverables of an accepted attempt, once they are on the disk."""
        return publish(self.process, self.workspace, task, execution.result)

    @property
    def _policy(self) -> Policy:
        return self.process.package.spec.verification.policy

    def _attempt(self, task: PhaseTask, execution: Execution) -> Attempt:
        run = task.step.phase.run
        called = (run.tool or run.process or "") if run else ""
        calls = (Call(called, execution.result, task.args),)
        return Attempt(self.workspace, calls, execution.result.output, deliverables_of(task.step))

    def _end(self, task: PhaseTask, attempt: Attempt) -> Report:
        """What is said about the whole run, if this phase is one of its ends."""
        end = end_of(self.process.package, task.step.id, one_of_many=task.item is not None)
        if end is None:
            return Report()
        wanted = helper_calls(self._policy, "global") if end.decides else ()
        before = self._before.get(task.step.id, {})
        return judge_run(self.process, end, before, attempt, self._carry_out(wanted, task))

    def _carry_out(
        self, wanted: Sequence[tuple[str, dict[str, Any]]], task: PhaseTask
    ) -> dict[str, ToolResult]:
        """The results of checks that a helper carries out, in their order; the last may report the others."""
        results: dict[str, ToolResult] = {}
        for name, args in wanted:
            if args["helper"] == _REPORT:
                path = {"output_path": args["target"]} if "target" in args else {}
                args = {"helper": _REPORT, **path, "results": [_told(*each) for each in results.items()]}
            results[name] = self._execute(HELPER, task, args).result
        return results

    def _execute(self, tool: str, task: PhaseTask, args: Mapping[str, Any]) -> Execution:
        """Call a tool to look at the result; what the phase delivers is sealed meanwhile."""
        phase = task.step.phase.model_copy(update={"run": Run(tool=tool)})
        step = replace(task.step, phase=phase)
        sealed = (*task.sealed, *deliverables_of(task.step))
        return self.executor.execute(replace(task, step=step, args=args, sealed=sealed, reasons=()))

    def _fitting(self, tool: str, task: PhaseTask) -> dict[str, Any]:
        """The arguments of the phase that another tool knows too."""
        found = self.tools.get(tool) if self.tools is not None else None
        known = found.parameters.get("properties", {}) if found is not None else {}
        return {name: value for name, value in task.args.items() if name in known}

    def _run_command(self, task: PhaseTask) -> RunCommand:
        """Runs commands in the workspace, within what is left of the phase's time."""
        context = self.context or ToolContext(self.workspace, permissions=Permissions(processes=False))

        async def bounded(argv: Sequence[str], seconds: float) -> Ended:
            commands = importlib.import_module("loom.verification.commands")  # few loops run any
            run: RunCommand = commands.command_runner(context, self.workspace)
            left = task.seconds_left
            try:
                return await run(argv, seconds if left is None else max(1.0, min(seconds, left)))
            except LoomError as error:
                raise NotPermittedError(f"{error.what}: {error.why}") from None

        return bounded

    def _mention(self, report: Report, task: PhaseTask) -> None:
        """Tell what rejects nothing: advice, and what nobody could assess."""
        about = _about(task)
        for finding in [each for each in report.findings if each.severity == "advisory"][:_MAX_TOLD]:
            self.tell("note", {**about, "text": f"{finding.check}: {_said(finding)}"})
        if report.not_assessed:
            left = [{"check": each.check, "why": redact(each.why)} for each in report.not_assessed]
            self.tell("not_assessed", {**about, "checks": left[:_MAX_TOLD]})


def _others(gates: Sequence[Gate], task: PhaseTask) -> list[str]:
    """The tools of gates that the phase itself has not called."""
    run = task.step.phase.run
    own = run.tool if run else None
    return list(
        dict.fromkeys(gate.tool for gate in gates if isinstance(gate, ToolMetricGate) and gate.tool != own)
    )


def _plain(outcome: PhaseOutcome) -> dict[str, Any]:
    """What an entry gate may look at; a field without a value is as good as none."""
    known = {name: getattr(outcome, name) for name in (*PHASE_FIELDS, "status")}
    return {name: value for name, value in known.items() if value is not None}


def _summary(execution: Execution) -> str | None:
    found = execution.summary
    if found is None:
        found = (execution.result.data or {}).get("summary")
    return (
        found if found is None or isinstance(found, str) else json.dumps(found, ensure_ascii=False, indent=1)
    )


def _told(name: str, result: ToolResult) -> dict[str, Any]:
    """The result of one check, for the report of all."""
    data = result.data or {}
    return {
        "name": name,
        "helper": str(data.get("helper", "")),
        "passed": result.success,
        "outcome": data.get("outcome", "passed" if result.success else "unavailable"),
        "summary": str(data.get("summary") or result.error or ""),
    }


def _reason(finding: Finding) -> Reason:
    """A finding that rejects the result. What broke integrity is not mended by another attempt."""
    mends = finding.failure_class != "hard_integrity" and finding.remediation != "none"
    return Reason(f"verification_{finding.check}", _said(finding), mends)


def _said(finding: Finding) -> str:
    place = f" ({finding.where})" if finding.where and finding.where not in finding.what else ""
    return redact(f"{finding.what}{place}")


def _about(task: PhaseTask) -> dict[str, Any]:
    return {"phase": task.step.id} | ({} if task.item is None else {"item": task.item})
