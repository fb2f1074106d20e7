"""The page of a run of features: what was made of what, and what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from loom.tools.card import Block, card, column, facts, number, table, tag

from ._subject import Subject

SHOWN = 300

OPERATIONS: Mapping[str, str] = {
    "fill_scale": "missing cells filled with the median, then scaled",
    "is_missing": "whether the cell was missing",
    "truth": "yes or no",
    "one_hot": "whether the cell has this level",
    "frequency": "how many training rows have the level",
    "target_encode": "what the target is for the level, out of fold",
    "date_parts": "a part of the date",
    "days": "days, as a number",
    "difference": "one minus the other",
    "ratio": "one over the other",
    "group_mean": "the mean of the level, and the distance to it",
    "text_shape": "how long the text is",
    "text_hash": "words, hashed into buckets",
}
REASONS: Mapping[str, str] = {
    "id": "it names rows",
    "constant": "it never changes",
    "all_missing": "it is empty",
    "nested": "its cells hold lists or records",
    "absent_in_test": "rows to predict do not have it",
}
"""Why a column is left out though nobody flagged it; every other reason is one that eda gave."""


def page(subject: Subject, data: Mapping[str, Any], told: Mapping[str, Any] | None = None) -> Block:
    """The blocks of the page; `told` is what only some want to know."""
    created, dropped = data["created"], data["dropped"]
    leaks = sum(one["reason"] not in REASONS for one in dropped)
    learned = sum(bool(one["stateful"]) for one in created)
    asked = subject.findings is not None
    numbers = [
        number("rows", subject.train.rows),
        number("columns before", data["n_features_before"]),
        number("features", data["n_features_after"], tone=None if created else "bad"),
        number("fitted", learned, note="kept in the transformer"),
        number(
            "leaks dropped",
            leaks if asked else "not looked for",
            note=f"flagged by {subject.findings.run}"
            if subject.findings
            else "no eda run was named with --from",
            tone=("fine" if not leaks else "wary") if asked else "wary",
        ),
        number("left out otherwise", len(dropped) - leaks),
    ]
    sections = [_dropped(dropped), *([_by_operation(created), _created(created)] if created else [])]
    return card(numbers=numbers, sections=[*sections, facts("Method and lineage", {**(told or {})})])


def _dropped(dropped: Sequence[Mapping[str, Any]]) -> Block:
    """The leaks first, the surest of them at the top."""
    worst = sorted(dropped, key=lambda one: (one["reason"] in REASONS, -(one.get("score") or 0)))
    rows = [
        {
            "column": one["column"],
            "why": [tag(one["reason"], "calm" if one["reason"] in REASONS else "bad")],
            "says": REASONS.get(one["reason"])
            or f"flagged by {one.get('by', 'eda')}: it gives the answer away",
            "score": one.get("score"),
        }
        for one in worst[:SHOWN]
    ]
    columns = [column("column", "column", "code"), column("why", "reason", "tags"), column("says", "that is")]
    return table(
        "Left out", [*columns, column("score", "score", "score")], rows, note=_more(dropped, "columns")
    )


def _created(created: Sequence[Mapping[str, Any]]) -> Block:
    rows = [
        {
            "name": one["name"],
            "from": [tag(name) for name in one["from"]],
            "op": one["op"],
            "fitted": "yes" if one["stateful"] else "no",
        }
        for one in created[:SHOWN]
    ]
    columns = [
        *(column("name", "feature", "code"), column("from", "made of", "tags")),
        *(column("op", "operation", "code"), column("fitted", "fitted")),
    ]
    return table("Features", columns, rows, note=_more(created, "features"))


def _by_operation(created: Sequence[Mapping[str, Any]]) -> Block:
    counts = Counter(str(one["op"]) for one in created)
    rows = [
        {"op": op, "says": OPERATIONS.get(op, ""), "features": count, "share": round(count / len(created), 4)}
        for op, count in counts.most_common()
    ]
    columns = [column("op", "operation", "code"), column("says", "what it does")]
    columns += [column("features", "features", "number"), column("share", "share", "share")]
    return table("What was done", columns, rows)


def _more(found: Sequence[Any], what: str) -> str | None:
    return f"the first {SHOWN:,} of {len(found):,} {what}; --json lists all" if len(found) > SHOWN else None
