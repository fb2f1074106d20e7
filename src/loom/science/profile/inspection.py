"""One look at a block of columns: each counted, hashed, measured and given its role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from loom.science.dates import moments_in
from loom.science.disclosure import is_personal_name, moments_of, quantiles_of
from loom.science.profile.quantities import Quantity, quantities
from loom.science.reading import EXACT_ROWS, is_ordered
from loom.science.roles import Kind, Role, Traits, holds, role_of
from loom.science.targets import Level, levels_of
from loom.science.texts import Look, counts_of, look_at, numbers_in

_FEW = 5_000
_SWITCH = 10
_MEASURED: frozenset[Kind] = frozenset({"whole", "number", "moment"})


@dataclass(frozen=True, slots=True)
class Inspected:
    """What one column turned out to be; `values` are its numbers or levels, under a name that is safe."""

    dtype: str
    traits: Traits
    role: Role
    approx: bool
    personal: bool
    quantity: Quantity | None
    levels: tuple[Level, ...]
    values: pl.Series | None

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.traits.name

    def quantiles(self) -> dict[str, float] | dict[str, str] | None:
        """The quantiles that may be shown: of numbers and dates, unless they identify or look personal."""
        if self.quantity is None or self.personal or self.role not in ("numeric", "date"):
            return None
        values, present = self.quantity.quantiles, self.traits.present - self.quantity.infinite
        if self.role == "date":
            return moments_of([None if value is None else value / 1e6 for value in values], present)
        return quantiles_of(values, present)

    def skew(self) -> float | None:
        """The third standardised moment of numbers."""
        if self.role != "numeric" or self.quantity is None or self.quantity.skew is None:
            return None
        return round(self.quantity.skew, 3) if abs(self.quantity.skew) < 1e9 else None

    def scan(self) -> dict[str, Any]:
        """What a look at the cells found that type and counts do not tell; empty when there is nothing to say."""
        found: dict[str, Any] = {}
        if self.quantity is not None and self.quantity.infinite:
            found["infinite"] = self.quantity.infinite
        if self.traits.kind == "nested":
            found["nested"] = True
        if self.personal:
            found["personal"] = True
        seen = self.traits.look
        return found | (_scan_of(seen, self.role) if seen is not None else {})


def inspect(block: pl.DataFrame, first: int) -> tuple[list[Inspected], pl.DataFrame]:
    """The columns of a block, the first of which has that place in the table, and a hash for each of their cells.

    The columns of the hashes are called by their places, for a name may be anything, a pattern or a star too.
    """
    names = {str(first + at): name for at, name in enumerate(block.columns)}
    frame = pl.DataFrame([series.alias(at) for at, series in zip(names, block, strict=True)])
    kinds = {series.name: holds(series.dtype) for series in frame}
    hashes = frame.select(pl.col(at).hash(seed=int(at)) for at in names)
    missing = dict(zip(names, frame.null_count().row(0) if frame.width else (), strict=True))
    distinct = _distinct(hashes.select(_counted_by_hash(kinds)), missing)
    looks = {
        at: look_at(frame[at].cast(pl.String), distinct[at]) for at, kind in kinds.items() if kind == "text"
    }
    numbers = {
        at: series for at in names if (series := _numbers(frame[at], kinds[at], looks.get(at))) is not None
    }
    measured = dict(zip(numbers, quantities([*numbers.values()]), strict=True))
    result = []
    for at, name in names.items():
        found, counts = looks.get(at, (None, None))
        cells = frame[at]
        quantity = measured.get(at)
        if kinds[at] in _MEASURED and quantity is not None:
            distinct[at] = quantity.distinct
        traits = _traits(name, cells, kinds[at], missing[at], distinct[at], quantity, found, counts)
        result.append(_inspected(cells, traits, quantity, counts, numbers.get(at)))
    return result, hashes


def _counted_by_hash(kinds: Mapping[str, Kind]) -> list[str]:
    """The columns whose values are counted by their hashes; the others are when they are measured."""
    return [at for at, kind in kinds.items() if kind not in _MEASURED]


def _distinct(hashes: pl.DataFrame, missing: Mapping[str, int]) -> dict[str, int]:
    """How many values each column has, missing ones left out: counted in a small table, else estimated."""
    if not hashes.width:
        return {}
    rows = hashes.height
    every = pl.all().approx_n_unique() if rows > EXACT_ROWS else pl.all().n_unique()
    return {
        at: max(0, min(count - bool(missing[at]), rows - missing[at]))
        for at, count in zip(hashes.columns, hashes.select(every).row(0), strict=True)
    }


def _numbers(cells: pl.Series, kind: Kind, seen: tuple[Look, pl.DataFrame | None] | None) -> pl.Series | None:
    """The column as numbers; moments are microseconds since 1970."""
    if kind in ("whole", "number"):
        return cells.to_physical()
    if kind == "moment":
        return cells.cast(pl.Datetime("us")).to_physical()
    if seen is not None and seen[0].ways:
        return moments_in(cells.cast(pl.String), seen[0].ways).to_physical()
    if seen is not None and seen[0].is_number:
        return numbers_in(cells.cast(pl.String))
    return None


def _traits(
    name: str,
    cells: pl.Series,
    kind: Kind,
    missing: int,
    distinct: int,
    quantity: Quantity | None,
    found: Look | None,
    counts: pl.DataFrame | None,
) -> Traits:
    if counts is not None:
        distinct = len(counts) - bool(missing)
    ordered = kind == "whole" and not missing and is_ordered(cells)
    distinct = len(cells) if ordered else distinct
    least, most = (quantity.least, quantity.most) if quantity is not None else (None, None)
    return Traits(name, kind, len(cells), missing, distinct, least, most, ordered, found)


def _inspected(
    cells: pl.Series,
    traits: Traits,
    quantity: Quantity | None,
    counts: pl.DataFrame | None,
    numbers: pl.Series | None,
) -> Inspected:
    role = role_of(traits)
    # a switch called `phone` is nobody's number
    personal = is_personal_name(traits.name) and traits.distinct > _SWITCH
    personal = personal or (traits.look is not None and traits.look.personal)
    levels: tuple[Level, ...] = ()
    approx = len(cells) > EXACT_ROWS and counts is None and role not in ("boolean", "constant")
    if traits.kind in _MEASURED and quantity is not None:
        approx = quantity.approx and not traits.ordered
    if role in ("categorical", "boolean", "constant") and not personal and traits.kind != "nested":
        if counts is None and (role == "boolean" or traits.distinct <= _FEW):
            counts = counts_of(cells)
        levels = levels_of(counts, len(cells)) if counts is not None else ()
    if traits.kind == "boolean":
        numbers = cells
    values = numbers if role in ("numeric", "boolean", "date") else cells if role == "categorical" else None
    return Inspected(spoken_type(cells.dtype), traits, role, approx, personal, quantity, levels, values)


def _scan_of(seen: Look, role: Role) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if seen.blank:
        found["blank"] = seen.blank
    if role == "date":
        found |= {"stored_as": "text", "date_formats": list(seen.ways)}
        if seen.ambiguous:
            found["ambiguous"] = True
    elif seen.is_number and role == "numeric":
        found["stored_as"] = "text"
    elif seen.is_mixed:
        found["numbers"] = round(seen.numbers, 3)
    if seen.json:
        found["json"] = True
    if role == "text":
        found["mean_length"] = round(seen.length, 1)
    return found


def spoken_type(dtype: pl.DataType) -> str:
    """The type of a column in a word or two."""
    if dtype == pl.String:
        return "text"
    return "category" if dtype in (pl.Categorical, pl.Enum) else str(dtype).lower().split("(")[0]
