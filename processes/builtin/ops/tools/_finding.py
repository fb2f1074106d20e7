"""A reason as it stands in the answer."""

from __future__ import annotations

from typing import Any


def finding(
    code: str, severity: str, what: str, value: float | None = None, threshold: float | None = None
) -> dict[str, Any]:
    """What was seen, and what would have been allowed."""
    return {"code": code, "severity": severity, "what": what, "value": value, "threshold": threshold}
