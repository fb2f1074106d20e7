"""`run:`, `require:` and `resources:` — who executes a phase, when it may start, what it gets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from loom.process.spec.model import SpecModel
from loom.process.spec.types import Comparable, Count, FreeMapping, Kebab, Operator, Positive, Text


class Run(SpecModel):
    """Who executes the phase: a tool or another process. Without `run` a model does."""

    tool: Text | None = None
    """The tool to call. Deterministic: no model is asked."""

    process: Kebab | None = None
    """The process to run as a run of its own; its pathspec becomes part of the result."""

    args: FreeMapping = Field(default_factory=dict)
    """Arguments. `${inputs.x}` and `${phases.<id>.data.y}` are looked up and keep their type."""


class Requirement(SpecModel):
    """An entry gate on an earlier phase. When it does not hold, this phase is blocked."""

    phase: Text
    """The earlier phase."""

    field: Text
    """Where to look in its result, dotted: `verdict`, `data.leakage_blocking`, `summary.n_rows`."""

    operator: Operator
    """How the field is compared."""

    value: Comparable
    """What it is compared with."""


class Resources(SpecModel):
    """What the phase asks of the machine that runs it."""

    cpu: Positive = 1
    """Processor cores."""

    memory_mb: Annotated[int, Field(gt=0)] = 2048
    """Memory in mebibytes."""

    gpu: Count = 0
    """Graphics processors."""

    timeout_seconds: Positive = 600
    """Seconds before the phase is stopped."""
