"""Types from text, decided by every cell of a column and not by its first ones.

Evidence is gathered block by block and adds up; the decision is made once, from all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import polars as pl
import pyarrow as pa

from loom.dataio.dates import DateFormat, formats_of

Kind = Literal["empty", "text", "boolean", "integer", "unsigned", "float", "date", "decimal"]
Sign = Literal[
    "blank",
    "token",
    "integer",
    "padded",
    "beyond53",
    "beyond64",
    "huge",
    "negative",
    "float",
    "boolean",
    "date",
    "other",
]
SIGNS: tuple[Sign, ...] = get_args(Sign)

# what people write for "nothing here"; in a column of words it stays a word
TOKENS = (
    "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "NULL", "Null", "null", "None", "none", "#N/A", "#NA", "<NA>",
    "-", "--", "?", ".", "-nan", "+nan", "-NaN",
)  # fmt: skip
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Decision:
    """The type of a column, and for dates how they are written."""

    kind: Kind
    date: DateFormat | None = None
    decimal: tuple[int, int] | None = None

    @property
    def type(self) -> pa.DataType:
        """The Arrow type its cells are kept in."""
        if self.kind == "date" and self.date is not None:
            if not self.date.has_time:
                return pa.date32()
            return pa.timestamp("us", "UTC" if self.date.zone else None)
        if self.kind == "decimal" and self.decimal is not None:
            return pa.decimal128(*self.decimal)
        return _TYPES[self.kind]


_TYPES: Mapping[str, pa.DataType] = {
    "empty": pa.string(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "unsigned": pa.uint64(),
    "float": pa.float64(),
}
TEXT, EMPTY = Decision("text"), Decision("empty")


@dataclass(slots=True)
class Evidence:
    """What the cells of a column look like: how many of each kind, and the first row of each."""

    rows: int = 0
    missing: int = 0
    counts: dict[Sign, int] = field(default_factory=dict)
    first: dict[Sign, int] = field(default_factory=dict)
    dates: frozenset[DateFormat] | None = None

    def __getitem__(self, sign: Sign) -> int:
        return self.counts.get(sign, 0)

    def add(self, other: Evidence) -> None:
        """Take in the evidence of the rows that follow."""
        for sign, count in other.counts.items():
            self.counts[sign] = self.counts.get(sign, 0) + count
            self.first.setdefault(sign, self.rows + other.first.get(sign, 0))
        if other.dates is not None:
            self.dates = other.dates if self.dates is None else self.dates & other.dates
        self.rows += other.rows
        self.missing += other.missing

    def decide(self, *, only_dates: bool = False) -> Decision:
        """The type that loses nothing of any cell; what was typed already is looked at for dates only."""
        present = self.rows - self.missing - self["blank"] - self["token"]
        if present <= 0:
            return TEXT if self.rows > self.missing else EMPTY
        if self["date"] == present and self.dates:
            return Decision("date", next(iter(self.dates))) if len(self.dates) == 1 else TEXT
        if only_dates or self["padded"]:
            return TEXT
        if self["boolean"] == present:
            return Decision("boolean")
        if self["integer"] == present:
            return self._whole()
        if self["integer"] + self["float"] == present:
            return Decision("float")
        return TEXT

    def allows(self, decision: Decision) -> bool:
        """Whether every cell can be read in that type without losing anything."""
        present = self.rows - self.missing - self["blank"] - self["token"]
        if decision.kind == "date":
            return not present or (self["date"] == present and decision.date in (self.dates or ()))
        if decision.kind == "boolean":
            return self["boolean"] == present
        if decision.kind in ("float", "decimal"):
            return self["integer"] + self["float"] == present and not self["padded"]
        if decision.kind in ("integer", "unsigned"):
            wrong: Sign = "negative" if decision.kind == "unsigned" else "beyond64"
            return self["integer"] == present and not (self["padded"] or self["huge"] or self[wrong])
        return decision.kind in ("text", "empty")

    def _whole(self) -> Decision:
        if self["huge"] or (self["beyond64"] and self["negative"]):
            return TEXT  # no integer type holds them all, and a float would round them
        return Decision("unsigned" if self["beyond64"] else "integer")


def notes(name: str, evidence: Evidence, decision: Decision) -> list[str]:
    """What a person should know about how a column was read; counts and rows, never what a cell holds."""

    def at(*signs: Sign) -> str:
        return f"first in row {min(evidence.first[sign] for sign in signs if evidence[sign]) + 1:,}"

    present = evidence.rows - evidence.missing - evidence["blank"] - evidence["token"]
    said = []
    if decision.kind == "empty":
        return [f"column `{name}` is empty"]
    if decision.kind != "text":
        if evidence["blank"]:
            said.append(
                f"column `{name}`: {_cells(evidence['blank'], 'blank')} read as missing ({at('blank')})"
            )
        if evidence["token"]:
            said.append(
                f"column `{name}`: {_cells(evidence['token'])} with a word for missing, such as NA, "
                f"read as missing ({at('token')})"
            )
        if decision.kind == "float" and evidence["beyond53"]:
            said.append(
                f"column `{name}`: {_cells(evidence['beyond53'])} with whole numbers beyond 2^53 in a column of "
                f"decimals may be rounded ({at('beyond53')})"
            )
        return said
    numbers = evidence["integer"] + evidence["float"]
    kept = f"column `{name}` is kept as text: "
    if present and numbers == present:
        if evidence["padded"]:
            return [f"{kept}numbers have leading zeros or plus signs ({at('padded')})"]
        if evidence["beyond64"] or evidence["huge"]:
            return [f"{kept}whole numbers exceed 64 bits ({at('beyond64', 'huge')})"]
        return [f"{kept}so it is in the other file"]
    if present and evidence["date"] == present:
        readings = {0: "are written in more than one way", 2: "can be read day first or month first"}
        why = readings.get(len(evidence.dates or ()), "are written otherwise in the other file")
        return [f"{kept}its dates {why} ({at('date')})"]
    for count, what, signs in (
        (numbers, "not a number", ("other", "boolean", "date")),
        (evidence["date"], "not a date written as the others", ("other", "boolean", "integer", "float")),
    ):
        if present and 0.9 * present <= count < present:
            return [
                f"{kept}{_cells(present - count)} {'is' if present - count == 1 else 'are'} {what} ({at(*signs)})"
            ]
    return said


def _cells(count: int, kind: str = "") -> str:
    return f"{count:,} {kind + ' ' if kind else ''}{'cell' if count == 1 else 'cells'}"


def _named_safely(cells: pl.Series) -> pl.Series:
    # a column called `*` or `^a$` would be taken for a pattern of names
    return cells.alias("cells")


def examine(cells: pl.Series) -> Evidence:
    """Look at every cell of some text, closely."""
    text = _named_safely(cells).str.strip_chars()
    frame = pl.DataFrame(
        {"t": text, "i": text.cast(pl.Int64, strict=False), "f": text.cast(pl.Float64, strict=False)}
    )
    t, i, f = pl.col("t"), pl.col("i"), pl.col("f")
    token = t.is_in(TOKENS)
    digits = t.str.contains(r"^[+-]?[0-9]+$")
    unsigned = t.cast(pl.UInt64, strict=False)
    number = ~digits & ~token & f.is_not_null() & f.is_not_nan()
    signs: dict[Sign, pl.Expr] = {
        "blank": t == "",
        "token": token,
        "integer": digits,
        "padded": (digits | number) & t.str.contains(r"^[+-]?0[0-9]|^\+[0-9]+$"),
        "beyond53": digits & ((i > _EXACT) | (i < -_EXACT) | i.is_null()),
        "beyond64": digits & i.is_null() & unsigned.is_not_null(),
        "huge": digits & i.is_null() & unsigned.is_null(),
        "negative": digits & t.str.starts_with("-"),
        "float": number,
        "boolean": t.is_in(["true", "false", "True", "False", "TRUE", "FALSE"]),
    }
    held = frame.select(**{sign: expression.fill_null(False) for sign, expression in signs.items()})
    formats, dated = _dates(text, held)
    held = held.with_columns(
        date=dated,
        other=text.is_not_null() & ~(held["blank"] | held["token"] | held["integer"] | held["float"] | held["boolean"])
        & ~dated,
    )  # fmt: skip
    evidence = Evidence(rows=len(cells), missing=cells.null_count(), dates=formats)
    for sign in SIGNS:
        if count := int(held[sign].sum()):
            evidence.counts[sign] = count
            evidence.first[sign] = int(held[sign].arg_max() or 0)
    return evidence


def _dates(text: pl.Series, held: pl.DataFrame) -> tuple[frozenset[DateFormat] | None, pl.Series]:
    """The formats that read the most cells, and the cells they read."""
    none = pl.repeat(False, len(text), eager=True)
    rest = text.filter(
        text.is_not_null() & ~(held["blank"] | held["token"] | held["integer"] | held["float"])
    )
    if not len(rest):
        return None, none
    readings = {}
    for form in formats_of(rest[0]):
        shaped = text.str.contains(form.pattern()).fill_null(False)
        readings[form] = shaped & form.read(text).is_not_null()
    most = max((int(reading.sum()) for reading in readings.values()), default=0)
    if not most:
        return None, none
    best = {form: reading for form, reading in readings.items() if int(reading.sum()) == most}
    return frozenset(best), next(iter(best.values()))


def convert(cells: pl.Series, decision: Decision) -> pl.Series:
    """The cells in the decided type; whitespace around them and words for missing fall away, text stays as it is."""
    if decision.kind in ("text", "empty"):
        return cells
    text = _named_safely(cells).str.strip_chars()
    text = pl.select(pl.when((text != "") & ~text.is_in(TOKENS)).then(text)).to_series()
    if decision.kind == "date" and decision.date is not None:
        return decision.date.read(text)
    if decision.kind == "boolean":
        return text.str.to_lowercase() == "true"
    if decision.kind == "decimal" and decision.decimal is not None:
        return text.cast(pl.Decimal(*decision.decimal))
    return text.cast({"integer": pl.Int64, "unsigned": pl.UInt64, "float": pl.Float64}[decision.kind])
