"""The profile of a table: real tables, odd tables, and never more than a block of columns at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from scipy.special import ndtr

from loom.kernel.errors import LoomError
from loom.science.columns import Columns, distinct_names
from loom.science.profile import Profile, inspection, profile

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"


def real(name: str) -> pl.DataFrame:
    """A real table; skips where there is none."""
    path = (DATA / name).resolve()
    if not path.is_file():
        pytest.skip(f"REAL DATA IS NOT TESTED: {name} is not at hand")
    return pl.read_csv(path, null_values=["NA"], infer_schema_length=None)


def column(found: Profile, name: str) -> dict[str, Any]:
    """One column of a profile as plain data."""
    return next(one for one in found.as_json()["columns"] if one["name"] == name)


def codes(found: Profile) -> set[str]:
    """The kinds of oddity that were noticed."""
    return {warning.code for warning in found.warnings}


def test_the_churn_table_has_an_id_and_blanks_among_its_numbers() -> None:
    found = profile(real("telco-churn.csv"), target="Churn")
    assert column(found, "customerID")["role"] == "id"
    charges = column(found, "TotalCharges")
    assert (charges["role"], charges["scan"]) == ("numeric", {"blank": 11, "stored_as": "text"})
    assert {"blank_cells", "numbers_as_text"} <= codes(found)
    assert found.target is not None and found.target.task == "binary"
    assert found.target.balance is not None and found.target.balance.smallest == pytest.approx(0.26537)
    pairs = {frozenset((one.a, one.b)) for one in found.top_correlations}
    assert frozenset(("tenure", "TotalCharges")) in pairs
    assert all("customerID" not in pair for pair in pairs)


def test_a_fifth_of_the_wine_table_is_duplicates_and_its_score_is_an_amount() -> None:
    found = profile(real("winequality-white.csv"), target="quality")
    assert (found.duplicates.rows, round(found.duplicates.share, 2)) == (937, 0.19)
    assert "duplicate_rows" in codes(found)
    assert found.target is not None and found.target.task == "regression"


def test_the_time_of_the_pollution_table_is_found_in_its_four_parts() -> None:
    found = profile(real("beijing-pollution.csv"), target="pm2.5")
    assert found.as_json()["time_col"] == ["year", "month", "day", "hour"]
    assert found.as_json()["time_declared"] is False
    assert found.target is not None and found.target.missing == pytest.approx(2067 / 43824, abs=1e-6)
    assert column(found, "No")["role"] == "id"


def test_shared_tickets_of_the_titanic_are_possible_groups_and_names_are_personal() -> None:
    found = profile(real("titanic.csv"), target="Survived")
    assert [group.column for group in found.possible_groups][:1] == ["Ticket"]
    assert column(found, "Name")["scan"]["personal"] is True


ODD = {
    "*": range(40),
    "^a.*$": [1.5] * 40,
    "a": [[1], None] * 20,
    "a ": [{"x": 1, "y": [2]}] * 40,
    "A": ["1", "word"] * 20,
    "": [None] * 40,
    "é😀\nname": [float("inf"), -float("inf"), float("nan"), 1.0] * 10,
    "json": ['{"a": [1]}'] * 39 + [None],
    "blank": [" ", "\t", "", None] * 10,
    "huge": [1e308, -1e308, 1e-308, 0.0] * 10,
    "big": [2**63 - 1, -(2**63)] * 20,
}


@pytest.mark.parametrize("rows", [0, 1, 2, 40])
def test_any_column_of_any_name_is_profiled_into_json(rows: int) -> None:
    found = profile(pl.DataFrame(ODD, strict=False).head(rows))
    plain = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert [one["name"] for one in plain["columns"]] == list(ODD)
    assert (plain["n_rows"], plain["n_cols"]) == (rows, len(ODD))


def test_oddities_of_columns_and_names_are_noticed() -> None:
    found = profile(pl.DataFrame(ODD, strict=False))
    assert codes(found) >= {"similar_names", "odd_names", "all_missing", "constant", "infinite", "nested"}
    assert {"mixed_types", "blank_cells", "few_rows"} <= codes(found)
    assert column(found, "é😀\nname")["scan"] == {"infinite": 20}
    assert column(found, "é😀\nname")["missing"] == 0.25
    assert all("\n" not in warning.what for warning in found.warnings)


def test_a_table_without_columns_or_of_python_objects_is_profiled() -> None:
    assert profile(pl.DataFrame()).as_json()["columns"] == []
    objects = pl.DataFrame({"o": pl.Series([1, "a", None, {2}] * 5, dtype=pl.Object)})
    assert profile(objects).columns[0].n_unique == 3


def test_batches_and_arrow_tables_are_profiled_and_equal_names_are_told_apart() -> None:
    batch = pa.record_batch([pa.array([1, 2, 2]), pa.array(["x", "y", "y"])], names=["n", "n"])
    for source in (pa.Table.from_batches([batch, batch]), iter([batch, batch])):
        found = profile(source)
        assert [one.name for one in found.columns] == ["n", "n_2"]
        assert (found.n_rows, found.duplicates.rows) == (6, 4)
    assert distinct_names(["a", "a", "a_2", "a"]) == ["a", "a_3", "a_2", "a_4"]


def test_a_table_is_read_in_blocks_of_columns_and_no_block_holds_more_cells_than_it_may() -> None:
    frame = pl.DataFrame({f"c{i}": np.arange(1_000) % (i + 2) for i in range(40)})
    read: list[Sequence[str]] = []

    def reading(names: Sequence[str]) -> pl.DataFrame:
        read.append(names)
        return frame.select(names)

    table = Columns(tuple(frame.columns), 3_000_000, reading)
    for block in table.blocks():
        assert block.width <= 2
    assert [name for names in read for name in names] == frame.columns


def test_blocks_change_nothing() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{i}": random.integers(0, 3, 300) for i in range(600)})
    whole = profile(frame)
    assert len(list(Columns(tuple(frame.columns), 300, frame.select).blocks())) == 2
    apart = [profile(frame.select(frame.columns[at : at + 300])) for at in (0, 300)]
    assert [one.as_json() for one in whole.columns] == [
        one.as_json() for part in apart for one in part.columns
    ]


def test_equal_cells_that_change_places_are_not_a_duplicate() -> None:
    frame = pl.DataFrame({"a": [1, 2, 1], "b": [2, 1, 2]})
    assert profile(frame).duplicates.rows == 1


def test_rows_with_equal_features_and_different_answers_conflict() -> None:
    frame = pl.DataFrame({"id": range(30), "x": [i // 2 for i in range(30)], "y": [0, 1] * 5 + [1, 1] * 10})
    found = profile(frame, target="y").duplicates
    assert (found.rows, found.same_features, found.conflicting) == (0, 15, 10)
    assert profile(frame.drop("id", "y")).duplicates.same_features == 15


def test_values_are_counted_in_small_tables_and_estimated_in_large_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inspection, "EXACT_ROWS", 1_000)
    rows = 20_000
    frame = pl.DataFrame(
        {
            "code": [f"c{i % 9_000}" for i in range(rows)],
            "colour": ["red", "blue"] * (rows // 2),
            "number": np.arange(rows) % 7_000,
        }
    )
    found = profile(frame)
    assert (column(found, "colour")["n_unique"], column(found, "colour")["approx"]) == (2, False)
    assert (column(found, "number")["n_unique"], column(found, "number")["approx"]) == (7_000, False)
    code = column(found, "code")
    assert code["approx"] is True and code["n_unique"] == pytest.approx(9_000, rel=0.05)
    exact = column(profile(frame.head(1_000)), "code")
    assert (exact["n_unique"], exact["approx"]) == (1_000, False)


def test_repeated_ids_that_nobody_declared_are_possible_groups() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "patient_id": random.integers(0, 60, 600),
            "visit": [f"v{i % 250}" for i in range(600)],
            "colour": ["red", "blue"] * 300,
        }
    )
    found = profile(frame)
    assert [(group.column, group.n_unique) for group in found.possible_groups] == [
        ("visit", 250),
        ("patient_id", 60),
    ]
    assert profile(frame, group="patient_id").possible_groups == ()
    assert profile(frame, group="patient_id").as_json()["group_col"] == "patient_id"


def test_parts_of_a_time_belong_together_by_their_names_and_their_ranges() -> None:
    rows = 48
    parts = {
        "start_year": [2020 + i // 24 for i in range(rows)],
        "start_month": [1 + i % 12 for i in range(rows)],
        "end_month": [1 + i % 12 for i in range(rows)],
        "start_hour": [i % 24 for i in range(rows)],
    }
    assert profile(pl.DataFrame(parts)).as_json()["time_col"] == ["start_year", "start_month"]
    wrong = pl.DataFrame(parts).with_columns(start_month=pl.col("start_month") + 5)
    assert profile(wrong).as_json()["time_col"] is None


def test_the_only_column_of_dates_is_the_time_unless_it_is_of_birth_or_another_was_declared() -> None:
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 4, 9), eager=True)
    frame = pl.DataFrame({"seen": days, "x": range(100)})
    assert profile(frame).as_json()["time_col"] == "seen"
    assert profile(frame.rename({"seen": "date_of_birth"})).as_json()["time_col"] is None
    assert profile(frame.with_columns(also=days)).as_json()["time_col"] is None
    declared = profile(frame, time=["x"]).as_json()
    assert (declared["time_col"], declared["time_declared"]) == ("x", True)


@pytest.mark.parametrize("declared", [{"target": "z"}, {"time": ["z"]}, {"group": "z"}])
def test_a_declared_column_that_is_not_there_is_an_error(declared: dict[str, Any]) -> None:
    with pytest.raises(LoomError, match="`z`"):
        profile(pl.DataFrame({"a": [1]}), **declared)


def test_many_columns_with_one_oddity_share_a_warning() -> None:
    frame = pl.DataFrame({f"c{i}": [1] * 120 for i in range(900)})
    (constant,) = (warning for warning in profile(frame).warnings if warning.code == "constant")
    assert constant.value == 900 and "c4" in constant.what and "c5" not in constant.what


def test_of_a_large_table_a_part_gives_the_quantiles_and_what_lies_close_together_is_counted() -> None:
    rng, rows = np.random.default_rng(0), 150_000
    frame = pl.DataFrame(
        {
            "amount": np.where(rng.random(rows) < 0.001, np.inf, rng.normal(size=rows)),
            "whole": rng.integers(-40, 40, rows),
            "unsigned": pl.Series(rng.integers(0, 90, rows)).cast(pl.UInt64) + (2**64 - 90),
            "gaps": pl.Series(rng.integers(0, 9, rows)).set(pl.Series(rng.random(rows) < 0.9), None),
            "row": np.arange(rows, 0, -1),
        }
    )
    found = {column.name: column for column in profile(frame).columns}
    counts = {name: (one.n_unique, one.approx) for name, one in found.items() if name != "amount"}
    assert counts == {"whole": (80, False), "unsigned": (90, False), "gaps": (9, False), "row": (rows, False)}
    assert found["row"].role == "id"
    amount = found["amount"]
    assert amount.approx
    assert 0.95 * rows < amount.n_unique <= rows
    assert amount.scan["infinite"] == np.isinf(frame["amount"].to_numpy()).sum()
    assert amount.quantiles is not None
    shares = {float(name[1:]) / 100: ndtr(value) for name, value in amount.quantiles.items()}
    assert all(abs(share - asked) < 0.01 for asked, share in shares.items())
