"""LM5xx — loops that end, and gates that can be decided."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from loom.kernel.diagnostics import KeyPath
from loom.process.allowlist import is_allowlisted
from loom.process.lint.rule import Finding, rule
from loom.process.package import Package
from loom.process.patterns import PatternError, compile_pattern
from loom.process.spec.iteration import (
    ArtifactRegexGate,
    CommandExitGate,
    Iteration,
    ToolMetricGate,
    VerifierFieldGate,
)
from loom.settings.model import ALLOWLISTED_PREFIXES

SCORE_OPERATORS = ("gte", "gt", "lte", "lt")
SHELL = re.compile(r"[|&;<>`$(){}\n]|^[*~]")
METRIC_PATH = re.compile(r"[^.\[\]\s]+(?:\[\d+\])*(?:\.[^.\[\]\s]+(?:\[\d+\])*)*\Z")


def _loops(package: Package) -> Iterator[tuple[KeyPath, Iteration]]:
    """Loops that are on, with their places."""
    for index in package.looping:
        loop = package.spec.phases[index].iteration
        if loop is not None and loop.enabled:
            yield ("phases", index, "iteration"), loop


def _gates(package: Package) -> Iterator[tuple[KeyPath, Any]]:
    for base, loop in _loops(package):
        for at, gate in enumerate(loop.gates):
            yield (*base, "gates", at), gate


def _example(**changes: str) -> str:
    """A phase with a sound loop, and one thing changed."""
    keys = {
        "max_attempts": "3",
        "max_total_runner_invocations": "4",
        "stop_on_no_improvement_attempts": "2",
        "iteration_budget": "{max_wall_clock_seconds: 60, max_tokens: 1000, max_tool_calls: 5}",
        "gates": "[{id: score, type: tool_metric, tool: calculator, metric_path: report.score, operator: gte, value: 80}]",
    } | changes
    body = "\n".join(f"      {key}: {value}" for key, value in keys.items() if value)
    return f"phases:\n  - id: work\n    description: Work.\n    iteration:\n      enabled: true\n{body}"


def _gate(text: str) -> str:
    sound = "{id: placeholders, type: artifact_regex, pattern: TBD, expect_match: false}"
    return _example(gates=f"[{sound}, {text}]")


@rule(
    "LM501",
    "iteration.max_attempts must be between 1 and 6",
    fix="write a number from 1 to 6",
    failing=_example(max_attempts="9", max_total_runner_invocations="9"),
    passing=_example(),
)
def attempt_cap(package: Package) -> Iterator[Finding]:
    """A loop that has not converged after six attempts will not; it needs another plan."""
    for base, loop in _loops(package):
        if loop.max_attempts is not None and not 1 <= loop.max_attempts <= 6:
            yield Finding((*base, "max_attempts"), f"it is {loop.max_attempts}")


@rule(
    "LM502",
    "an enabled iteration lacks a required key",
    fix="add it; every loop is bounded",
    failing=_example(max_total_runner_invocations=""),
    passing=_example(),
)
def loop_bounds(package: Package) -> Iterator[Finding]:
    """A loop must say how often it may run, how much it may spend and what ends it. There are no
    defaults: a silent default is somebody's money."""
    for base, loop in _loops(package):
        budget = loop.iteration_budget
        missing = [
            key
            for key in ("max_attempts", "max_total_runner_invocations", "iteration_budget")
            if getattr(loop, key) is None
        ]
        for key in missing:
            yield Finding((*base, key), f"`{key}` is missing")
        for key in ("max_wall_clock_seconds", "max_tokens", "max_tool_calls"):
            if budget is not None and getattr(budget, key) is None:
                yield Finding((*base, "iteration_budget", key), f"`iteration_budget.{key}` is missing")


@rule(
    "LM503",
    "iteration requires at least one deterministic blocking gate",
    fix="add a blocking tool_metric, artifact_regex or command_exit gate",
    failing=_example(
        gates="[{id: opinion, type: verifier_field, field: confidence, operator: gte, value: 0.8}]"
    ),
    passing=_example(),
)
def deterministic_gate(package: Package) -> Iterator[Finding]:
    """Without a gate that a machine can decide, a loop ends when a model says so, or never."""
    for base, loop in _loops(package):
        if not any(gate.blocking and not isinstance(gate, VerifierFieldGate) for gate in loop.gates):
            detail = (
                "none of its gates is both deterministic and blocking" if loop.gates else "it has no gates"
            )
            yield Finding((*base, "gates"), detail, at_key=True)


@rule(
    "LM504",
    "verifier_field gates cannot be blocking",
    fix="remove `blocking: true`; the gate stays advisory",
    failing=_gate(
        "{id: opinion, type: verifier_field, blocking: true, field: confidence, operator: gte, value: 0.8}"
    ),
    passing=_gate("{id: opinion, type: verifier_field, field: confidence, operator: gte, value: 0.8}"),
)
def advisory_verifier(package: Package) -> Iterator[Finding]:
    """What a verifier says is a model's opinion. It may advise; it does not decide when a loop ends."""
    for path, gate in _gates(package):
        if isinstance(gate, VerifierFieldGate) and gate.blocking:
            yield Finding((*path, "blocking"), f"gate `{gate.id}`")


@rule(
    "LM505",
    "score-like gates require stop_on_no_improvement_attempts > 0",
    fix="add `stop_on_no_improvement_attempts: 2`",
    failing=_example(stop_on_no_improvement_attempts=""),
    passing=_example(),
)
def stops_without_progress(package: Package) -> Iterator[Finding]:
    """A score that no longer rises is the usual way a loop wastes its budget."""
    for base, loop in _loops(package):
        scores = [g.id for g in loop.gates if isinstance(g, ToolMetricGate) and g.operator in SCORE_OPERATORS]
        if scores and not loop.stop_on_no_improvement_attempts:
            yield Finding((*base, "stop_on_no_improvement_attempts"), f"gate `{scores[0]}` compares a score")


@rule(
    "LM506",
    "command is not allowlisted for MVP command_exit gates",
    fix="start it with one of: " + ", ".join(ALLOWLISTED_PREFIXES),
    failing=_gate("{id: build, type: command_exit, command: [rm, -rf, build]}"),
    passing=_gate("{id: tests, type: command_exit, command: [pytest, -q]}"),
)
def allowlisted_command(package: Package) -> Iterator[Finding]:
    """A gate may run tests and linters, nothing else: a package must not become a way to run commands."""
    for path, gate in _gates(package):
        if isinstance(gate, CommandExitGate) and not is_allowlisted(gate.command):
            yield Finding(
                (*path, "command"), f"`{' '.join(gate.command)}`" if gate.command else "it is empty"
            )


@rule(
    "LM507",
    "the command holds shell syntax",
    fix="write the words of one command as a list; no shell reads them",
    failing=_gate('{id: tests, type: command_exit, command: "pytest -q | tee log"}'),
    passing=_gate('{id: tests, type: command_exit, command: "pytest -q"}'),
)
def shell_syntax(package: Package) -> Iterator[Finding]:
    """Commands are started directly, so pipes, redirections and substitutions would be passed on as text.
    That never does what was meant."""
    for path, gate in _gates(package):
        if isinstance(gate, CommandExitGate):
            bad = next((word for word in gate.command if SHELL.search(word)), None)
            if bad is not None:
                yield Finding((*path, "command"), f"`{bad}` needs a shell")


@rule(
    "LM508",
    "max_total_runner_invocations must be at least max_attempts",
    fix="raise it, or lower max_attempts",
    failing=_example(max_total_runner_invocations="2"),
    passing=_example(),
)
def invocation_cap(package: Package) -> Iterator[Finding]:
    """The cap counts attempts and retries together; below the number of attempts it contradicts them."""
    for base, loop in _loops(package):
        cap, attempts = loop.max_total_runner_invocations, loop.max_attempts
        if cap is not None and attempts is not None and cap < attempts:
            yield Finding(
                (*base, "max_total_runner_invocations"), f"{cap} is less than max_attempts, {attempts}"
            )


@rule(
    "LM509",
    "an iteration budget must be greater than zero",
    fix="write a number greater than zero",
    failing=_example(iteration_budget="{max_wall_clock_seconds: 0, max_tokens: 1000, max_tool_calls: 5}"),
    passing=_example(),
)
def positive_budget(package: Package) -> Iterator[Finding]:
    """A loop with nothing to spend cannot make its first attempt."""
    for base, loop in _loops(package):
        budget = loop.iteration_budget
        for key in budget.model_fields_set if budget else ():
            value = getattr(budget, key)
            if value is not None and value <= 0:
                yield Finding((*base, "iteration_budget", key), f"it is {value:g}")


@rule(
    "LM510",
    "duplicate gate id",
    fix="give each gate of a phase an id of its own",
    failing=_gate("{id: placeholders, type: artifact_regex, pattern: TODO, expect_match: false}"),
    passing=_gate("{id: todos, type: artifact_regex, pattern: TODO, expect_match: false}"),
)
def duplicate_gate(package: Package) -> Iterator[Finding]:
    """Results and events name a gate by its id."""
    for base, loop in _loops(package):
        seen: set[str] = set()
        for at, gate in enumerate(loop.gates):
            if gate.id in seen:
                yield Finding((*base, "gates", at, "id"), f"`{gate.id}` is already used in this phase")
            seen.add(gate.id)


@rule(
    "LM511",
    "invalid regex in an iteration gate",
    fix="correct the pattern; inside double quotes a backslash is written twice",
    failing=_gate("{id: todos, type: artifact_regex, pattern: '(TODO', expect_match: false}"),
    passing=_gate("{id: todos, type: artifact_regex, pattern: '(TODO)', expect_match: false}"),
)
def gate_pattern(package: Package) -> Iterator[Finding]:
    """A pattern that does not compile can neither match nor fail to."""
    for path, gate in _gates(package):
        pattern = gate.pattern if isinstance(gate, ArtifactRegexGate) else None
        if not isinstance(gate, (ArtifactRegexGate, CommandExitGate)) and gate.operator == "matches":
            pattern, path = gate.value if isinstance(gate.value, str) else None, (*path, "value")
        else:
            path = (*path, "pattern")
        if pattern is not None:
            try:
                compile_pattern(pattern)
            except PatternError as error:
                yield Finding(path, error.why)


@rule(
    "LM512",
    "metric_path is not a path",
    fix="write names joined by dots, with list indexes: `report.scores[0]`",
    failing=_gate(
        "{id: total, type: tool_metric, tool: calculator, metric_path: report..total, operator: eq, value: 1}"
    ),
    passing=_gate(
        "{id: total, type: tool_metric, tool: calculator, metric_path: 'report.totals[0]', operator: eq, value: 1}"
    ),
)
def metric_path(package: Package) -> Iterator[Finding]:
    """The path says where the number is in the tool's result; a path that cannot be followed always fails."""
    for path, gate in _gates(package):
        if isinstance(gate, ToolMetricGate) and not METRIC_PATH.match(gate.metric_path):
            yield Finding((*path, "metric_path"), f"`{gate.metric_path}`")


@rule(
    "LM513",
    "the operator does not fit the value",
    fix="compare numbers with gte, lte, gt, lt; texts with eq, ne, contains, matches",
    failing=_gate(
        "{id: total, type: tool_metric, tool: calculator, metric_path: total, operator: gte, value: high}"
    ),
    passing=_gate(
        "{id: total, type: tool_metric, tool: calculator, metric_path: total, operator: eq, value: high}"
    ),
)
def operator_value(package: Package) -> Iterator[Finding]:
    """`gte` orders numbers and `matches` reads a pattern; with another kind of value the gate is never met."""
    for path, gate in _comparisons(package):
        number = isinstance(gate.value, (int, float)) and not isinstance(gate.value, bool)
        if gate.operator in SCORE_OPERATORS and not number:
            yield Finding((*path, "value"), f"`{gate.operator}` orders numbers")
        elif gate.operator == "matches" and not isinstance(gate.value, str):
            yield Finding((*path, "value"), "`matches` takes a pattern")


def _comparisons(package: Package) -> Iterator[tuple[KeyPath, Any]]:
    for path, gate in _gates(package):
        if not isinstance(gate, ArtifactRegexGate):
            yield path, gate
    for index in package.gated:
        for at, requirement in enumerate(package.spec.phases[index].require):
            yield ("phases", index, "require", at), requirement
