"""The whole declaration: every key of a `process.yaml`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from loom.process.spec.auth import Auth
from loom.process.spec.evidence import Evidence
from loom.process.spec.memory import Memory
from loom.process.spec.model import SpecModel
from loom.process.spec.output_coordination import OutputCoordination
from loom.process.spec.permissions import Permissions
from loom.process.spec.phases import Phase
from loom.process.spec.planner_examples import PlannerExample
from loom.process.spec.prompt_contracts import PromptContracts
from loom.process.spec.replanning import Replanning
from loom.process.spec.tests import Case
from loom.process.spec.tools import Tools
from loom.process.spec.types import KEBAB, Seq, Text, refuse, synonyms
from loom.process.spec.validity_contract import ValidityContractField
from loom.process.spec.verb import Verb
from loom.process.spec.verification import Verification
from loom.process.spec.workspace_analysis import WorkspaceAnalysis

RiskLevel = Literal["low", "medium", "high", "critical"]
MEDIUM_SPELLINGS = ("normal", "med", "mid", "std", "standard")


def _name(value: str) -> str:
    if not KEBAB.match(value):
        fixed = "-".join(re.findall("[a-z0-9]+", value.lower()))
        fix = f"lowercase kebab-case, such as `{fixed or 'my-process'}`"
        refuse("LM207", "name must match ^[a-z0-9][a-z0-9-]*$", f"`{value}`", fix)
    return value


class ProcessSpec(SpecModel):
    """A process package: what must happen, in which order, and how the result is judged."""

    name: Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": "^[a-z0-9][a-z0-9-]*$"})]
    """The package's name, lowercase kebab-case. It is what `--process` takes."""

    version: Text = "0.1.0"
    """The package's version, quoted: `"1.10"`."""

    schema_version: Literal[2] = 2
    """The version of this contract."""

    description: str = ""
    """One paragraph: what the process does and when to use it."""

    author: str = ""
    """Who wrote it."""

    tags: Seq[Text] = ()
    """Words to find it by. Some of them imply a high risk level when none is written."""

    risk_level: Annotated[
        RiskLevel | None, BeforeValidator(synonyms(dict.fromkeys(MEDIUM_SPELLINGS, "medium")))
    ] = None
    """How much harm a wrong result can do. Decides the floors under the validity contract."""

    dependencies: Seq[Text] = ()
    """Python packages the tools need, pinned. Installed by `loom install`."""

    permissions: Permissions = Permissions()
    """What the package's tools may touch."""

    persona: str = ""
    """Who the model is in this process: expertise, quality bar, how to treat uncertainty."""

    tool_guidance: str = ""
    """How to use the tools, told to the model."""

    tools: Tools = Tools()
    """Which tools the package needs, and which it does without."""

    auth: Auth = Auth()
    """Credentials to resolve before the first phase."""

    phase_mode: Literal["strict", "guided", "suggestive"] = "guided"
    """How freely a planner may treat the phases: not at all, within the dependencies, or as hints."""

    output_coordination: OutputCoordination = OutputCoordination()
    """Who may write a deliverable, and when it becomes visible."""

    validity_contract: ValidityContractField | None = None
    """Floors under claims and evidence, for every phase."""

    verb: Verb | None = None
    """Makes the package a command."""

    phases: Annotated[Seq[Phase], Field(min_length=1)]
    """The steps of the process."""

    verification: Verification = Verification()
    """How results are checked."""

    evidence: Evidence = Evidence()
    """What counts as evidence in this domain."""

    prompt_contracts: PromptContracts = PromptContracts()
    """What this domain adds to the instructions of each role."""

    memory: Memory = Memory()
    """What is worth remembering after the run."""

    workspace_analysis: WorkspaceAnalysis = WorkspaceAnalysis()
    """What to look for before planning."""

    planner_examples: Seq[PlannerExample] = ()
    """How a goal is cut into tasks."""

    replanning: Replanning = Replanning()
    """When the plan no longer fits."""

    tests: Seq[Case] = ()
    """Cases the package carries to prove that it works."""
