"""LM90x to LM92x — what a good declaration says; warnings, each silent where it does not apply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from loom.process.floors import infer_risk
from loom.process.lint.graph import unknown_phase
from loom.process.lint.rule import Finding, rule

if TYPE_CHECKING:
    from loom.process.package import Package
    from loom.process.spec.verification import Rule

_PLACEHOLDER = re.compile(r"TBD|TODO|PLACEHOLDER", re.IGNORECASE)
_THREE_PHASES = """
phases:
  - {id: gather, description: Gather.}
  - {id: analyse, description: Analyse., depends_on: [gather]}
  - {id: conclude, description: Conclude., depends_on: [analyse]}
"""


def _has_model_phases(package: Package, least: int = 1) -> bool:
    """Whether a model executes at least so many phases."""
    return sum(1 for _ in islice((p for p in package.spec.phases if p.run is None), least)) == least


@rule(
    "LM901",
    "the package has no description",
    severity="warning",
    fix="add one paragraph: what the process does and when to use it",
    failing='description: ""',
    passing="description: Compares products on price and features.",
)
def no_description(package: Package) -> Iterator[Finding]:
    """The description is what people and agents choose a process by. Lists, help pages and the planner
    show it."""
    if not package.spec.description.strip():
        yield Finding(("description",), f"`{package.name}` does not say what it is for")


@rule(
    "LM902",
    "risk_level is not written",
    severity="warning",
    fix="write `risk_level: low`, `medium`, `high` or `critical`",
    failing="name: churn-note # no risk_level",
    passing="risk_level: medium",
)
def no_risk_level(package: Package) -> Iterator[Finding]:
    """The level decides which floors hold under claims and evidence. Written down, it is a decision;
    left out, it is medium by accident."""
    if package.spec.risk_level is None and infer_risk(package.spec) is None:
        yield Finding(("risk_level",), "medium is assumed")


@rule(
    "LM903",
    "model phases have no persona",
    severity="warning",
    fix="add `persona:`, in the second person: expertise, quality bar, how to treat uncertainty",
    failing="phases:\n  - {id: work, description: Work.}",
    passing="persona: You are an analyst who separates facts from guesses.",
)
def no_persona(package: Package) -> Iterator[Finding]:
    """A model without a persona writes for nobody in particular. A specific one sets the expertise, the
    quality bar and what to do in doubt."""
    if not package.spec.persona.strip() and _has_model_phases(package):
        yield Finding(("persona",), "a model executes phases of this process")


@rule(
    "LM904",
    "the phase has no acceptance criteria",
    severity="warning",
    fix="add `acceptance_criteria:` that somebody else could measure",
    failing="phases:\n  - {id: work, description: Work.}",
    passing="phases:\n  - {id: work, description: Work., acceptance_criteria: Each claim has a source.}",
)
def no_criteria(package: Package) -> Iterator[Finding]:
    """The criteria tell the model when it is done and the verifier what to look for. Without them a phase
    is accepted when nothing obvious is wrong. A tool needs none."""
    for index, phase in enumerate(package.spec.phases):
        if phase.run is None and not phase.acceptance_criteria.strip():
            yield Finding(("phases", index, "acceptance_criteria"), f"`{phase.id}`")


@rule(
    "LM905",
    "the model phase has no deliverables",
    severity="warning",
    fix="add `deliverables:`, each as `name — what is in it`",
    failing="phases:\n  - {id: work, description: Work.}",
    passing="phases:\n  - {id: work, description: Work., deliverables: [notes.md — findings with sources]}",
)
def no_deliverables(package: Package) -> Iterator[Finding]:
    """What a model only says is gone when the phase ends. Deliverables are files with exact names, which
    can be checked and which later phases can read."""
    for index, phase in enumerate(package.spec.phases):
        if phase.run is None and not phase.deliverables:
            yield Finding(("phases", index, "deliverables"), f"`{phase.id}`")


@rule(
    "LM906",
    "model phases have no validity contract",
    severity="warning",
    fix="add `validity_contract: {claim_extraction: {enabled: true}}`",
    failing="phases:\n  - {id: work, description: Work.}",
    passing="validity_contract: {claim_extraction: {enabled: true}}",
)
def no_contract(package: Package) -> Iterator[Finding]:
    """Where a model writes, statements should be followed to their evidence. The floors of the risk level
    hold anyway; a contract for the whole process shows that they were chosen."""
    if package.spec.validity_contract is None and _has_model_phases(package):
        yield Finding(("validity_contract",), "no contract is written for the process")


@rule(
    "LM907",
    "no phase is marked as the synthesis",
    severity="warning",
    fix="write `is_synthesis: true` on the phase that draws the conclusion",
    failing=_THREE_PHASES,
    passing="""
phases:
  - {id: gather, description: Gather.}
  - {id: conclude, description: Conclude., depends_on: [gather], is_synthesis: true}
""",
)
def no_synthesis(package: Package) -> Iterator[Finding]:
    """A synthesis reads verified claims only, and its own result is held to the final gate. Both begin
    with the mark. Packages that build software and check it statically first need none."""
    spec = package.spec
    if spec.verification.policy.mode == "static_first" or not _has_model_phases(package, 2):
        return
    if not any(phase.is_synthesis for phase in spec.phases):
        yield Finding(("phases",), f"{len(spec.phases):,} phases, and none draws the conclusion", at_key=True)


@rule(
    "LM908",
    "no rule forbids placeholders",
    severity="warning",
    fix="add a rule of `type: regex` whose `check` is `\\[TBD\\]|\\[TODO\\]|\\[PLACEHOLDER\\]`",
    failing="phases:\n  - {id: work, description: Work.}",
    passing="""
verification:
  rules:
    - {name: no-placeholders, type: regex, severity: error, check: '\\[TBD\\]|\\[TODO\\]'}
""",
)
def no_placeholder_rule(package: Package) -> Iterator[Finding]:
    """The commonest failure of a model is a stub left behind. A pattern finds it at once and for free."""
    if not any(map(_forbids_placeholders, package.spec.verification.rules)) and _has_model_phases(package):
        yield Finding(("verification", "rules"), "a model may leave `[TBD]` behind")


def _forbids_placeholders(item: Rule) -> bool:
    return item.type == "regex" and _PLACEHOLDER.search(item.check) is not None


@rule(
    "LM909",
    "nothing of the domain is verified",
    severity="warning",
    fix="add a rule or a semantic check about what matters in this domain",
    failing="phases:\n  - {id: work, description: Work.}",
    passing="verification: {rules: [{name: sourced, check: Does every number name its source?}]}",
)
def no_domain_rule(package: Package) -> Iterator[Finding]:
    """Placeholders aside, a model's result can be wrong in ways that only the domain knows: sums that do
    not add up, advice that fits anybody. At least one rule or check should look for them."""
    verification = package.spec.verification
    if verification.policy.semantic_checks or not all(map(_forbids_placeholders, verification.rules)):
        return
    if _has_model_phases(package):
        yield Finding(("verification", "rules"), "no rule or check goes beyond placeholders")


def _is_planned(package: Package) -> bool:
    """Whether a planner has room to decide anything."""
    return package.spec.phase_mode != "strict" and _has_model_phases(package, 3)


@rule(
    "LM910",
    "fewer than two planner examples",
    severity="warning",
    fix="add two or three goals, each with the subtasks that reach it",
    failing=_THREE_PHASES,
    passing="phase_mode: strict" + _THREE_PHASES,
)
def few_examples(package: Package) -> Iterator[Finding]:
    """In guided and suggestive mode a planner cuts the goal into tasks. It learns the shape of a good plan
    from examples, and from one alone it copies."""
    count = len(package.spec.planner_examples)
    if count < 2 and _is_planned(package):
        yield Finding(("planner_examples",), f"{count} of at least 2", at_key=count > 0)


@rule(
    "LM911",
    "nothing says when to replan",
    severity="warning",
    fix="add `replanning:` with `triggers` and `guidance`",
    failing=_THREE_PHASES,
    passing=_THREE_PHASES + "replanning: {triggers: No evidence is found., guidance: Narrow the question.}",
)
def no_replanning(package: Package) -> Iterator[Finding]:
    """Without `replanning` the first plan stands, even when early findings show that it does not fit."""
    replanning = package.spec.replanning
    if not (replanning.triggers.strip() or replanning.guidance.strip()) and _is_planned(package):
        yield Finding(("replanning",), f"the process is {package.spec.phase_mode}, and its plan may change")


@rule(
    "LM916",
    "the planner example does not mirror a phase",
    severity="warning",
    fix="use the id of the phase that the task stands for",
    failing="planner_examples: [{goal: Compare two products., subtasks: [{id: wrok}]}]",
    passing="planner_examples: [{goal: Compare two products., subtasks: [{id: work}]}]",
)
def foreign_subtask(package: Package) -> Iterator[Finding]:
    """Examples teach by showing the phases at work. A task that is no phase teaches plans that this process
    cannot carry out."""
    known = package.phase_names
    for index, example in enumerate(package.spec.planner_examples):
        for at, task in enumerate(example.subtasks):
            if task.id not in known:
                path = ("planner_examples", index, "subtasks", at, "id")
                yield unknown_phase(path, task.id, known)


@rule(
    "LM921",
    "contradicted claims are allowed",
    severity="warning",
    fix="write 0, or document the exception in README.md",
    failing="validity_contract: {max_contradicted_count: 1}",
    passing="validity_contract: {max_contradicted_count: 0}",
)
def contradictions_allowed(package: Package) -> Iterator[Finding]:
    """A contradicted claim is one that the evidence speaks against. A package that is meant to be relied
    on lets none through."""
    contract = package.spec.validity_contract
    if contract is not None and contract.max_contradicted_count > 0:
        yield Finding(("validity_contract", "max_contradicted_count"), f"{contract.max_contradicted_count}")
    for index, phase in enumerate(package.spec.phases):
        if phase.validity_contract is not None and phase.validity_contract.max_contradicted_count > 0:
            path = ("phases", index, "validity_contract", "max_contradicted_count")
            yield Finding(path, f"{phase.validity_contract.max_contradicted_count} in `{phase.id}`")
