"""The port through which a tool looks at other runs: what they were, how they ended, what they found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run, as those may know it who build on it: its summary and its end, never its data."""

    name: str
    """What to type to mean it: its pathspec, or Loom's own name."""

    verb: str
    status: str
    """ok, failed, blocked, refused, error, interrupted or running."""

    pathspec: str | None = None
    flow: str | None = None
    verdict: str | None = None
    experiment_id: str | None = None
    started: float = 0.0
    """In seconds since 1970."""

    seconds: float | None = None
    parent: str | None = None
    """Loom's own name of the run it was part of."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[Mapping[str, Any], ...] = ()
    error: Mapping[str, str] | None = None
    reads: tuple[str, ...] = ()
    """The pathspecs it used."""

    made: Mapping[str, Any] = field(default_factory=dict)
    """With what: the version of `loom` and of the `process`, and the `seed`, as far as they are known."""

    def as_json(self) -> dict[str, Any]:
        """The facts as plain data."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**told, "reasons": list(self.reasons), "reads": list(self.reads)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunFacts:
        """The facts that plain data tells; what it does not know is left out."""
        known = {each.name for each in fields(cls)}
        told: dict[str, Any] = {key: value for key, value in data.items() if key in known}
        for name in ("reasons", "reads"):
            told[name] = tuple(told.get(name) or ())
        return cls(**told)


@runtime_checkable
class RunIndex(Protocol):
    """Knows the runs of this home."""

    def runs(
        self, *, flow: str | None = None, experiment: str | None = None, limit: int | None = None
    ) -> list[RunFacts]:
        """The newest first; those of one flow or experiment, where one is named."""

    def run(self, pathspec: str) -> RunFacts:
        """One run; a LoomError that names near ones where there is none of that name."""
