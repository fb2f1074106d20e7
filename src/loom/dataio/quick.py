"""The fast way through a block: convert to the type that is expected, and prove that nothing was lost.

Where the proof fails the block is examined closely and keeps its text, so that a wrong expectation costs
time and never a value.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, cast

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from loom.dataio.dates import formats_of
from loom.dataio.typing import TOKENS, Decision, Evidence, Sign, convert, examine

_PROOF = 48
_ZERO, _MINUS, _PLUS, _NINE = ord("0"), ord("-"), ord("+"), ord("9")
_EXACT = 2.0**53
_WORDS = ["true", "false", "True", "False", "TRUE", "FALSE"]
_SIGNS: Final[dict[str, Sign]] = {"integer": "integer", "float": "float", "boolean": "boolean"}
_NO_DATA: Final[NDArray[np.uint8]] = np.zeros(1, np.uint8)


def type_column(cells: pa.Array, expected: Decision) -> tuple[pa.Array, Evidence]:
    """The column in the expected type with its evidence, or its text where the block speaks against that type."""
    rows, missing = len(cells), cells.null_count
    if rows == missing:
        return pa.nulls(rows, expected.type), Evidence(rows=rows, missing=missing)
    if expected.kind in ("text", "empty"):
        return cells, _proof_of_text(cells) or examine(cast("pl.Series", pl.from_arrow(cells)))
    typed = _typed(cells, expected)
    if typed is None:
        series = cast("pl.Series", pl.from_arrow(cells))
        evidence = examine(series)
        return (convert(series, expected).to_arrow() if evidence.allows(expected) else cells), evidence
    evidence = Evidence(rows=rows, missing=missing)
    if expected.date is not None:
        evidence.counts["date"], evidence.dates = rows - missing, frozenset((expected.date,))
    else:
        evidence.counts[_SIGNS[expected.kind]] = rows - missing
    evidence.first = dict.fromkeys(evidence.counts, _first(cells))
    return typed, evidence


def text_views(cells: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Where the cells of a text column begin and end, and the bytes they are in."""
    _, offsets, data = cells.buffers()
    bounds = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    return bounds, np.frombuffer(data, np.uint8) if data is not None and len(data) else _NO_DATA


def _typed(cells: pa.Array, expected: Decision) -> pa.Array | None:
    """The cells in the expected type if every one of them is plainly of that type."""
    try:
        if expected.kind == "integer":
            return None if _is_padded(cells, after="x") else cells.cast(pa.int64())
        if expected.kind == "float":
            return None if _is_padded(cells, after="0") else _plain_floats(cells.cast(pa.float64()))
        if expected.date is not None:
            return _dates(cells, expected)
        if expected.kind == "boolean":
            words = cells.dictionary_encode()
            return cells.cast(pa.bool_()) if set(words.dictionary.to_pylist()) <= set(_WORDS) else None
    except pa.ArrowInvalid:
        pass  # some cell is not of that type
    return None


def _plain_floats(numbers: pa.Array) -> pa.Array | None:
    """The numbers, unless one is infinite, missing in disguise, or so large that it may have been rounded."""
    values = np.frombuffer(numbers.buffers()[1], np.float64)[numbers.offset : numbers.offset + len(numbers)]
    return numbers if bool(np.abs(values).max() < _EXACT) else None


def _dates(cells: pa.Array, expected: Decision) -> pa.Array | None:
    form = expected.date
    if form is None:
        return None
    if form.is_iso and form.zone:
        return cells.cast(expected.type)  # refuses a moment without an offset
    width = form.width
    if width is None:
        return None
    bounds, _ = text_views(cells)
    lengths = np.diff(bounds)
    if cells.null_count:
        lengths = lengths[cells.is_valid().to_numpy(zero_copy_only=False)]
    most = width + 7 if form.is_iso and form.seconds else width  # fractions of a second may follow
    if not width <= int(lengths.min()) <= int(lengths.max()) <= most:
        return None
    if form.is_iso:
        return cells.cast(expected.type)
    read = form.read(cast("pl.Series", pl.from_arrow(cells)))
    return read.to_arrow() if read.null_count() == cells.null_count else None


def _proof_of_text(cells: pa.Array) -> Evidence | None:
    """Evidence from the first cells where it settles the column: a padded number, or words almost throughout."""
    head = [
        (row, cell.strip()) for row, cell in enumerate(cells.slice(0, _PROOF).to_pylist()) if cell is not None
    ]
    found = Evidence(len(cells), cells.null_count)
    padded = [row for row, cell in head if _PADDED.fullmatch(cell)]
    if padded and all(cell.isdecimal() for _, cell in head):
        found.counts = {"integer": len(cells) - cells.null_count, "padded": len(padded)}
        found.first = {"integer": head[0][0], "padded": padded[0]}
        return found
    words = [row for row, cell in head if _is_word(cell)]
    if 2 * len(words) <= len(head):
        return None
    found.counts, found.first = {"other": len(words)}, {"other": words[0]}
    return found


_PADDED = re.compile("0[0-9]+")


@lru_cache(maxsize=4096)
def _is_word(cell: str) -> bool:
    """Whether it is neither missing, a truth value, a date nor a number."""
    if not cell or cell in TOKENS or cell in _WORDS or formats_of(cell):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _is_padded(cells: pa.Array, *, after: str) -> bool:
    """Whether a number is written with a leading zero or a plus sign, which a numeric type would drop.

    After a leading zero any character is too much for a whole number (`x`), and a digit for others (`0`).
    """
    bounds, content = text_views(cells)
    starts = bounds[:-1]
    last = len(content) - 1
    if starts[-1] > last:
        starts = np.minimum(starts, last)  # a missing cell at the very end starts behind the last byte
    leading = content[starts]
    places = np.flatnonzero(leading <= _ZERO)
    if not len(places):
        return False
    signs, lengths = leading[places], bounds[places + 1] - bounds[places]
    if bool(((signs == _PLUS) & (lengths > 0)).any()):
        return True
    signed = signs == _MINUS
    digit = np.minimum(starts[places] + signed, last)
    second = content[np.minimum(digit + 1, last)]
    padded = (content[digit] == _ZERO) & (lengths > 1 + signed)
    if after == "0":
        padded &= (second >= _ZERO) & (second <= _NINE)
    return bool(padded.any())


def _first(cells: pa.Array) -> int:
    """Where the first cell that is not missing stands."""
    if not cells.null_count:
        return 0
    return int(np.argmin(cells.is_null().to_numpy(zero_copy_only=False)))
