"""What a chart of a column does not show, as it is said beneath its title."""

from __future__ import annotations

from loom.science.charts.chart import percent
from loom.science.profile.inspection import Inspected


def beside(one: Inspected, covered: str = "") -> str:
    """What a chart does not show: gaps, and the ends that are cut off."""
    said = []
    if covered:
        said.append(covered)
    if one.traits.missing:
        said.append(f"{percent(one.traits.missing / one.traits.rows)} missing")
    return f" ({', '.join(said)})" if said else ""
