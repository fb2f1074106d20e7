"""`iteration:` — repeat a phase until its gates pass or its budget is spent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Argv, Comparable, Count, Operator, Positive, Seq, Text


class Budget(SpecModel):
    """Hard caps of one loop."""

    max_wall_clock_seconds: float | None = None
    """Seconds the loop may take."""

    max_tokens: int | None = None
    """Model tokens the loop may spend."""

    max_tool_calls: int | None = None
    """Tool calls the loop may make."""


class ToolMetricGate(SpecModel):
    """Compare a number or text in the structured result of a tool."""

    id: Text
    """The gate's name, unique in its phase."""

    type: Literal["tool_metric"]
    """Selects this kind of gate."""

    description: str = ""
    """What passing means, for a reader."""

    blocking: bool = True
    """Whether the loop goes on until this gate passes."""

    tool: Text
    """The tool whose latest result is compared."""

    metric_path: Text
    """Where the value is in the result: dotted, with list indexes, such as `report.scores[0]`.
    A path that leads nowhere fails the gate and says so."""

    operator: Operator
    """How the value is compared."""

    value: Comparable
    """What it is compared with."""


class ArtifactRegexGate(SpecModel):
    """Search files or text for a pattern."""

    id: Text
    """The gate's name, unique in its phase."""

    type: Literal["artifact_regex"]
    """Selects this kind of gate."""

    description: str = ""
    """What passing means, for a reader."""

    blocking: bool = True
    """Whether the loop goes on until this gate passes."""

    target: Literal["auto", "deliverables", "changed_files", "summary", "output"] = "auto"
    """What is searched; `auto` takes the deliverables when the phase has any, else the output."""

    pattern: Text
    """A regular expression, searched with a time limit."""

    expect_match: bool = True
    """Whether a match passes the gate or fails it."""


class CommandExitGate(SpecModel):
    """Run an allowlisted command and compare its exit code."""

    id: Text
    """The gate's name, unique in its phase."""

    type: Literal["command_exit"]
    """Selects this kind of gate."""

    description: str = ""
    """What passing means, for a reader."""

    blocking: bool = True
    """Whether the loop goes on until this gate passes."""

    command: Argv
    """The command as a list of words; no shell reads it. Off at run time unless
    `execution.enable_iteration_command_exit_gate` is set."""

    operator: Operator = "eq"
    """How the exit code is compared."""

    value: Comparable = 0
    """What it is compared with."""

    timeout_seconds: Positive = 60
    """Seconds before the command is stopped and the gate fails."""


class VerifierFieldGate(SpecModel):
    """Compare a field of the verifier's answer. Advisory: a model's opinion never blocks."""

    id: Text
    """The gate's name, unique in its phase."""

    type: Literal["verifier_field"]
    """Selects this kind of gate."""

    description: str = ""
    """What passing means, for a reader."""

    blocking: bool = False
    """Must stay false."""

    field: Text
    """The field of the verifier's answer, dotted."""

    operator: Operator
    """How the field is compared."""

    value: Comparable
    """What it is compared with."""


Gate = Annotated[
    ToolMetricGate | ArtifactRegexGate | CommandExitGate | VerifierFieldGate, Field(discriminator="type")
]


class Iteration(SpecModel):
    """A bounded loop: run the phase, look at the gates, try again while limits remain."""

    enabled: bool = False
    """Turns the loop on. Without it the block is read and has no effect."""

    max_attempts: int | None = None
    """How often the phase may run: 1 to 6."""

    strategy: Literal["targeted_remediation", "full_rerun"] = "targeted_remediation"
    """Fix what the failing gates point at, or do the phase again from the start."""

    stop_on_no_improvement_attempts: Count = 0
    """Stop when score-like gates do not improve for this many attempts; 0 never stops early."""

    max_total_runner_invocations: int | None = None
    """A cap over loop attempts and retries together; at least `max_attempts`."""

    max_replans_after_exhaustion: Count = 0
    """How often an exhausted loop may ask for a new plan."""

    replan_on_exhaustion: bool = True
    """Ask for a new plan when the loop is exhausted; otherwise end the phase."""

    iteration_budget: Budget | None = None
    """Hard caps of the loop; all three are required."""

    gates: Seq[Gate] = ()
    """What must hold. At least one blocking gate must be deterministic."""
