"""What the leak tests say: findings about columns, and checks of the table as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

DropReason = Literal["monotone_copy", "missingness", "post_event_name", "level_purity", "separates_target"]
SuspectReason = Literal[
    "strong_alone",
    "missingness_informative",
    "separates_class",
    "pure_levels",
    "stands_alone",
    "id_knows_target",
]
CheckCode = Literal[
    "duplicates", "conflicts", "near_duplicates", "train_test_overlap", "future_dated", "row_order", "together",
    "canary", "entity_on_both_sides", "target",
]  # fmt: skip
Reason = DropReason | SuspectReason | CheckCode
Status = Literal["ok", "note", "suspect", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One column, or the table as a whole (`column` is None), with what was found and how strongly."""

    column: str | None
    reason: Reason
    score: float
    also: tuple[Reason, ...] = ()
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        return {
            "column": self.column,
            "reason": self.reason,
            "score": round(self.score, 4),
            "also": list(self.also),
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the table as a whole: how it came out, the number it rests on, and where it would have tripped."""

    code: CheckCode
    status: Status
    value: float | None
    threshold: float | None
    rows: int
    what: str
    column: str | None = None

    @classmethod
    def skipped(cls, code: CheckCode, why: str) -> Check:
        """A look that could not be taken."""
        return cls(code, "skipped", None, None, 0, why)

    def as_finding(self) -> Finding:
        """What tripped, as a finding about a column or the table."""
        return Finding(self.column, self.code, self.value or 0.0, (), self.what)

    def as_json(self) -> dict[str, Any]:
        """The check as plain data."""
        return {
            "check": self.code,
            "column": self.column,
            "status": self.status,
            "value": None if self.value is None else round(self.value, 4),
            "threshold": None if self.threshold is None else round(self.threshold, 4),
            "rows": self.rows,
            "what": self.what,
        }
