"""What may stand below a place of a summary: lists, mappings, figures by column and by level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ._names import is_count, level_name
from ._shapes import OUT, At, Shape, cleaned, left, number


def either(first: Shape, second: Shape) -> Shape:
    """A text by the one shape, everything else by the other."""
    return lambda value, at: (first if isinstance(value, str) else second)(value, at)


def rows(shape: Shape) -> Shape:
    """A list, less the entries that do not fit."""

    def fits(value: Any, at: At) -> Any:
        if not isinstance(value, list | tuple):
            return left(value, at)
        kept = [cleaned(each, shape, at) for each in value]
        return [each for each in kept if each is not OUT]

    return fits


def keyed(*, needs_: str = "", rows_: str = "", **shapes: Shape) -> Shape:
    """A mapping, less every key that is not named here; nothing of it where the key it needs does not fit.

    `rows_` is the key that says how many rows everything below is about. A key that Python keeps to itself is
    written with an underscore behind it.
    """
    named = {name.rstrip("_"): shape for name, shape in shapes.items()}

    def fits(value: Any, at: At) -> Any:
        if not isinstance(value, Mapping):
            return left(value, at)
        if rows_:
            at = replace(at, rows=value[rows_] if is_count(value.get(rows_)) else None)
        for key, each in value.items():
            if key not in named and not _is_nothing(each):
                at.ledger.leave_key(each)
        found = {name: cleaned(value[name], shape, at) for name, shape in named.items() if name in value}
        kept = {name: each for name, each in found.items() if each is not OUT}
        return OUT if needs_ and kept.get(needs_) is None else kept

    return fits


def by(name: str, named: Shape, shape: Shape) -> Shape:
    """A mapping as a list: what is data is never a key of a bundle."""
    row = keyed(needs_=name, **{name: named, "value": shape})

    def fits(value: Any, at: At) -> Any:
        if not isinstance(value, Mapping):
            return left(value, at)
        return rows(row)([{name: key, "value": each} for key, each in value.items()], at)

    return fits


def level_rows(name: str, count: str, **shapes: Shape) -> Shape:
    """Figures by level: none about too few rows, and no name that may not be told."""
    row = keyed(**{count: number, **shapes})

    def fits(value: Any, at: At) -> Any:
        shown = level_name(value.get(name), value.get(count), at.rows) if isinstance(value, Mapping) else None
        if shown is None:
            at.ledger.note("rare_levels")
            return OUT
        return {name: shown, **row({key: each for key, each in value.items() if key != name}, at)}

    return rows(fits)


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple | Mapping | str) and not value)
