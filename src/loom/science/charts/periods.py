"""How the rows of a column of dates lie in time: round periods, each with as many rows as may be shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from loom.core.column_names import spoken
from loom.science.charts.cells import Cell, merged
from loom.science.charts.chart import Chart, framed, percent, slug
from loom.science.charts.drawing import SAID, values
from loom.science.charts.notes import beside
from loom.science.disclosure import QUANTILES, moments_of
from loom.science.profile.inspection import Inspected

_MOST = 60
_HEIGHT = 150
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# how polars calls a period, its length in seconds, its name, how its beginning is written
_PERIODS = (
    ("1h", 3_600, "hour", "%Y-%m-%d %H:00"),
    ("1d", 86_400, "day", "%Y-%m-%d"),
    ("1w", 604_800, "week", "%Y-%m-%d"),
    ("1mo", 2_629_800, "month", "%Y-%m"),
    ("1q", 7_889_400, "quarter", "%Y-%m"),
    ("1y", 31_557_600, "year", "%Y"),
    ("10y", 315_576_000, "ten years", "%Y"),
)


def period_chart(one: Inspected, of: str) -> Chart | None:
    """The rows per period between the outermost quantiles that may be shown; None where these are too near."""
    assert one.values is not None and one.quantity is not None
    seconds = [None if each is None else each / 1e6 for each in one.quantity.quantiles]
    shown = moments_of(seconds, one.traits.present)
    if not shown or len(shown) < 3:
        return None
    shown = {name: moment.replace("T", " ") for name, moment in shown.items()}
    kept = [
        each
        for q, each in zip(QUANTILES, one.quantity.quantiles, strict=True)
        if f"p{round(100 * q)}" in shown
    ]
    low, high = kept[0], kept[-1]
    if low is None or high is None or high - low < 2 * 3_600e6:
        return None
    name, length, spoken_period, form = next(
        (each for each in _PERIODS if (high - low) / 1e6 / each[1] <= _MOST), _PERIODS[-1]
    )
    cells = _cells(one.values, low, high, name, length)
    if not cells:
        return None
    rows = [_row(cell, length, form, one.traits.present) for cell in cells]
    called = spoken(one.name)
    between = f"{shown['p25']} and {shown['p75']}" if "p25" in shown and "p75" in shown else ""
    title = f"{called}: half of the rows lie between {between}" if between else f"{called} over time"
    first, last = next(iter(shown.values())), next(reversed(shown.values()))
    alt = f"Rows per {spoken_period} by {called}, from {first} to {last}, median {shown['p50']}."
    ends = list(shown)
    note = f"share of the rows per {spoken_period}{beside(one, f'{ends[0]} to {ends[-1]}')}"
    drawing = {
        "height": _HEIGHT,
        "data": values(rows),
        "mark": {"type": "bar", "tooltip": True, "cornerRadius": 0, "binSpacing": 0.5},
        "encoding": {
            "x": {
                "field": "from",
                "type": "temporal",
                "title": None,
                "scale": {"type": "utc"},
                "axis": {"grid": False, "labelOverlap": True, "tickCount": 6},
            },
            "x2": {"field": "to"},
            "y": {
                "field": "share",
                "type": "quantitative",
                "title": None,
                "axis": {"format": ".1~%", "tickCount": 3},
            },
            "y2": {"datum": 0},
            **SAID,
        },
    }
    return framed(slug("distribution", one.name), title, alt, of, drawing, note=note)


def _row(cell: Cell, length: int, form: str, present: int) -> dict[str, Any]:
    start, end = _at(cell.start), _at(cell.end)
    share = cell.count / present
    return {
        "from": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "to": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "share": round(share / max(1.0, round((cell.end - cell.start) / length)), 5),
        "said": f"from {start.strftime(form)}: {percent(share)} of the rows",
    }


def _cells(moments: pl.Series, low: float, high: float, period: str, length: int) -> list[Cell]:
    """Rows per period, empty ones included, neighbours put together where one has a few rows only."""
    known = moments.drop_nulls()
    known = known.filter((known >= low) & (known <= high))
    begun = pl.from_epoch(known, time_unit="us").dt.truncate(period)
    counts = dict(begun.alias("at").value_counts(name="count").iter_rows())
    if not counts:
        return []
    starts = pl.datetime_range(min(counts), max(counts), interval=period, eager=True)
    ends = [*starts[1:], starts[-1] + timedelta(seconds=length)]
    return merged(
        [
            Cell(_seconds(start), _seconds(end), counts.get(start, 0))
            for start, end in zip(starts, ends, strict=True)
        ]
    )


def _seconds(moment: datetime) -> float:
    return (moment.replace(tzinfo=UTC) - _EPOCH).total_seconds()


def _at(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)
