"""Which columns may name an entity with several rows: such rows must not be on both sides of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loom.core.column_names import is_id_name
from loom.science.roles import Role, Traits, is_unique

_LEAST = 20
_CODES = 0.3
_MOST = 5


@dataclass(frozen=True, slots=True)
class Group:
    """A column whose values repeat as ids do: how many there are, and rows per value."""

    column: str
    n_unique: int
    rows_per_value: float

    def as_json(self) -> dict[str, Any]:
        """The group as plain data."""
        return {"column": self.column, "n_unique": self.n_unique, "rows_per_value": self.rows_per_value}


def possible_groups(columns: Sequence[tuple[Traits, Role]]) -> tuple[Group, ...]:
    """Columns with repeated ids, the ones with more different values first.

    Either the name ends as that of an id does and 20 values or more repeat, or text without spaces has so many
    values (30 % of the rows and more) that they are codes rather than levels.
    """
    found = [
        Group(traits.name, traits.distinct, round(traits.present / traits.distinct, 2))
        for traits, role in columns
        if _repeats(traits) and (_is_named(traits) or _is_code(traits, role))
    ]
    return tuple(sorted(found, key=lambda group: -group.n_unique)[:_MOST])


def _repeats(traits: Traits) -> bool:
    return traits.distinct >= _LEAST and not is_unique(traits) and traits.distinct < traits.present


def _is_named(traits: Traits) -> bool:
    return traits.kind in ("whole", "text") and is_id_name(traits.name)


def _is_code(traits: Traits, role: Role) -> bool:
    look = traits.look
    return (
        look is not None
        and role == "categorical"
        and look.spaced < 0.5
        and traits.distinct >= _CODES * traits.present
    )
