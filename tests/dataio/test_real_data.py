"""Real tables, where they are at hand: what is hard about each of them comes out right."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from loom.dataio.objects import DataObject
from tests.dataio.tables import bring_in, dtypes, frame_of

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def real(name: str) -> Path:
    """A file of real data; skips where there is none."""
    path = (DATA / name).resolve()
    if not path.is_file():
        pytest.skip(f"REAL DATA IS NOT TESTED: {name} is not at hand")
    return path


def whole(found: DataObject) -> pl.DataFrame:
    """All rows of the training table, sealed ones included."""
    return pl.concat([frame_of(found), frame_of(found, "holdout")])


@pytest.mark.parametrize(
    "name", ["telco-churn.csv", "beijing-pollution.csv", "winequality-white.csv", "titanic.csv"]
)
def test_every_cell_of_a_real_table_comes_back(tmp_path: Path, name: str) -> None:
    found = frame_of(bring_in(tmp_path, real(name)))
    with real(name).open(newline="", encoding="utf-8-sig") as file:
        delimiter = ";" if ";" in file.readline() else ","
        file.seek(0)
        rows = list(csv.reader(file, delimiter=delimiter))
    assert found.columns == rows[0]
    assert found.height == len(rows) - 1
    for index, column in enumerate(found):
        for row, kept in zip(rows[1:], column.to_list(), strict=True):
            cell = row[index].strip()
            if kept is None:
                assert cell in ("", "NA")
            elif isinstance(kept, str):
                assert kept == row[index]
            else:
                assert float(cell) == kept


def test_blanks_among_the_charges_of_customers_are_missing_and_said(tmp_path: Path) -> None:
    found = bring_in(tmp_path, real("telco-churn.csv"), target="Churn", share=0.2)
    assert dtypes(found)["TotalCharges"] == "float64"
    assert whole(found)["TotalCharges"].null_count() == 11
    assert found.schema["warnings"] == [
        "column `TotalCharges`: 11 blank cells read as missing (first in row 489)"
    ]
    assert found.schema["holdout"]["left_out"] == ["customerID", "Churn"]


def test_equal_wines_are_never_on_both_sides(tmp_path: Path) -> None:
    found = bring_in(tmp_path, real("winequality-white.csv"), target="quality", share=0.2)
    features = [name for name in frame_of(found).columns if name != "quality"]
    train, sealed = (set(frame_of(found, part).select(features).rows()) for part in ("train", "holdout"))
    assert not train & sealed
    assert whole(found).is_duplicated().mean() > 0.2  # type: ignore[operator]
    assert abs(found.schema["holdout"]["rows"] / 4_898 - 0.2) < 0.005


def test_the_latest_hours_of_beijing_are_sealed(tmp_path: Path) -> None:
    hours = ("year", "month", "day", "hour")
    found = bring_in(tmp_path, real("beijing-pollution.csv"), target="pm2.5", time=hours, share=0.2)
    assert max(frame_of(found).select(hours).rows()) < min(frame_of(found, "holdout").select(hours).rows())
    assert found.schema["holdout"]["rows"] == round(43_824 * 0.2)
    assert any(line.startswith("target `pm2.5` is missing in") for line in found.schema["warnings"])


def test_names_and_tickets_of_passengers_stay_text(tmp_path: Path) -> None:
    found = frame_of(bring_in(tmp_path, real("titanic.csv"), target="Survived"))
    names = {name.lower(): name for name in found.columns}
    assert found[names["name"]].dtype == pl.String
    assert found[names["name"]].str.contains(",").any()
    assert found[names["age"]].null_count() == 177
    assert found[names["age"]].dtype == pl.Float64
