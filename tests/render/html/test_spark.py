"""Small pictures in a line: what they show, that they say it in words, and that nothing breaks them."""

from __future__ import annotations

import re

import pytest

from loom.render.html.spark import HIGH, WIDE, spark
from loom.tools.card import level_spark, quantile_spark
from tests.render.html.pages import Page

NORMAL = {"p1": -2.3, "p5": -1.6, "p25": -0.7, "p50": 0.0, "p75": 0.7, "p95": 1.6, "p99": 2.3}


def outline(html: str) -> list[tuple[float, float]]:
    """The points of the silhouette, control points left out."""
    drawn = re.search(r'class="area" d="([^"]+)"', html)
    assert drawn is not None
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)(?=[LQV])", drawn[1])]


def told(html: str) -> str:
    """The text alternative."""
    (picture,) = Page(html).all("svg", role="img")
    return picture["aria-label"]


def test_quantiles_become_a_silhouette_that_is_highest_where_most_values_lie() -> None:
    points = outline(spark(quantile_spark(NORMAL)))
    peak = min(points, key=lambda point: point[1])
    assert abs(peak[0] - WIDE / 2) < WIDE / 8
    skewed = outline(
        spark(quantile_spark({"p1": 0, "p5": 1, "p25": 7, "p50": 14, "p75": 31, "p95": 112, "p99": 250}))
    )
    assert min(skewed, key=lambda point: point[1])[0] < WIDE / 4


def test_quantiles_are_told_in_words() -> None:
    assert (
        told(spark(quantile_spark(NORMAL))) == "median 0; half of them from -0.7 to 0.7; 98% from -2.3 to 2.3"
    )


@pytest.mark.parametrize(
    "quantiles",
    [
        {"p1": 5.0, "p50": 5.0, "p99": 5.0},
        {"p1": 0, "p5": 0, "p25": 0, "p50": 0, "p75": 0, "p95": 0, "p99": 1},
        {"p1": -1e308, "p50": 0, "p99": 1e308},
        {"p1": 0, "p99": 5e-324},
        {"p25": 1, "p75": 2},
    ],
    ids=["constant", "mostly one value", "as wide as can be", "as narrow as can be", "few"],
)
def test_every_shape_stays_within_its_picture(quantiles: dict[str, float]) -> None:
    html = spark(quantile_spark(quantiles))
    numbers = [
        float(each) for d in re.findall(r' d="([^"]+)"', html) for each in re.findall(r"-?\d+\.?\d*", d)
    ]
    assert numbers and all(-1 <= each <= max(WIDE, HIGH) + 1 for each in numbers)
    assert "nan" not in html and "inf" not in html
    Page(html)


def test_dates_are_placed_by_their_days() -> None:
    html = spark({"spark": "quantiles", "values": {"p1": "2012-01", "p50": "2015-01", "p99": "2016-01"}})
    middle = re.search(r'class="middle" cx="([\d.]+)"', html)
    assert middle is not None and float(middle[1]) == pytest.approx(WIDE * 0.75, abs=3)
    assert "median 2015-01" in told(html)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"p50": 1},
        {"p1": 3, "p99": 1},
        {"p1": float("nan"), "p99": float("inf")},
        {"p1": "x", "p99": "y"},
        {"q": 1},
    ],
    ids=repr,
)
def test_what_cannot_be_drawn_is_told(values: dict[str, float]) -> None:
    html = spark(quantile_spark(values))
    assert "<svg" not in html


def test_levels_share_the_width_and_all_others_get_the_rest() -> None:
    html = spark(level_spark([0.5, 0.25]))
    widths = [float(each["width"]) for each in Page(html).all("rect")]
    assert widths == pytest.approx([WIDE / 2, WIDE / 4, WIDE / 4], abs=1.1)
    assert told(html) == "shares of the levels: 50%, 25%; all others 25%"


@pytest.mark.parametrize("shares", [[], [0, 0], [5, 5], [None, "x", -1], [0.001] * 900], ids=len)
def test_odd_shares_stay_within_the_picture(shares: list[float]) -> None:
    html = spark(level_spark(shares))
    assert all(float(each["x"]) + float(each["width"]) <= WIDE + 1 for each in Page(html).all("rect"))


@pytest.mark.parametrize(
    "value", [None, 7, "text", [1, 2], {"spark": "other"}, {"spark": "levels", "values": "abc"}], ids=repr
)
def test_no_spark_is_no_picture(value: object) -> None:
    assert "<svg" not in spark(value)
