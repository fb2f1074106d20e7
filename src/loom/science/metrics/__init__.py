"""How good predictions are and how sure that is: metrics with their direction, scores, and intervals of both."""

from __future__ import annotations

from loom.science.metrics.intervals import Interval, difference, interval, needed_rows
from loom.science.metrics.registry import METRICS, Metric, default_for, get
from loom.science.metrics.scoring import score
from loom.science.metrics.wanting import Wanted, parse, wanted_for

__all__ = [
    "METRICS",
    "Interval",
    "Metric",
    "Wanted",
    "default_for",
    "difference",
    "get",
    "interval",
    "needed_rows",
    "parse",
    "score",
    "wanted_for",
]
