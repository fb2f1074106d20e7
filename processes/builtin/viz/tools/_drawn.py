"""What was drawn, and what it was drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loom.science.charts import Chart
from loom.tools.card import Block

ALL = "all"
TITLES = {
    "target": "The target",
    "leaks": "What columns know of the target",
    "distributions": "How values lie",
    "correlation": "How columns go together",
    "missing": "Missing values",
    "leaderboard": "Leaderboard",
    "drift": "Drift",
}
"""The kinds of plots in the order of the page, each with its heading."""

CHOICES = ("distributions", "correlation", "target", "missing", "leaderboard")
"""What may be asked for one by one."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The plots of a data object or a run, by kind."""

    of: str
    charts: Mapping[str, tuple[Chart, ...]]
    next: tuple[str, ...]
    numbers: tuple[Block, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    """How it was drawn, for those who want to know."""

    @property
    def every(self) -> tuple[Chart, ...]:
        """All plots, in the order of the page."""
        return tuple(chart for kind in TITLES for chart in self.charts.get(kind, ()))
