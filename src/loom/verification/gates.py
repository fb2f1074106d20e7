"""Gates: whether a loop may end (`iteration.gates`) and whether a phase may begin (`require`).

A gate that cannot be decided has failed, and its reason says why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from loom.process.allowlist import is_allowlisted
from loom.process.patterns import PatternError, search
from loom.process.spec.iteration import (
    ArtifactRegexGate,
    CommandExitGate,
    Gate,
    ToolMetricGate,
    VerifierFieldGate,
)
from loom.process.spec.phases import Phase
from loom.process.spec.types import Operator
from loom.tools.context import NotPermittedError
from loom.tools.results import ToolResult
from loom.verification.attempt import Attempt, MissingError, UnreadableError, text_of
from loom.verification.comparison import MAX_SHOWN, Unevaluable, evaluate, is_number, shown, value_at

if TYPE_CHECKING:
    from loom.tools.programs import Ended

ENABLED = "execution.enable_iteration_command_exit_gate"
SCORE_OPERATORS = ("gte", "gt", "lte", "lt")
PREFIXES = "execution.iteration_command_exit_allowlisted_prefixes"

__all__ = [
    "CallTool",
    "Evidence",
    "GateReport",
    "GateResult",
    "RunCommand",
    "Unevaluable",
    "evaluate",
    "evaluate_gates",
    "require_unmet",
    "value_at",
]

CallTool = Callable[[str], Awaitable[ToolResult | None]]
"""Calls a tool that the attempt did not call, and answers with its result; None when it cannot."""
RunCommand = Callable[[Sequence[str], float], Awaitable["Ended"]]
"""Runs a command for so many seconds, closed in as the run is."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate found."""

    gate: str
    """Its id."""

    type: str
    passed: bool
    blocking: bool
    why: str
    """What was seen, and what is wanted; or why that cannot be said."""

    score: float | None = None
    """How good the attempt was by this gate, higher is better; None for a gate that orders no numbers."""

    scores: bool = False
    """Whether the gate orders numbers, even if it had none this time."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """Every gate of a loop after one attempt."""

    results: tuple[GateResult, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the loop may end."""
        return not self.failed

    @property
    def failed(self) -> tuple[GateResult, ...]:
        """The blocking gates that do not hold."""
        return tuple(each for each in self.results if each.blocking and not each.passed)

    @property
    def score(self) -> float | None:
        """How good the attempt was by its first score-like gate, higher is better; None when it had no number.

        Another gate never stands in for it: scores of different gates cannot be compared.
        """
        return next((each.score for each in self.results if each.scores or each.score is not None), None)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "passed": self.passed,
            "score": self.score,
            "results": [asdict(each) for each in self.results],
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gates of a loop look at."""

    attempt: Attempt
    deliverables: tuple[str, ...] = ()
    summary: str | None = None
    verifier: Mapping[str, Any] | None = None
    """The answer of the verifier, where one was asked."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings as they are in force; one that is absent has its default."""


def require_unmet(phase: Phase, outcomes: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Why a phase may not begin: each of its `require` that does not hold, in words."""
    unmet = []
    for each in phase.require:
        if each.phase not in outcomes:
            unmet.append(f"{each.phase} has no result")
            continue
        actual = value_at(outcomes[each.phase], each.field)
        holds = actual if isinstance(actual, Unevaluable) else evaluate(each.operator, actual, each.value)
        if not holds:
            unmet.append(f"{each.phase}.{each.field}: {_why(holds, each.operator, actual, each.value)}")
    return tuple(unmet)


async def evaluate_gates(
    gates: Sequence[Gate],
    evidence: Evidence,
    *,
    run_command: RunCommand,
    call_tool: CallTool | None = None,
) -> GateReport:
    """Look at every gate of a loop, in order."""
    results = []
    for gate in gates:
        match gate:
            case ToolMetricGate():
                results.append(await _tool_metric(gate, evidence, call_tool))
            case ArtifactRegexGate():
                results.append(_artifact_regex(gate, evidence))
            case CommandExitGate():
                results.append(await _command_exit(gate, evidence, run_command))
            case VerifierFieldGate():
                results.append(_verifier_field(gate, evidence))
    return GateReport(tuple(results))


async def _tool_metric(gate: ToolMetricGate, evidence: Evidence, call_tool: CallTool | None) -> GateResult:
    result = evidence.attempt.latest(gate.tool)
    if result is None and call_tool is not None:
        result = await call_tool(gate.tool)
    if result is None:
        return _failed(gate, f"{gate.tool} was not called")
    actual = value_at(result.data if result.data is not None else {}, gate.metric_path)
    if isinstance(actual, Unevaluable) and not result.success:
        return _failed(gate, f"{gate.tool} failed: {result.error}")
    score = None
    if _scores(gate) and is_number(actual):
        score = float(actual) if gate.operator in ("gte", "gt") else -float(actual)  # type: ignore[arg-type]
    return _compared(gate, actual, score)


def _verifier_field(gate: VerifierFieldGate, evidence: Evidence) -> GateResult:
    if evidence.verifier is None:
        return _failed(gate, "no verifier has answered")
    return _compared(gate, value_at(evidence.verifier, gate.field))


async def _command_exit(gate: CommandExitGate, evidence: Evidence, run_command: RunCommand) -> GateResult:
    written = " ".join(gate.command)
    if not evidence.settings.get(ENABLED, False):
        return _failed(gate, f"commands of gates are off: {ENABLED} is not set")
    prefixes = evidence.settings.get(PREFIXES)
    known = is_allowlisted(gate.command) if prefixes is None else is_allowlisted(gate.command, prefixes)
    if not known:
        return _failed(gate, f"`{written}` does not begin as {PREFIXES} allows")
    try:
        ended = await run_command(gate.command, gate.timeout_seconds)
    except NotPermittedError as error:
        return _failed(gate, str(error))
    if not ended.found:
        return _failed(gate, f"{gate.command[0]} is not installed")
    if ended.exit_code is None or ended.completed.stopped_by is not None:
        return _failed(gate, f"`{written}`: {ended.why}")
    return _compared(gate, ended.exit_code)


def _artifact_regex(gate: ArtifactRegexGate, evidence: Evidence) -> GateResult:
    try:
        texts = _texts(gate, evidence)
        found = next((where for where, text in texts if search(gate.pattern, text)), None)
    except (UnreadableError, TimeoutError) as error:
        return _failed(gate, str(error))
    except PatternError as error:
        return _failed(gate, f"the pattern cannot be read: {error.why}")
    searched = ", ".join(where for where, _ in texts)
    seen = f"found in {found}" if found is not None else f"not found in {searched}"
    wanted = "" if (found is not None) == gate.expect_match else "; wanted is the opposite"
    return GateResult(
        gate.id, gate.type, not wanted, gate.blocking, f"`{gate.pattern[:MAX_SHOWN]}` {seen}{wanted}"
    )


def _texts(gate: ArtifactRegexGate, evidence: Evidence) -> list[tuple[str, str]]:
    """What the gate searches, each text with where it is; UnreadableError when there is nothing to search."""
    target = gate.target
    if target == "auto":
        target = "deliverables" if evidence.deliverables else "output"
    if target == "output":
        return [("output", evidence.attempt.output)]
    if target == "summary":
        if evidence.summary is None:
            raise UnreadableError("there is no summary to search")
        return [("summary", evidence.summary)]
    names = evidence.deliverables if target == "deliverables" else evidence.attempt.changed_files
    if not names:
        raise UnreadableError(f"there are no {target.replace('_', ' ')} to search")
    texts = []
    for name in names:
        try:
            texts.append((name, text_of(evidence.attempt.workspace, name)))
        except UnreadableError as error:
            # a file may also have been changed by being removed
            if not (isinstance(error, MissingError) and target == "changed_files"):
                raise UnreadableError(f"{name}: {error}") from None
    if not texts:
        raise UnreadableError("no changed file is left to search")
    return texts


def _compared(
    gate: ToolMetricGate | CommandExitGate | VerifierFieldGate, actual: object, score: float | None = None
) -> GateResult:
    holds = actual if isinstance(actual, Unevaluable) else evaluate(gate.operator, actual, gate.value)
    why = _why(holds, gate.operator, actual, gate.value)
    return GateResult(gate.id, gate.type, bool(holds), gate.blocking, why, score, _scores(gate))


def _failed(gate: Gate, why: str) -> GateResult:
    return GateResult(gate.id, gate.type, False, gate.blocking, why, scores=_scores(gate))


def _scores(gate: Gate) -> bool:
    return isinstance(gate, ToolMetricGate) and gate.operator in SCORE_OPERATORS


def _why(holds: bool | Unevaluable, operator: Operator, actual: object, expected: object) -> str:
    if isinstance(holds, Unevaluable):
        return holds.why
    return f"it is {shown(actual)}; wanted is {operator} {shown(expected)}"
