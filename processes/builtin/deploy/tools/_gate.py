"""One condition of a deployment, and the reasons why it is not met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Reason = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition. `is_met` is None where something before it kept it from being looked at."""

    name: str
    title: str
    is_met: bool | None
    says: str
    reasons: tuple[Reason, ...] = field(default=())


def reason(
    code: str, what: str, value: Any = None, threshold: Any = None, column: str | None = None
) -> Reason:
    """Why a deployment is blocked."""
    told = {"code": code, "severity": "error", "what": what, "value": value, "threshold": threshold}
    return told if column is None else {**told, "column": column}


def unseen(name: str, title: str) -> Gate:
    """A condition that something before it kept from being looked at."""
    return Gate(name, title, None, "not looked at")


def reasons_of(gates: Iterable[Gate]) -> Iterator[Reason]:
    """Everything that stands in the way, once."""
    seen = set()
    for gate in gates:
        for each in gate.reasons:
            key = (each.get("code"), each.get("column"), each.get("what"))
            if key not in seen:
                seen.add(key)
                yield each
