"""The fast way through a block: convert to the type that is expected, and prove that nothing was lost.

Where the proof fails the block is examined closely and keeps its text, so that a wrong expectation costs
time and never a value.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from loom.dataio.typing import Decision, Evidence, convert, examine

_PROOF = 64
_ZERO, _MINUS, _PLUS, _NINE = ord("0"), ord("-"), ord("+"), ord("9")
_EXACT = 2.0**53
_WORDS = ["true", "false", "True", "False", "TRUE", "FALSE"]


def type_column(cells: pa.Array, expected: Decision) -> tuple[pa.Array, Evidence]:
    """The column in the expected type with its evidence, or its text where the block speaks against that type."""
    rows, missing = len(cells), cells.null_count
    if rows == missing:
        return pa.nulls(rows, expected.type), Evidence(rows=rows, missing=missing)
    series = cast("pl.Series", pl.from_arrow(cells)) if expected.kind != "text" else None
    if series is None:
        return cells, _proof_of_text(cells)
    typed = _typed(series, cells, expected)
    if typed is not None:
        evidence = Evidence(rows=rows, missing=missing)
        if expected.kind == "date" and expected.date is not None:
            evidence.counts["date"], evidence.dates = rows - missing, frozenset((expected.date,))
        else:
            evidence.counts[_SIGN[expected.kind]] = rows - missing
        evidence.first = dict.fromkeys(evidence.counts, _first(cells))
        return typed, evidence
    evidence = examine(series)
    return settle(cells, evidence.decide(), expected), evidence


_SIGN: dict[str, Any] = {"integer": "integer", "float": "float", "boolean": "boolean"}


def settle(cells: pa.Array, found: Decision, wanted: Decision) -> pa.Array:
    """Text in the wanted type where what was found in it allows that; else the text as it is."""
    fits = found == wanted or found.kind == "empty" or (found.kind, wanted.kind) in _WIDER
    if found.kind == "date" and wanted.kind == "date":
        fits = True
    if not fits or wanted.kind in ("text", "empty"):
        return cells
    return convert(cast("pl.Series", pl.from_arrow(cells)), wanted).to_arrow()


_WIDER = {("integer", "float"), ("integer", "unsigned"), ("unsigned", "float")}


def _proof_of_text(cells: pa.Array) -> Evidence:
    """A cell that can be nothing but text settles a column; without one among the first, all are examined."""
    head = examine(cast("pl.Series", pl.from_arrow(cells.slice(0, _PROOF))))
    if head["padded"] or head["other"]:
        head.rows, head.missing = len(cells), cells.null_count
        return head
    return examine(cast("pl.Series", pl.from_arrow(cells)))


def _typed(series: pl.Series, cells: pa.Array, expected: Decision) -> pa.Array | None:
    if expected.kind == "integer":
        whole = series.cast(pl.Int64, strict=False)
        return None if whole.null_count() != cells.null_count or _is_padded(cells) else whole.to_arrow()
    if expected.kind == "float":
        numbers = series.cast(pl.Float64, strict=False)
        if numbers.null_count() != cells.null_count or _is_padded(cells):
            return None
        # nothing missing in disguise, nothing infinite, nothing that may have been rounded
        return numbers.to_arrow() if bool((numbers.abs() < _EXACT).all()) else None
    if expected.kind == "date" and expected.date is not None:
        moments = expected.date.reads_at_once(series)
        return None if moments is None else moments.to_arrow()
    if expected.kind == "boolean" and bool(series.is_in(_WORDS).all()):
        return (series.str.to_lowercase() == "true").to_arrow()
    return None


def _is_padded(cells: pa.Array) -> bool:
    """Whether a number is written with a leading zero or a plus sign, which a numeric type would drop."""
    _, offsets, data = cells.buffers()
    bounds = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    content: NDArray[np.uint8] = np.frombuffer(data, np.uint8)
    starts = bounds[:-1]
    lengths = np.diff(bounds)
    # a missing cell at the very end starts behind the last byte
    leading = content[np.minimum(starts, len(content) - 1)]
    doubtful = (leading == _ZERO) | (leading == _PLUS) | (leading == _MINUS)
    doubtful &= lengths > 1
    places = np.flatnonzero(doubtful)
    if not len(places):
        return False
    at, signs, lengths = starts[places], leading[places], lengths[places]
    if bool((signs == _PLUS).any()):
        return True
    digit = at + (signs == _MINUS)
    after = content[np.minimum(digit + 1, len(content) - 1)]
    longer = lengths > 1 + (signs == _MINUS)
    return bool((longer & (content[digit] == _ZERO) & (after >= _ZERO) & (after <= _NINE)).any())


def _first(cells: pa.Array) -> int:
    """Where the first cell that is not missing stands."""
    if not cells.null_count:
        return 0
    return int(np.argmin(cells.is_null().to_numpy(zero_copy_only=False)))
