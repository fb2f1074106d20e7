"""Reads quantities, dates and names out of text, and says when two of them mean the same."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, DecimalException

_SCALES = {
    **dict.fromkeys(("thousand", "k"), 3),
    **dict.fromkeys(("million", "mn", "m"), 6),
    **dict.fromkeys(("billion", "bn", "b"), 9),
    **dict.fromkeys(("trillion", "tn"), 12),
}
_UNITS = {
    **dict.fromkeys(("%", "percent", "per cent", "pct"), "%"),
    **dict.fromkeys(("ratio", "share", "fraction"), "ratio"),
    **dict.fromkeys(("$", "usd", "us$", "dollar", "dollars"), "USD"),
    **dict.fromkeys(("€", "eur", "euro", "euros"), "EUR"),
    **dict.fromkeys(("£", "gbp", "pound", "pounds"), "GBP"),
    **dict.fromkeys(("¥", "jpy", "yen"), "JPY"),
    **dict.fromkeys(("chf",), "CHF"),
    **dict.fromkeys(("s", "sec", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("day", "days"), "day"),
    **dict.fromkeys(("year", "years"), "year"),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), "km"),
    **dict.fromkeys(("kg", "kilogram", "kilograms"), "kg"),
}
_WORDS = "|".join(
    re.escape(word) for word in sorted(_UNITS, key=len, reverse=True) if word.isascii() and word[0].isalpha()
)
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[-−])?(?P<currency>US\$|[$€£¥])?\s?"
    r"(?P<digits>\d{1,3}(?:[,\u00a0\u202f']\d{3})++(?:\.\d++)?|\d++(?:\.\d++)?(?:[eE][+-]?\d{1,3})?)"
    r"(?:\s?(?P<scale>thousand|million|billion|trillion|mn|bn|tn|k|m|b)\b)?"
    rf"(?:\s?(?P<unit>%|(?:{_WORDS})\b))?",
    re.IGNORECASE,
)

_MONTHS = {name.lower(): index for index, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower(): index for index, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?P<{0}>(?:1[5-9]|20|21)\d\d)"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR.format('y')}-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)",
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?P<name>{_MONTH})\.?,?\s+{_YEAR.format('y')}\b",
        rf"\b(?P<name>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR.format('y')}\b",
        rf"\b(?P<name>{_MONTH})\.?,?\s+{_YEAR.format('y')}\b",
        rf"\bQ(?P<q>[1-4])\s*/?\s*{_YEAR.format('y')}\b",
        rf"\b{_YEAR.format('y')}[-\s]?Q(?P<q>[1-4])\b",
        rf"\b{_YEAR.format('y')}-(?P<m>\d\d)(?![-\d])",
        rf"(?:\b(?:in|since|by|during|until|before|after|from|of|year|fiscal|calendar|fy)\s+){_YEAR.format('y')}\b(?![%.,]?\d)(?!-)",
        rf"\A\s*{_YEAR.format('y')}\s*\Z",
    )
)
# words that say how much or when, and not what a sentence is about
MEASURES = frozenset({*_SCALES, *_UNITS, *_MONTHS})
_SUFFIXES = frozenset(
    {"inc", "ltd", "llc", "gmbh", "corp", "corporation", "co", "plc", "ag", "sa", "limited", "the"}
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\s\da-z])|\n+")
MAX_SENTENCE = 2_000


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, and how coarsely it was written."""

    value: Decimal
    unit: str = ""
    step: Decimal = Decimal(0)
    """One in the last digit that was written."""

    def fits(self, other: Quantity) -> bool:
        """Whether the two can be compared: the units agree, or one of them has none."""
        return not self.unit or not other.unit or _base(self)[1] == _base(other)[1]

    def equals(self, evidence: Quantity, tolerance: Decimal) -> bool:
        """Whether the evidence says this number: within what rounding hides, or within a relative tolerance."""
        mine, theirs = (_base(each)[0] for each in (self, evidence))
        step = _base(Quantity(self.step, self.unit))[0]
        return self.fits(evidence) and abs(mine - theirs) <= max(step / 2, abs(theirs) * tolerance)


@dataclass(frozen=True, slots=True)
class Period:
    """A day, or the days that a month, a quarter or a year may mean."""

    start: date
    end: date

    def covers(self, other: Period) -> bool:
        """Whether the other lies in this one: 12 March is in March."""
        return self.start <= other.start and other.end <= self.end

    def meets(self, other: Period) -> bool:
        """Whether the two share a day."""
        return self.start <= other.end and other.start <= self.end


def quantities(text: str) -> list[Quantity]:
    """The numbers of a text with their units; dates are not among them."""
    found = []
    for each in _NUMBER.finditer(_without_dates(text)):
        digits = re.sub(r"[,\u00a0\u202f']", "", each["digits"])
        number = to_quantity(digits, each["unit"] or each["currency"] or "")
        if number is None:
            continue
        shift = _SCALES.get((each["scale"] or "").lower(), 0)
        value = number.value.scaleb(shift)
        found.append(Quantity(-value if each["sign"] else value, number.unit, number.step.scaleb(shift)))
    return found


def to_quantity(value: object, unit: str = "") -> Quantity | None:
    """A quantity from a number, or from a text that holds exactly one."""
    known = _UNITS.get(unit.strip().lower(), unit.strip())
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value).strip())
    except DecimalException:
        found = quantities(value) if isinstance(value, str) else []
        if len(found) != 1:
            return None
        return Quantity(found[0].value, found[0].unit or known, found[0].step)
    if not number.is_finite() or abs(number.adjusted()) > 400:
        return None
    return Quantity(number, known, Decimal(1).scaleb(int(number.as_tuple().exponent)))


def periods(text: str) -> list[Period]:
    """The dates of a text, each as the days it may mean."""
    return [period for period, _, _ in _dates(text)]


def sentences(text: str) -> list[str]:
    """A text in sentences and lines; one that does not end is cut."""
    parts = (part.strip() for part in _SENTENCE.split(text))
    return [part[at : at + MAX_SENTENCE] for part in parts for at in range(0, len(part), MAX_SENTENCE)]


def plain_name(name: str) -> str:
    """A name as it is compared: no case, no punctuation, no legal form."""
    words = re.findall(r"\w+", name.casefold())
    return " ".join([word for word in words if word not in _SUFFIXES] or words)


def names_of(name: str, aliases: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Every way to write a name, the name itself included."""
    wanted = plain_name(name)
    for canonical, others in aliases.items():
        group = {plain_name(each) for each in (canonical, *others)}
        if wanted in group:
            return frozenset(group | {wanted})
    return frozenset({wanted})


def mentions(plain: str, names: Iterable[str]) -> bool:
    """Whether a text, written as `plain_name` writes it, holds one of the names as whole words."""
    padded = f" {plain} "
    return any(name and f" {name} " in padded for name in names)


def _base(quantity: Quantity) -> tuple[Decimal, str]:
    """A quantity in the unit in which it is compared."""
    if quantity.unit == "ratio":
        return quantity.value * 100, "%"
    if quantity.unit == "ms":
        return quantity.value / 1000, "s"
    return quantity.value, quantity.unit


def _without_dates(text: str) -> str:
    for _, start, end in _dates(text):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _dates(text: str) -> list[tuple[Period, int, int]]:
    """Dates with where they stand; of two that overlap, the more precise one."""
    found: list[tuple[Period | None, int, int]] = []
    for pattern in _DATES:
        for each in pattern.finditer(text):
            start, end = each.span()
            if not any(start < other_end and other_start < end for _, other_start, other_end in found):
                found.append((_period(each), start, end))
    # a day that does not exist is not the month it would be in
    return sorted([(period, start, end) for period, start, end in found if period], key=lambda item: item[1])


def _period(found: re.Match[str]) -> Period | None:
    parts = found.groupdict()
    year = int(parts["y"])
    month = _MONTHS[parts["name"].lower()] if parts.get("name") else int(parts.get("m") or 0)
    try:
        if parts.get("d"):
            day = date(year, month, int(parts["d"]))
            return Period(day, day)
        if parts.get("q"):
            month = int(parts["q"]) * 3
            return Period(date(year, month - 2, 1), date(year, month, calendar.monthrange(year, month)[1]))
        if month:
            return Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
    except ValueError:
        return None
    return Period(date(year, 1, 1), date(year, 12, 31))
