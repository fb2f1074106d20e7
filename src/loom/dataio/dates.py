"""Dates as people write them: the formats Loom knows, and the days it refuses to guess."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

# a date's shape, and every way to read it; two ways mean that a cell alone does not say which
_DAYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2}", ("%Y-%m-%d",)),
    (r"\d{4}/\d{1,2}/\d{1,2}", ("%Y/%m/%d",)),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", ("%d.%m.%Y",)),
    (r"\d{1,2}/\d{1,2}/\d{4}", ("%d/%m/%Y", "%m/%d/%Y")),
    (r"\d{1,2}-\d{1,2}-\d{4}", ("%d-%m-%Y", "%m-%d-%Y")),
    (r"\d{1,2}[- ][A-Za-z]{3}[- ]\d{4}", ("%d-%b-%Y", "%d %b %Y")),
)
_TIME = re.compile(
    r"(?P<separator>[T ])(?P<minutes>\d{1,2}:\d{2})(?P<seconds>:\d{2}(?:\.\d{1,6})?)?(?P<zone> ?(?:Z|[+-]\d{2}:?\d{2}))?"
)
# how the fast path knows that a cell is written in full: the parser alone would take `20-1-5` for a date
_PADDED = {"%Y-%m-%d": 10, "%Y/%m/%d": 10, "%d.%m.%Y": 10, "%d/%m/%Y": 10, "%m/%d/%Y": 10}


@dataclass(frozen=True, slots=True, order=True)
class DateFormat:
    """One way to write a date or a moment."""

    day: str
    shape: str
    separator: str = ""
    seconds: bool = False
    zone: bool = False

    @property
    def has_time(self) -> bool:
        """Whether it is a moment rather than a day."""
        return bool(self.separator)

    @property
    def dtype(self) -> pl.DataType:
        """The type it is read into; moments with an offset are kept in UTC."""
        return pl.Datetime("us", "UTC" if self.zone else None) if self.has_time else pl.Date()

    @property
    def spoken(self) -> str:
        """The order of day and month, for a person."""
        return {"%d": "day first", "%m": "month first"}.get(self.day[:2], "year first")

    def pattern(self) -> str:
        """What every cell looks like."""
        if not self.has_time:
            return rf"^{self.shape}$"
        seconds = r":\d{2}(?:\.\d{1,6})?" if self.seconds else ""
        zone = r" ?(?:Z|[+-]\d{2}:?\d{2})" if self.zone else ""
        return rf"^{self.shape}{self.separator}\d{{1,2}}:\d{{2}}{seconds}{zone}$"

    def read(self, cells: pl.Series) -> pl.Series:
        """The cells as dates or moments; what is not one is missing."""
        if not self.has_time:
            return cells.str.to_date(self.day, strict=False)
        form = self.day + self.separator + "%H:%M" + (":%S%.f" if self.seconds else "")
        if not self.zone:
            return cells.str.to_datetime(form, time_unit="us", strict=False)
        cells = cells.str.replace(r" ?Z$", "+0000").str.replace(r" ?([+-]\d{2}):?(\d{2})$", "${1}${2}")
        return cells.str.to_datetime(form + "%z", time_unit="us", time_zone="UTC", strict=False)

    @property
    def width(self) -> int | None:
        """How long a cell is that is written in full, where that can be said."""
        width = _PADDED.get(self.day)
        if width is None or self.zone:
            return None
        return width + ((9 if self.seconds else 6) if self.has_time else 0)

    @property
    def is_iso(self) -> bool:
        """Whether it is the order of ISO 8601."""
        return self.day == "%Y-%m-%d"


def formats_of(cell: str) -> tuple[DateFormat, ...]:
    """Every way to read one cell as a date; none when it is not one."""
    for shape, days in _DAYS:
        found = re.match(shape, cell)
        if found is None:
            continue
        rest = cell[found.end() :]
        time = _TIME.fullmatch(rest)
        if rest and time is None:
            continue
        tail = (
            () if time is None else (time["separator"], time["seconds"] is not None, time["zone"] is not None)
        )
        return tuple(DateFormat(day, shape, *tail) for day in days)
    return ()
