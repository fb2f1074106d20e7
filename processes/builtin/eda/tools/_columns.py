"""The table of columns: each with its shape, its gaps, what it knows of the target, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loom.core.column_names import spoken
from loom.tools.card import Block, column, level_spark, quantile_spark, table, tag

MOST = 60
_HOLDS = 44
_SOME_LEVELS = 2
_NARROW = 22
_LEFT_OUT = {"id": "an id, left out", "constant": "never changes", "empty": "empty", "nested": "nested"}


def column_table(
    profile: Mapping[str, Any], leakage: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]
) -> list[Block]:
    """Every column with the worst first; of a wide table those that matter."""
    marks = _Marks(profile, leakage, reasons)
    scores, measure = leakage["leakage_scores"], "R²" if leakage["leakage_task"] == "regression" else "AUC"
    ranked = sorted(
        profile["columns"],
        key=lambda each: (-marks.badness(each), -each["missing"], -scores.get(each["name"], 0.0)),
    )
    rows = [_row(each, scores.get(each["name"]), marks) for each in ranked[:MOST]]
    if not rows:
        return []
    columns = [
        column("name", "column", "code"),
        column("tags", "to know", "tags"),
        *([column("score", f"{measure} alone", "number")] if scores else []),
        column("missing", "missing", "share"),
        column("shape", "shape", "spark"),
        column("holds", "holds"),
        column("unique", "values", "number"),
        column("role", "role"),
    ]
    note = "The worst first. Numbers hold p5 … median … p95; the rest, what comes most often."
    if len(ranked) > MOST:
        note = f"{MOST} of {len(ranked):,}; all are under --json. {note}"
    return [table("Columns", columns, rows, note=note)]


class _Marks:
    """What is known of columns beyond their profile."""

    def __init__(
        self, profile: Mapping[str, Any], leakage: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]
    ) -> None:
        time = profile["time_col"]
        self.target = (profile["target"] or {}).get("name")
        self.time = {time} if isinstance(time, str) else set(time or ())
        self.group = profile["group_col"]
        self.entities = {each["column"] for each in profile["possible_groups"]}
        self.flags = {each["column"] for each in leakage["leakage_flags"]}
        self.suspects = {each["column"] for each in leakage["leakage_suspects"]}
        self.excluded = {each["column"]: each["reason"] for each in leakage["leakage_excluded"]}
        self.warned = {
            each["column"] for each in reasons if each.get("column") and each["severity"] != "info"
        }
        self.noted = {each["column"] for each in reasons if each.get("column")}

    def badness(self, each: Mapping[str, Any]) -> int:
        """How much a column needs a look."""
        name = each["name"]
        told = (name in self.flags, name in self.suspects, name in self.warned, name == self.target)
        for place, holds in enumerate(told):
            if holds:
                return 10 - place
        return 3 if name in self.noted else 2 if each["scan"] else 1 if name in self.excluded else 0

    def tags(self, each: Mapping[str, Any]) -> Iterator[Block]:
        """What there is to know about a column, in a word or two each."""
        name = each["name"]
        if name in self.flags:
            yield tag("leak", "bad")
        if name in self.suspects:
            yield tag("suspect", "wary")
        if name == self.target:
            yield tag("target", "fine")
        if name in self.time:
            yield tag("time")
        if name == self.group:
            yield tag("entity")
        elif name in self.entities:
            yield tag("an entity?", "wary")
        if each["missing"] == 1.0:
            yield tag("empty", "wary")
        elif name in self.excluded and self.excluded[name] in _LEFT_OUT:
            yield tag(_LEFT_OUT[self.excluded[name]])
        elif each["role"] == "constant":
            yield tag("never changes")
        yield from _seen(each["scan"])


def _seen(scan: Mapping[str, Any]) -> Iterator[Block]:
    """What a look at the cells found."""
    if "blank" in scan:
        yield tag(f"{scan['blank']:,} blank", "wary")
    if "infinite" in scan:
        yield tag(f"{scan['infinite']:,} infinite", "wary")
    if "numbers" in scan:
        yield tag(f"mixed, {scan['numbers']:.0%} numbers", "wary")
    if scan.get("stored_as") == "text":
        ways = scan.get("date_formats")
        if ways is None:
            yield tag("numbers as text", "wary")
        else:
            yield tag(f"dates as text, {len(ways)} ways" if len(ways) > 1 else "dates as text", "wary")
    if "ambiguous" in scan:
        yield tag("day or month?", "wary")
    if "nested" in scan or "json" in scan:
        yield tag("nested")
    if "personal" in scan:
        yield tag("personal")


def _row(each: Mapping[str, Any], score: float | None, marks: _Marks) -> dict[str, Any]:
    unique = each["n_unique"]
    row = {
        "name": each["name"],
        "role": each["role"],
        "tags": list(marks.tags(each)),
        "missing": each["missing"],
        "unique": f"about {unique:,}" if each["approx"] else unique,
        "holds": _holds(each),
    }
    if score is not None:
        row["score"] = round(score, 3)
    shape = _shape(each)
    return row | ({"shape": shape} if shape is not None else {})


def _shape(each: Mapping[str, Any]) -> Block | None:
    if each["role"] in ("numeric", "date") and each["quantiles"] and len(each["quantiles"]) > 2:
        return quantile_spark(each["quantiles"])
    if each["levels"] and each["role"] in ("categorical", "boolean"):
        return level_spark([level["share"] for level in each["levels"][:12]])
    return None


def _holds(each: Mapping[str, Any]) -> str:
    """What is in a column, in a few words: the middle of its numbers, or its commonest levels."""
    quantiles = each["quantiles"] or {}
    middle = [quantiles[name] for name in ("p5", "p50", "p95") if name in quantiles]
    if each["role"] == "date" and middle:
        return f"{middle[0]} … {middle[-1]}"
    if middle and len(middle) == 3:
        low, half, high = (_short(value) for value in middle)
        return f"{low} … {half} … {high}"
    if middle:
        return f"about {_short(middle[0])}"
    levels = [f"{_cut(level['level'])} {level['share']:.0%}" for level in each["levels"][:_SOME_LEVELS]]
    if levels:
        both = ", ".join(levels)
        return both if len(both) <= _NARROW else levels[0]
    length = each["scan"].get("mean_length")
    return f"{length:.0f} signs on average" if length else ""


def _short(value: float) -> str:
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-3:
        return f"{value:.2e}"
    return f"{value:,.0f}" if size >= 1000 or value == int(value) else f"{value:.3g}"


def _cut(level: str) -> str:
    said = spoken(level)
    return said if len(said) <= _HOLDS // 2 else said[: _HOLDS // 2 - 1] + "…"
