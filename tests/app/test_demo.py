"""The table of the demo: what it looks like, and that the trap in it is one."""

from __future__ import annotations

import csv
from pathlib import Path

from loom.app.demo_data import COLUMNS, LEAK, ROWS, TARGET, write_customers


def rows_of(path: Path) -> list[dict[str, str]]:
    write_customers(path)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_is_the_same_each_time(tmp_path: Path) -> None:
    assert rows_of(tmp_path / "one.csv") == rows_of(tmp_path / "two.csv")


def test_it_looks_as_tables_of_companies_do(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "customers.csv")
    assert len(rows) == ROWS
    assert tuple(rows[0]) == COLUMNS
    assert rows[17]["customer"] == "00017"
    assert 0.01 < sum(not row["monthly"] for row in rows) / ROWS < 0.05
    assert 0.1 < sum(row[TARGET] == "yes" for row in rows) / ROWS < 0.3


def test_only_those_who_left_have_a_final_bill(tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "customers.csv")
    assert {row[TARGET] for row in rows if row[LEAK]} == {"yes"}
    billed = sum(bool(row[LEAK]) for row in rows)
    gone = sum(row[TARGET] == "yes" for row in rows)
    assert 0.95 < billed / gone < 1
