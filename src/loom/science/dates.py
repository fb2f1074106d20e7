"""Dates in text: which ways of writing them a column uses, and the moments it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_TIME = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?"
_LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Written:
    """One way to write a day, as people name it; a time of day may follow."""

    label: str
    shape: str
    form: str

    @property
    def pattern(self) -> str:
        """What a whole cell looks like: the day, then hours, minutes and seconds where they are there."""
        return rf"^\s*({self.shape}){_TIME}\s*$"

    def days(self, cells: pl.Series) -> pl.Series:
        """The days the cells name; missing where a cell is not written so."""
        return cells.str.extract(self.pattern, 1).str.to_date(self.form, strict=False)

    def moments(self, cells: pl.Series) -> pl.Series:
        """The moments, to the second; an offset from UTC is left out of account."""
        hours, minutes, seconds = (
            cells.str.extract(self.pattern, group).cast(pl.Int64, strict=False).fill_null(0)
            for group in (2, 3, 4)
        )
        clock = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000
        return self.days(cells).cast(pl.Datetime("us")) + clock.cast(pl.Duration("us"))


WAYS = (
    Written("YYYY-MM-DD", r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
    Written("YYYY/MM/DD", r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    Written("DD.MM.YYYY", r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    Written("DD/MM/YYYY", r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    Written("MM/DD/YYYY", r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y"),
    Written("DD-MM-YYYY", r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    Written("MM-DD-YYYY", r"\d{1,2}-\d{1,2}-\d{4}", "%m-%d-%Y"),
    Written("DD-Mon-YYYY", r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
    Written("DD Mon YYYY", r"\d{1,2} [A-Za-z]{3,9} \d{4}", "%d %B %Y"),
    Written("Mon DD, YYYY", r"[A-Za-z]{3,9} \d{1,2}, \d{4}", "%B %d, %Y"),
    Written("YYYYMMDD", r"(?:19|20)\d{6}", "%Y%m%d"),
)
_BY_LABEL = {way.label: way for way in WAYS}
_TWINS = {"DD/MM/YYYY": "MM/DD/YYYY", "DD-MM-YYYY": "MM-DD-YYYY"}
_ANY = re.compile("|".join(way.pattern for way in WAYS))


def may_hold_dates(cells: Sequence[str]) -> bool:
    """Whether so many of a few cells have the shape of a date that it is worth reading them all."""
    return 2 * sum(_ANY.match(cell) is not None for cell in cells) > len(cells) > 0


def ways_in(cells: pl.Series) -> tuple[str, ...]:
    """The ways of writing a date that together read the cells, most used first; none when too few are dates.

    A way counts when it reads at least a twentieth of the cells that no better one reads, and all of them must
    read 95 % of the cells.
    """
    rest, found = cells, list[str]()
    while len(rest):
        read = {way.label: way.days(rest) for way in WAYS if way.label not in found}
        best = max(read, key=lambda label: len(rest) - read[label].null_count(), default="")
        if not best or len(rest) - read[best].null_count() < max(1, _LEAST * len(cells)):
            break
        found.append(best)
        rest = rest.filter(read[best].is_null())
    return tuple(found) if len(rest) <= _LEAST * len(cells) and found else ()


def are_ambiguous(ways: Sequence[str], cells: pl.Series) -> bool:
    """Whether the cells could be read with day and month changed over, every one of them."""
    return any(
        bool((_BY_LABEL[way].days(cells).is_null() | _BY_LABEL[_TWINS[way]].days(cells).is_not_null()).all())
        for way in ways
        if way in _TWINS
    )


def moments_in(cells: pl.Series, ways: Sequence[str]) -> pl.Series:
    """The moments of the cells, each read in the first way that fits."""
    result = pl.Series(cells.name, [None] * len(cells), pl.Datetime("us"))
    for way in ways:
        missing = result.is_null()
        if missing.any():
            result = result.zip_with(~missing, _BY_LABEL[way].moments(cells))
    return result
