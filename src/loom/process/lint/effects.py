"""LM990 — everything that is accepted and cannot act, so that no key is ever silently ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loom.kernel.diagnostics import KeyPath
from loom.process.floors import is_strict, risk_of
from loom.process.lint.graph import fan_in_phases
from loom.process.lint.rule import Finding, rule

if TYPE_CHECKING:
    from loom.process.package import Package
    from loom.process.spec.model import OpenModel
    from loom.process.spec.phases import Phase
    from loom.process.spec.validity_contract import ValidityContract

Idle = Iterator[tuple[KeyPath, str]]

_FOR_MODELS = ("persona", "tool_guidance", "planner_examples", "replanning", "memory", "workspace_analysis")
_NO_MODEL = "no phase is executed by a model"


@rule(
    "LM990",
    "accepted, no effect",
    severity="warning",
    fix="remove it, or write what makes it act",
    failing="""
persona: You are an analyst.
phases:
  - {id: work, description: Work., run: {tool: calculator}}
""",
    passing="""
persona: You are an analyst.
phases:
  - {id: work, description: Work.}
""",
)
def without_effect(package: Package) -> Iterator[Finding]:
    """A key that is read and then changes nothing misleads whoever reads the file next. Each one is named
    here, with the reason. Keys that start with `x-` are yours and are never reported."""
    for source in (_free_keys, _phase_keys, _contract_keys, _model_keys, _coordination_keys, _other_keys):
        for path, why in source(package):
            yield Finding(path, f"`{path[-1]}`: {why}", at_key=True)


def _free_keys(package: Package) -> Idle:
    verification = package.spec.verification
    remediation = verification.remediation
    base: KeyPath = ("verification", "remediation")
    places: list[tuple[KeyPath, OpenModel]] = [
        ((*base, "retry_budget"), remediation.retry_budget),
        ((*base, "transient_retry_policy"), remediation.transient_retry_policy),
        (("verification", "policy", "outcome_policy"), verification.policy.outcome_policy),
        (("evidence", "summarization"), package.spec.evidence.summarization),
    ]
    by_name = _is_mapping(package, (*base, "strategies"))
    for index, strategy in enumerate(remediation.strategies):
        places.append(((*base, "strategies", strategy.name if by_name else index), strategy))
    for path, model in places:
        for key in model.model_extra or ():
            if not key.startswith("x-"):
                yield (*path, key), "a key of your own, kept and not read"


def _is_mapping(package: Package, path: KeyPath) -> bool:
    """Whether the author wrote a mapping where the models hold a list."""
    node = package.validated.data
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    return isinstance(node, dict)


def _phase_keys(package: Package) -> Idle:
    coordination = package.spec.output_coordination
    for index, phase in enumerate(package.spec.phases):
        if phase.run is not None and phase.written("model_tier"):
            yield ("phases", index, "model_tier"), f"`{phase.id}` is executed without a model"
        if phase.iteration is not None:
            yield from _iteration_keys(phase, ("phases", index, "iteration"))
        if phase.output_strategy == "fan_in" and not phase.deliverables:
            yield ("phases", index, "output_strategy"), f"`{phase.id}` has no deliverables to publish"
        if phase.finalizer_input_policy is not None:
            fan_in = (phase.output_strategy or coordination.strategy) == "fan_in"
            if not (fan_in and phase.deliverables):
                yield ("phases", index, "finalizer_input_policy"), f"`{phase.id}` has no finalizer"


def _iteration_keys(phase: Phase, path: KeyPath) -> Idle:
    loop = phase.iteration
    if loop is None:
        return
    if not loop.enabled:
        if rest := sorted(loop.model_fields_set - {"enabled"}):
            yield path, f"the loop of `{phase.id}` is off, and with it {', '.join(rest)}"
    elif loop.max_replans_after_exhaustion and not loop.replan_on_exhaustion:
        yield (*path, "max_replans_after_exhaustion"), "replan_on_exhaustion is false"


def _contract_keys(package: Package) -> Idle:
    """What is written in a contract, or in its temporal block, that is off where it is written."""
    spec = package.spec
    if is_strict(risk_of(spec)):
        # the floors of high risk keep both on
        return
    own = [
        (index, phase.validity_contract) for index, phase in enumerate(spec.phases) if phase.validity_contract
    ]
    process = spec.validity_contract
    is_on = process is None or process.enabled
    temporal = process is not None and process.final_gate.temporal_consistency.enabled
    if process is not None:
        path: KeyPath = ("validity_contract",)
        if not is_on and not any(each.written("enabled") and each.enabled for _, each in own):
            yield from _off(process, path)
        elif not temporal and not any(each.final_gate.temporal_consistency.enabled for _, each in own):
            yield from _temporal_off(process, path)
    for index, contract in own:
        path = ("phases", index, "validity_contract")
        block = contract.final_gate.temporal_consistency
        if not (contract.enabled if contract.written("enabled") else is_on):
            yield from _off(contract, path)
        elif not (block.enabled if block.written("enabled") else temporal):
            yield from _temporal_off(contract, path)


def _off(contract: ValidityContract, path: KeyPath) -> Idle:
    for key in sorted(contract.model_fields_set - {"enabled"}):
        yield (*path, key), "the contract is off"


def _temporal_off(contract: ValidityContract, path: KeyPath) -> Idle:
    block = contract.final_gate.temporal_consistency
    for key in sorted(block.model_fields_set - {"enabled"}):
        # a switch that is off changes nothing, whether the checks run or not
        if getattr(block, key):
            yield (*path, "final_gate", "temporal_consistency", key), "temporal_consistency is not enabled"


def _model_keys(package: Package) -> Idle:
    """What is told to models, where no phase has one."""
    spec = package.spec
    if package.needs_model or package.is_torn(("phases",)):
        return
    for key in _FOR_MODELS:
        if spec.written(key):
            yield (key,), _NO_MODEL
    if spec.tools.written("guidance"):
        yield ("tools", "guidance"), _NO_MODEL
    judged = any(item.type == "llm" for item in spec.verification.rules) or any(
        phase.verification_tier > 1 for phase in spec.phases
    )
    for key in sorted(spec.prompt_contracts.model_fields_set):
        if key != "verifier_constraints" or not judged:
            yield ("prompt_contracts", key), _NO_MODEL


def _coordination_keys(package: Package) -> Idle:
    coordination = package.spec.output_coordination
    written = [key for key in ("intermediate_root", "finalizer_input_policy") if coordination.written(key)]
    if written and not fan_in_phases(package) and not package.is_torn(("phases",)):
        for key in written:
            yield ("output_coordination", key), "no phase with deliverables uses fan_in"


def _other_keys(package: Package) -> Idle:
    spec = package.spec
    for index, item in enumerate(spec.verification.rules):
        for key in ("min_count", "requires_exact_cardinality"):
            if item.type == "llm" and item.written(key):
                yield ("verification", "rules", index, key), "only the matches of a regex rule are counted"
    for index, check in enumerate(spec.verification.policy.semantic_checks):
        if check.kind:
            path = ("verification", "policy", "semantic_checks", index, "kind")
            yield path, "a label for readers; no check depends on it"
    summarization = spec.evidence.summarization
    if not summarization.enabled:
        for key in ("max_records", "max_chars"):
            if summarization.written(key):
                yield ("evidence", "summarization", key), "summarization is off"
    evidence = spec.prompt_contracts.evidence_contract
    if evidence.written("applies_to_phases") and not evidence.enabled and package.needs_model:
        base = ("prompt_contracts", "evidence_contract")
        yield (*base, "applies_to_phases"), "the evidence contract is not enabled"
    if spec.verb is not None and spec.verb.card is not None and spec.verb.flow is None:
        yield ("verb", "card"), "without `flow` the verb leaves no run that could carry a card"
    yield from _script_keys(package)


def _script_keys(package: Package) -> Idle:
    for index, case in enumerate(package.spec.tests):
        for name, attempts in case.script.items():
            phase = package.phases.get(name)
            # a scripted verifier and scripted claims act on the result of a tool as well
            if phase is None or phase.run is None or any(each.verifier or each.claims for each in attempts):
                continue
            if case.mode == "deterministic":
                yield ("tests", index, "script", name), f"`{name}` is executed without a model"
