"""Why a verdict is as it is, as plain data: what decided first, then notes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from loom.kernel.verdict import Reason
from loom.science.judgement import Judgement
from loom.science.judgement.judging import UNKNOWN

_MOST = 40


def reasons_of(
    found: Judgement, measured: Mapping[str, Any], accepted: Collection[str]
) -> list[dict[str, Any]]:
    """All reasons; rules that could not be applied for one and the same cause share one where a failure decides."""
    told = [*_gathered(found), *_unneeded(measured, accepted)]
    return [reason.as_dict() for reason in told[:_MOST]]


def _gathered(found: Judgement) -> list[Reason]:
    unknown = [reason for reason in found.reasons if reason.code == UNKNOWN]
    if found.verdict != "FAIL" or len(unknown) < 2:
        return list(found.reasons)
    names = ", ".join(each.rule.code for each in found.ruled if each.outcome == "UNKNOWN")
    whole = Reason(UNKNOWN, "warning", f"{len(unknown)} more rules could not be judged: {names}")
    kept = [reason for reason in found.reasons if reason.code != UNKNOWN]
    place = next((at for at, reason in enumerate(kept) if reason.severity == "info"), len(kept))
    return [*kept[:place], whole, *kept[place:]]


def _unneeded(measured: Mapping[str, Any], accepted: Collection[str]) -> list[Reason]:
    """A name that somebody vouches for and nobody suspects may be a slip of the pen."""
    suspected = {one.get("column") for one in (measured.get("leakage") or {}).get("suspects") or ()}
    return [
        Reason("nothing_to_accept", "info", "you vouch for it, and nothing speaks against it", column=name)
        for name in accepted
        if name not in suspected
    ]
