"""Reasons from both looks: what a person has to know, the gravest first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.core.column_names import spoken

_SINGLY = 10
_RANK = {"error": 0, "warning": 1, "info": 2}

SAID = {
    "separates_target": "{name} alone tells the target of rows it has not seen",
    "level_purity": "nearly every level of {name} has one answer only",
    "missingness": "whether {name} is empty tells the target",
    "post_event_name": "{name} speaks of the outcome by its name, and knows it",
    "monotone_copy": "{name} is {detail}",
    "strong_alone": "{name} alone predicts the target very well",
    "separates_class": "{name} gives one class away",
    "missingness_informative": "whether {name} is empty says much about the target",
    "pure_levels": "some levels of {name} have one answer only",
    "stands_alone": "{name} is {detail}",
    "id_knows_target": "{name} is an id, left out of modelling, and yet it orders the target",
    "row_order": "where a row stands in the table tells its target",
    "together": "the columns that stay tell the target together, almost without error",
    "canary": "a model learns the target even when it is shuffled: rows are not what they seem",
    "train_test_overlap": "rows of the test part are in the training part as well",
    "future_dated": "there are {detail}",
}
"""A sentence per finding; `detail` is what the test itself says."""

_COLUMN = re.compile(r"(?:column|target) `(.+?)`(?::| is )", re.DOTALL)
_CHECKED = ("near_duplicates", "row_order", "future_dated")


def reasons_of(profile: Mapping[str, Any], leakage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every reason, flags before everything else, then what warns, then what is good to know."""
    bounds = {check["check"]: check["threshold"] for check in leakage["leakage_checks"]}
    bounds |= leakage["thresholds"]
    found = [
        *_blocked(leakage),
        *_leaks(leakage["leakage_flags"], "error", bounds),
        *_leaks(leakage["leakage_suspects"], "warning", bounds),
        *_untested(profile, leakage),
        *profile["warnings"],
        *_noted(leakage["leakage_checks"]),
        *_ingested(profile),
    ]
    return sorted(found, key=lambda reason: _RANK[reason["severity"]])


def sentence(finding: Mapping[str, Any], *, name: str = "") -> str:
    """What a finding of the leak tests says about its column, by its name unless it is to be called otherwise."""
    if not name:
        name = f"`{spoken(finding['column'])}`" if finding.get("column") else "the table"
    said = SAID.get(finding["reason"])
    return said.format(name=name, detail=finding["detail"]) if said else finding["detail"]


def _leaks(
    findings: Sequence[Mapping[str, Any]], severity: str, bounds: Mapping[str, float | None]
) -> Iterator[dict[str, Any]]:
    """A reason each for the first, and one for all others."""
    for finding in findings[:_SINGLY]:
        code = finding["reason"]
        yield reason(code, severity, sentence(finding), finding["score"], bounds.get(code), finding["column"])
    more = len(findings) - _SINGLY
    if more > 0:
        what = "are flagged" if severity == "error" else "are suspects"
        yield reason("more_findings", severity, f"{more:,} more columns {what}", more)


def _blocked(leakage: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if not leakage["leakage_blocking"]:
        return
    severity, what = "error", "without the flagged columns nothing is left to model"
    if not leakage["leakage_flags"]:
        severity, what = "warning", "no column could be modelled: all are ids, empty, constant or nested"
    yield reason("nothing_to_model", severity, what)


def _untested(profile: Mapping[str, Any], leakage: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if profile["target"] is None:
        what = "no target is known, so no column could be tested for leaks; name one with --target"
        yield reason("no_target", "info", what)
    elif not leakage["leakage_rows"]["scanned"]:
        yield reason(
            "leaks_untested", "warning", "no column could be tested for leaks: the target has one value"
        )


def _noted(checks: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What a look at the table noted without tripping; repeated rows are told by the profile."""
    for check in checks:
        if check["status"] == "note" and check["check"] in _CHECKED:
            finding = {"reason": check["check"], "column": check["column"], "detail": check["what"]}
            what = sentence(finding) if check["check"] in SAID else f"{check['rows']:,} {check['what']}"
            yield reason(check["check"], "info", what, check["value"], check["threshold"], check["column"])


def _ingested(profile: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What was noticed when the data came in, of all rows: later it is no longer to be seen."""
    names = {column["name"] for column in profile["columns"]}
    for said in profile["about"]["warnings"]:
        named = _COLUMN.match(said)
        column = named[1] if named and named[1] in names else None
        yield reason("as_ingested", "info", said, column=column)


def reason(
    code: str, severity: str, what: str, value: float | None = None, threshold: float | None = None,
    column: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A reason as plain data."""
    found = {"code": code, "severity": severity, "what": what, "value": value, "threshold": threshold}
    return found | ({"column": column} if column is not None else {})
