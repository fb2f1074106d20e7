"""What a check comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["PASS", "WARN", "FAIL"]
_ORDER: tuple[Status, ...] = ("PASS", "WARN", "FAIL")

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    status: Status
    what: str
    fix: str = ""
    """The one command that mends it; empty where nothing is wrong."""

    def as_data(self) -> dict[str, str]:
        """Plain data."""
        return asdict(self)

    def text(self) -> str:
        """The finding for a reader, its remedy below it."""
        return f"{self.status}  {self.name}: {self.what}" + (f"\n      fix: {self.fix}" if self.fix else "")


Check = Callable[..., Iterable[Finding]]
"""Takes the facts it judges by."""


def verdict_of(findings: Iterable[Finding]) -> Status:
    """The worst of them."""
    return max((finding.status for finding in findings), key=_ORDER.index)


def size(count: float) -> str:
    """Bytes, as people say them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.4g} TB"
