"""What may be said about data to somebody who may not see it: the privacy line, in one place.

Quantiles from p1 to p99, each with enough rows on both sides and rounded to about a hundredth of the spread, so
that none is a cell; never a minimum or a maximum. A level only when at least 20 rows and 1 % of all have it, and
only from a column that neither identifies rows nor looks personal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from loom.core.column_names import words

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
QUANTILE_NAMES = tuple(f"p{round(100 * q)}" for q in QUANTILES)
LONGEST_LEVEL = 80
_LEAST_ROWS = 20
_LEAST_SHARE = 0.01
_BEYOND = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PERSONAL = frozenset(
    {
        *("name", "surname", "firstname", "lastname", "fullname", "username", "login", "password"),
        *("email", "mail", "phone", "telephone", "mobile", "fax", "address", "street", "ip", "ipaddress"),
        *("ssn", "passport", "iban", "account", "creditcard", "pan", "birth", "birthdate", "birthday", "dob"),
        *("latitude", "longitude", "lat", "lon", "lng"),
    }
)
_PAIRS = frozenset({("credit", "card"), ("card", "number"), ("tax", "id"), ("social", "security")})
# names of things have no owner: `product_name` is not a person's
_THINGS = frozenset(
    {
        *("product", "item", "brand", "model", "class", "category", "species", "plan", "event", "job"),
        *("file", "column", "feature", "table", "field", "host", "device", "browser"),
        *("city", "country", "region", "state", "store", "station", "company"),
    }
)
_CELLS = re.compile(
    r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}|\+?\(?\d[\d ()./-]{7,}\d|\d{3}-\d{2}-\d{4}|\d{1,3}(?:\.\d{1,3}){3}"
)
_DATE_LIKE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[T ].*)?|\d+(?:\.\d+)?")


def may_show_level(count: int, rows: int) -> bool:
    """Whether so many rows have a level that its name tells nothing about any one of them."""
    return count >= max(_LEAST_ROWS, _LEAST_SHARE * rows)


def is_personal_name(name: str) -> bool:
    """Whether a name says that the cells below it are somebody's: names, addresses, numbers of accounts."""
    parts = words(name)
    if any(pair in _PAIRS for pair in pairwise(parts)):
        return True
    found = _PERSONAL.intersection(parts)
    return bool(found) and not (found == {"name"} and _THINGS.intersection(parts))


def looks_personal(cells: Sequence[str]) -> bool:
    """Whether most cells are e-mail addresses, telephone or card numbers, or network addresses."""
    hits = sum(
        _CELLS.fullmatch(cell) is not None and _DATE_LIKE.fullmatch(cell) is None
        for cell in (each.strip() for each in cells)
    )
    return 2 * hits > len(cells) > 0


def quantiles_of(values: Sequence[float | None], present: int) -> dict[str, float] | None:
    """The quantiles that may be shown, rounded; None when there are too few rows for any."""
    step = _step(values)
    shown = {
        name: _rounded(value, step)
        for name, q, value in zip(QUANTILE_NAMES, QUANTILES, values, strict=True)
        if value is not None and math.isfinite(value) and _has_company(q, present)
    }
    return shown or None


def moments_of(values: Sequence[float | None], present: int) -> dict[str, str] | None:
    """The quantiles of moments (seconds since 1970) that may be shown: months, days or hours, by their spread."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    days = (max(known) - min(known)) / 86_400
    form = "%Y-%m" if days >= 1_000 else "%Y-%m-%d" if days >= 30 else "%Y-%m-%dT%H:00"
    shown = {
        name: (_EPOCH + timedelta(seconds=value)).strftime(form)
        for name, q, value in zip(QUANTILE_NAMES, QUANTILES, values, strict=True)
        if value is not None and _within_calendar(value) and _has_company(q, present)
    }
    return shown or None


def _has_company(q: float, present: int) -> bool:
    return min(q, 1 - q) * present >= _BEYOND - 1e-9


def _within_calendar(seconds: float) -> bool:
    return -62_000_000_000 < seconds < 250_000_000_000


def _step(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return 0.0
    size = max(known) - min(known) or max(abs(known[0]), 1e-300)
    return math.pow(10, math.floor(math.log10(size)) - 2) if 1e-290 < size < 1e300 else 0.0


def _rounded(value: float, step: float) -> float:
    """The nearest multiple of the step, written without the noise of binary fractions."""
    if not step:
        return 0.0 if abs(value) < 1e-290 else float(f"{value:.2e}")
    digits = -round(math.log10(step))
    return round(value, digits) + 0.0
