"""What is tried first, and what it is thought to cost."""

from __future__ import annotations

import pytest

from loom.science.metrics import get
from loom.science.search.nodes import Challenge
from loom.science.search.portfolio import cost, drafts, openers, thrifty
from loom.science.search.rendering import render


def challenge(rows: int = 2_000, task: str = "binary", metric: str = "auc", **more: object) -> Challenge:
    columns = {"a": "number", "b": "number", "c": "word"}
    classes = {"binary": 2, "multiclass": 4, "regression": 0}[task]
    return Challenge(task, get(metric), rows, **{"columns": columns, "classes": classes, "folds": 5, **more})  # type: ignore[arg-type]


def test_the_first_three_are_of_three_families() -> None:
    assert [draft.member["family"] for draft in openers(challenge())] == ["linear", "lightgbm", "extra_trees"]


@pytest.mark.parametrize(("task", "metric"), [("binary", "auc"), ("multiclass", "f1"), ("regression", "mae")])
def test_the_portfolio_holds_different_models_that_can_all_be_rendered(task: str, metric: str) -> None:
    found = drafts(challenge(task=task, metric=metric), catboost=True)
    assert len({repr(draft.member) for draft in found}) == len(found) >= 20
    assert len({draft.note + draft.member["family"] for draft in found}) == len(found)
    assert {draft.member["family"] for draft in found[:6]} >= {"lightgbm", "linear", "mlp", "extra_trees"}
    for draft in found:
        compile(render([draft.member], task=task), "solution.py", "exec")  # type: ignore[arg-type]


def test_catboost_is_left_out_unless_it_is_there() -> None:
    assert "catboost" not in {draft.member["family"] for draft in drafts(challenge())}


def test_columns_and_metrics_decide_which_blocks_all_have() -> None:
    odd = challenge(metric="f1", columns={"when": "date", "said": "text", "a": "number"}, time=True)
    for draft in (*openers(odd), *drafts(odd)):
        assert {"dates", "text", "threshold"} <= set(draft.member["blocks"])
    assert any("past" in draft.member["blocks"] for draft in drafts(odd)[:3])
    assert not any({"past", "steady", "text"} & set(draft.member["blocks"]) for draft in drafts(challenge()))


def test_more_rows_and_more_columns_cost_more() -> None:
    wide = {f"x{at}": "number" for at in range(100)}
    for draft in drafts(challenge(), catboost=True):
        small = cost(draft.member, challenge())
        assert (
            0
            < small
            < cost(draft.member, challenge(20_000))
            < cost(draft.member, challenge(20_000, columns=wide))
        )


def test_what_would_take_too_long_is_content_with_less_or_left_out() -> None:
    large = challenge(1_000_000, folds=1)
    found = {draft.note: (draft.member, thrifty(draft.member, large, 4.0)) for draft in drafts(large)}
    for asked, made in found.values():
        assert made is None or cost(made, large) <= 5.1
        assert (made == asked) == (cost(asked, large) <= 4.0)
    quicker, fewer = found["large trees"][1], found["round kernels"][1]
    assert quicker is not None and quicker["params"]["learning_rate"] > found["large trees"][0]["params"]["learning_rate"]  # fmt: skip
    assert fewer is not None and 1_000 <= fewer["params"]["most_rows"] <= 10_000
    small = openers(challenge())[0].member
    assert thrifty(small, challenge(), 4.0) == small
    assert thrifty(drafts(large)[0].member, large, 1e-6) is None
