"""Which columns say when: one column of dates, or year, month, day and hour apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from loom.core.column_names import words
from loom.science.roles import Role, Traits

# part, its names, its range; from the largest to the smallest
_PARTS: tuple[tuple[frozenset[str], int, int], ...] = (
    (frozenset({"year", "yr", "yyyy"}), 1800, 2200),
    (frozenset({"month", "mnth", "mon", "mm"}), 1, 12),
    (frozenset({"day", "dayofmonth", "dom", "dd"}), 1, 31),
    (frozenset({"hour", "hr", "hh"}), 0, 24),
    (frozenset({"minute", "min", "mi"}), 0, 59),
    (frozenset({"second", "sec", "ss"}), 0, 60),
)
_BIRTH = re.compile(r"birth|\bdob\b|born", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Time:
    """The column of time, or its parts from the largest to the smallest, and whether somebody declared them."""

    columns: tuple[str, ...]
    declared: bool


def time_in(columns: Sequence[tuple[Traits, Role]]) -> Time | None:
    """The time that nobody declared: parts that belong together, else the only column of dates, else none.

    Parts belong together when their names differ in nothing but the part, they begin with year and month and leave
    none out, and every value lies in the part's range. A date of birth is nobody's time.
    """
    parts = _composite([traits for traits, _ in columns])
    if parts:
        return Time(parts, declared=False)
    dates = [t.name for t, role in columns if role == "date" and not _BIRTH.search(t.name.replace("_", " "))]
    return Time((dates[0],), declared=False) if len(dates) == 1 else None


def _composite(columns: Sequence[Traits]) -> tuple[str, ...]:
    found: dict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
    for traits in columns:
        parts = words(traits.name)
        for place, (names, least, most) in enumerate(_PARTS):
            stem = tuple(part for part in parts if part not in names)
            if len(stem) == len(parts) - 1 and _lies_within(traits, least, most):
                found[stem].setdefault(place, traits.name)
    chains = [_chain(parts) for parts in found.values()]
    return max((chain for chain in chains if len(chain) >= 2), key=len, default=())


def _chain(parts: dict[int, str]) -> tuple[str, ...]:
    """The parts from the year on, up to the first that is not there."""
    chain = []
    for place in range(len(_PARTS)):
        if place not in parts:
            break
        chain.append(parts[place])
    return tuple(chain)


def _lies_within(traits: Traits, least: int, most: int) -> bool:
    return (
        traits.kind == "whole"
        and not traits.missing
        and traits.least is not None
        and traits.most is not None
        and least <= traits.least <= traits.most <= most
    )
