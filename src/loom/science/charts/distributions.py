"""How the values of columns lie, and how they differ between the classes of the target."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from loom.science.charts.answers import Answer
from loom.science.charts.chart import Chart, distinct_slugs
from loom.science.charts.histograms import histogram
from loom.science.charts.levels import level_bars
from loom.science.charts.periods import period_chart
from loom.science.charts.survey import Survey
from loom.science.profile.inspection import Inspected, inspect


def distributions(
    found: Survey, of: str, *, names: Sequence[str] | None = None, most: int = 12
) -> list[Chart]:
    """A chart for each of the columns, those that tell most of the target first; text and ids have none."""
    if names is None:
        drawn = [each.name for each in found.drawable()][:most]
    else:
        drawn = [each.name for each in found.columns if each.may_be_drawn and each.name in set(names)]
    split = found.answer if found.answer is not None and found.answer.classes else None
    charts: dict[str, Chart] = {}
    for block in found.table.blocks(drawn):
        inspected, _ = inspect(block, 0)
        for one, cells in zip(inspected, block, strict=True):
            chart = distribution(one, cells, of, split if one.name != found.target else None)
            if chart is not None:
                charts[one.name] = chart
    return distinct_slugs(charts[name] for name in drawn if name in charts)


def distribution(one: Inspected, cells: pl.Series, of: str, split: Answer | None = None) -> Chart | None:
    """The chart of one column; None where nothing of it may be shown, or nothing is to be seen."""
    if one.personal or one.values is None or one.traits.present == 0:
        return None
    if one.role == "date":
        return period_chart(one, of)
    if one.role == "numeric":
        return histogram(one, of, split)
    return level_bars(one, cells, of, split)
