"""What verification found: what is wrong, how much that matters, and what nobody has looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["hard", "advisory"]
FailureClass = Literal["hard_integrity", "recoverable_placeholder", "semantic", "method"]
"""The classes of rules, and `method`: a way of working that failed, where another one may not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold."""

    check: str
    """The rule or check that found it, by name."""

    severity: Severity
    """`hard` rejects the result, `advisory` is noted."""

    failure_class: FailureClass
    """What kind of failure it is; decides how it may be repaired."""

    what: str
    """What is wrong, for a reader."""

    where: str = ""
    """The file and line, the tool, or `output`."""

    remediation: str = ""
    """How the rule's author wants it repaired; empty takes the default strategy."""


@dataclass(frozen=True, slots=True)
class NotAssessed:
    """A check that was not made. It says nothing about the result, and nobody may read it as passed."""

    check: str
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that verification has to say about one result."""

    findings: tuple[Finding, ...] = ()
    not_assessed: tuple[NotAssessed, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing that was looked at rejects the result."""
        return not self.hard

    @property
    def hard(self) -> tuple[Finding, ...]:
        """The findings that reject the result."""
        return tuple(each for each in self.findings if each.severity == "hard")

    def __add__(self, other: Report) -> Report:
        return Report(self.findings + other.findings, self.not_assessed + other.not_assessed)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"passed": self.passed, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """The report that plain data describes."""
        return cls(
            tuple(Finding(**each) for each in data["findings"]),
            tuple(NotAssessed(**each) for each in data["not_assessed"]),
        )
