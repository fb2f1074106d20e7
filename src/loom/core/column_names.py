"""What the names of columns say: their words, whether they name entities or count, how they stand in a sentence."""

from __future__ import annotations

import re

# a new word begins at a capital after a small letter or before one; `IDs` is one word
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?![A-Z]s(?![a-z]))")
_BETWEEN = re.compile(r"[\W_]+")
_IDS = frozenset({"id", "ids", "identifier", "uuid", "guid", "key", "pk", "rowid"})
_COUNTERS = _IDS | {"no", "nr", "num", "number", "code", "index", "idx", "row", "serial"}
_LONGEST = 60


def words(name: str) -> list[str]:
    """The lower-case words of a name, however it is written: `customerID`, `customer_id`, `Customer Id`."""
    return [word for word in _BETWEEN.split(_HUMP.sub(" ", name).lower()) if word]


def is_id_name(name: str) -> bool:
    """Whether a name ends as names of ids do and can mean nothing else."""
    parts = words(name)
    return bool(parts) and parts[-1] in _IDS


def is_counter_name(name: str) -> bool:
    """Whether a name ends as that of an id or of a counter: an amount may be called so too."""
    parts = words(name)
    return bool(parts) and parts[-1] in _COUNTERS


def spoken(name: str) -> str:
    """A name as it can stand in a sentence: on one line, at most 60 signs long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name).strip() or "(blank)"
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."
