"""Why an outcome is as it is: one reason each, with the column and the number it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loom.core.column_names import spoken

from ._subject import Subject

Reason = dict[str, Any]


def reason(
    code: str, what: str, *, severity: str = "info", value: Any = None, column: str | None = None
) -> Reason:
    """One reason; its column only where there is one."""
    told = {"code": code, "severity": severity, "what": what, "value": value, "threshold": None}
    return {**told, "column": column} if column is not None else told


def flagged(subject: Subject) -> list[dict[str, Any]]:
    """What eda flagged, with its score and the run that says so."""
    found = subject.findings
    if found is None:
        return []
    by = {"by": found.run}
    return [
        {"column": one["column"], "reason": one["reason"], "score": one.get("score"), **by}
        for one in found.flags
    ]


def notes(subject: Subject) -> Iterator[Reason]:
    """What a person should know of features that were built."""
    if subject.findings is None:
        yield reason(
            "leaks_unchecked", "no eda run was named with --from, so no column was dropped as a leak"
        )
    if subject.why_target is not None:
        what = f"nobody named the target; it is `{spoken(str(subject.target))}`: {subject.why_target}"
        yield reason("target_inferred", what, column=subject.target)
    for one in flagged(subject):
        what = f"dropped with all that would come of it ({one['reason']}, {one['by']})"
        yield reason("leak_dropped", what, value=one["score"], column=one["column"])
    for one in subject.findings.suspects if subject.findings else ():
        what = f"kept though suspiciously good ({one['reason']}); validate reviews it"
        yield reason("suspect_kept", what, value=one.get("score"), column=one["column"])
