"""Runs as charts: how candidates rank, and how runs fared and how long they took."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from loom.science.charts.chart import Chart, figure, framed, labels
from loom.science.charts.drawing import SAID, STEP, across, by_tone, line_at, names_down, values

_MOST = 15
_MOST_RUNS = 200
# which of its scores a candidate is known by; what was sealed away flatters least
_SCORES = ("seal", "score", "search", "value")
_NAMES = ("family", "title", "name", "pathspec")
_STATUSES = {
    "ok": "ended well",
    "failed": "failed",
    "blocked": "blocked or refused",
    "running": "still running",
}
# a form of its own for each, so that nobody has to tell red from green
_LOOKS = {
    "ended well": ("@fine", "circle"),
    "failed": ("@bad", "cross"),
    "blocked or refused": ("@wary", "triangle-up"),
    "still running": ("@rest", "square"),
}
_TIMES = [0.01, 0.1, 1, 10, 60, 600, 3_600, 36_000]
_SAME = {"refused": "blocked", "error": "failed", "interrupted": "failed"}


def leaderboard(
    rows: Sequence[Mapping[str, Any]],
    of: str,
    *,
    metric: str = "score",
    higher_is_better: bool = True,
    baseline: float | None = None,
) -> Chart | None:
    """The best candidates with their intervals, the best on top, and the line of the baseline; None without a score.

    The scores are those under `seal`, where any row has one, else under `score` or `search`: never two kinds in one
    picture. A row may have `ci`, the two ends of its interval, and is called by its `family`, with its `pathspec`
    where two are of one family.
    """
    kind = next((key for key in _SCORES if any(_score(row, key) is not None for row in rows)), None)
    if kind is None:
        return None
    scored = [(row, value) for row in rows if (value := _score(row, kind)) is not None]
    scored.sort(key=lambda each: -each[1] if higher_is_better else each[1])
    drawn = _candidates(scored[:_MOST])
    best = drawn[0]
    interval = f" ({figure(best['low'])} to {figure(best['high'])})" if "low" in best else ""
    title = f"{best['name']} leads {len(scored):,} candidates with {metric} {figure(best['value'])}"
    if len(scored) == 1:
        title = f"The only candidate, {best['name']}, reaches {metric} {figure(best['value'])}"
    against = "" if baseline is None else f" The baseline has {figure(baseline)}."
    said = "; ".join(row["said"] for row in drawn[:5])
    alt = f"Scores of candidates, best first: {said}.{against} {title}{interval}."
    drawing, near = _ranked(drawn, baseline)
    better = "higher" if higher_is_better else "lower"
    said_kind = {"seal": "sealed ", "search": "search "}.get(kind, "")
    note = f"{said_kind}{metric}, {better} is better{'; lines are confidence intervals' if 'low' in best else ''}"
    if baseline is not None and not near:
        note += f"; the baseline has {figure(baseline)}"
    return framed("leaderboard", title, alt, of, drawing, note=note)


def _ranked(drawn: list[dict[str, Any]], baseline: float | None) -> tuple[dict[str, Any], bool]:
    """The dots with their intervals, and whether the baseline is near enough to be drawn."""
    ends = [row[key] for row in drawn for key in ("low", "value", "high") if key in row]
    low, high = min(ends), max(ends)
    # a baseline far away would press all candidates together
    near = baseline is not None and low - 3 * (high - low) <= baseline <= high + 3 * (high - low)
    reach = across("value", None, form="~f", domain=_with_air(ends, baseline if near else None), zero=False)
    place = {"y": names_down()}
    layers: list[dict[str, Any]] = (
        line_at(reach, baseline, "baseline") if near and baseline is not None else []
    )
    layers += [
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.5, "aria": False},
            "encoding": {
                **place,
                "x": {**reach, "field": "low"},
                "x2": {"field": "high"},
                "color": by_tone(),
            },
        },
        {
            "mark": {"type": "point", "size": 80, "tooltip": True},
            "encoding": {**place, "x": reach, "color": by_tone(), **SAID},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 8, "aria": False},
            "encoding": {**place, "x": {**reach, "field": "end"}, "text": {"field": "label"}},
        },
    ]
    return {"height": {"step": STEP}, "data": values(drawn), "layer": layers}, near


def _score(row: Mapping[str, Any], kind: str) -> float | None:
    value = row.get(kind)
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fine else None  # type: ignore[arg-type]


def _candidates(scored: Sequence[tuple[Mapping[str, Any], float]]) -> list[dict[str, Any]]:
    called = [str(next((row[key] for key in _NAMES if row.get(key)), "candidate")) for row, _ in scored]
    twice = {name for name in called if called.count(name) > 1}
    told = [
        f"{name} {str(row['pathspec']).rpartition('/')[2]}" if name in twice and row.get("pathspec") else name
        for name, (row, _) in zip(called, scored, strict=True)
    ]
    drawn = []
    for place, (name, (row, value)) in enumerate(zip(labels(told, 24), scored, strict=True)):
        low, high = _interval(row.get("ci"))
        one: dict[str, Any] = {"name": name, "value": round(value, 6), "label": figure(value)}
        one["end"] = max(one["value"], high or value)
        one["tone"] = "wary" if row.get("suspect") else "calm" if place == 0 else "rest"
        between = ""
        if low is not None and high is not None:
            one |= {"low": round(low, 6), "high": round(high, 6)}
            between = f", between {figure(low)} and {figure(high)}"
        suspect = ", suspect" if row.get("suspect") else ""
        drawn.append(one | {"said": f"{name}: {figure(value)}{between}{suspect}"})
    return drawn


def _interval(ends: Any) -> tuple[float | None, float | None]:
    pair = list(ends) if isinstance(ends, list | tuple) else []
    if len(pair) != 2 or not all(isinstance(end, int | float) and math.isfinite(end) for end in pair):
        return None, None
    return float(pair[0]), float(pair[1])


def _with_air(ends: Sequence[float], baseline: float | None) -> tuple[float, float]:
    low, high = (
        (min(*ends, baseline), max(*ends, baseline)) if baseline is not None else (min(ends), max(ends))
    )
    air = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - air, high + 3 * air


def run_health(runs: Sequence[Any], of: str) -> Chart | None:
    """The newest runs: when each began, how long it took, how it ended; None when there is none.

    Takes what an index of runs gives, or its plain data: `status`, `started` (seconds since 1970), `seconds`.
    """
    told = [run if isinstance(run, Mapping) else run.as_json() for run in runs]
    told.sort(key=lambda run: float(run.get("started") or 0.0))
    drawn = [_run(run) for run in told if run.get("seconds") is not None][-_MOST_RUNS:]
    if not told or not drawn:
        return None
    well = sum(run.get("status") == "ok" for run in told)
    durations = sorted(float(run["seconds"]) for run in told if run.get("seconds") is not None)
    most = durations[min(len(durations) - 1, math.ceil(0.95 * len(durations)) - 1)]
    title = f"{well:,} of {len(told):,} runs ended well; 95 % took at most {_time(most)}"
    ended = sorted({row["ended"] for row in drawn}, key=list(_LOOKS).index)
    counts = ", ".join(f"{sum(row['ended'] == each for row in drawn)} {each}" for each in ended)
    alt = f"One dot for each of {len(drawn):,} runs, by start and duration: {counts}. {title}."
    drawing = {
        "height": 190,
        "data": values(drawn),
        "mark": {"type": "point", "size": 60, "opacity": 0.85, "tooltip": True},
        "encoding": {
            "x": {
                "field": "at",
                "type": "temporal",
                "title": None,
                "scale": {"type": "utc"},
                "axis": {
                    "grid": False,
                    "labelOverlap": True,
                    "tickCount": 5,
                    "format": "%d %b" if _span(drawn) > 6 * 86_400 else "%d %b %H:%M",
                },
            },
            "y": {
                "field": "seconds",
                "type": "quantitative",
                "title": "seconds",
                "scale": {"type": "log", "nice": True},
                "axis": {"values": _TIMES, "format": "~f"},
            },
            "color": _by_end(ended, 0),
            "shape": _by_end(ended, 1),
            **SAID,
        },
    }
    return framed("run-health", title, alt, of, drawing, note="each dot is a run; time of day is UTC")


def _by_end(ended: Sequence[str], which: int) -> dict[str, Any]:
    looks = [_LOOKS[each][which] for each in ended]
    return {"field": "ended", "type": "nominal", "scale": {"domain": list(ended), "range": looks}}


def _span(drawn: Sequence[Mapping[str, Any]]) -> float:
    first, last = (datetime.fromisoformat(drawn[at]["at"]) for at in (0, -1))
    return (last - first).total_seconds()


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    status = str(run.get("status") or "failed")
    ended = _STATUSES.get(_SAME.get(status, status), _STATUSES["failed"])
    at = datetime.fromtimestamp(float(run.get("started") or 0.0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    seconds = max(float(run["seconds"]), 0.01)
    called = str(run.get("name") or run.get("pathspec") or "run")[:60]
    return {
        "at": at,
        "seconds": round(seconds, 2),
        "ended": ended,
        "said": f"{called}: {status}, {_time(seconds)}",
    }


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
