"""`phases:` — the steps of the process and how they depend on each other."""

from __future__ import annotations

import posixpath
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from loom.process.spec.iteration import Iteration
from loom.process.spec.model import SpecModel
from loom.process.spec.output_coordination import FinalizerInputPolicy, OutputStrategy
from loom.process.spec.run import Requirement, Resources, Run
from loom.process.spec.types import Kebab, PhaseNames, Seq, Text, refuse
from loom.process.spec.validity_contract import ValidityContractField

ModelTier = Annotated[int, Field(ge=1, le=3)]


class Deliverable(SpecModel):
    """A file the phase must produce, by exact name."""

    name: str
    """The file's path inside the workspace."""

    description: str = ""
    """What is in it."""


def _deliverable(value: Any) -> Any:
    """Read `name — text`, `name - text`, `name: text` (a one-key mapping, when unquoted) or a bare name."""
    if isinstance(value, dict) and len(value) == 1 and "name" not in value:
        ((name, description),) = value.items()
        if name == "description":
            return value
        if not isinstance(description, str):
            return {"name": normal_deliverable(name), "description": description}
        # unquoted, `a.md — x: y` arrives as a mapping; put back together it reads like the quoted form
        value = f"{name}: {description}"
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return {**value, "name": normal_deliverable(value["name"])}
    if not isinstance(value, str):
        return value
    cuts = [(at, mark) for mark in (" — ", " – ", " - ", ": ") if (at := value.find(mark)) >= 0]
    at, mark = min(cuts, default=(len(value), ""))
    return {"name": normal_deliverable(value[:at]), "description": value[at + len(mark) :].strip()}


def normal_deliverable(written: str) -> str:
    """The one spelling of a deliverable's name, or a refusal when it leaves the workspace."""
    bad, fix = (
        "the deliverable is not a path inside the workspace",
        "name a file inside the workspace, such as `notes.md`",
    )
    name = written.strip()
    normal = posixpath.normpath(name) if name else ""
    if not name or normal == ".":
        refuse("LM210", bad, "the name is empty", fix)
    if name.startswith(("/", "\\", "~")) or name[1:3] in (":\\", ":/"):
        refuse("LM210", bad, f"`{name}` is absolute", fix)
    if (
        normal.split("/")[0] == ".."
        or not name.isprintable()
        or "\\" in name
        or "\0" in name
        or name.endswith("/")
    ):
        refuse("LM210", bad, f"`{name}` is not a file below the workspace", fix)
    return normal


DeliverableField = Annotated[
    Deliverable, BeforeValidator(_deliverable, json_schema_input_type=str | Deliverable | dict[str, str])
]


class Phase(SpecModel):
    """One step: what it must achieve, what it waits for, and how its result is judged."""

    id: Kebab
    """The phase's name: kebab-case and unique. It becomes the name of a step and of a directory."""

    description: Text
    """What the phase accomplishes and how. A model phase is told exactly this."""

    depends_on: Seq[Text] = ()
    """Phases that must finish first. `[]` starts at once; phases that do not depend on each other run
    at the same time."""

    model_tier: ModelTier = 2
    """How capable the model must be: 1 for extraction and formatting, 2 for analysis, 3 for synthesis."""

    verification_tier: ModelTier = 1
    """How thoroughly the result is checked: 1 by rules, 2 by a second model, 3 by a majority of three."""

    is_critical_path: bool = False
    """Whether failure here stops the whole process."""

    is_synthesis: bool = False
    """Whether this phase draws the conclusion. It then reads verified claims only."""

    output_strategy: OutputStrategy | None = None
    """Overrides `output_coordination.strategy` for this phase."""

    finalizer_input_policy: FinalizerInputPolicy | None = None
    """Overrides `output_coordination.finalizer_input_policy` for this phase."""

    acceptance_criteria: str = ""
    """When the phase is done, in terms somebody else could measure."""

    deliverables: Seq[DeliverableField] = ()
    """Files the phase must write, by exact name, each as `name — what is in it`."""

    validity_contract: ValidityContractField | None = None
    """Overrides of the process's validity contract for this phase; `true` or `false` switches it."""

    iteration: Iteration | None = None
    """Repeat the phase until its gates pass or its budget is spent."""

    run: Run | None = None
    """Who executes the phase: a tool or another process. Without it a model does."""

    for_each: Text | None = None
    """A reference to a list; the phase runs once per item, which `${item}` names."""

    require: Seq[Requirement] = ()
    """Entry gates on earlier phases. When one does not hold, this phase and its dependants are blocked."""

    resources: Resources | None = None
    """What the phase asks of the machine."""

    retries: Annotated[int, Field(ge=0, le=10)] = 0
    """How often a retryable failure is tried again."""


__all__ = ["Deliverable", "Phase", "PhaseNames", "normal_deliverable"]
