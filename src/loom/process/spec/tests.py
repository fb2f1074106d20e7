"""`tests:` — cases the package carries to prove that it works."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Count, FreeMapping, Kebab, Positive, Seq, Text

ClaimStatus = Literal["extracted", "supported", "contradicted", "insufficient_evidence", "pruned"]


class AcceptancePhases(SpecModel):
    """Phases that must have run."""

    must_include: Seq[Text] = ()
    """Phases that must have run."""


class AcceptanceDeliverables(SpecModel):
    """Files that must be there."""

    must_exist: Seq[Text] = ()
    """Deliverables that must exist."""


class AcceptanceVerification(SpecModel):
    """What the verification log must not hold."""

    forbidden_patterns: Seq[Text] = ()
    """Patterns that must not occur in results or messages."""


class Acceptance(SpecModel):
    """What a passing run leaves behind."""

    phases: AcceptancePhases = AcceptancePhases()
    """Phases that must have run."""

    deliverables: AcceptanceDeliverables = AcceptanceDeliverables()
    """Files that must be there."""

    verification: AcceptanceVerification = AcceptanceVerification()
    """What must not occur."""


class Claim(SpecModel):
    """A claim the scripted model makes."""

    id: Text
    """The claim's id, as in `[claim:c1]`."""

    type: Text
    """Its kind, such as `numeric`."""

    text: Text
    """The sentence."""

    status: ClaimStatus = "extracted"
    """What evidence says of it."""


class ToolCall(SpecModel):
    """A tool call the scripted model makes."""

    tool: Text
    """The tool."""

    args: FreeMapping = Field(default_factory=dict)
    """Its arguments."""


class Attempt(SpecModel):
    """What the scripted model does in one attempt at a phase."""

    write: dict[str, str] = Field(default_factory=dict)
    """Files it writes, by deliverable name."""

    output: str = ""
    """The text it answers with."""

    calls: Seq[ToolCall] = ()
    """Tools it calls, in order."""

    claims: Seq[Claim] = ()
    """Claims it makes."""

    verifier: FreeMapping = Field(default_factory=dict)
    """What the scripted verifier answers."""


class Fault(SpecModel):
    """A failure to bring about on purpose."""

    tool: Text
    """The tool that fails."""

    phase: Text | None = None
    """Only in this phase."""

    attempt: Count = 1
    """Only in this attempt; 0 means every one."""

    error: Literal["timeout", "error", "unavailable", "permission", "invalid"] = "error"
    """How it fails."""

    message: str = ""
    """What it says."""


class Expect(SpecModel):
    """How the run must end. Without it, it must succeed."""

    status: Literal["ok", "failed", "blocked", "refused", "error"] = "ok"
    """The status of the run."""

    verdict: Text | None = None
    """The verdict of the run."""

    phase: Text | None = None
    """The phase that decided it."""

    reason_code: Text | None = None
    """The reason's code."""


class Case(SpecModel):
    """One test of the package."""

    id: Kebab
    """The case's name, unique in the package."""

    mode: Literal["deterministic", "live"]
    """`deterministic`: everything is real except the model, which is scripted. `live`: nothing is replaced."""

    goal: Text
    """What the run is asked for."""

    inputs: FreeMapping = Field(default_factory=dict)
    """Values of the verb's inputs."""

    timeout_seconds: Positive = 900
    """Seconds before the case fails."""

    requires_network: bool = False
    """Skip, loudly, where there is no network."""

    requires_tools: Seq[Text] = ()
    """Tools without which the case cannot run."""

    acceptance: Acceptance = Acceptance()
    """What a passing run leaves behind."""

    script: dict[str, Seq[Attempt]] = Field(default_factory=dict)
    """What the model does, per phase and attempt; absent, a happy path is generated."""

    claims: Seq[Claim] = ()
    """Claims every scripted attempt makes."""

    faults: Seq[Fault] = ()
    """Failures to bring about on purpose."""

    expect: Expect | None = None
    """How the run must end; absent, it must succeed."""
