"""What is shown of cleaned runs, as tables: reasons, figures, columns, and what was taken out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.science.judgement import RULES
from loom.tools.card import Block, Tone, column, table, tag

from ._cleaning import Record
from ._ledger import KINDS

TONES: Mapping[str, Tone] = {
    "PASS": "fine", "OK": "fine", "BUILT": "fine", "BEST": "fine", "STAGED": "fine", "DEPLOYED": "fine",
    "REVIEW": "wary", "FLAGGED": "wary", "WARN": "wary", "DRIFT": "wary",
    "FAIL": "bad", "ERROR": "bad", "BLOCKED": "bad", "REFUSED": "bad",
}  # fmt: skip
_WEIGHTS: Mapping[str, Tone] = {"error": "bad", "warning": "wary", "info": "calm"}
_MOST = 100
LOOKED_AT = {rule.code: rule.statistic for rule in RULES}
"""What a rule of validations measures, in Loom's own words."""


def runs(records: Sequence[Record]) -> Iterator[Block]:
    """Every run, how it ended, and which runs it used."""
    columns = [
        column("run", "run", "code"),
        column("ended", "ended", "tags"),
        column("reads", "rests on", "code"),
    ]
    told = [
        {
            "run": record["run"],
            "ended": [tag(ended(record), TONES.get(ended(record), "calm"))],
            "reads": ", ".join(record.get("reads") or ()) or None,
        }
        for record in records
    ]
    yield table("Runs", columns, told)


def reasons(records: Sequence[Record]) -> Iterator[Block]:
    """Why runs ended as they did, the gravest first."""
    columns = [
        column("code", "reason", "code"), column("weight", "weight", "tags"), column("about", "what was looked at"),
        column("column", "column", "code"), column("value", "value", "number"),
        column("threshold", "limit", "number"), column("run", "run", "code"),
    ]  # fmt: skip
    found = [(record["run"], reason) for record in records for reason in record.get("reasons") or ()]
    told = [
        {
            **{key: reason.get(key) for key in ("code", "column", "value", "threshold")},
            "about": LOOKED_AT.get(reason["code"]),
            "weight": [tag(weight, _WEIGHTS[weight])],
            "run": run,
        }
        for weight in _WEIGHTS
        for run, reason in found
        if weight == reason.get("severity", "info")
    ]
    if told:
        yield table("Reasons", columns, told[:_MOST], note=_more(told))


def columns_seen(records: Sequence[Record]) -> Iterator[Block]:
    """The columns of the newest profile, those with most gaps first."""
    seen = [record for record in records if record.get("verb") == "eda" and _columns(record)]
    if not seen:
        return
    columns = [
        column("name", "column", "code"), column("role", "role"), column("missing", "missing", "share"),
        column("n_unique", "distinct", "number"),
    ]  # fmt: skip
    found = sorted(_columns(seen[-1]), key=lambda each: -(each.get("missing") or 0))
    told = [{key: each.get(key) for key in ("name", "role", "missing", "n_unique")} for each in found]
    yield table("Columns", columns, told[:_MOST], note=_more(told) or f"as {seen[-1]['run']} saw them")


def taken_out(redactions: Mapping[str, int]) -> Iterator[Block]:
    """What is not in the bundle, by kind."""
    columns = [column("what", "kind"), column("count", "how many", "number")]
    told = [{"what": KINDS[kind], "count": count} for kind, count in redactions.items()]
    yield table("Taken out", columns, told, note=None if told else "there was nothing to take out")


def ended(record: Record) -> str:
    """How a run ended, in one word."""
    return str(record.get("verdict") or record.get("status") or "unknown")


def _columns(record: Record) -> list[dict[str, Any]]:
    return list((record.get("summary") or {}).get("columns") or ())


def _more(told: Sequence[Any]) -> str | None:
    return f"the first {_MOST} of {len(told):,}" if len(told) > _MOST else None
