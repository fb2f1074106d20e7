"""What came of a package's tests: for people, and as one JSON object."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from loom.app.package_tests.coverage import KINDS, Coverage
from loom.app.package_tests.ending import Ending
from loom.kernel.diagnostic_formats import clean
from loom.kernel.verdict import EXIT_OK, EXIT_OUTCOME, EXIT_SETUP

SCHEMA_VERSION = 1
CaseStatus = Literal["ok", "failed", "skipped", "error"]
SHOWN: dict[CaseStatus, str] = {"ok": "ok", "failed": "FAIL", "skipped": "skip", "error": "ERROR"}
_SINGULAR = {
    "phases": "phase",
    "gates": "gate",
    "requirements": "requirement",
    "rules": "rule",
    "failure paths": "failure path",
}
_COLORS: dict[CaseStatus, str] = {
    "ok": "\x1b[32m",
    "failed": "\x1b[1;31m",
    "skipped": "\x1b[33m",
    "error": "\x1b[1;31m",
}
_OFF = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class CaseReport:
    """What came of one case."""

    id: str
    status: CaseStatus
    seconds: float = 0.0
    ending: Ending | None = None
    note: str = ""
    """Why it was skipped, or what else is worth a line."""

    complaints: tuple[str, ...] = ()
    """What was expected and did not come about."""

    reasons: tuple[str, ...] = ()
    """What the run itself gave as reasons."""

    diff: str = ""
    """How it differs from its golden file."""

    said: str = ""
    """The end of what its process printed."""

    coverage: Coverage | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        ending = self.ending
        return {
            "id": self.id,
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "ended": None if ending is None else ending.status,
            "verdict": (ending.verdict or None) if ending else None,
            "phases": list(ending.phases) if ending else [],
            "reason_codes": list(ending.codes) if ending else [],
            "note": self.note or None,
            "complaints": list(self.complaints),
            "reasons": list(self.reasons),
            "diff": self.diff or None,
            "output": self.said or None,
            "coverage": self.coverage.as_json() if self.coverage else None,
        }

    def as_text(self, *, color: bool = False) -> str:
        """One line, and below it what somebody needs to know when the case does not hold."""
        mark = f"{SHOWN[self.status]:5}"
        mark = f"{_COLORS[self.status]}{mark}{_OFF}" if color else mark
        time = "" if self.status == "skipped" else f"{self.seconds:.1f} s"
        tail = f": {self.note}" if self.note else ""
        lines = [f"{mark}{time:>9}  {clean(self.id)}{clean(tail)}"]
        if self.status in ("failed", "error"):
            lines += [f"      {clean(line)}" for line in self._details()]
        return "\n".join(lines)

    def _details(self) -> Iterator[str]:
        yield from self.complaints
        if self.reasons:
            yield "the run gave these reasons:"
            yield from (f"  {reason}" for reason in self.reasons)
        yield from self.diff.splitlines()
        if self.said and self.ending is None:
            yield "the last it printed:"
            yield from (f"  {line}" for line in self.said.splitlines()[-12:])


@dataclass(frozen=True, slots=True)
class Report:
    """What came of all cases that were asked for, in the order of the package."""

    name: str
    version: str
    reference: str
    """The package as it was named."""

    cases: tuple[CaseReport, ...]
    coverage: Coverage
    seconds: float
    updated: tuple[str, ...] = ()
    """Golden files that were written."""

    def count(self, status: CaseStatus) -> int:
        """How many cases came to that."""
        return sum(case.status == status for case in self.cases)

    @property
    def exit_code(self) -> int:
        """0 when no case failed, 1 when one did, 2 when one could not be set up."""
        if self.count("failed"):
            return EXIT_OUTCOME
        return EXIT_SETUP if self.count("error") else EXIT_OK

    @property
    def next(self) -> str:
        """The command that makes sense now; empty when there is nothing to do."""
        command = f"loom process test {shlex.quote(self.reference)}"
        bad = [case for case in self.cases if case.status in ("failed", "error")]
        if bad:
            only_golden = all(case.diff and not case.complaints for case in bad)
            chosen = " ".join(f"--case {case.id}" for case in bad[:3])
            return f"{command} {chosen}{' --update' if only_golden else ''}"
        if any(case.status == "skipped" and case.note.endswith("--live") for case in self.cases):
            return f"{command} --live"
        return ""

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "schema_version": SCHEMA_VERSION,
            "package": self.name,
            "version": self.version,
            "passed": self.count("ok"),
            "failed": self.count("failed"),
            "skipped": self.count("skipped"),
            "errors": self.count("error"),
            "seconds": round(self.seconds, 3),
            "cases": [case.as_json() for case in self.cases],
            "coverage": self.coverage.as_json(),
            "updated": list(self.updated),
            "next": [self.next] if self.next else [],
        }

    def conclusion(self) -> str:
        """What is said below the cases: coverage, counts, and the next thing to do."""
        lines = ["", *self._coverage(), ""]
        lines += [f"wrote {name}" for name in self.updated]
        counts = [
            f"{number} {word}"
            for word, number in (
                ("passed", self.count("ok")),
                ("failed", self.count("failed")),
                ("not set up", self.count("error")),
                ("skipped", self.count("skipped")),
            )
            if number
        ]
        lines.append(f"{self.name}: {', '.join(counts)} in {self.seconds:.1f} s")
        if self.next:
            lines.append(f"next: {self.next}")
        return "\n".join(map(clean, lines))

    def _coverage(self) -> Iterator[str]:
        found = self.coverage
        parts = [
            f"{len(found.reached[kind])} of {len(found.there[kind])} "
            f"{kind if len(found.there[kind]) != 1 else _SINGULAR[kind]}"
            for kind in KINDS
            if found.there[kind]
        ]
        yield f"reached: {', '.join(parts)}"
        for kind in KINDS:
            if missed := found.missed(kind):
                yield f"  not reached, {kind}: {', '.join(missed)}"
