"""The page of a look at the data: key numbers, what is wrong, every column with the worst first, and how it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.core.column_names import spoken
from loom.tools.card import Block, Tone, card, charts, column, facts, number, table, tag

from ._columns import column_table
from ._findings import sentence

_SHOWN = 40
_ORDER = ("target", "missing", "leak-scores", "relations")
_STATUS: dict[str, Tone] = {"ok": "fine", "note": "calm", "suspect": "wary", "skipped": "calm"}
_TASKS = {"binary": "two classes", "multiclass": "several classes", "regression": "a number"}


def page(
    profile: Mapping[str, Any], leakage: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]
) -> Block:
    """The card of a run."""
    sections = [
        *_leaks(leakage),
        *column_table(profile, leakage, reasons),
        *_plots(profile, leakage),
        *_checks(leakage["leakage_checks"]),
        facts("How this was looked at", _method(profile, leakage)),
    ]
    return card(numbers=_numbers(profile, leakage), sections=sections)


def _numbers(profile: Mapping[str, Any], leakage: Mapping[str, Any]) -> list[Block]:
    sealed = profile["about"]["holdout"].get("rows") or 0
    return [
        number(
            "rows", profile["n_rows"], note=f"{sealed:,} more are sealed" if sealed else "none are sealed"
        ),
        number("columns", profile["n_cols"], note=_roles(profile["columns"])),
        _target(profile["target"]),
        *_tested(profile, leakage),
        _missing(profile["columns"]),
        _repeats(profile["duplicates"]),
        *_time(profile),
    ]


def _target(target: Mapping[str, Any] | None) -> Block:
    if target is None:
        return number("target", "none", note="name it with --target", tone="wary")
    notes = [_TASKS.get(target["task"] or "", "never changes")]
    if target["balance"] is not None and target["task"] is not None:
        notes = [
            f"{target['balance']['classes']:,} classes, the rarest {percent(target['balance']['smallest'])}"
        ]
    if target["missing"]:
        notes.append(f"{percent(target['missing'])} missing")
    if target["inferred"]:
        notes.append("a guess")
    wary = target["task"] is None or target["missing"] > 0.05
    return number("target", spoken(target["name"]), note=", ".join(notes), tone="wary" if wary else None)


def _tested(profile: Mapping[str, Any], leakage: Mapping[str, Any]) -> list[Block]:
    if profile["target"] is None:
        return [number("leaks", "untested", note="no target is known", tone="wary")]
    flags, suspects = len(leakage["leakage_flags"]), len(leakage["leakage_suspects"])
    scores, measure = leakage["leakage_scores"], measure_of(leakage)
    tone: Tone = "bad" if flags else "wary" if suspects else "fine"
    note = (
        f"{suspects:,} suspects, {len(scores):,} columns tested"
        if suspects
        else f"{len(scores):,} columns tested"
    )
    found = [number("leaks", flags, note=note, tone=tone)]
    out = {each["column"] for key in ("leakage_flags", "leakage_excluded") for each in leakage[key]}
    honest = {name: score for name, score in scores.items() if name not in out}
    if honest:
        best = max(honest, key=lambda name: honest[name])
        found.append(number(f"best single {measure}", round(honest[best], 3), note=spoken(best)))
    together = [check for check in leakage["leakage_checks"] if check["check"] == "together"]
    if together and together[0]["value"] is not None:
        note = "a small model, out of fold, leaks left out" if flags else "a small model, out of fold"
        found.append(number(f"{measure} of all together", round(together[0]["value"], 3), note=note))
    return found


def measure_of(leakage: Mapping[str, Any]) -> str:
    """What the scores of the leak tests are: areas under the curve, or explained shares."""
    return "R²" if leakage["leakage_task"] == "regression" else "AUC"


def _roles(columns: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for each in columns:
        counts[each["role"]] = counts.get(each["role"], 0) + 1
    ranked = sorted(counts, key=lambda role: -counts[role])
    return ", ".join(f"{counts[role]:,} {role}" for role in ranked[:4]) + (" …" if len(ranked) > 4 else "")


def _missing(columns: Sequence[Mapping[str, Any]]) -> Block:
    gaps = [each["missing"] for each in columns if each["missing"]]
    share = sum(gaps) / max(len(columns), 1)
    note = f"in {len(gaps):,} of {len(columns):,} columns" if gaps else "no column has a gap"
    return number("cells missing", percent(share), note=note)


def _repeats(duplicates: Mapping[str, Any]) -> Block:
    share, conflicting = duplicates["share"], duplicates["conflicting"]
    note = f"{duplicates['rows']:,} rows are copies of an earlier one"
    if conflicting:
        note = f"{duplicates['rows']:,} copies; {conflicting:,} rows contradict their likes"
    return number("rows repeated", percent(share), note=note, tone="wary" if share >= 0.01 else None)


def _time(profile: Mapping[str, Any]) -> list[Block]:
    if profile["time_col"] is None:
        return []
    parts = [profile["time_col"]] if isinstance(profile["time_col"], str) else profile["time_col"]
    declared = profile["time_declared"]
    note = "declared" if declared else "found; the holdout was not cut by it"
    return [number("time", ", ".join(map(spoken, parts)), note=note, tone=None if declared else "wary")]


def _leaks(leakage: Mapping[str, Any]) -> list[Block]:
    tiers: tuple[tuple[str, str, Tone], ...] = (
        ("leakage_flags", "dropped by features", "bad"),
        ("leakage_suspects", "reviewed by validate", "wary"),
    )
    rows = [
        {
            "column": "the table" if found["column"] is None else found["column"],
            "tier": [tag(said, tone)],
            "score": found["score"],
            "what": sentence(found, name="it"),
            "also": ", ".join(each.replace("_", " ") for each in found["also"]),
        }
        for key, said, tone in tiers
        for found in leakage[key]
    ]
    if not rows:
        return []
    columns = [
        column("column", "column", "code"),
        column("tier", "what happens", "tags"),
        column("score", "score", "score"),
        column("what", "why"),
        *([column("also", "also")] if any(row["also"] for row in rows) else []),
    ]
    more = f"The first {_SHOWN} of {len(rows):,}; all are under --json." if len(rows) > _SHOWN else None
    return [table("What knows the answer", columns, rows[:_SHOWN], note=more)]


def _plots(profile: Mapping[str, Any], leakage: Mapping[str, Any]) -> list[Block]:
    """What both looks have drawn; the first two are short, and stand side by side."""
    drawn = sorted([*profile["charts"], *leakage["charts"]], key=lambda chart: _ORDER.index(chart["name"]))
    return [charts("What the data shows", drawn)] if drawn else []


def _checks(checks: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not checks:
        return []
    order = ["suspect", "note", "ok", "skipped"]
    columns = [
        column("check", "look at the table"),
        column("status", "came out", "tags"),
        column("value", "value", "number"),
        column("threshold", "trips at", "number"),
        column("what", "what it is"),
    ]
    rows = [
        {
            "check": check["check"].replace("_", " "),
            "status": [tag(check["status"], _STATUS[check["status"]])],
            "value": check["value"],
            "threshold": check["threshold"],
            "what": check["what"],
        }
        for check in sorted(checks, key=lambda check: order.index(check["status"]))
    ]
    return [table("The table as a whole", columns, rows[:_SHOWN])]


def _method(profile: Mapping[str, Any], leakage: Mapping[str, Any]) -> dict[str, Any]:
    about, rows, bounds = profile["about"], leakage["leakage_rows"], leakage["thresholds"]
    holdout = about["holdout"]
    told: dict[str, Any] = {
        "data object": about["dataset_ref"],
        "rows looked at": f"{profile['n_rows']:,}, every one of the open part",
        "sealed rows": f"{holdout.get('rows') or 0:,}, never read"
        + (f" ({holdout['how']})" if holdout.get("how") and holdout.get("rows") else ""),
    }
    if leakage["leakage_task"] is not None:
        told |= {
            "rows of the leak tests": f"{rows['scanned']:,} of {rows['all']:,}; repeated rows count once",
            "score of a column": f"{measure_of(leakage)} on the half of the rows it was not fitted on, both ways",
            "left out of modelling": _left_out(leakage["leakage_excluded"]),
            "flagged from": ", ".join(
                f"{name.replace('_', ' ')} {bounds[name]:g}"
                for name in ("separates_target", "monotone_copy", "missingness", "post_event_name")
            ),
            "suspect from": ", ".join(
                f"{name.replace('_', ' ')} {bounds[name]:g}"
                for name in ("strong_alone", "missingness_informative", "separates_class")
            ),
        }
    told["quantiles"] = "from p1 to p99 and rounded; levels with 20 rows and 1 % at least; never a cell"
    return told | {"seed": about["seed"]}


def _left_out(excluded: Sequence[Mapping[str, Any]]) -> str:
    by_reason: dict[str, list[str]] = {}
    for each in excluded:
        by_reason.setdefault(each["reason"], []).append(spoken(each["column"]))
    parts = [
        f"{why}: {', '.join(names[:5])}" + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
        for why, names in by_reason.items()
    ]
    return "; ".join(parts) or "nothing"


def percent(share: float) -> str:
    """A share as people write it: never 0 % for what is there."""
    if 0 < share < 0.0005:
        return "under 0.1 %"
    return f"{100 * share:.1f} %" if share and share < 0.0995 else f"{100 * share:.0f} %"
