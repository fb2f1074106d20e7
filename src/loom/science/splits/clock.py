"""When each row was: dates, numbers, text, or parts of a date in several columns, as one number that sorts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.core.column_names import spoken, words
from loom.kernel.errors import LoomError
from loom.science.dates import are_ambiguous, moments_in, ways_in

Floats = NDArray[np.float64]
Unit = Literal["microseconds", "number", "step"]
Duration: TypeAlias = str | float | timedelta

_SECOND = 1_000_000.0
_UNITS = {
    "ms": _SECOND / 1e3, "s": _SECOND, "m": 60 * _SECOND, "h": 3_600 * _SECOND, "d": 86_400 * _SECOND,
    "w": 604_800 * _SECOND,
}  # fmt: skip
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+\Z")
_STEP = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_NUMBER = r"^\s*[+-]?\d{1,18}(?:\.\d+)?\s*$"
# year, month, day, hour, minute, second
_RANGES = ((1800, 2200), (1, 12), (1, 31), (0, 24), (0, 59), (0, 60))
_OTHER_PARTS = frozenset({"week", "wk", "isoweek", "quarter", "qtr", "q"})


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """One number per row that sorts as time does, and what a difference of one is.

    Calendars count microseconds since 1970, numbers their own unit, parts that make no calendar the different
    moments that occur.
    """

    times: Floats = field(repr=False)
    unit: Unit

    def length(self, duration: Duration | None, option: str) -> float:
        """A duration in the clock's unit; `option` is what a person would correct."""
        if duration is None:
            return 0.0
        if isinstance(duration, str) and _DURATION.match(duration.strip()):
            duration = timedelta(
                microseconds=sum(float(n) * _UNITS[unit] for n, unit in _STEP.findall(duration))
            )
        calendar = self.unit == "microseconds"
        if isinstance(duration, timedelta):
            length = duration / timedelta(microseconds=1)
            fits = calendar or not length
        else:
            length = _plain_number(duration, option)
            fits = not calendar or not length
        if not fits:
            raise LoomError(
                f"--{option} {duration} does not go with the time of the rows",
                "time is in dates" if calendar else "time is in plain numbers",
                f"--{option} 7d" if calendar else f"--{option} 7, in the unit of the time column",
            )
        if not 0 <= length < float("inf"):
            raise LoomError(
                f"--{option} {duration} is no duration", "it is below 0, or has no end", f"--{option} 7d"
            )
        return length

    def spoken(self, length: float) -> str | float:
        """A length as a person would write it: `7d`, or a plain number where time is one."""
        if self.unit != "microseconds":
            return float(f"{length:.6g}")
        for unit in ("d", "h", "m", "s"):
            if length >= _UNITS[unit]:
                return f"{length / _UNITS[unit]:.4g}{unit}"
        return f"{length / _UNITS['ms']:.4g}ms" if length else "0d"


def clock_of(frame: pl.DataFrame) -> Clock:
    """The clock of one column, or of several that together are a time, the largest part first."""
    if not frame.width:
        raise LoomError("rows cannot be ordered by time", "no column was named", "name one with --time")
    if frame.width == 1:
        return _clock(frame.to_series())
    parts = [_clock(column) for column in frame.get_columns()]
    times = _calendar(frame.columns, parts)
    if times is not None:
        return Clock(times, "microseconds")
    ranks = pl.DataFrame({str(at): part.times for at, part in enumerate(parts)})
    moments = ranks.unique().sort(ranks.columns).with_row_index("step")
    steps = ranks.join(moments, on=ranks.columns, how="left", maintain_order="left").get_column("step")
    return Clock(steps.cast(pl.Float64).to_numpy(), "step")


def _clock(column: pl.Series) -> Clock:
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    missing = column.null_count()
    if missing:
        row = int(column.is_null().arg_max() or 0) + 1
        raise _no_order(column, f"{missing:,} of its cells are missing, the first in row {row:,}")
    if column.dtype == pl.String:
        return _of_text(column)
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return Clock(_floats(column.cast(pl.Datetime("us"))), "microseconds")
    if isinstance(column.dtype, pl.Duration):
        return Clock(_floats(column.dt.cast_time_unit("us")), "microseconds")
    if column.dtype == pl.Time:
        return Clock(_floats(column) / 1e3, "microseconds")
    if column.dtype.is_integer() and len(column) and 18_000_101 <= int(column.min()) <= int(column.max()) < 22_000_101:  # type: ignore[arg-type]  # fmt: skip
        days = column.cast(pl.String).str.to_date("%Y%m%d", strict=False)
        if not days.null_count():
            return Clock(_floats(days.cast(pl.Datetime("us"))), "microseconds")
    if column.dtype.is_numeric():
        times = column.cast(pl.Float64).to_numpy()
        if np.isfinite(times).all():
            return Clock(times, "number")
        raise _no_order(column, "some of its cells are not finite numbers")
    raise _no_order(column, f"its type is {column.dtype}")


def _of_text(column: pl.Series) -> Clock:
    levels = column.unique()
    ways = ways_in(levels)
    if ways:
        moments = moments_in(column, ways)
        if not moments.null_count():
            if are_ambiguous(ways, levels):
                raise _no_order(column, "every date in it could be read with day and month changed over")
            return Clock(_floats(moments), "microseconds")
    if levels.str.contains(_NUMBER).all():
        return Clock(column.str.strip_chars().cast(pl.Float64).to_numpy(), "number")
    raise _no_order(column, "it is text, and not all of it is known to be dates")


def _calendar(names: Sequence[str], parts: Sequence[Clock]) -> Floats | None:
    """Microseconds since 1970, where the parts are year, month, ... or a date, hour, ...; else none."""
    if any(_OTHER_PARTS & set(words(name)) for name in names):
        return None
    dated = parts[0].unit == "microseconds"
    ranges = _RANGES[3:] if dated else _RANGES
    rest = parts[1:] if dated else parts
    if len(rest) > len(ranges) or not all(
        part.unit == "number" and _is_whole(part.times, *span)
        for part, span in zip(rest, ranges, strict=False)
    ):
        return None
    if dated:
        return parts[0].times + _of_day([part.times for part in rest])
    values = [part.times for part in rest]
    day = values[2].astype(np.int64) if len(values) > 2 else np.ones(1, np.int64)
    year, month = (part.astype(np.int64) for part in values[:2])
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    date = first.astype("datetime64[D]") + (day - 1)
    if (date.astype("datetime64[M]") != first).any():  # such as the 30th of February
        return None
    times: Floats = date.astype("datetime64[us]").astype(np.float64) + _of_day(values[3:])
    return times


def _of_day(parts: Sequence[Floats]) -> Floats | float:
    """Hours, minutes and seconds as microseconds."""
    return sum((part * _UNITS[unit] for part, unit in zip(parts, "hms", strict=False)), start=np.float64(0))


def _is_whole(values: Floats, least: float, most: float) -> bool:
    return bool(((values >= least) & (values <= most) & (values == np.floor(values))).all())


def _floats(column: pl.Series) -> Floats:
    return column.to_physical().cast(pl.Float64).to_numpy()


def _plain_number(given: str | float, option: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise LoomError(
            f"--{option} {given} is no duration",
            "it is a number and a unit: ms, s, m, h, d or w",
            f"--{option} 7d",
        ) from None


def _no_order(column: pl.Series, why: str) -> LoomError:
    name = spoken(column.name)
    return LoomError(
        f"column `{name}` cannot order rows by time", why, "write dates as YYYY-MM-DD, or leave --time out"
    )
