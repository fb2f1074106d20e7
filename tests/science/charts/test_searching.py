"""A search as a picture: who leads, how the tree grew, and that no size of it is too much."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from loom.science.charts import search_tree
from loom.science.charts.chart import Chart
from loom.science.pictures import svg

OF = "12 candidates of loom-abc123"


def node(number: int, first: float | None, *parents: int, **more: Any) -> dict[str, Any]:
    told = {"node": number, "parents": list(parents), "operator": "draft", "family": "oak", "first": first}
    return {**told, "note": "", "why": None, "champion": False, **more}


def drawn(*nodes: dict[str, Any], metric: str = "auc", higher: bool = True) -> Chart:
    chart = search_tree(nodes, OF, metric=metric, higher_is_better=higher)
    assert chart is not None
    return chart


def rows(chart: Chart, layer: int) -> list[dict[str, Any]]:
    """The numbers of one layer: the best so far, the links, the candidates."""
    return list(chart.spec["layer"][layer]["data"]["values"])


def note(chart: Chart) -> str:
    return " ".join(chart.spec["title"]["subtitle"])


FOREST = (
    node(0, 0.6),
    node(1, 0.7, family="ash"),
    node(2, None, why="deadline", family="elm"),
    node(3, 0.75, 1, operator="improve", family="ash", note="more trees"),
    node(4, None),
    node(5, 0.74, 0, 3, operator="merge", family="ash", champion=True),
    node(6, 0.9, why="error", family="elm"),
)


def test_the_champion_leads_whatever_scored_higher_on_one_fold() -> None:
    chart = drawn(*FOREST)
    assert chart.title == "ash leads after 7 candidates"
    assert (
        "4 candidates in the order in which they were tried: oak 0.6 at 0; ash 0.7 at 1; ash 0.75 at 3."
        in (chart.alt)
    )
    assert svg(chart.spec).startswith("<svg")


def test_without_a_champion_the_best_that_ran_leads() -> None:
    assert drawn(node(0, 0.6), node(1, 0.7, family="ash")).title == "ash leads after 2 candidates"
    worse = drawn(node(0, 3.0), node(1, 5.0, family="ash"), metric="rmse", higher=False)
    assert worse.title == "oak leads after 2 candidates"
    assert note(worse).startswith("rmse on rows the candidate has not seen, lower is better")


def test_what_failed_is_counted_and_what_time_cut_off_is_not_among_it() -> None:
    assert "; 2 failed" in note(drawn(*FOREST))
    assert "failed" not in note(drawn(node(0, 0.6), node(1, 0.7), node(2, None), node(3, None)))
    assert [each["at"] for each in rows(drawn(*FOREST), 2)] == [0, 1, 3, 5]


def test_each_candidate_is_joined_to_what_it_was_made_from() -> None:
    links = rows(drawn(*FOREST), 1)
    assert {(each["from"], each["to"]) for each in links} == {(1, 3), (0, 5), (3, 5)}
    # one that was made from what failed stands by itself
    assert rows(drawn(*FOREST, node(7, 0.7, 2)), 1) == links


def test_a_candidate_says_what_it_is_when_it_is_pointed_at() -> None:
    said = {each["at"]: each["said"] for each in rows(drawn(*FOREST), 2)}
    assert said[3] == "3: ash (improve, more trees) 0.75"
    assert said[0] == "0: oak (draft) 0.6"


@pytest.mark.parametrize(
    "nodes",
    [
        [],
        [node(0, None, why="error"), node(1, None)],
        [node(0, 0.7), node(1, None, why="error")],
        [node(0, 0.7), node(1, 0.8, why="error")],
    ],
)
def test_where_fewer_than_two_ran_nothing_is_drawn(nodes: list[dict[str, Any]]) -> None:
    assert search_tree(nodes, OF, metric="auc", higher_is_better=True) is None


def test_what_is_far_off_does_not_press_the_rest_together() -> None:
    near = [node(at, 0.8 + at / 1000) for at in range(20)]
    chart = drawn(*near, node(20, 0.01))
    low, high = chart.spec["layer"][2]["encoding"]["y"]["scale"]["domain"]
    assert low > 0.7 and high < 0.85
    assert all(low <= each["score"] <= high for each in rows(chart, 2))
    assert "are worse than what is drawn" in note(chart)


def test_equal_scores_have_a_height_to_be_drawn_in() -> None:
    for score in (0.5, 0.0, -3.0):
        chart = drawn(node(0, score), node(1, score))
        low, high = chart.spec["layer"][2]["encoding"]["y"]["scale"]["domain"]
        assert low < score < high


@pytest.mark.parametrize("higher", [True, False])
def test_a_search_without_end_is_bounded_and_keeps_its_champion_and_how_the_best_rose(higher: bool) -> None:
    sign = 1 if higher else -1
    many = [
        node(at, sign * (0.5 + (at * 7919 % 3000) / 10_000), at // 2, family=f"f{at % 9}")
        for at in range(1, 3000)
    ]
    many[5]["first"] = sign * 0.3
    last = node(3000, sign * 0.7, 5, 7, family="ensemble", champion=True)
    chart = drawn(*many, last, higher=higher)
    assert chart.title == "ensemble leads after 3,000 candidates"
    shown = rows(chart, 2)
    assert len(shown) == 400
    assert {1, 3000} <= {each["at"] for each in shown}
    assert len({each["family"] for each in shown}) <= 6
    assert re.search(r"; 2,\d{3} are worse than what is drawn$", note(chart))
    assert len(json.dumps(chart.spec)) < 150_000


def test_a_search_that_is_large_still_becomes_a_picture() -> None:
    many = [node(at, 0.5 + at / 10_000, at - 1, family=f"f{at % 9}") for at in range(500)]
    assert svg(drawn(*many).spec).count("<path") > 300
