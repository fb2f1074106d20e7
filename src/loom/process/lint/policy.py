"""LM4xx — the floors under the validity contract, and what undercuts them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from loom.kernel.diagnostics import Edit, Span
from loom.process.floors import infer_risk, is_strict
from loom.process.lint.rule import Finding, rule
from loom.process.package import Package
from loom.process.resolve import Loosened, ResolvedProcess, loosened

_LOOSE_CONTRACT = "validity_contract: {min_supported_ratio: 0.5}"


def _loosened(package: Package, *, strict: bool, below: str, soft: bool | None = None) -> Iterator[Loosened]:
    spec = package.spec
    if spec.validity_contract is None and not package.contracted:
        return
    resolved = ResolvedProcess(package)
    if is_strict(resolved.risk) is not strict:
        return
    for found in loosened(resolved):
        if found.below == below and (soft is None or found.soft is soft):
            yield found


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else f"{value}"


@rule(
    "LM410",
    "the value is below the floor, which wins",
    severity="warning",
    fix="write the floor or something tighter, or lower risk_level",
    failing=_LOOSE_CONTRACT,
    passing="validity_contract: {min_supported_ratio: 0.7}",
)
def below_floor(package: Package) -> Iterator[Finding]:
    """Every level of risk has floors that no package may undercut. At low and medium risk the floor
    simply wins; the value written here has no effect."""
    for found in _loosened(package, strict=False, below="floor", soft=False):
        yield Finding(found.path, f"{_show(found.value)} is looser than the floor {_show(found.than)}")


@rule(
    "LM411",
    "the value loosens a floor of a high-risk process",
    fix="write the floor or something tighter",
    failing="risk_level: high\n" + _LOOSE_CONTRACT,
    passing="risk_level: high\nvalidity_contract: {min_supported_ratio: 0.9}",
)
def loosened_floor(package: Package) -> Iterator[Finding]:
    """High and critical packages cannot weaken their safety constraints, and asking to is refused rather
    than ignored: nobody should believe that a weaker rule is in force."""
    for found in _loosened(package, strict=True, below="floor"):
        yield Finding(found.path, f"{_show(found.value)} is looser than the floor {_show(found.than)}")


@rule(
    "LM412",
    "the phase is looser than its process",
    severity="warning",
    fix="write the process's value or something tighter, unless this is meant",
    failing="""
validity_contract: {min_supported_ratio: 0.9}
phases:
  - {id: work, description: Work., validity_contract: {min_supported_ratio: 0.7}}
""",
    passing="""
validity_contract: {min_supported_ratio: 0.7}
phases:
  - {id: work, description: Work., validity_contract: {min_supported_ratio: 0.9}}
""",
)
def looser_phase(package: Package) -> Iterator[Finding]:
    """A phase may override its process. At low and medium risk it may even ask for less, down to the
    floor; because that is easily a slip, it is said out loud."""
    for found in _loosened(package, strict=False, below="process"):
        yield Finding(found.path, f"{_show(found.value)} is looser than the process's {_show(found.than)}")


@rule(
    "LM413",
    "the phase loosens its high-risk process",
    fix="write the process's value or something tighter",
    failing="""
risk_level: critical
validity_contract: {min_supported_ratio: 0.95}
phases:
  - {id: work, description: Work., validity_contract: {min_supported_ratio: 0.9}}
""",
    passing="""
risk_level: critical
validity_contract: {min_supported_ratio: 0.9}
phases:
  - {id: work, description: Work., validity_contract: {min_supported_ratio: 0.95}}
""",
)
def loosened_process(package: Package) -> Iterator[Finding]:
    """In a high or critical process the process's own contract binds every phase."""
    for found in _loosened(package, strict=True, below="process"):
        yield Finding(found.path, f"{_show(found.value)} is looser than the process's {_show(found.than)}")


@rule(
    "LM414",
    "risk_level is inferred",
    severity="warning",
    fix="write `risk_level: high`, or another level if the word misleads",
    failing="name: investment-memo # no risk_level",
    passing="name: investment-memo\nrisk_level: high",
)
def inferred_risk(package: Package) -> Iterator[Finding]:
    """Without a written level, words such as `finance` or `medical` in the name or the tags imply a high
    one, with its stricter floors. An explicit level keeps the policy from drifting when a tag changes."""
    spec = package.spec
    if spec.risk_level is not None or package.is_torn(("risk_level",)):
        return
    inferred = infer_risk(spec)
    if inferred:
        level, token = inferred
        yield Finding(
            ("name",), f"`{token}` in the name or tags implies {level}", at_key=True, edits=_insert_risk
        )


def _insert_risk(package: Package, span: Span) -> tuple[Edit, ...]:
    inferred = infer_risk(package.spec)
    if inferred is None or span.column != 1:
        return ()
    return (Edit(Span(span.line, 1, span.line, 1), f"risk_level: {inferred[0]}\n"),)


@rule(
    "LM415",
    "a safeguard is switched off",
    severity="warning",
    fix="leave it on, unless this package truly makes no claims",
    failing="validity_contract: {enabled: false}",
    passing="validity_contract: {enabled: true}",
)
def safeguard_off(package: Package) -> Iterator[Finding]:
    """At low and medium risk a package may switch off claim checking, verified-only synthesis or the
    second verifier. It is allowed, and never silent."""
    for found in _loosened(package, strict=False, below="floor", soft=True):
        yield Finding(
            found.path, f"{found.field} is {_show(found.value)}; the default is {_show(found.than)}"
        )


@rule(
    "LM416",
    "a synthesis phase is verified too lightly",
    fix="raise verification_tier of the phase",
    failing="""
phases:
  - {id: conclude, description: Conclude., is_synthesis: true, verification_tier: 1}
""",
    passing="""
phases:
  - {id: conclude, description: Conclude., is_synthesis: true, verification_tier: 2}
""",
)
def light_synthesis(package: Package) -> Iterator[Finding]:
    """A conclusion is the worst place for an unchecked claim. A synthesis phase needs at least the tier
    that `synthesis_min_verification_tier` asks for; at high risk that is an error."""
    resolved: ResolvedProcess | None = None
    for index, phase in enumerate(package.spec.phases):
        if not phase.is_synthesis or package.is_torn(("phases", index, "verification_tier")):
            continue
        resolved = resolved or ResolvedProcess(package)
        least = resolved.policy_of(index)["final_gate.synthesis_min_verification_tier"].value
        if phase.verification_tier < least:
            path = ("phases", index, "verification_tier" if phase.written("verification_tier") else "id")
            detail = f"tier {phase.verification_tier}, and the contract asks for {least}"
            yield Finding(path, detail, severity="error" if is_strict(resolved.risk) else "warning")


@rule(
    "LM417",
    "as_of is not a date",
    fix='write it as "2026-01-31"',
    failing="validity_contract: {final_gate: {temporal_consistency: {enabled: true, as_of: January}}}",
    passing="validity_contract: {final_gate: {temporal_consistency: {enabled: true, as_of: 2026-01-31}}}",
)
def reporting_date(package: Package) -> Iterator[Finding]:
    """The temporal checks compare dates with the reporting date; it must be one."""
    contracts = [(("validity_contract",), package.spec.validity_contract)]
    contracts += [
        (("phases", index, "validity_contract"), package.spec.phases[index].validity_contract)  # type: ignore[misc]
        for index in package.contracted
    ]
    for base, contract in contracts:
        as_of = contract.final_gate.temporal_consistency.as_of if contract else ""
        if as_of and not _is_date(as_of):
            yield Finding((*base, "final_gate", "temporal_consistency", "as_of"), f"`{as_of}`")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
