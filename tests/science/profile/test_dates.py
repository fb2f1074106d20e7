"""Dates that are kept as text, in the ways people write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest

from loom.science.dates import moments_in, ways_in
from loom.science.profile.inspection import inspect

DAYS = [date(2019, 12, 20) + timedelta(days=3 * i) for i in range(60)]
FORMS = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "YYYY/MM/DD": "%Y/%m/%d",
    "DD.MM.YYYY": "%d.%m.%Y",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "DD-Mon-YYYY": "%d-%b-%Y",
    "DD Mon YYYY": "%d %B %Y",
    "Mon DD, YYYY": "%b %d, %Y",
    "YYYYMMDD": "%Y%m%d",
}


@pytest.mark.parametrize("label", FORMS)
def test_every_way_of_writing_a_date_is_known_and_read(label: str) -> None:
    cells = pl.Series([day.strftime(FORMS[label]) for day in DAYS])
    assert ways_in(cells) == (label,)
    assert [moment.date() for moment in moments_in(cells, (label,))] == DAYS


def test_a_time_of_day_behind_a_date_is_read_with_it() -> None:
    cells = pl.Series(
        ["2020-01-02T03:04:05.678Z", "2020-01-02 03:04", "2020-01-02", "2020-01-02 3:04:05+02:00"]
    )
    assert moments_in(cells, ways_in(cells)).to_list() == [
        datetime(2020, 1, 2, 3, 4, 5),
        datetime(2020, 1, 2, 3, 4),
        datetime(2020, 1, 2),
        datetime(2020, 1, 2, 3, 4, 5),
    ]


def test_five_ways_in_one_column_are_all_named_and_all_read() -> None:
    labels = ["YYYY-MM-DD", "DD.MM.YYYY", "YYYY/MM/DD", "DD-Mon-YYYY", "Mon DD, YYYY"]
    cells = pl.Series("when", [day.strftime(FORMS[labels[i % 5]]) for i, day in enumerate(DAYS)])
    (found,), _ = inspect(cells.to_frame(), 0)
    assert found.role == "date"
    assert set(found.scan()["date_formats"]) == set(labels)
    assert [moment.date() for moment in moments_in(cells, found.scan()["date_formats"])] == DAYS


def test_a_day_that_may_be_a_month_is_called_ambiguous() -> None:
    ambiguous = pl.Series([f"{1 + i % 12:02}/{1 + i % 11:02}/2021" for i in range(60)])
    (unsure,), _ = inspect(ambiguous.to_frame("d"), 0)
    assert unsure.scan()["ambiguous"] is True
    (sure,), _ = inspect(pl.Series("d", [day.strftime("%d/%m/%Y") for day in DAYS]).to_frame(), 0)
    assert "ambiguous" not in sure.scan()


@pytest.mark.parametrize(
    "cells",
    [
        ["2021-02-30", "2021-13-01"] * 20,
        ["1.2.3", "10.20.30"] * 20,
        ["12/2021", "2021"] * 20,
        ["555-1234", "01-02-03"] * 20,
        ["2021-01-01", "never"] * 20,
        [],
    ],
)
def test_what_only_looks_like_dates_is_none(cells: list[str]) -> None:
    assert ways_in(pl.Series(cells, dtype=pl.String)) == ()


def test_a_few_wrong_cells_do_not_hide_the_dates() -> None:
    cells = [day.isoformat() for day in DAYS] + ["unknown", "n/a"]
    (found,), _ = inspect(pl.DataFrame({"d": cells}), 0)
    assert found.role == "date"
