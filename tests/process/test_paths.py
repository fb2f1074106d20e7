from __future__ import annotations

import pytest

from loom.process.paths import NothingThereError, descend, dig

DATA = {"report": {"scores": [80, [1, 2]], "empty": {}}, "none": None, "list": ({"id": 7},), "0": "zero"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("report.scores[0]", 80),
        ("report.scores[1][1]", 2),
        ("list[0].id", 7),
        ("none", None),
        ("report.empty", {}),
        ("0", "zero"),
    ],
)
def test_a_path_leads_to_its_value(path: str, value: object) -> None:
    assert dig(DATA, path) == value and dig([DATA], f"[0].{path}") == value
    assert descend(DATA, path.split("."), "shown") == value


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("report.total", "`report.total` leads nowhere: no `total` in scores, empty"),
        ("report.empty.x", "no `x` in an empty mapping"),
        ("none.x", "no `x` in null"),
        ("list.x", "no `x` in a list"),
        ("0.x", "no `x` in a str"),
        ("report.scores[2]", "there is no item 2"),
        ("report[0]", "there is no item 0"),
        ("0[0]", "there is no item 0"),
        ("report..scores", "`report..scores` is not a path: `` is neither a name nor an index"),
        ("report.scores[x]", "is not a path"),
        ("report.scores[-1]", "is not a path"),
        ("report.scores[0]x", "is not a path"),
        (f"list[{'9' * 5000}]", "is not a path"),
        ("", "is not a path"),
    ],
)
def test_a_path_that_leads_nowhere_says_how_far_it_came(path: str, why: str) -> None:
    with pytest.raises(NothingThereError) as raised:
        dig(DATA, path)
    assert why in str(raised.value)


def test_a_large_mapping_is_not_listed_whole() -> None:
    with pytest.raises(NothingThereError, match=r"k9$"):
        dig({f"k{number}": 0 for number in range(50)}, "gone")


def test_what_is_shown_may_differ_from_the_steps_that_are_taken() -> None:
    with pytest.raises(NothingThereError, match=r"`phases\.a\.data\.x` leads nowhere"):
        descend({"data": {}}, ("data", "x"), "phases.a.data.x")
