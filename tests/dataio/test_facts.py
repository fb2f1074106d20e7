"""What one pass over a table tells: counts, roles, hashes and digests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.row_hashes import cell_hashes, salt_of
from loom.dataio.facts import Distinct, Facts, measure, row_keys
from loom.dataio.roles import role_of
from loom.dataio.spool import Spool
from loom.dataio.table import Levels, Table
from tests.dataio.tables import bring_in, write

SALT = salt_of("c")


def table_of(
    folder: Path, columns: dict[str, pa.Array], sizes: tuple[int, ...] = (), memory: int = 10**9
) -> Table:
    """A table whose batches have such sizes, the last one taking the rest."""
    whole = pa.table(columns)
    spool, start = Spool(folder, memory), 0
    for size in (*sizes, whole.num_rows):
        piece = whole.slice(start, size).combine_chunks()
        start += piece.num_rows
        for batch in piece.to_batches():
            spool.append(batch)
    return Table("t", whole.schema, spool)


def facts_of(folder: Path, columns: dict[str, pa.Array], *sizes: int) -> Facts:
    """What is known of such a table."""
    return measure(table_of(folder, columns, sizes))


COLUMNS = {
    "n": pa.array([3, None, 1, 1, 2**62], pa.int64()),
    "x": pa.array([0.5, -0.0, None, float("inf"), 1e300]),
    "t": pa.array(["", None, "x" * 300, "äö", "12345678"]),
    "b": pa.array([True, None, False, True, True]),
    "m": pa.array([1, 2, None, 4, 5], pa.decimal128(20, 2)),
    "d": pa.array([1, 2, 3, None, 5], pa.date32()),
    "u": pa.array([1, 2, 3, 4, 2**64 - 1], pa.uint64()),
}


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2,), (4,), ()])
def test_batches_leave_no_trace_in_hashes_and_digest(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    whole, cut = facts_of(tmp_path, COLUMNS), facts_of(tmp_path, COLUMNS, *sizes)
    assert whole.digest == cut.digest
    assert (whole.row_hashes() == cut.row_hashes()).all()
    assert whole.columns == cut.columns


def test_a_spool_that_goes_to_disk_gives_the_same(tmp_path: Path) -> None:
    spilled = measure(table_of(tmp_path / "spool", COLUMNS, (2, 2), memory=0))
    assert spilled.digest == facts_of(tmp_path, COLUMNS).digest
    assert len(list((tmp_path / "spool").iterdir())) == 3


def test_every_change_of_a_cell_changes_the_digest(tmp_path: Path) -> None:
    seen = {facts_of(tmp_path, COLUMNS).digest}
    for name, array in COLUMNS.items():
        for row in range(len(array)):
            cells = array.to_pylist()
            cells[row] = None if cells[row] is not None else cells[0]
            changed = facts_of(tmp_path, {**COLUMNS, name: pa.array(cells, array.type)})
            seen.add(changed.digest)
    assert len(seen) == 1 + sum(len(array) for array in COLUMNS.values())


def test_hashes_of_rows_do_not_depend_on_the_order_of_columns_but_on_their_names(tmp_path: Path) -> None:
    rows = facts_of(tmp_path, COLUMNS).row_hashes()
    assert (facts_of(tmp_path, dict(reversed(COLUMNS.items()))).row_hashes() == rows).all()
    swapped = {**COLUMNS, "n": COLUMNS["u"], "u": COLUMNS["n"]}
    assert not (facts_of(tmp_path, swapped).row_hashes() == rows).any()


def test_keys_without_a_column_are_those_of_the_table_without_it(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, COLUMNS)
    rest = {name: array for name, array in COLUMNS.items() if name != "t"}
    table = table_of(tmp_path, COLUMNS)
    assert (row_keys(table, facts, ["t"]) == facts_of(tmp_path, rest).row_hashes()).all()


def test_a_number_hashes_alike_in_every_width_and_zero_has_no_sign() -> None:
    wide = cell_hashes(pa.array([1, 2], pa.int64()), SALT)
    assert (cell_hashes(pa.array([1, 2], pa.int8()), SALT) == wide).all()
    zeros = cell_hashes(pa.array([0.0, -0.0]), SALT)
    assert zeros[0] == zeros[1]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), min_size=1, max_size=40), st.integers(0, 5))
def test_equal_texts_have_equal_hashes_and_others_do_not(cells: list[str | None], skip: int) -> None:
    array = pa.array([*["x"] * skip, *cells], pa.string()).slice(skip)
    hashes = cell_hashes(array, SALT)
    assert len(set(hashes)) == len(set(cells))
    assert all(hashes[i] == hashes[cells.index(cell)] for i, cell in enumerate(cells))


def test_long_texts_that_differ_only_at_their_end_have_other_hashes() -> None:
    hashes = cell_hashes(pa.array(["x" * 5_000 + end for end in ("a", "b", "a")]), SALT)
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize("different", [10, 1_000, 100_000, 2_000_000])
def test_distinct_values_are_counted_within_two_percent(different: int) -> None:
    counter = Distinct(10_000_000)
    random = np.random.default_rng(different)
    hashes = random.integers(0, 2**64, different, np.uint64)
    for part in np.array_split(hashes, 3):
        counter.add(part)
        counter.add(part[:100])
    assert abs(counter.count() - different) <= 0.02 * different + 1


ID_LIKE = [f"k{number:05d}" for number in range(200)]


@pytest.mark.parametrize(
    ("name", "cells", "role"),
    [
        ("customer_id", list(range(300, 500))[::-1], "id"),
        ("anything", list(range(200)), "id"),
        ("amount", [number * 7919 % 100_003 for number in range(200)], "numeric"),
        ("key", ID_LIKE, "id"),
        ("flag", [0, 1] * 100, "boolean"),
        ("level", ["a", "b"] * 100, "categorical"),
        ("note", [f"some words {number} and more of them" for number in range(200)], "text"),
        ("same", ["x"] * 200, "constant"),
        ("nothing", [None] * 199 + ["x"], "categorical"),
        ("day", [f"2024-01-{1 + number % 28:02d}" for number in range(200)], "date"),
        ("ok", ["true", "false"] * 100, "boolean"),
        ("share", [number / 3 for number in range(200)], "numeric"),
    ],
)
def test_the_role_of_a_column(tmp_path: Path, name: str, cells: list[object], role: str) -> None:
    text = f"{name},pad\n" + "".join(f"{'' if cell is None else cell},x\n" for cell in cells)
    found = bring_in(tmp_path, write(tmp_path / "t.csv", text))
    assert found.schema["columns"][0]["role"] == role


def test_a_column_with_levels_is_categorical(tmp_path: Path) -> None:
    table = table_of(tmp_path, {"c": pa.array(ID_LIKE)})
    table.levels["c"] = Levels(tuple(ID_LIKE))
    assert role_of(measure(table).columns["c"], categorical=True) == "categorical"


@pytest.mark.parametrize("repeated", [False, True])
def test_roles_in_a_large_table_do_not_depend_on_its_batches(tmp_path: Path, repeated: bool) -> None:
    numbers = np.random.default_rng(3).permutation(30_000) // (4 if repeated else 1)
    columns = {"row_id": pa.array(numbers), "t": pa.array([f"word {number}" for number in numbers])}
    whole, cut = facts_of(tmp_path, columns), facts_of(tmp_path, columns, 3, 500, 11_000)
    assert whole.columns == cut.columns
    assert role_of(whole.columns["row_id"]) == ("numeric" if repeated else "id")
