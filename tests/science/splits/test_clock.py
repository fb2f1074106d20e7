"""Every way of saying when becomes one number that sorts, or a refusal that says what to write."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from loom.kernel.errors import LoomError
from loom.science.splits import clock_of

DAY = 86_400e6


def gaps(frame: pl.DataFrame) -> list[float]:
    """The steps from row to row."""
    return np.diff(clock_of(frame).times).tolist()


@pytest.mark.parametrize(
    "cells",
    [
        [date(2024, 2, 28), date(2024, 3, 1)],
        [datetime(2024, 2, 28), datetime(2024, 3, 1)],
        ["2024-02-28", "2024-03-01"],
        ["28.02.2024", "01.03.2024"],
        ["20240228", "20240301"],
        [20240228, 20240301],
    ],
)
def test_a_date_is_the_same_moment_however_it_is_written(cells: list[object]) -> None:
    frame = pl.DataFrame({"when": cells})
    assert clock_of(frame).unit == "microseconds"
    assert gaps(frame) == [2 * DAY]


def test_parts_of_a_date_are_a_calendar_and_know_leap_years() -> None:
    frame = pl.DataFrame({"year": [2023, 2024, 2024], "month": ["12", "02", "03"], "day": [31, 29, 1]})
    assert gaps(frame) == [60 * DAY, DAY]
    hours = frame.with_columns(hour=pl.Series([23, 0, 24]))
    assert gaps(hours) == [60 * DAY - 23 * DAY / 24, 2 * DAY]
    assert gaps(pl.DataFrame({"year": [2023, 2024], "month": [12, 1]})) == [31 * DAY]
    dated = pl.DataFrame({"date": ["2024-01-01", "2024-01-02"], "hr": [23, 1]})
    assert gaps(dated) == [DAY / 12]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"year": [2023, 2023, 2024], "week": [1, 12, 3]}),
        pl.DataFrame({"season": [1, 1, 2], "day": [3, 400, 1]}),
        pl.DataFrame({"year": [2023, 2023, 2024], "month": [2, 2, 1], "day": [28, 30, 1]}),
    ],
)
def test_parts_that_make_no_calendar_are_counted_in_steps(frame: pl.DataFrame) -> None:
    clock = clock_of(frame)
    assert clock.unit == "step"
    assert clock.times.tolist() == [0, 1, 2]
    assert clock.length(2, "horizon") == 2
    assert clock_of(frame.reverse()).times.tolist() == [2, 1, 0]


@pytest.mark.parametrize("cells", [[3.5, 1.0], [7, 2], ["07", "2"], [2011, 2010]])
def test_numbers_are_their_own_unit(cells: list[object]) -> None:
    clock = clock_of(pl.DataFrame({"t": cells}))
    assert clock.unit == "number"
    assert clock.length("5", "horizon") == clock.length(5, "horizon") == 5
    assert clock.times[0] > clock.times[1]


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-01", None],
        [1.0, float("inf")],
        ["soon", "later"],
        ["01/02/2024", "03/04/2024"],  # day or month first?
        [True, False],
        [[1], [2]],
    ],
)
def test_what_has_no_order_is_refused(cells: list[object]) -> None:
    with pytest.raises(LoomError, match="cannot order rows by time"):
        clock_of(pl.DataFrame({"t": cells}))


def test_durations_go_with_calendars_and_plain_numbers_with_numbers() -> None:
    calendar, plain = clock_of(pl.DataFrame({"d": ["2024-01-01"]})), clock_of(pl.DataFrame({"t": [1]}))
    assert calendar.length("1d12h", "horizon") == 1.5 * DAY
    assert calendar.length(timedelta(weeks=1), "horizon") == calendar.length("1w", "horizon") == 7 * DAY
    assert (
        calendar.length(0, "horizon")
        == calendar.length(None, "horizon")
        == plain.length("0d", "embargo")
        == 0
    )
    for clock, wrong in [(calendar, 7), (plain, "7d"), (plain, -1), (plain, "soon"), (plain, float("nan"))]:
        with pytest.raises(LoomError) as refused:
            clock.length(wrong, "horizon")
        assert "--horizon 7" in refused.value.fix
    assert [calendar.spoken(length * DAY) for length in (0, 1.5, 1 / 24, 1 / 86_400e3)] == [
        "0d",
        "1.5d",
        "1h",
        "1ms",
    ]
    assert plain.spoken(2.5) == 2.5
