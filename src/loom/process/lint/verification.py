"""LM6xx — rules that compile, checks that can be carried out, answers that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from loom.kernel.diagnostics import KeyPath, suggest
from loom.process.lint.graph import ids_are_known, unknown_phase
from loom.process.lint.rule import Finding, rule
from loom.process.package import Package
from loom.process.patterns import PatternError, catastrophe, compile_pattern
from loom.process.spec.iteration import ArtifactRegexGate

Capability = Literal["command_execution", "service_runtime", "browser_runtime", "report_rendering"]
HELPERS: dict[str, Capability] = {
    "run_test_suite": "command_execution",
    "run_build_check": "command_execution",
    "serve_static": "service_runtime",
    "http_assert": "service_runtime",
    "probe_suite": "service_runtime",
    "browser_assert": "browser_runtime",
    "browser_session": "browser_runtime",
    "render_verification_report": "report_rendering",
}


def _rule(text: str) -> str:
    return f"verification:\n  rules:\n    - {{{text}}}"


def _check(text: str) -> str:
    return f"verification:\n  policy:\n    semantic_checks:\n      - {{{text}}}"


@rule(
    "LM601",
    "invalid regex in verification rule",
    fix="correct the pattern; inside double quotes a backslash is written twice",
    failing=_rule("name: closed, check: '[TBD', type: regex"),
    passing=_rule("name: closed, check: '\\[TBD', type: regex"),
)
def rule_pattern(package: Package) -> Iterator[Finding]:
    """A regex rule is compiled once, here, so that a run never meets a broken one."""
    for index, item in enumerate(package.spec.verification.rules):
        if item.type == "regex":
            try:
                compile_pattern(item.check)
            except PatternError as error:
                where = f" at character {error.position + 1}" if error.position is not None else ""
                yield Finding(("verification", "rules", index, "check"), error.why + where)


@rule(
    "LM602",
    "the pattern may take exponential time",
    severity="warning",
    fix="make the parts of a repeat exclude each other, or use a possessive repeat such as `a++`",
    failing=_rule("name: slow, check: '(a+)+$', type: regex"),
    passing=_rule("name: quick, check: 'a+$', type: regex"),
)
def slow_pattern(package: Package) -> Iterator[Finding]:
    """Some patterns can read the same text in exponentially many ways. Every search has a time limit, so
    a run does not hang; but the rule will fail with a timeout on exactly the text it was written for."""
    for path, pattern in _patterns(package):
        why = catastrophe(pattern)
        if why:
            yield Finding(path, why)


def _patterns(package: Package) -> Iterator[tuple[KeyPath, str]]:
    for index, item in enumerate(package.spec.verification.rules):
        if item.type == "regex":
            yield ("verification", "rules", index, "check"), item.check
    for index in package.looping:
        loop = package.spec.phases[index].iteration
        for at, gate in enumerate(loop.gates if loop else ()):
            if isinstance(gate, ArtifactRegexGate):
                yield ("phases", index, "iteration", "gates", at, "pattern"), gate.pattern
    for index, case in enumerate(package.spec.tests):
        for at, pattern in enumerate(case.acceptance.verification.forbidden_patterns):
            yield ("tests", index, "acceptance", "verification", "forbidden_patterns", at), pattern


@rule(
    "LM603",
    "duplicate rule name",
    fix="give each rule and check a name of its own",
    failing="""
verification:
  rules:
    - {name: sourced, check: Is every number sourced?}
    - {name: sourced, check: Is every date sourced?}
""",
    passing="""
verification:
  rules:
    - {name: numbers-sourced, check: Is every number sourced?}
    - {name: dates-sourced, check: Is every date sourced?}
""",
)
def duplicate_rule(package: Package) -> Iterator[Finding]:
    """A failed rule is reported by its name; two rules of one name cannot be told apart."""
    verification = package.spec.verification
    for base, names in (
        (("verification", "rules"), [("name", item.name) for item in verification.rules]),
        (
            ("verification", "policy", "semantic_checks"),
            [
                ("name", check.name) if check.name else ("id", check.id or "")
                for check in verification.policy.semantic_checks
            ],
        ),
    ):
        seen: set[str] = set()
        for index, (key, name) in enumerate(names):
            if name and name in seen:
                yield Finding((*base, index, key), f"`{name}` is already used")
            seen.add(name)


@rule(
    "LM604",
    "applies_to_phases names an unknown phase",
    fix='name a phase of this process, or `"*"` for all',
    failing=_rule("name: sourced, check: Is it sourced?, applies_to_phases: [wrok]"),
    passing=_rule("name: sourced, check: Is it sourced?, applies_to_phases: [work]"),
)
def rule_phases(package: Package) -> Iterator[Finding]:
    """A rule for a phase that does not exist is never applied, and nobody would notice."""
    known = package.phase_names
    if not ids_are_known(package):
        return
    places = [
        (("verification", "rules", index), item.applies_to_phases)
        for index, item in enumerate(package.spec.verification.rules)
    ]
    contract = package.spec.prompt_contracts.evidence_contract
    for base, names in [*places, (("prompt_contracts", "evidence_contract"), contract.applies_to_phases)]:
        for at, name in enumerate(names):
            if name != "*" and name not in known:
                yield unknown_phase((*base, "applies_to_phases", at), name, known)


@rule(
    "LM605",
    "the helper is not registered",
    fix="use one of: " + ", ".join(HELPERS),
    failing=_check("name: tests, capability: command_execution, helper: run_tests"),
    passing=_check("name: tests, capability: command_execution, helper: run_test_suite"),
)
def known_helper(package: Package) -> Iterator[Finding]:
    """A check is carried out by a helper that Loom knows and really runs; a name it does not know would
    be a check that never happens."""
    for index, check in enumerate(package.spec.verification.policy.semantic_checks):
        if check.helper is not None and check.helper not in HELPERS:
            meant = suggest(check.helper, HELPERS)
            path = ("verification", "policy", "semantic_checks", index, "helper")
            yield Finding(path, f"`{check.helper}`", f"did you mean `{meant}`?" if meant else "")


@rule(
    "LM606",
    "the helper does not fit the capability",
    fix="write the capability the helper provides",
    failing=_check("name: tests, capability: browser_runtime, helper: run_test_suite"),
    passing=_check("name: tests, capability: command_execution, helper: run_test_suite"),
)
def fitting_helper(package: Package) -> Iterator[Finding]:
    """The capability decides what happens on a machine that lacks it, so it must be the one the helper
    really needs."""
    for index, check in enumerate(package.spec.verification.policy.semantic_checks):
        needed = HELPERS.get(check.helper or "")
        if needed and check.capability != needed:
            path = ("verification", "policy", "semantic_checks", index, "capability")
            yield Finding(path, f"`{check.helper}` provides {needed}", f"write `capability: {needed}`")


@rule(
    "LM607",
    "a semantic check needs a name",
    fix="add `name:`",
    failing=_check("capability: command_execution, helper: run_test_suite"),
    passing=_check("id: tests, capability: command_execution, helper: run_test_suite"),
)
def named_check(package: Package) -> Iterator[Finding]:
    """A failed check is reported by its name."""
    for index, check in enumerate(package.spec.verification.policy.semantic_checks):
        if check.name is None and check.id is None:
            yield Finding(
                ("verification", "policy", "semantic_checks", index), "neither `name` nor `id` is written"
            )


@rule(
    "LM608",
    "default_strategy is not one of the strategies",
    fix="name one of the declared strategies, or declare it",
    failing="""
verification:
  remediation: {default_strategy: prune, strategies: [{name: targeted-remediation}]}
""",
    passing="""
verification:
  remediation: {default_strategy: targeted-remediation, strategies: [{name: targeted-remediation}]}
""",
)
def known_strategy(package: Package) -> Iterator[Finding]:
    """When strategies are declared, the default is one of them."""
    remediation = package.spec.verification.remediation
    names = [strategy.name for strategy in remediation.strategies]
    if package.is_torn(("verification", "remediation", "strategies")):
        return
    if names and remediation.default_strategy and remediation.default_strategy not in names:
        path = ("verification", "remediation", "default_strategy")
        yield Finding(path, f"declared are {', '.join(names)}")


@rule(
    "LM609",
    "the output contract lacks `passed`",
    fix="add `passed` to required_fields",
    failing="verification: {policy: {output_contract: {required_fields: [outcome]}}}",
    passing="verification: {policy: {output_contract: {required_fields: [passed, outcome]}}}",
)
def contract_has_passed(package: Package) -> Iterator[Finding]:
    """Whatever else a verifier answers, it must say whether the result passed."""
    fields = package.spec.verification.policy.output_contract.required_fields
    if fields and "passed" not in fields:
        yield Finding(("verification", "policy", "output_contract", "required_fields"), "a verdict needs it")


@rule(
    "LM610",
    "the pattern matches the empty text",
    severity="warning",
    fix="make the pattern require at least one character",
    failing=_rule("name: closed, check: '(TBD)?', type: regex"),
    passing=_rule("name: closed, check: '(TBD)', type: regex"),
)
def empty_match(package: Package) -> Iterator[Finding]:
    """Such a pattern is found in every text, so the rule always trips."""
    for index, item in enumerate(package.spec.verification.rules):
        if item.type != "regex":
            continue
        try:
            matches = compile_pattern(item.check).fullmatch("", timeout=1)
        except (PatternError, TimeoutError):
            continue
        if matches:
            yield Finding(("verification", "rules", index, "check"), "it is found in every text")


@rule(
    "LM611",
    "a state counts as both passed and failed",
    fix="keep it in one of the two lists",
    failing="verification: {policy: {outcome_policy: {pass_states: [pass, partial], fail_states: [partial]}}}",
    passing="verification: {policy: {outcome_policy: {pass_states: [pass], fail_states: [partial]}}}",
)
def disjoint_states(package: Package) -> Iterator[Finding]:
    """An outcome is one or the other."""
    policy = package.spec.verification.policy
    passing = {*policy.pass_states, *policy.outcome_policy.pass_states}
    for base, states in (((), policy.fail_states), (("outcome_policy",), policy.outcome_policy.fail_states)):
        for at, state in enumerate(states):
            if state in passing:
                yield Finding(("verification", "policy", *base, "fail_states", at), f"`{state}`")
