"""The candidates of an experiment: gathered from the summaries of its runs, ranked by what was sealed away."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from loom.core.index import RunFacts
from loom.kernel.errors import LoomError

Row = dict[str, Any]
_SIGNS = {"max": 1, "hig": 1, "gre": 1, "min": -1, "low": -1, "sma": -1}
_NAME = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*)")
_WORDS = re.compile(r"\s*(max|min)imi[sz]e\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Standing:
    """The candidates that one metric scored, the best first."""

    metric: str | None
    higher_is_better: bool
    rows: list[Row]


def standings(runs: Iterable[RunFacts]) -> list[Standing]:
    """One row per candidate with a score, under the pathspec that the score comes from; ranks per metric.

    A candidate is told of by its own run and by the search that started it: what one does not say, the other does.
    """
    found: dict[tuple[str, int], Row] = {}
    for run in runs:
        for place, row in enumerate(_told(run)):
            # a row without a pathspec of its own is nobody else's
            key = (run.name, place) if row["pathspec"] is None else (row["pathspec"], -1)
            row["pathspec"] = row["pathspec"] or run.pathspec or run.name
            known = found.setdefault(key, row)
            known.update({name: value for name, value in row.items() if known.get(name) in (None, False, 0)})
    rows = [row for row in found.values() if row["seal"] is not None or row["search"] is not None]
    metrics = {row["metric"] for row in rows if row["metric"]}
    for row in rows:
        row["metric"] = row["metric"] or (next(iter(metrics)) if len(metrics) == 1 else None)
    return [_ranked(rows, metric) for metric in dict.fromkeys(row["metric"] for row in rows)]


def _told(run: RunFacts) -> Iterator[Row]:
    """What one run says of candidates: its leaderboard, its champion, its own score."""
    summary = run.summary
    listed = [each for each in _list(summary.get("leaderboard")) if isinstance(each, Mapping)]
    metric, sign = _metric(summary.get("metric") or run.inputs.get("metric"), summary)
    sign = sign or _order_of(listed)
    suspects = {
        str(each.get("pathspec")) if isinstance(each, Mapping) else str(each)
        for each in _list(summary.get("suspects"))
    }
    best = summary.get("best")
    for each in [*listed, *([best] if isinstance(best, Mapping) else [])]:
        yield _row(each, metric, sign, suspects)
    if not listed and any(number(summary.get(key)) is not None for key in ("seal", "search", "score")):
        yield _row({**summary, "pathspec": run.pathspec or run.name}, metric, sign, suspects)


def _row(each: Mapping[str, Any], metric: str | None, sign: int, suspects: set[str]) -> Row:
    own, own_sign = _metric(each.get("metric"), each)
    pathspec = each.get("pathspec")
    search = number(each.get("search"))
    bounds = [number(bound) for bound in _list(each.get("ci"))]
    is_suspect = str(pathspec) in suspects or bool(each.get("suspect")) or each.get("status") == "SUSPECT"
    return {
        "pathspec": str(pathspec) if pathspec else None,
        "family": str(each["family"])[:80] if each.get("family") else None,
        "metric": own or metric,
        "seal": number(each.get("seal")),
        # a score of which nobody says that it was sealed may have led the search
        "search": number(each.get("score")) if search is None else search,
        "ci": bounds if len(bounds) == 2 and None not in bounds else None,
        "suspect": is_suspect,
        "sign": own_sign or sign,
    }


def _ranked(rows: Iterable[Row], metric: str | None) -> Standing:
    """Sealed scores first, the best of them on top; those that only led the search after them."""
    mine = [row for row in rows if row["metric"] == metric]
    sign = next((row["sign"] for row in mine if row["sign"]), 1)

    def order(row: Row) -> tuple[bool, float, str]:
        is_open = row["seal"] is None
        return is_open, -sign * row["search" if is_open else "seal"], row["pathspec"]

    ranked = [
        {"rank": place, **{key: value for key, value in row.items() if key != "sign"}}
        for place, row in enumerate(sorted(mine, key=order), 1)
    ]
    return Standing(metric, sign > 0, ranked)


def _metric(value: Any, told: Mapping[str, Any]) -> tuple[str | None, int]:
    """The name of a metric, and 1 where more is better, -1 where less is, 0 where nobody says."""
    inner = value if isinstance(value, Mapping) else {}
    text = str(inner.get("name") or (value if isinstance(value, str) else ""))
    wish, found = _WORDS.match(text), _NAME.match(text)
    name = found.group(1) if found and not wish else None
    for source in (inner, told):
        for key in ("direction", "greater_is_better", "higher_is_better"):
            said = source.get(key)
            if isinstance(said, bool):
                return name, 1 if said else -1
            if isinstance(said, str) and said[:3].casefold() in _SIGNS:
                return name, _SIGNS[said[:3].casefold()]
    if wish:
        return None, _SIGNS[wish.group(1).casefold()]
    if name is None:
        return None, 0
    metrics: Any = importlib.import_module("loom.science.metrics")  # most looks at runs come to no score
    try:
        return name, metrics.get(name).sign
    except LoomError:
        return name, 0


def _order_of(listed: Iterable[Mapping[str, Any]]) -> int:
    """A leaderboard has its best row on top: which way its scores go tells what is better."""
    rows = ([number(each.get(key)) for key in ("search", "score", "seal")] for each in listed)
    scores = [known[0] for row in rows if (known := [score for score in row if score is not None])]
    steps = sum((a > b) - (a < b) for a, b in pairwise(scores))
    return (steps > 0) - (steps < 0)


def number(value: Any) -> float | None:
    """A value that can be compared, or nothing."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
