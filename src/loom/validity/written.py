"""The numbers of a text that claim something, and which values each of them can stand for.

Dates, versions, pathspecs, digests, headings, links and what stands in backticks claim nothing. Neither do words:
`three` is not found.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

_EXACT = Context(prec=400)
_ENDLESS = Decimal("Infinity")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_YEAR = r"(?:19|20|21)\d\d"
_TIME = r"[0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|\s?[+-]\d\d:?\d\d)?"
_SILENT = re.compile(
    "|".join(
        (
            r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*\n(?:.*?\n)?[ \t]*(?P=fence)[^\n]*$",
            r"^[ ]{0,3}\#{1,6}[ \t][^\n]*$",
            r"(?P<ticks>`+)(?!`)[^\n]*?(?<!`)(?P=ticks)(?!`)",
            r"\[\^[^\]\s]+\]:?",
            r"(?<=\])\([^()\s]*\)",
            r"\b[a-z][a-z0-9+]*://[^\s<>]+",
            r"^[ \t]*\d{1,3}[.)](?=[ \t])",
            r"\b(?:sha|md|blake)\d+[a-z]?:[0-9a-f]+",
            r"\b(?:loom-[a-z0-9]{6}|run-[0-9a-f]{10})\b",
            r"\b(?=\d*[a-f])(?!\d+e\d+\b)(?=[a-f]*\d)[0-9a-f]{7,64}\b",
            r"\b[A-Z][a-z0-9]+[A-Z]\w*/\d+(?![.,]?\d)(?:/\w[\w.-]*)*(?:\#[/\w~.-]*\w)?",
            rf"\b{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ]{_TIME})?(?![\d-])",
            r"\b[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d+)?\b",
            rf"\b\d{{1,2}}[./]\d{{1,2}}[./]{_YEAR}\b",
            rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?{_MONTH}\s+{_YEAR}\b",
            rf"\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_YEAR}\b",
            r"\bv\d+(?:\.\d+)*(?:[-+.]?[A-Za-z][\w+-]*)?",
            r"\bversions?\s+\d+(?:\.\d+)*(?:[-+.]?[A-Za-z][\w+-]*)?",
            r"(?<![\w.,])\d+(?:\.\d+){2,}(?:[-+.]?[A-Za-z][\w+-]*)?(?![\w]|[.,]\d)",
            r"\b[^\W\d]\w*?\d\w*",
        )
    ),
    re.MULTILINE | re.DOTALL,
)
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_RAISED = "[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}"
_NUMBER = re.compile(
    r"(?P<bound>(?<![-=–—<>])[<>≤≥]=?\s?)?(?:(?<![\w)%])(?P<sign>[-−+]))?"
    r"(?:(?P<digits>[1-9]\d{0,2}(?:[,’'\u00a0\u202f]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    rf"(?:[eE](?P<power>[-+−]?\d{{1,4}})|\s?[×·]\s?10(?:\^(?P<raised>[-+−]?\d{{1,4}})|(?P<high>{_RAISED})))?"
    r"|(?P<single>[¼-¾⅐-⅞①-⒛⓪-⓿]))(?P<percent>\s?(?:%|per\s?cent\b))?"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands in a text: which values it can stand for, at the precision of its digits."""

    text: str
    start: int
    end: int
    line: int
    low: Decimal
    high: Decimal
    is_strict: bool = False
    """Whether the ends do not belong to it: `< 0.001` is not 0.001."""

    def holds(self, value: float | Decimal) -> bool:
        """Whether a value may be written like this: it rounds to these digits, or lies within the bound."""
        exact = value if isinstance(value, Decimal) else Decimal(repr(value))
        if not exact.is_finite():
            return False
        return self.low < exact < self.high if self.is_strict else self.low <= exact <= self.high

    @property
    def key(self) -> str:
        """The text without its spaces: two numbers of one key are written alike."""
        return "".join(self.text.split()).replace("−", "-")


def numbers_in(text: str) -> tuple[Number, ...]:
    """Every number of a text that claims something, in order."""
    # a number may begin where a name ends, so what is silent is covered rather than cut out
    heard = _SILENT.sub(lambda found: _covered(found[0]), text)
    ends = [at for at, each in enumerate(text) if each == "\n"]
    return tuple(
        _read(found, text, bisect_right(ends, found.start()) + 1) for found in _NUMBER.finditer(heard)
    )


def _covered(silent: str) -> str:
    """As long as before, with its line ends, and without a digit. What covers a name still ends in a letter."""
    return "".join(each if each == "\n" else "x" for each in silent)


def _read(found: re.Match[str], text: str, line: int) -> Number:
    with localcontext(_EXACT):
        value, half = _value(found)
        if found["sign"] and found["sign"] in "-−":
            value = -value
        if found["percent"]:
            value, half = value / 100, half / 100
        low, high = value - half, value + half
    bound = (found["bound"] or "").strip()
    if bound:
        low, high = (-_ENDLESS, value) if bound[0] in "<≤" else (value, _ENDLESS)
    start, end = found.span()
    return Number(text[start:end], start, end, line, low, high, bound in ("<", ">"))


def _value(found: re.Match[str]) -> tuple[Decimal, Decimal]:
    """The value of the digits, and half a unit of the last of them."""
    if found["single"]:
        return Decimal(repr(unicodedata.numeric(found["single"]))), Decimal(0)
    digits = Decimal("".join(each for each in found["digits"] if each == "." or each.isdecimal()))
    power = (found["power"] or found["raised"] or found["high"] or "0").translate(_SUPERSCRIPT)
    tens = int(power.replace("−", "-"))
    last = digits.as_tuple().exponent
    assert isinstance(last, int)  # digits are finite
    return digits.scaleb(tens), Decimal(5).scaleb(last + tens - 1)
