"""The page of a search: its champion, the board, how the tree grew, and what failed or was left out of the race."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.science.charts import search_tree
from loom.science.search.order import Order
from loom.tools.card import Block, card, charts, column, facts, number, table, tag

_SHOWN = 25


def page(order: Order, figures: Mapping[str, Any]) -> Block:
    """The blocks of the page."""
    best = figures["best"]
    numbers = [*_scores(order, best), *_counts(order, figures)]
    drawn = [each.as_json() for each in _drawn(order, figures) if each is not None]
    sections = [
        _board(order, figures["leaderboard"]),
        *([charts("The search", drawn)] if drawn else []),
        *_failures(figures),
        facts("Method and lineage", _told(order, figures)),
    ]
    return card(numbers=numbers, sections=sections)


def _scores(order: Order, best: Mapping[str, Any] | None) -> list[Block]:
    if best is None:
        return [number("champion", "none", tone="bad")]
    low, high = best["ci"]
    interval = f"{low:.4g} to {high:.4g}" if low is not None and high is not None else "no interval"
    return [
        number("champion", best["family"], note=best["pathspec"] or f"candidate {best['node']}"),
        number(f"{order.metric.name}, sealed", best["seal"], note=interval),
        number(f"{order.metric.name}, search", best["search"], note="chosen by this one, so it flatters"),
    ]


def _counts(order: Order, figures: Mapping[str, Any]) -> list[Block]:
    failed, suspects = sum(figures["failures"].values()), len(figures["suspects"])
    budget = figures["budget"]
    return [
        number("candidates", figures["candidates"], note=f"{failed:,} failed" if failed else "none failed"),
        number("suspects", suspects, tone="wary" if suspects else "fine"),
        number("seconds", round(budget["used"], 1), note=f"of {order.seconds:g}"),
    ]


def _board(order: Order, rows: Sequence[Mapping[str, Any]]) -> Block:
    shown = [
        {
            "rank": row["rank"],
            "candidate": row["pathspec"] or str(row["node"]),
            "family": row["family"],
            "how": row["operator"],
            "search": row["search"],
            "seal": row["seal"],
            "interval": _ends(row["ci"]),
            "gap": row["gap"],
            "folds": row["folds"],
            "seconds": row["seconds"],
            "marks": [tag("suspect", "bad")]
            if row["suspect"]
            else [tag("champion", "fine")]
            if row["champion"]
            else [],
        }
        for row in rows[:_SHOWN]
    ]
    columns = [
        column("rank", "rank", "number"),
        column("family", "family"),
        column("how", "made by"),
        column("search", f"{order.metric.name}, search", "score"),
        column("seal", "sealed", "score"),
        column("interval", "interval"),
        column("gap", "gap", "number"),
        column("folds", "folds", "number"),
        column("seconds", "seconds", "number"),
        column("candidate", "candidate", "code"),
        column("marks", "note", "tags"),
    ]
    more = len(rows) - len(shown)
    note = "the seal was opened for the first few only" + (f"; {more:,} more" if more > 0 else "")
    return table("Leaderboard", columns, shown, note=note)


def _ends(ends: Sequence[float | None] | None) -> str | None:
    low, high = ends or (None, None)
    return None if low is None or high is None else f"{low:.3g} to {high:.3g}"


def _drawn(order: Order, figures: Mapping[str, Any]) -> list[Any]:
    metric, higher = order.metric.name, order.metric.sign > 0
    of = f"{figures['candidates']:,} candidates of {figures['experiment_id']}"
    return [search_tree(figures["nodes"], of, metric=metric, higher_is_better=higher)]


def _failures(figures: Mapping[str, Any]) -> list[Block]:
    rows = [
        {"why": why, "count": count, "means": figures["meanings"].get(why, "")}
        for why, count in sorted(figures["failures"].items(), key=lambda each: -each[1])
    ]
    if not rows:
        return []
    columns = [
        column("why", "why", "code"),
        column("count", "candidates", "number"),
        column("means", "that is"),
    ]
    return [table("What failed", columns, rows)]


def _told(order: Order, figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "data": order.named,
        "proposer": figures["proposer"],
        "seed": order.seed,
        "workers": figures["workers"],
        "sandbox": figures["sandbox"],
        "split": figures["split"],
        "champion checks": figures["checks"],
        "final fit": figures["final"],
        "experiment": figures["experiment_id"],
    }
