"""The page of a verdict: its figures, what speaks against the model, every rule, and pictures of what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.science.judgement import Judgement
from loom.tools.card import Block, Tone, card, column, facts, table, tag

from ._figures import numbers
from ._method import method
from ._pictures import MEANING, SCORES, pictures
from ._tables import GROUPS, LEAKS, SIMPLE, WEAK, group_table, leak_table, simple_table, slice_table

RULES = "Every rule"
_SHOWN = 40
_TONES: Mapping[str, Tone] = {
    "FAIL": "bad",
    "REVIEW": "wary",
    "UNKNOWN": "wary",
    "NOTE": "calm",
    "PASS": "fine",
}
_SEVERITIES: Mapping[str, tuple[str, Tone]] = {
    "error": ("fails", "bad"),
    "warning": ("review", "wary"),
    "info": ("note", "calm"),
}
_OF_GROUPS = ("demographic_parity", "equalized_odds", "group_auc", "insufficient_group", "mean_error_gap")
_OF_SCORES = ("not_above_dummy", "below_cv", "imprecise", "threshold_missed", "overlap", "horizon_assumed")
_SEEN = {
    **dict.fromkeys(("leak_used", "suspect_used"), LEAKS),
    **dict.fromkeys(_OF_SCORES, SCORES),
    **dict.fromkeys(("brier_skill", "calibration_error", "calibration_slope"), MEANING),
    **dict.fromkeys(_OF_GROUPS, GROUPS),
    "worse_than_simple": SIMPLE,
    "bad_slice": WEAK,
}


def page(found: Judgement, measured: Mapping[str, Any], asked: Mapping[str, Any]) -> Block:
    """The card of a run."""
    sections = [
        *_reasons(found),
        *leak_table(measured, asked["accepted"]),
        *pictures(measured),
        *slice_table(measured),
        *group_table(measured),
        *simple_table(measured),
        _rules(found),
        facts("How it was measured", method(measured, asked)),
    ]
    return card(numbers=numbers(measured), sections=sections)


def _reasons(found: Judgement) -> list[Block]:
    rows = [
        {
            "code": reason.code,
            "says": [tag(*_SEVERITIES[reason.severity])],
            "what": reason.what,
            "of": reason.column,
            "value": reason.value,
            "limit": reason.threshold,
            "seen": _SEEN.get(reason.code, RULES),
        }
        for reason in found.reasons[:_SHOWN]
    ]
    if not rows:
        return []
    columns = [column("code", "reason", "code"), column("says", "says", "tags"), column("what", "what")]
    columns += [column("of", "column", "code"), column("value", "value", "number")]
    columns += [column("limit", "limit", "number"), column("seen", "shown under")]
    against = any(reason.severity != "info" for reason in found.reasons)
    return [table("What speaks against it" if against else "What is to be noted", columns, rows)]


def _rules(found: Judgement) -> Block:
    rows = [
        {
            "rule": each.rule.code,
            "outcome": [tag(each.outcome.lower(), _TONES[each.outcome])],
            "value": each.value or "not known",
            "limit": each.rule.limit,
            "statistic": each.rule.statistic,
        }
        for each in found.ruled
    ]
    columns = [column("rule", "rule", "code"), column("outcome", "came out", "tags")]
    columns += [column("value", "value"), column("limit", "speaks against it")]
    columns.append(column("statistic", "what it looks at"))
    note = "How often each of them trips on honest data: docs/reference/verdict-rules.md"
    return table(RULES, columns, rows, note=note)
