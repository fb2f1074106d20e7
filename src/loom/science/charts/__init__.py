"""Pure functions from aggregates to charts: distributions, relations, the target, gaps, leaks, drift, runs.

What needs the cells of a table starts with a `survey` of it; the rest draws results that are there already.
"""

from loom.science.charts.chart import Chart
from loom.science.charts.distributions import distributions
from loom.science.charts.drifts import drift_effects
from loom.science.charts.gaps import missing, missing_together
from loom.science.charts.leaks import leak_scores
from loom.science.charts.outcome import target_balance, target_charts, target_shares, target_strengths
from loom.science.charts.rates import target_rates
from loom.science.charts.relations import correlation, relations
from loom.science.charts.runs import leaderboard, run_health
from loom.science.charts.searching import search_tree
from loom.science.charts.survey import Survey, survey

__all__ = [
    "Chart",
    "Survey",
    "correlation",
    "distributions",
    "drift_effects",
    "leaderboard",
    "leak_scores",
    "missing",
    "missing_together",
    "relations",
    "run_health",
    "search_tree",
    "survey",
    "target_balance",
    "target_charts",
    "target_rates",
    "target_shares",
    "target_strengths",
]
