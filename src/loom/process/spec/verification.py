"""`verification:` — rules, checks and what to do when one fails."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from loom.process.spec.model import OpenModel, SpecModel
from loom.process.spec.types import Capability, Count, PhaseNames, Seq, Severity, Text

Enforcement = Literal["hard", "advisory"]
Scope = Literal["phase", "global"]
ToolSuccessPolicy = Literal[
    "method_resilient", "development_balanced", "safety_integrity_only", "all_tools_hard"
]


class Rule(SpecModel):
    """One thing that must hold for a phase's result."""

    name: Text
    """The rule's name, unique in the package."""

    description: str = ""
    """What the rule protects against."""

    check: Text
    """For `regex`, a pattern that must not occur. For `llm`, what a model should judge."""

    severity: Severity = "warning"
    """`error` rejects the result unless `enforcement: advisory`; `warning` is noted."""

    type: Literal["regex", "llm"] = "llm"
    """A pattern, free and instant; or a judgement by a model."""

    target: Literal["output", "deliverables"] = "output"
    """What is looked at: the phase's text, or its files."""

    enforcement: Enforcement | None = None
    """Overrides what the severity implies: `hard` blocks, `advisory` does not."""

    failure_class: Literal["hard_integrity", "recoverable_placeholder", "semantic"] = "semantic"
    """What kind of failure this is; decides how it may be repaired."""

    remediation_mode: (
        Literal["none", "confirm_or_prune", "targeted_remediation", "queue_follow_up", "remediate_and_retry"]
        | None
    ) = None
    """How a failure is repaired; empty takes the default strategy."""

    scope: Scope = "phase"
    """Whether the rule looks at one phase at a time or at everything at the end."""

    applies_to_phases: PhaseNames = ("*",)
    """Phases the rule applies to; `"*"` for all."""

    requires_exact_cardinality: bool = False
    """Whether `min_count` is the exact number of matches."""

    min_count: Count = 0
    """The least number of matches; turns a `regex` rule into a demand that the pattern occurs."""

    @property
    def hard(self) -> bool:
        """Whether breaking this rule rejects the result."""
        return self.enforcement == "hard" or (self.severity == "error" and self.enforcement != "advisory")


class StaticChecks(SpecModel):
    """Deterministic checks."""

    tool_success_policy: ToolSuccessPolicy = "method_resilient"
    """How a failed tool call counts: as a route to retry, by kind, only for safety, or always."""


class SemanticCheck(SpecModel):
    """A check of behaviour or meaning, by a registered helper or by a model."""

    name: Text | None = None
    """The check's name; `id` does as well."""

    id: Text | None = None
    """The check's name; `name` does as well."""

    capability: Capability = "artifact_static"
    """What kind of verification is asked for."""

    target: str = ""
    """What is checked: a file, a folder or an address."""

    helper: Text | None = None
    """A registered helper that carries the check out."""

    kind: str = ""
    """A label of the author's own."""

    check: str = ""
    """What must hold, in words."""

    description: str = ""
    """Why it matters."""

    optional: bool = False
    """Do not fail where the machine lacks the capability."""

    severity: Severity = "error"
    """Whether a failure rejects the result."""

    enforcement: Enforcement | None = None
    """Overrides what the severity implies."""

    scope: Scope = "phase"
    """Whether the check runs after each phase or once at the end."""


class OutputContract(SpecModel):
    """The shape of a verifier's answer."""

    required_fields: Seq[Text] = ()
    """Fields every answer must carry; `passed` among them."""

    metadata_fields: Seq[Text] = ()
    """Fields under `metadata`."""

    counters: Seq[Text] = ()
    """Numbers an answer carries."""

    flags: Seq[Text] = ()
    """Truth values an answer carries."""


class OutcomePolicy(OpenModel):
    """How a verifier's answer becomes an outcome."""

    treat_verifier_infra_as_warning: bool = False
    """A broken verifier is a warning, not a failure of the product."""

    prefer_behavior_over_style: bool = False
    """Judge what the result does before how it is written."""

    optional_capabilities: Seq[Capability] = ()
    """Capabilities whose absence on a machine does not fail the package."""

    pass_states: Seq[Text] = ()
    """Outcomes that count as passed."""

    fail_states: Seq[Text] = ()
    """Outcomes that count as failed."""


class Policy(SpecModel):
    """What is checked first, and how answers are read. One policy serves the whole process."""

    mode: Literal["llm_first", "static_first"] = "llm_first"
    """Ask the model first, for prose; or the deterministic checks first, for software and data."""

    static_checks: StaticChecks = StaticChecks()
    """Deterministic checks."""

    semantic_checks: Seq[SemanticCheck] = ()
    """Checks of behaviour and meaning."""

    output_contract: OutputContract = OutputContract()
    """The shape of a verifier's answer."""

    outcome_policy: OutcomePolicy = OutcomePolicy()
    """How an answer becomes an outcome."""

    pass_states: Seq[Text] = ()
    """Short for `outcome_policy.pass_states`."""

    fail_states: Seq[Text] = ()
    """Short for `outcome_policy.fail_states`."""


class RemediationStrategy(OpenModel):
    """A named way to repair a failure. Keys of your own are kept."""

    name: Text
    """The name `default_strategy` and rules refer to."""

    description: str = ""
    """What the strategy does."""


def _named_strategies(value: Any) -> Any:
    """Strategies may be written as a mapping by name or as a list."""
    if not isinstance(value, dict):
        return value
    return [{"name": name, **body} if isinstance(body, dict) else body for name, body in value.items()]


def _attempts(value: Any) -> Any:
    return {"max_attempts": value} if isinstance(value, int) and not isinstance(value, bool) else value


class RetryPolicy(OpenModel):
    """A bound on repeated attempts. Keys of your own are kept."""

    max_attempts: Count = 2
    """Attempts in all."""

    backoff_seconds: float = 0
    """Seconds before the second attempt; doubled for each further one."""


class Remediation(SpecModel):
    """What happens after a check fails."""

    strategies: Annotated[
        Seq[RemediationStrategy],
        BeforeValidator(
            _named_strategies, json_schema_input_type=list[RemediationStrategy] | dict[str, dict[str, object]]
        ),
    ] = ()
    """Named ways to repair a failure, as a list or as a mapping by name."""

    default_strategy: str = ""
    """The strategy of failures that name none."""

    retry_budget: Annotated[
        RetryPolicy, BeforeValidator(_attempts, json_schema_input_type=int | RetryPolicy)
    ] = RetryPolicy()
    """How often a repair may be tried: a number, or a mapping with `max_attempts`."""

    transient_retry_policy: Annotated[
        RetryPolicy, BeforeValidator(_attempts, json_schema_input_type=int | RetryPolicy)
    ] = RetryPolicy()
    """How often a passing fault of the surroundings is retried."""

    critical_path_behavior: Literal["block", "confirm_or_prune_then_queue", "queue_follow_up"] = "block"
    """What an unrepaired failure on the critical path does."""


class Verification(SpecModel):
    """How results are checked."""

    rules: Seq[Rule] = ()
    """Things that must hold."""

    policy: Policy = Policy()
    """What is checked first, and how answers are read."""

    remediation: Remediation = Remediation()
    """What happens after a check fails."""
