"""How the run of a case ended, in the words that a case expects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from loom.process.package import Package
from loom.process.references import Reference, parse_reference
from loom.runtime.outcome import GOOD

Status = Literal["ok", "failed", "blocked", "refused", "error"]

Phase = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a run, and what decided it."""

    status: Status
    verdict: str = ""
    is_acceptable: bool = False
    phases: tuple[str, ...] = ()
    """The phases that decided it; those that only had to wait for them are not among them."""

    codes: tuple[str, ...] = ()
    """The codes of the reasons."""

    reasons: tuple[str, ...] = ()
    """The reasons in words."""

    broken: tuple[str, ...] = ()
    """The phases that did not end well by themselves; a run may end ok in spite of some."""

    @property
    def words(self) -> str:
        """The end in one line."""
        verdict = f" with verdict {self.verdict}" if self.verdict else ""
        where = f" in {' and '.join(self.phases)}" if self.phases else ""
        return f"{self.status}{verdict}{where}"


def ending_of(package: Package, envelope: Mapping[str, Any]) -> Ending:
    """The ending that an envelope describes."""
    outcomes = {phase["phase"]: phase for phase in envelope["phases"]}
    roots = [outcomes[name] for name in package.graph.order if _decided(package, outcomes, name)]
    status: Status = "error" if envelope["ended"] == "interrupted" else envelope["ended"]
    broken = [phase["phase"] for phase in roots]
    deciding = _spoke(package, outcomes.values(), envelope["VERDICT"]) if status == "ok" else broken
    reasons = [*(reason for phase in roots for reason in phase["reasons"]), *envelope["reasons"]]
    error = envelope.get("error")
    words = [_said(reason) for reason in reasons]
    if error and not words:
        words = [f"{error['what']}: {error['why']}"]
    return Ending(
        status,
        envelope["VERDICT"],
        envelope["is_acceptable"],
        tuple(deciding),
        tuple(dict.fromkeys(str(reason.get("code")) for reason in reasons)),
        tuple(dict.fromkeys(words)),
        tuple(broken),
    )


def ran(phase: Phase) -> bool:
    """Whether a phase did something."""
    return phase["status"] == "accepted" or bool(phase["attempts"])


def _decided(package: Package, outcomes: Mapping[str, Phase], name: str) -> bool:
    """Whether a phase did not end well although all that it waits for did."""
    phase = outcomes.get(name)
    if phase is None or phase["status"] in GOOD:
        return False
    return all(outcomes[other]["status"] in GOOD for other in package.ancestors(name) if other in outcomes)


def _spoke(package: Package, outcomes: Iterable[Phase], verdict: str) -> list[str]:
    """The phases whose result is the verdict of the run."""
    verb = package.spec.verb
    source = parse_reference(verb.verdict.from_) if verb and verb.verdict else None
    named = [source.phase] if isinstance(source, Reference) and source.phase else []
    found = [phase["phase"] for phase in outcomes if verdict in (phase["verdict"], _data_verdict(phase))]
    return list(dict.fromkeys([*found, *named]))


def _data_verdict(phase: Phase) -> Any:
    return phase["data"].get("verdict") if isinstance(phase["data"], Mapping) else None


def _said(reason: Mapping[str, Any]) -> str:
    return f"{reason.get('code')}: {reason.get('what')}"
