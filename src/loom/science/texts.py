"""What the cells of a text column are made of: blanks, numbers, dates, JSON, words; judged without showing one."""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl

from loom.science.dates import are_ambiguous, may_hold_dates, ways_in
from loom.science.disclosure import looks_personal

_SAMPLE = 1_000
_FEW = 50
_FEW_LEVELS = 5_000
_MOSTLY = 0.9
_PADDED = r"^\s*[+-]?0\d"


@dataclass(frozen=True, slots=True)
class Look:
    """Shares are of the cells that are neither missing nor blank; `blank` counts cells of white space alone."""

    blank: int
    numbers: float
    codes: bool
    ways: tuple[str, ...]
    ambiguous: bool
    json: bool
    spaced: float
    length: float
    personal: bool

    @property
    def is_number(self) -> bool:
        """Whether the column is numbers that were kept as text."""
        return self.numbers >= _MOSTLY and not self.codes and not self.ways

    @property
    def is_mixed(self) -> bool:
        """Whether a good part of the cells are numbers and another are not."""
        return 0.1 <= self.numbers < _MOSTLY and not self.codes


def look_at(cells: pl.Series, distinct: int) -> tuple[Look, pl.DataFrame | None]:
    """Look at a column by its levels where it has so many different values only, else at its cells.

    The levels come with it: a frame with the columns `level` and `count`.
    """
    if distinct > min(_FEW_LEVELS, max(100, len(cells) // 10)):
        return look(cells), None
    counts = counts_of(cells)
    return look(counts["level"], counts["count"]), counts


def counts_of(cells: pl.Series) -> pl.DataFrame:
    """How often each value occurs: a frame with the columns `level` and `count`, missing ones among them."""
    return cells.alias("level").value_counts(name="count")


def look(cells: pl.Series, counts: pl.Series | None = None) -> Look:
    """Look at the cells of a text column, or at its levels and how often each occurs.

    Blanks are counted in all of it; the rest is judged by a thousand cells in even steps.
    """
    present = cells.is_not_null()
    blank = present & _blank(cells)
    weights = counts if counts is not None else pl.Series([1], dtype=pl.Int64).new_from_index(0, len(cells))
    known = present & ~blank
    cells, weights = cells.filter(known), weights.filter(known)
    step = max(1, len(cells) // _SAMPLE)
    sample, weights = cells.gather_every(step), weights.gather_every(step)
    total = max(int(weights.sum()), 1)
    few = sample.head(_FEW).to_list()
    ways = ways_in(sample) if may_hold_dates(few) else ()

    def share(found: pl.Series) -> float:
        return int(weights.filter(found).sum() or 0) / total

    return Look(
        blank=int(blank.sum()) if counts is None else int(counts.filter(blank).sum() or 0),
        numbers=share(numbers_in(sample).is_not_null()),
        codes=share(sample.str.contains(_PADDED)) > 0.01,
        ways=ways,
        ambiguous=are_ambiguous(ways, sample),
        json=2 * sum(map(_is_json, few)) > len(few) > 0,
        spaced=share(sample.str.contains(" ", literal=True)),
        length=float((sample.str.len_chars() * weights).sum() or 0) / total,
        personal=looks_personal(sample.head(200).to_list()),
    )


def numbers_in(cells: pl.Series) -> pl.Series:
    """The finite numbers that cells write, missing where a cell is none; `1,234.5` is one."""
    stripped = cells.str.strip_chars()
    if stripped.str.contains(",", literal=True).any():
        grouped = stripped.str.contains(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
        stripped = stripped.zip_with(~grouped, stripped.str.replace_all(",", "", literal=True))
    numbers = stripped.cast(pl.Float64, strict=False)
    return numbers.set(~numbers.is_finite().fill_null(True), None)


def _blank(cells: pl.Series) -> pl.Series:
    # only a short cell may be blank; what is longer is not worth reading for it
    short = (cells.str.len_bytes() <= 8).fill_null(False)
    if short.all():
        return (cells.str.strip_chars() == "").fill_null(False)
    return short & (cells.set(~short, None).str.strip_chars() == "").fill_null(False)


def _is_json(cell: str) -> bool:
    if cell.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(cell)
    except (ValueError, RecursionError):
        return False
    return True
