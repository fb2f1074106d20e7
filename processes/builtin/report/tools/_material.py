"""The runs of a report: which of them tell of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ._source import Source


@dataclass(frozen=True)
class Material:
    """What `gather` found, the oldest run first."""

    runs: Sequence[Source]
    """Those that finished, and can be drawn on."""

    left: Sequence[Source]
    """Those that did not."""

    gone: Sequence[str]
    """Names of runs that were named, or used by one that was, and are not there."""

    @classmethod
    def of(cls, told: Mapping[str, Any], numbers: Any) -> Material:
        """The material as it travels from one phase to the next."""
        runs = [Source(facts, numbers) for facts in told["runs"]]
        finished = [run for run in runs if run.facts["status"] == "ok"]
        return cls(finished, [run for run in runs if run not in finished], list(told["gone"]))

    @cached_property
    def head(self) -> Source | None:
        """The run whose verdict is the report's: the latest validation."""
        return next((run for run in reversed(self.runs) if run.verb == "validate"), None)

    def all(self, *verbs: str) -> list[Source]:
        """The runs of some verbs, the latest first."""
        return [run for run in reversed(self.runs) if run.verb in verbs]

    def latest(self, *verbs: str, tells: str | None = None) -> Source | None:
        """The run that tells of something: one that the validation rests on, else one of the same data, else the
        latest."""
        found = [run for run in self.all(*verbs) if tells is None or run.get(tells)]
        return max(found, key=self._kinship, default=None)

    @property
    def data(self) -> str | None:
        """The data object to go on with: the one that was validated, else the latest that was made."""
        run = self.latest("validate", "features", "ingest", "eda", tells="dataset_ref")
        return None if run is None else str(run.get("dataset_ref"))

    def above(self, name: str) -> set[str]:
        """The names of all runs that one rests on."""
        found: set[str] = set()
        pending = [name]
        while pending:
            reads = self._reads.get(pending.pop(), ())
            pending += [each for each in reads if each not in found]
            found |= set(reads)
        return found - {name}

    def _kinship(self, run: Source) -> int:
        # of equals `max` takes the first, which is the latest
        if self.head is None or run == self.head:
            return 3
        mine, known = self.above(run.name) | {run.name}, self.above(self.head.name) | {self.head.name}
        brought = {each.name for each in self.runs if each.verb == "ingest"}
        return 2 if run.name in known else 1 if mine & known & brought else 0

    @cached_property
    def _reads(self) -> dict[str, list[str]]:
        return {run.name: [str(each) for each in run.facts["reads"]] for run in (*self.runs, *self.left)}
