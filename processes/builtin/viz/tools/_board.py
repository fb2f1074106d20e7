"""The candidates of a search as its summary lists them: which metric ranked them, and which way round."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loom.core.index import RunFacts

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Board:
    """The rows of a leaderboard, what they were scored by, and whether more of it is better."""

    rows: tuple[Mapping[str, Any], ...]
    metric: str
    higher_is_better: bool


def board_of(facts: RunFacts) -> Board:
    """The leaderboard of a run; without rows where its summary lists none."""
    summary = facts.summary
    best = summary.get("best")
    champion = best if isinstance(best, Mapping) else {}
    suspects = {
        str(each.get("pathspec")) if isinstance(each, Mapping) else str(each)
        for each in _list(summary.get("suspects"))
    }
    rows = []
    for row in _list(summary.get("leaderboard")):
        if not isinstance(row, Mapping):
            continue
        more = champion if row.get("pathspec") and row.get("pathspec") == champion.get("pathspec") else {}
        told = {**more, **{key: value for key, value in row.items() if value is not None}}
        suspect = bool(row.get("suspect")) or str(row.get("pathspec")) in suspects
        rows.append({**told, "suspect": suspect})
    metric = summary.get("metric") or facts.inputs.get("metric") or (rows[0].get("metric") if rows else None)
    named = metric.get("name") if isinstance(metric, Mapping) else metric
    called = _NAME.match(str(named or ""))
    return Board(tuple(rows), called[0] if called else "score", _higher_is_better(summary, metric, rows))


def _higher_is_better(summary: Mapping[str, Any], metric: Any, rows: Sequence[Mapping[str, Any]]) -> bool:
    """As it is said, else as the list goes, which is best first."""
    for place in (metric, summary):
        if isinstance(place, Mapping) and isinstance(place.get("higher_is_better"), bool):
            return bool(place["higher_is_better"])
    for kind in ("search", "score", "seal"):
        scores = [row[kind] for row in rows if isinstance(row.get(kind), int | float)]
        if len(scores) > 1 and scores[0] != scores[-1]:
            return bool(scores[0] > scores[-1])
    return True


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
