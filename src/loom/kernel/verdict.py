"""Outcomes, their order from best to worst, and the exit code each one earns.

`PASS` is the best outcome on purpose: the worst of several outcomes is `PASS` only when every one of
them is, so nothing weaker can be read as a pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal, Self

EXIT_OK = 0
EXIT_OUTCOME = 1
EXIT_SETUP = 2
EXIT_INTERRUPTED = 130


class Verdict(StrEnum):
    """Every outcome a verb can reach, written from best to worst."""

    PASS = "PASS"
    OK = "OK"
    BUILT = "BUILT"
    BEST = "BEST"
    PLANNED = "PLANNED"
    STAGED = "STAGED"
    DEPLOYED = "DEPLOYED"
    SENT = "SENT"
    FLAGGED = "FLAGGED"
    WARN = "WARN"
    EMPTY = "EMPTY"
    REVIEW = "REVIEW"
    DRIFT = "DRIFT"
    REFUSED = "REFUSED"
    BLOCKED = "BLOCKED"
    FAIL = "FAIL"
    ERROR = "ERROR"

    @property
    def severity(self) -> int:
        """The place in the order; no two verdicts share one."""
        return _ORDER[self]


_ORDER = {verdict: place for place, verdict in enumerate(Verdict)}
_DETAIL = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)*\Z")


class Status(StrEnum):
    """How a run ended, whatever its verdict says about the subject."""

    OK = "ok"
    BLOCKED = "blocked"
    REFUSED = "refused"
    ERROR = "error"


_STATUS = {
    Verdict.BLOCKED: Status.BLOCKED,
    Verdict.REFUSED: Status.REFUSED,
    Verdict.ERROR: Status.ERROR,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict as it is written: `PASS`, or a refusal that says of what, `REFUSED_NO_GPU`."""

    verdict: Verdict
    detail: str = ""

    def __post_init__(self) -> None:
        if self.detail and (self.verdict is not Verdict.REFUSED or not _DETAIL.match(self.detail)):
            raise ValueError(f"only REFUSED takes a detail, in capitals: {self.verdict}_{self.detail}")

    def __str__(self) -> str:
        return f"{self.verdict}_{self.detail}" if self.detail else self.verdict.value

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verdict back from its text; a text that names none is a ValueError."""
        refused, _, detail = text.partition("_")
        if detail and refused == Verdict.REFUSED:
            return cls(Verdict.REFUSED, detail)
        return cls(Verdict(text))


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding behind a verdict: what was looked at, what was seen, what was allowed."""

    code: str
    severity: Literal["info", "warning", "error"]
    what: str
    value: float | str | None = None
    threshold: float | str | None = None
    column: str | None = None

    def as_dict(self) -> dict[str, float | str | None]:
        """Plain data for JSON: numbers JSON cannot write become text, an absent column is left out."""
        plain = {key: _writable(value) for key, value in asdict(self).items()}
        if self.column is None:
            del plain["column"]
        return plain


def _writable(value: float | str | None) -> float | str | None:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def worst(*verdicts: Verdict) -> Verdict:
    """The worst of several verdicts; of none, REVIEW, because nothing was judged."""
    return max(verdicts, key=_ORDER.__getitem__, default=Verdict.REVIEW)


def judge(checks: Mapping[str, object]) -> Verdict:
    """The worst verdict of named checks; a check that gave no verdict (None, an exception, bare text)
    counts as REVIEW."""
    return worst(*(check if isinstance(check, Verdict) else Verdict.REVIEW for check in checks.values()))


def status_of(verdict: Verdict) -> Status:
    """How a run with this verdict ended."""
    return _STATUS.get(verdict, Status.OK)


def exit_code(verdict: Verdict, ok: Collection[Verdict]) -> int:
    """0 when the verdict is one of the acceptable ones, otherwise 1."""
    return EXIT_OK if verdict in ok else EXIT_OUTCOME
