"""The tables of a verdict's page: leaks, slices, groups, and simpler models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.tools.card import Block, Tone, column, table, tag

LEAKS, GROUPS = "What knows the answer", "Groups, with 95 % intervals"
WEAK, SIMPLE = "Slices in which it is worse than it claims", "Simpler models"
_SHOWN = 40
_RATES = {
    "selection_rate": "chosen",
    "tpr": "found",
    "fpr": "false alarms",
    "auc": "AUC",
    "mean_error": "mean error",
    "mae": "mean absolute error",
}


def leak_table(measured: Mapping[str, Any], accepted: Sequence[str]) -> list[Block]:
    """The leaks among the columns used, those that fail the model first."""
    found = measured.get("leakage") or {}
    tiers: tuple[tuple[str, str, Tone], ...] = (("flags", "leak", "bad"), ("suspects", "suspect", "wary"))
    rows = [
        {
            "column": one["column"] or "the rows",
            "tier": [tag("accepted", "calm") if one["column"] in accepted else tag(said, tone)],
            "score": one.get("score"),
            "what": one.get("detail") or str(one["reason"]).replace("_", " "),
        }
        for key, said, tone in tiers
        for one in found.get(key) or ()
    ]
    columns = [column("column", "column", "code"), column("tier", "taken for", "tags")]
    columns += [column("score", "score", "score"), column("what", "why")]
    return [table(LEAKS, columns, rows[:_SHOWN])] if rows else []


def slice_table(measured: Mapping[str, Any]) -> list[Block]:
    """The slices in which the model is worse than it claims, the most certain first."""
    rows = [
        {**one, "made_of": [tag(name) for name in one["columns"]]} for one in measured.get("slices") or ()
    ]
    columns = [column("name", "where"), column("made_of", "columns", "tags"), column("n", "rows", "number")]
    columns += [column("share", "of all", "share"), column("effect", "worse by", "number")]
    columns.append(column("q", "q", "number"))
    note = "Loss beyond what the model itself expects there, in deviations; q is the share of false alarms."
    return [table(WEAK, columns, rows, note=note)] if rows else []


def group_table(measured: Mapping[str, Any]) -> list[Block]:
    """What the model does to every group of the sensitive columns."""
    found = measured.get("fairness")
    rows = [
        {
            "group": f"{one['column']}: {group['group']}",
            "n": group["n"],
            "marks": [tag(f"too few: {group['insufficient']}", "wary")] if group["insufficient"] else [],
            **{name: between(group.get(name)) for name in _RATES},
        }
        for one in (found if isinstance(found, list) else ())
        for group in one["groups"]
    ]
    columns = [column("group", "group"), column("n", "rows", "number"), column("marks", "compared", "tags")]
    columns += [column(name, said) for name, said in _RATES.items()]
    return [table(GROUPS, columns, rows[:_SHOWN])] if rows else []


def simple_table(measured: Mapping[str, Any]) -> list[Block]:
    """What the model has to beat."""
    baselines = measured.get("baselines") or {}
    rows = [
        {"name": one["name"], "score": one["score"], "gain": between(_of_pair(one["difference"]))}
        for one in baselines.get("simple") or ()
    ]
    if dummy := baselines.get("dummy"):
        rows.append({"name": dummy["name"], "score": dummy["score"], "gain": None})
    columns = [column("name", "what it has to beat"), column("score", "score", "number")]
    columns.append(column("gain", "how much better it is"))
    return [table(SIMPLE, columns, rows)] if rows else []


def between(found: Mapping[str, Any] | None) -> str | None:
    """A figure with its interval."""
    if not found or found.get("value") is None:
        return None
    known = found.get("low") is not None and found.get("high") is not None
    return f"{found['value']:.3g}" + (f" ({found['low']:.3g} to {found['high']:.3g})" if known else "")


def _of_pair(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": found["value"], "low": found["ci"][0], "high": found["ci"][1]}
