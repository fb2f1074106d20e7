"""Tables by the block: plain types, names that stay apart, nothing lost."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa

from loom.science.columns import Columns, columns_of, distinct_names, plain, spelled


def test_plain_cells_are_numbers_or_missing_whatever_they_were_and_whatever_the_name() -> None:
    frame = pl.DataFrame(
        {
            "^.*$": [1.0, float("nan")],
            "d": pl.Series([Decimal("1.5"), None], dtype=pl.Decimal(4, 1)),
            "wide": pl.Series([1, None]).cast(pl.Int128),
            "object": pl.Series([{1}, None], dtype=pl.Object),
            "n": [1, 2],
        }
    )
    found = plain(frame)
    assert found.columns == frame.columns
    assert found.rows() == [(1.0, 1.5, 1.0, "{1}", 1), (None, None, None, None, 2)]


def test_levels_are_spelled_by_their_names_and_nested_cells_by_what_is_in_them() -> None:
    assert spelled(pl.Series(["b", None], dtype=pl.Enum(["z", "b"]))).to_list() == ["b", None]
    assert spelled(pl.Series([b"\xff", None])).to_list() == ["ff", None]
    lists = spelled(pl.Series("n", [[1, 2], [1, 2], None, []]))
    assert (lists.name, lists.dtype, lists.n_unique(), lists.null_count()) == ("n", pl.String, 3, 1)
    assert spelled(pl.Series([[b"\xff"], None, [b"a"]])).n_unique() == 3


def test_two_columns_of_one_name_are_both_read() -> None:
    table = columns_of(pa.table([[1], [2], [3]], names=["a", "a", "a_2"]))
    assert table.names == ("a", "a_3", "a_2")
    assert distinct_names(["a", "b"]) == ["a", "b"]


def test_a_block_has_as_many_columns_as_make_eight_million_cells() -> None:
    asked: list[int] = []

    def read(names: object) -> pl.DataFrame:
        asked.append(len(list(names)))  # type: ignore[call-overload]
        return pl.DataFrame({name: np.zeros(3) for name in names})  # type: ignore[attr-defined]

    list(Columns(tuple(map(str, range(9))), 4_000_000, read).blocks())
    assert asked == [2, 2, 2, 2, 1]
