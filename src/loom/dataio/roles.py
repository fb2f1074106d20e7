"""What a column is for, as far as its values tell: the first guess that profiles and splits start from."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from loom.core.column_names import is_counter_name
from loom.dataio.facts import ColumnFacts

Role = Literal["id", "numeric", "categorical", "text", "date", "boolean", "constant"]

_ID_RATIO = 0.95
_ID_ROWS = 20
_FEW_LEVELS = 50


def role_of(facts: ColumnFacts, *, categorical: bool = False) -> Role:
    """The role of one column."""
    type_, present = facts.type, facts.rows - facts.missing
    if facts.distinct == 0 or (facts.distinct == 1 and not facts.missing):
        return "constant"
    if pa.types.is_boolean(type_):
        return "boolean"
    if pa.types.is_temporal(type_):
        return "date"
    if categorical:
        return "categorical"
    if pa.types.is_integer(type_):
        return _of_whole_numbers(facts, present)
    if not pa.types.is_string(type_):
        return "numeric"
    if facts.distinct > _ID_RATIO * present and present >= _ID_ROWS and facts.with_space < 0.5:
        return "id"
    if facts.distinct <= max(_FEW_LEVELS, 0.05 * present):
        return "categorical"
    return "text" if facts.with_space >= 0.5 or facts.mean_length >= 30 else "categorical"


def _of_whole_numbers(facts: ColumnFacts, present: int) -> Role:
    if facts.least == 0 and facts.most == 1:
        return "boolean"
    if present < _ID_ROWS or facts.distinct <= _ID_RATIO * present:
        return "numeric"
    counted = facts.rising and not facts.missing
    # distinct amounts exist: only a name, or counting up row by row, tells an id from them
    return "id" if counted or is_counter_name(facts.name) else "numeric"
