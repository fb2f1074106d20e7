"""Which column is to be predicted, and what task that makes."""

from __future__ import annotations

import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.roles import Kind, Role
from loom.science.targets import balance_of, resolve_target, task_of


def test_a_declared_target_comes_first_then_the_column_that_test_lacks_then_the_usual_names() -> None:
    names = ["a", "y", "target"]
    assert resolve_target(names, declared="a", test_names=["a", "target"]).name == "a"  # type: ignore[union-attr]
    found = resolve_target(names, test_names=["target", "a"])
    assert found is not None and (found.name, found.inferred) == ("y", True)
    assert resolve_target(names, test_names=["a"]).name == "target"  # type: ignore[union-attr]
    assert resolve_target(["a", "Label "]).name == "Label "  # type: ignore[union-attr]
    assert resolve_target(["a", "target_2"]) is None
    assert resolve_target([]) is None


def test_two_columns_that_test_lacks_or_two_with_the_usual_name_decide_nothing() -> None:
    assert resolve_target(["a", "b", "c"], test_names=["a"]) is None
    assert resolve_target(["target", "TARGET"]) is None


def test_an_unknown_target_is_an_error_that_lists_the_columns() -> None:
    with pytest.raises(LoomError) as caught:
        resolve_target(["a", "b"], declared="z")
    assert "`z`" in caught.value.what and "a, b" in caught.value.why and "--target" in caught.value.fix


@pytest.mark.parametrize(
    ("kind", "role", "distinct", "least", "most", "task"),
    [
        ("whole", "boolean", 2, 0, 1, "binary"),
        ("text", "categorical", 2, None, None, "binary"),
        ("number", "numeric", 2, 0, 1, "binary"),
        ("text", "categorical", 4, None, None, "multiclass"),
        ("whole", "numeric", 3, 0, 2, "multiclass"),
        ("whole", "numeric", 7, 3, 9, "regression"),
        ("whole", "numeric", 500, 0, 499, "regression"),
        ("number", "numeric", 900, 0.5, 9.5, "regression"),
        ("text", "numeric", 900, 0.5, 9.5, "regression"),
        ("whole", "id", 900, 0, 899, "regression"),
        ("whole", "constant", 1, 3, 3, None),
        ("empty", "constant", 0, None, None, None),
    ],
)
def test_the_values_of_a_target_say_which_task_it_makes(
    kind: Kind, role: Role, distinct: int, least: float | None, most: float | None, task: str | None
) -> None:
    assert task_of(kind, role, distinct, least, most) == task


def test_balance_names_only_classes_that_many_rows_have() -> None:
    cells = pl.Series(["yes"] * 300 + ["no"] * 690 + ["secret"] * 10 + [None] * 5)
    found = balance_of(cells)
    assert [(level.level, level.count, level.share) for level in found.levels] == [
        ("no", 690, 0.69),
        ("yes", 300, 0.3),
    ]
    assert (found.classes, found.smallest) == (3, 0.01)
    assert balance_of(cells, personal=True).levels == ()
    assert balance_of(pl.Series([None, None], dtype=pl.Int64)).classes == 0
