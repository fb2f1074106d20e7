"""What a column is for, as far as its values and its name tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from loom.core.column_names import is_counter_name, is_id_name
from loom.science.texts import Look

Role = Literal["numeric", "categorical", "text", "date", "id", "constant", "boolean"]
Kind = Literal["number", "whole", "boolean", "moment", "text", "nested", "empty"]

ID_SHARE = 0.95
_ID_ROWS = 20
_FEW_LEVELS = 50
_LEVELS_SHARE = 0.2
_LONG = 30


def holds(dtype: pl.DataType) -> Kind:
    """What the cells of a type hold."""
    if dtype.is_integer():
        return "whole"
    if dtype.is_float() or dtype.is_decimal() or dtype in (pl.Duration, pl.Time):
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype in (pl.Date, pl.Datetime):
        return "moment"
    if dtype == pl.Null:
        return "empty"
    return "text" if dtype in (pl.String, pl.Enum, pl.Categorical) else "nested"


@dataclass(frozen=True, slots=True)
class Traits:
    """What decides a role: counts of the cells, the range of whole numbers, and a look at text."""

    name: str
    kind: Kind
    rows: int
    missing: int
    distinct: int
    least: float | None = None
    most: float | None = None
    ordered: bool = False
    look: Look | None = None

    @property
    def present(self) -> int:
        """Cells that hold something."""
        return self.rows - self.missing


def role_of(traits: Traits) -> Role:
    """The role of one column.

    An id has a different value in more than 95 % of at least 20 rows; for numbers, which may differ by nature, it
    must also count up or down from row to row, or be named as an id.
    """
    if traits.distinct == 0 or (traits.distinct == 1 and not traits.missing):
        return "constant"
    if traits.kind == "boolean":
        return "boolean"
    if traits.kind == "moment":
        return "date"
    if traits.kind == "whole":
        return _of_whole_numbers(traits)
    if traits.kind == "text" and traits.look is not None:
        return _of_text(traits, traits.look)
    return "numeric" if traits.kind == "number" else "text"


def is_unique(traits: Traits) -> bool:
    """Whether hardly any value comes twice."""
    return traits.present >= _ID_ROWS and traits.distinct > ID_SHARE * traits.present


def _of_whole_numbers(traits: Traits) -> Role:
    if traits.least == 0 and traits.most == 1:
        return "boolean"
    if is_unique(traits) and ((traits.ordered and not traits.missing) or is_counter_name(traits.name)):
        return "id"
    return "categorical" if is_id_name(traits.name) else "numeric"


def _of_text(traits: Traits, look: Look) -> Role:
    if look.ways:
        return "date"
    if look.json:
        return "text"
    if is_unique(traits) and look.spaced < 0.5 and not look.is_number:
        return "id"
    if look.is_number:
        return _of_numbers_in_text(traits)
    if traits.distinct <= max(_FEW_LEVELS, 0.05 * traits.present):
        return "categorical"
    worded = look.spaced >= 0.5 and traits.distinct > _LEVELS_SHARE * traits.present
    return "text" if worded or look.length >= _LONG else "categorical"


def _of_numbers_in_text(traits: Traits) -> Role:
    named = is_id_name(traits.name)
    if named:
        return "id" if is_unique(traits) else "categorical"
    return "numeric"
