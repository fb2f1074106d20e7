"""The list of data objects that a package wants to be there."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.app.package_tests.objects import FILE, read_objects
from loom.kernel.errors import LoomError


def written(folder: Path, text: str) -> Path:
    """A package with that list."""
    (folder / FILE).parent.mkdir()
    (folder / FILE).write_text(text)
    return folder


def test_a_package_without_the_list_wants_nothing(tmp_path: Path) -> None:
    assert read_objects(tmp_path) == ()


def test_the_words_are_those_of_the_verb(tmp_path: Path) -> None:
    text = "- {source: a.csv, target: y, time: [year, month], holdout: 0}\n- {source: 'x.db', table: t, time: day}\n"
    first, second = read_objects(written(tmp_path, text))
    assert (first.source, first.target, first.time, first.holdout) == ("a.csv", "y", ("year", "month"), 0)
    assert (second.table, second.time, second.holdout) == ("t", ("day",), 0.2)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("- {source: a.csv}\n- {target: y}\n", 2, "1.source: field required"),
        ("- source: a.csv\n  targte: y\n", 2, "0.targte: extra inputs are not permitted"),
        ("source: a.csv\n", 1, "input should be a valid tuple"),
        ("[]\n", 1, "at least 1 item"),
        ("- {source: a.csv\n", 1, "yaml"),
        ("- {source: a.csv, holdout: 2}\n", 1, "0.holdout: input should be less than or equal to 1"),
    ],
)
def test_what_does_not_hold_is_named_with_its_line(text: str, line: int, why: str, tmp_path: Path) -> None:
    with pytest.raises(LoomError) as refused:
        read_objects(written(tmp_path, text))
    assert f"{FILE}, line {line}: not a list of data objects" in refused.value.what
    assert why in refused.value.why
