"""The sealed holdout: by time, by group or by content, and never by chance."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.dataio.frames import load
from loom.dataio.holdout import by_content, by_group, by_time
from loom.dataio.objects import DataObject
from loom.kernel.errors import LoomError
from tests.dataio.tables import blocks_of, bring_in, csv_of, frame_of, refusal_of, write

RANDOM = random.Random(11)
ROWS = 2_000
FRAME = {
    "id": range(ROWS),
    "customer": [f"c{RANDOM.randrange(120)}" for _ in range(ROWS)],
    "day": [date(2020, 1, 1) + timedelta(days=RANDOM.randrange(400)) for _ in range(ROWS)],
    "x": [RANDOM.randrange(300) for _ in range(ROWS)],
    "z": [RANDOM.randrange(4) for _ in range(ROWS)],
    "y": [RANDOM.randrange(2) for _ in range(ROWS)],
}


def carved(tmp_path: Path, columns: dict[str, Any] | None = None, **asked: Any) -> DataObject:
    """A table with a fifth of it sealed."""
    source = write(tmp_path / "t.csv", csv_of(columns or FRAME))
    return bring_in(tmp_path, source, **{"share": 0.2, "target": "y", **asked})


def sides(found: DataObject) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The open rows and the sealed ones."""
    return frame_of(found), frame_of(found, "holdout")


def test_every_row_is_on_one_side_in_the_order_of_the_source(tmp_path: Path) -> None:
    train, sealed = sides(carved(tmp_path))
    assert sorted([*train["id"], *sealed["id"]]) == list(range(ROWS))
    assert train["id"].is_sorted() and sealed["id"].is_sorted()
    assert abs(sealed.height - ROWS // 5) <= 5


def test_with_a_time_the_latest_block_is_sealed_and_equal_times_stay_together(tmp_path: Path) -> None:
    found = carved(tmp_path, time=("day",))
    train, sealed = sides(found)
    assert train["day"].max() < sealed["day"].min()  # type: ignore[operator]
    assert found.schema["holdout"]["kind"] == "time"
    assert abs(sealed.height - 400) < 10


def test_a_time_of_several_columns_is_ordered_from_the_largest_part_to_the_smallest(tmp_path: Path) -> None:
    columns = {
        "year": [2020 + index // 1_000 for index in range(ROWS)],
        "month": [f"{1 + index // 84 % 12:02d}" for index in range(ROWS)],
        "x": [RANDOM.random() for _ in range(ROWS)],
        "y": FRAME["y"],
    }
    train, sealed = sides(carved(tmp_path, columns, time=("year", "month")))
    assert train.select("year", "month").rows()[-1] < min(sealed.select("year", "month").rows())


def test_with_a_group_no_group_is_on_both_sides(tmp_path: Path) -> None:
    found = carved(tmp_path, group="customer")
    train, sealed = sides(found)
    assert not set(train["customer"]) & set(sealed["customer"])
    assert found.schema["holdout"]["kind"] == "group"
    assert 300 < sealed.height < 500


def test_time_decides_before_the_group_and_says_what_that_means(tmp_path: Path) -> None:
    found = carved(tmp_path, time=("day",), group="customer")
    assert found.schema["holdout"]["kind"] == "time"
    assert any("groups of `customer` are on both sides" in line for line in found.schema["warnings"])


def test_rows_with_equal_features_never_straddle_whatever_their_id_and_target_are(tmp_path: Path) -> None:
    columns = {name: FRAME[name] for name in ("id", "x", "z", "y")}
    found = carved(tmp_path, columns)
    train, sealed = sides(found)
    features = ("x", "z")
    assert not set(train.select(features).rows()) & set(sealed.select(features).rows())
    assert found.schema["holdout"]["left_out"] == ["id", "y"]
    keys = [
        set(load(found.parts[side], ["x"], keys=True)["__loom_row_key__"]) for side in ("train", "holdout")
    ]
    assert not keys[0] & keys[1]


def test_the_same_rows_are_sealed_in_whatever_order_they_come(tmp_path: Path) -> None:
    columns = {name: FRAME[name] for name in ("customer", "x", "z", "y")}
    order = list(range(ROWS))
    RANDOM.shuffle(order)
    shuffled = {name: [values[index] for index in order] for name, values in columns.items()}
    turned = dict(reversed(columns.items()))
    sealed = [
        set(sides(carved(tmp_path, each))[1].select("customer", "x", "z").rows())
        for each in (columns, shuffled, turned)
    ]
    assert sealed[0] == sealed[1] == sealed[2]


def test_digests_do_not_depend_on_how_the_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = carved(tmp_path).schema
    for size, cores in ((64, 1), (1_000, 3), (4_096, 8)):
        monkeypatch.setattr("loom.dataio.ordered.cores", lambda cores=cores: cores)
        with blocks_of(size):
            assert carved(tmp_path).schema == whole


def test_the_digests_of_a_small_table_are_those_of_every_machine_and_version(tmp_path: Path) -> None:
    columns = {
        "n": [1, 2, 3, 4, 5],
        "x": ["0.5", "1.5", "", "-2", "1e3"],
        "t": ["a", "", "ö" * 20, "longer than eight bytes", "00501"],
        "d": ["2024-02-29", "2024-03-01", "", "2024-03-02", "2024-03-03"],
        "b": ["true", "false", "", "true", "false"],
    }
    schema = carved(tmp_path, columns, target=None).schema
    assert schema["digest"] == "sha256:011ad07684f39a489b731a990592ecb7768939a52f0ffa30575adad0ee06eca7"
    assert (
        schema["holdout"]["digest"]
        == "sha256:e8bd6410e8994737d15980412d753cddbbf9e0f24306e2506c0285b9f393a4d1"
    )


def test_a_holdout_of_nothing_is_none(tmp_path: Path) -> None:
    found = carved(tmp_path, share=0)
    assert "holdout" not in found.parts
    assert (found.schema["holdout"]["rows"], found.schema["holdout"]["digest"]) == (0, None)


@pytest.mark.parametrize(
    ("text", "asked", "what", "why"),
    [
        ("x,y\n1,0\n", {}, "cannot be carved", "the table has 1 row"),
        ("x,y\n1,0\n1,1\n1,0\n", {"target": "y"}, "by content", "exactly the same features"),
        ("g,y\na,0\na,1\n", {"group": "g"}, "by `g`", "all rows are of one group"),
        ("d,y\n2024-01-01,0\n2024-01-01,1\n", {"time": ("d",)}, "by time (d)", "the same time"),
        ("d,y\n2024-01-01,0\n,1\n", {"time": ("d",)}, "column `d`", "the first in row 2"),
        ("d,y\n2024-01-01,0\nsoon,1\n", {"time": ("d",)}, "column `d`", "what row 1 holds"),
        ("d,y\ntrue,0\nfalse,1\n", {"time": ("d",)}, "column `d`", "its type is"),
        ("x,y\n1,0\n2,1\n", {"share": 1.5}, "1.5 cannot be carved", "a share"),
        ("x,y\n1,0\n2,1\n", {"share": -0.1}, "-0.1 cannot be carved", "a share"),
    ],
)
def test_what_cannot_be_carved_is_refused(
    tmp_path: Path, text: str, asked: dict[str, Any], what: str, why: str
) -> None:
    error = refusal_of(tmp_path, text, **{"share": 0.2, **asked})
    assert what in error.what
    assert why in error.why


def test_a_share_that_equal_rows_make_impossible_is_said(tmp_path: Path) -> None:
    columns = {"x": [0] * 60 + [1] * 40, "y": [index % 2 for index in range(100)]}
    assert any("equal rows stay together" in line for line in carved(tmp_path, columns).schema["warnings"])


shares = st.floats(0.05, 0.6)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=2, max_size=300), shares)
def test_whole_sets_of_keys_come_as_near_to_the_share_as_they_can(labels: list[int], share: float) -> None:
    keys = np.array(labels, np.uint64)
    try:
        found = by_content(keys, share, [])
    except LoomError:
        values, counts = np.unique(keys, return_counts=True)
        assert len(values) < 2 or counts.min() * 2 > len(keys)
        return
    assert 0 < found.rows < len(keys)
    assert not set(keys[found.mask]) & set(keys[~found.mask])
    assert by_group(keys, share, "g").rows == found.rows


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), min_size=2, max_size=200), shares)
def test_every_sealed_row_is_later_than_every_other(times: list[tuple[int, int]], share: float) -> None:
    frame = pl.DataFrame(times, schema=["year", "month"], orient="row")
    try:
        found = by_time(frame, share)
    except LoomError:
        assert len(set(times)) == 1
        return
    sealed = {time for time, held in zip(times, found.mask, strict=True) if held}
    rest = {time for time, held in zip(times, found.mask, strict=True) if not held}
    assert max(rest) < min(sealed)
