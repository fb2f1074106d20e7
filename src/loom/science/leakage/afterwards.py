"""Names of columns that are written after the event they would predict."""

from __future__ import annotations

from itertools import pairwise

from loom.core.column_names import words

# words that are said of things that are over; they count only together with a near-perfect score
_AFTER = frozenset(
    [
        "actual",
        "adjudicated",
        "after",
        "aftermath",
        "arrived",
        "cancel",
        "canceled",
        "cancellation",
        "cancelled",
        "chargeback",
        "churn",
        "churned",
        "closed",
        "closing",
        "collected",
        "completed",
        "completion",
        "conclusion",
        "convicted",
        "deceased",
        "default",
        "defaulted",
        "delinquent",
        "delivered",
        "departed",
        "died",
        "discharge",
        "discharged",
        "disposition",
        "dropout",
        "ended",
        "exit",
        "exited",
        "expired",
        "failed",
        "failure",
        "final",
        "finished",
        "fired",
        "fraud",
        "granted",
        "label",
        "left",
        "outcome",
        "paid",
        "payoff",
        "penalty",
        "posted",
        "postmortem",
        "quit",
        "recovered",
        "recoveries",
        "recovery",
        "refund",
        "refunded",
        "rejected",
        "resigned",
        "resolution",
        "resolved",
        "result",
        "results",
        "returned",
        "revoked",
        "settled",
        "settlement",
        "shipped",
        "sold",
        "stopped",
        "survived",
        "terminated",
        "termination",
        "verdict",
        "withdrawn",
        "writeoff",
    ]
)
_PAIRS = frozenset(
    {("end", "date"), ("end", "time"), ("paid", "off"), ("charged", "off"), ("written", "off"), ("write", "off"),
     ("signed", "off"), ("post", "event"), ("follow", "up"), ("last", "day"), ("exit", "date"), ("close", "date")}
)  # fmt: skip
_SHORT = 3


def is_after_the_event(name: str, target: str) -> bool:
    """Whether a column's name speaks of the outcome: of its end, its settlement, or of the target itself."""
    parts = words(name)
    if _AFTER.intersection(parts) or any(pair in _PAIRS for pair in pairwise(parts)):
        return True
    return any(_shares_stem(part, other) for part in parts for other in words(target))


def _shares_stem(left: str, right: str) -> bool:
    length = min(len(left), len(right))
    if length <= _SHORT:
        return False
    return left[: max(length - 2, _SHORT + 1)] == right[: max(length - 2, _SHORT + 1)]
