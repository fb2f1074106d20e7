"""What became of a phase. It travels between processes as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from loom.runtime.state import Reason

PhaseStatus = Literal["accepted", "rejected", "exhausted", "blocked", "skipped", "cancelled"]

# a phase that was skipped had nothing to do; what depends on it goes on
GOOD: frozenset[PhaseStatus] = frozenset({"accepted", "skipped"})


@dataclass(frozen=True, slots=True)
class PhaseOutcome:
    """How a phase ended, and what later phases may read of it."""

    phase: str
    status: PhaseStatus
    data: Any = None
    """The structured result of the tool; for a `for_each`, one per item."""

    verdict: Any = None
    """The verdict of a nested process."""

    summary: Any = None
    """The summary of a nested process."""

    pathspec: Any = None
    """The run of a nested process, otherwise the run this phase belongs to."""

    deliverables: tuple[str, ...] = ()
    """Files that were published, relative to the workspace."""

    reasons: tuple[Reason, ...] = ()
    """Why it did not end well, or what is worth knowing although it did."""

    attempts: int = 0
    seconds: float = 0.0
    items: tuple[PhaseOutcome, ...] | None = None
    """The outcome of each item of a `for_each`."""

    data_objects: tuple[str, ...] = ()
    """Keys of the data objects it made; they become artifacts of the run."""

    sandbox: str = ""
    """The level of sandbox its programs had, if it started any."""

    output: str = field(default="", repr=False)
    """What the tool said, for a reader."""

    @property
    def is_good(self) -> bool:
        """Whether phases that depend on this one may start."""
        return self.status in GOOD

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **{each.name: getattr(self, each.name) for each in fields(self)},
            "deliverables": list(self.deliverables),
            "data_objects": list(self.data_objects),
            "reasons": [asdict(reason) for reason in self.reasons],
            "items": None if self.items is None else [item.as_json() for item in self.items],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PhaseOutcome:
        """The outcome that plain data describes."""
        items = data.get("items")
        return cls(
            **{
                **data,
                "deliverables": tuple(data.get("deliverables", ())),
                "data_objects": tuple(data.get("data_objects", ())),
                "reasons": tuple(Reason(**reason) for reason in data.get("reasons", ())),
                "items": None if items is None else tuple(cls.from_json(item) for item in items),
            }
        )


def not_run(phase: str, status: PhaseStatus, because: str) -> PhaseOutcome:
    """The outcome of a phase that had no turn, because of another one that did not end well."""
    code = "dependency" if status == "blocked" else "stopped"
    what = f"{because} did not end well" if because else "the run was stopped"
    return PhaseOutcome(phase, status, reasons=(Reason(code, what),))


def ended(outcome: PhaseOutcome, item: int | None = None) -> dict[str, Any]:
    """What the event says that a phase has ended."""
    said = [{"code": reason.code, "what": reason.what} for reason in outcome.reasons]
    body: dict[str, Any] = {"phase": outcome.phase, "status": outcome.status, "seconds": outcome.seconds}
    return body | {"attempts": outcome.attempts, "reasons": said} | ({} if item is None else {"item": item})


def of_items(phase: str, items: tuple[PhaseOutcome, ...]) -> PhaseOutcome:
    """One outcome for a phase that ran once per item: each field becomes a list, and the worst item decides."""
    if not items:
        return PhaseOutcome(phase, "skipped", data=[], verdict=[], summary=[], pathspec=[], items=())
    worst: PhaseOutcome = next((item for item in items if not item.is_good), items[0])
    return PhaseOutcome(
        phase,
        worst.status,
        data=[item.data for item in items],
        verdict=[item.verdict for item in items],
        summary=[item.summary for item in items],
        pathspec=[item.pathspec for item in items],
        deliverables=tuple(dict.fromkeys(name for item in items for name in item.deliverables)),
        reasons=tuple(reason for item in items for reason in item.reasons),
        attempts=max(item.attempts for item in items),
        seconds=sum(item.seconds for item in items),
        items=items,
        data_objects=tuple(key for item in items for key in item.data_objects),
        sandbox=worst.sandbox,
    )


def by_phase(outcomes: Mapping[str, PhaseOutcome]) -> dict[str, PhaseOutcome]:
    """Outcomes of tasks as outcomes of phases: items that came apart, `phase.0` and so on, become one."""
    found: dict[str, PhaseOutcome] = {}
    apart: dict[str, dict[int, PhaseOutcome]] = {}
    for name, outcome in outcomes.items():
        phase, dot, index = name.partition(".")
        if dot:
            apart.setdefault(phase, {})[int(index)] = outcome
        else:
            found[phase] = outcome
    whole = {
        phase: of_items(phase, tuple(pieces[at] for at in sorted(pieces))) for phase, pieces in apart.items()
    }
    return found | whole
