"""The privacy line of charts: no cell of a table, and no group of few rows, is in any of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from loom.science.charts import (
    Chart,
    correlation,
    distributions,
    missing,
    missing_together,
    survey,
    target_charts,
)
from loom.science.charts.cells import Cell, cells_of, merged
from loom.science.pictures import standalone, svg

ROWS = 2_000
CANARIES = ["canary", "Canary", "9876543", "8765432", "1.23456", "7654321", "1955", "surname1", "gone-level"]


def planted(target: str) -> pl.DataFrame:
    """A table in which every column holds values that point to a row, and a target of the wanted kind."""
    random = np.random.default_rng(0)
    words = random.choice(["red", "green"], ROWS).tolist()
    answers: list[Any] = words
    if target == "amount":
        answers = [9_876_543.21, *random.normal(size=ROWS - 1)]
    elif target == "classes":
        answers = ["canarytarget", *random.choice(["low", "mid", "high"], ROWS - 1)]
    elif target == "rare":
        answers = [at < 25 for at in range(ROWS)]
    return pl.DataFrame(
        {
            "amount": [9_876_543.21, -8_765_432.19, 1.23456789, *random.normal(size=ROWS - 3)],
            "wealth": [9_876_543.21, *random.lognormal(3, 2, ROWS - 1)],
            "count": [7_654_321, *random.integers(0, 50, ROWS - 1).tolist()],
            "colour": ["canary-colour", *words[1:]],
            "shade": ["gone-level"] * 19 + words[19:],
            "note": ["canary note with words", *["some words here"] * (ROWS - 1)],
            "code": [f"canarycode{at}" for at in range(ROWS)],
            "email": [f"canary{at}@mail.example" for at in range(ROWS)],
            "surname": random.choice([f"Canaryname{at}" for at in range(12)], ROWS),
            "seen": [
                date(1955, 5, 5),
                *[date(1990, 1, 1) + timedelta(days=at % 999) for at in range(ROWS - 1)],
            ],
            "paid": ["canarypaid", *(f"{at}.25" for at in range(ROWS - 1))],
            "gap": [None if at % 3 else 9_876_543 if at == 0 else at % 7 for at in range(ROWS)],
            "hole": [None if at % 3 == 1 else "canaryhole" if at == 0 else "full" for at in range(ROWS)],
            "target": answers,
        }
    )


def drawn(frame: pl.DataFrame) -> list[Chart]:
    seen = survey(frame, target="target")
    found = [correlation(seen, "x"), missing(seen, "x"), missing_together(seen, "x")]
    charts = [*target_charts(seen, "x"), *distributions(seen, "x", most=20)]
    return [*charts, *(chart for chart in found if chart is not None)]


def without_places(picture: str) -> str:
    """A picture without the places of its marks, whose digits may be anything."""
    return re.sub(r' (?:d|transform|x2|y2|viewBox|width|height)="[^"]*"', "", picture)


@pytest.mark.parametrize("target", ["words", "amount", "classes", "rare"])
def test_no_planted_value_is_in_any_chart(target: str) -> None:
    charts = drawn(planted(target))
    assert len(charts) > 8
    for chart in charts:
        said = (
            json.dumps([chart.as_json(), standalone(chart.spec)])
            + without_places(svg(chart.spec))
            + without_places(svg(chart.spec, theme="card"))
        )
        assert [canary for canary in CANARIES if canary in said] == [], chart.name


def shares(part: Any) -> Iterator[dict[str, Any]]:
    """Every row of data in a chart."""
    if isinstance(part, dict):
        yield from part.get("data", {}).get("values", ())
        for each in part.get("layer", ()):
            yield from shares(each)


def test_every_bar_of_a_rare_class_stands_for_twenty_rows_of_it() -> None:
    random = np.random.default_rng(1)
    rare = np.arange(5_000) < 70
    frame = pl.DataFrame(
        {
            "x": np.where(rare, random.normal(1, 1, 5_000), random.normal(0, 1, 5_000)),
            "level": random.choice(["a", "b", "c"], 5_000, p=[0.9, 0.08, 0.02]),
            "target": np.where(rare, "yes", "no"),
        }
    )
    x = frame.filter(pl.col("target") == "yes")["x"]
    checked = 0
    for chart in distributions(survey(frame, target="target"), "x"):
        for row in shares(chart.spec):
            if row.get("class") == "yes" and "to" in row and row["share"]:
                inside = int(((x >= row["from"]) & (x < row["to"])).sum())
                assert inside >= 20
                checked += 1
            if row.get("class") == "yes" and "label" in row:
                assert row["value"] == 0 or row["value"] * 70 >= 19.5
    assert checked >= 2


def test_a_class_of_few_rows_is_not_drawn() -> None:
    frame = pl.DataFrame(
        {"x": [float(at % 50) for at in range(1_000)], "target": ["few"] * 10 + ["many"] * 990}
    )
    seen = survey(frame, target="target")
    assert seen.answer is None
    assert target_charts(seen, "x") == []
    assert all("few" not in json.dumps(chart.as_json()) for chart in distributions(seen, "x"))


def test_a_personal_target_splits_nothing() -> None:
    random = np.random.default_rng(2)
    frame = pl.DataFrame(
        {"x": random.normal(size=2_000), "surname": random.choice([f"Name{at}" for at in range(12)], 2_000)}
    )
    charts = distributions(survey(frame, target="surname"), "x")
    assert len(charts) == 1
    assert "Name1" not in json.dumps([chart.as_json() for chart in charts])


def test_few_rows_give_the_middle_only() -> None:
    values = list(np.random.default_rng(3).normal(size=60))
    (chart,) = distributions(survey(pl.DataFrame({"x": values})), "x")
    assert "p25 to p75" in chart.spec["title"]["subtitle"][0]
    assert distributions(survey(pl.DataFrame({"x": values[:15]})), "x") == []


@pytest.mark.parametrize("seed", range(5))
def test_cells_are_put_together_until_none_holds_few_rows_and_no_row_is_lost(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.lognormal(0, 1, 400)
    edges = np.linspace(0, 8, 41)
    found = cells_of(values, edges)
    assert all(cell.count == 0 or cell.count >= 20 for cell in found)
    assert sum(cell.count for cell in found) == ((values >= 0) & (values < 8)).sum()
    assert all(a.end == b.start for a, b in pairwise(found))


def test_too_few_rows_in_all_leave_no_cell() -> None:
    assert merged([Cell(0, 1, 5), Cell(1, 2, 0), Cell(2, 3, 9)]) == []
    assert merged([Cell(0, 1, 5), Cell(1, 2, 0), Cell(2, 3, 15)]) == [Cell(0, 3, 20)]
