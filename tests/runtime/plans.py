"""Plans and runs for tests of the runtime, made from fragments of declarations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loom.process.plan import Plan, Step, plan
from loom.runtime.dispatch import PreparedRun, RunRequest
from tests.process.checking import HEAD, check

LOOP = """\
    iteration:
      enabled: true
      max_attempts: 3
      max_total_runner_invocations: 5
      stop_on_no_improvement_attempts: 2
      iteration_budget: {max_wall_clock_seconds: 60, max_tokens: 1000, max_tool_calls: 20}
      gates: [{id: enough, type: tool_metric, tool: t, metric_path: n, operator: gte, value: 1}]
"""


def planned(phases: str, *inputs: str) -> Plan:
    """The plan of a declaration with these phases and inputs; there must be no errors."""
    named = ", ".join(f"{name}: {{type: text}}" for name in inputs)
    verb = f"verb: {{command: panels, tier: read-only, inputs: {{{named}}}}}\n" if inputs else ""
    checked = check(f"{HEAD}{verb}phases:\n{phases}", warnings=False)
    assert checked.package is not None and not checked.report.errors, checked.report.errors
    return plan(checked.package)


def phase(name: str, *after: str, extra: str = "") -> str:
    """One phase that a tool carries out."""
    waits = f", depends_on: [{', '.join(after)}]" if after else ""
    return f"  - {{id: {name}, description: d, run: {{tool: t}}{waits}{extra}}}\n"


def only_step(rest: str = "") -> Step:
    """The step of a phase that a tool carries out, with more lines of its own."""
    return planned(f"  - id: work\n    description: d\n    run: {{tool: t}}\n{rest}").step("work")


def prepared(made: Plan, folder: Path, **request: Any) -> PreparedRun:
    """A run of a plan in a folder of its own."""
    asked = RunRequest(**{"key": "run-1", "process": "example", "digest": "sha256:0", **request})
    return PreparedRun(asked, made, folder / "run", folder)
