"""What may stand at a place of a summary. A value that does not fit its shape is left out and counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from ._ledger import Ledger
from ._names import column_name, digest, moment, reference, span, version
from ._words import FLOWS


class Out:
    """Stands for a value that is left out."""


OUT = Out()


@dataclass(frozen=True, slots=True)
class At:
    """Where a value is looked at: what is counted, which runs are known, how many rows it is about."""

    ledger: Ledger
    known: Collection[str] = FLOWS
    rows: int | None = None


Shape = Callable[[Any, At], Any]


def number(value: Any, at: At) -> Any:
    """A finite number."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if fits else left(value, at)


def truth(value: Any, at: At) -> Any:
    """Yes or no."""
    return value if isinstance(value, bool) else left(value, at)


def word(*choices: str) -> Shape:
    """One of the words that are written down here."""

    def fits(value: Any, at: At) -> Any:
        return value if isinstance(value, str) and value in choices else left(value, at)

    return fits


def ref(value: Any, at: At) -> Any:
    """The name of a run that may be named."""
    return _named(value, reference(value, at.known), at)


def sha(value: Any, at: At) -> Any:
    """A digest."""
    return _named(value, digest(value), at)


def release(value: Any, at: At) -> Any:
    """A version of a library."""
    return _named(value, version(value), at)


def length(value: Any, at: At) -> Any:
    """A length of time, or a number of its units."""
    return _named(value, span(value), at) if isinstance(value, str) else number(value, at)


def quantile(value: Any, at: At) -> Any:
    """A number, or a moment that was rounded."""
    return _named(value, moment(value), at) if isinstance(value, str) else number(value, at)


def column(value: Any, at: At) -> Any:
    """The name of a column that is nobody's."""
    shown = column_name(value)
    if shown is None:
        at.ledger.note("names") if isinstance(value, str) else at.ledger.leave(value)
    return OUT if shown is None else shown


def cleaned(value: Any, shape: Shape, at: At) -> Any:
    """What may stay of a value; nothing is never a secret."""
    return None if value is None else shape(value, at)


def _named(value: Any, shown: str | None, at: At) -> Any:
    return left(value, at) if shown is None else shown


def left(value: Any, at: At) -> Any:
    """Leave a value out, and count it."""
    at.ledger.leave(value)
    return OUT
