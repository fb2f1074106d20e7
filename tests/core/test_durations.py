"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from loom.core.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("5m", 300.0),
        ("1h30m", 5_400.0),
        ("1d2h3m4s5ms", 93_784.005),
        ("500ms", 0.5),
        ("1.5h", 5_400.0),
        ("0s", 0.0),
        ("30m1h", 5_400.0),
    ],
)
def test_a_length_is_read_in_seconds(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90",
        "s",
        "5 m",
        " 5m",
        "5m\n",
        "-5m",
        "+5m",
        "5M",
        "5min",
        "1h30",
        "1e3s",
        ".5s",
        "5.s",
        "inf",
        "5,5s",
    ],
)
def test_what_is_no_length_is_none(text: str) -> None:
    assert seconds_of(text) is None


def test_a_length_beyond_all_numbers_is_none() -> None:
    assert seconds_of("9" * 400 + "s") is None
    assert seconds_of("9" * 307 + "d") is None
