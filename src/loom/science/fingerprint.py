"""Digests of tables and of what is made from them: equal on every machine, for any order of rows or columns.

A cell's word is a 64-bit hash of its value, salted with its column's name; a row's word is the sum of its cells',
so the order of columns leaves no trace. A table's digest is made of sums over rows, so their order leaves none either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loom.science.binning import is_nested, plain

Words = NDArray[np.uint64]

_ODD = np.uint64(0xBF58476D1CE4E5B9)
_PRIME = np.uint64(0x94D049BB133111EB)
_NOTHING = np.uint64(0x2545F4914F6CDD1D)
_KINDS: tuple[tuple[str, str], ...] = (("Int", "whole"), ("UInt", "whole"), ("Float", "real"))


def spread(words: Words) -> Words:
    """Every bit of the input in every bit of the output."""
    words = (words ^ (words >> np.uint64(30))) * _ODD
    words = (words ^ (words >> np.uint64(27))) * _PRIME
    return words ^ (words >> np.uint64(31))


def text_word(text: str) -> int:
    """A 64-bit number that stands for a text."""
    return int.from_bytes(
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )


def cell_words(column: pl.Series) -> Words:
    """One word per cell; equal values have equal words whether they are stored in 32 bits or 64."""
    column = column.hash() if is_nested(column) else plain(column)
    missing = column.is_null().to_numpy()
    if column.dtype == pl.String:
        found = _of_text(column)
    elif column.dtype == pl.Null:
        found = np.zeros(len(column), np.uint64)
    elif column.dtype.is_float():
        found = (column.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0).view(np.uint64)  # there is one zero
    else:
        found = _of_whole(column)
    found = np.where(missing, _NOTHING, found)
    return spread(found ^ np.uint64(text_word(column.name)))


def row_words(columns: Iterable[pl.Series], rows: int) -> Words:
    """One word per row of some columns, in whatever order they come."""
    total = np.zeros(rows, np.uint64)
    for column in columns:
        total += cell_words(column)
    return spread(total)


def content(words: Words, schema: Mapping[str, str]) -> str:
    """The digest of a table from the words of its rows and the kinds of its columns."""
    sums = [int(words.sum(dtype=np.uint64)), int(np.bitwise_xor.reduce(words)) if len(words) else 0]
    sums += [int(spread(words ^ np.uint64(salt)).sum(dtype=np.uint64)) for salt in (1, 2, 3)]
    return digest({"rows": len(words), "sums": sums, "columns": dict(sorted(schema.items()))})


def digest(facts: Mapping[str, Any]) -> str:
    """SHA-256 of plain data in one spelling: keys sorted, nothing between them."""
    spelled = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return "sha256:" + hashlib.sha256(spelled.encode()).hexdigest()


def kind_name(dtype: pl.DataType) -> str:
    """What a column holds, without how wide it is stored."""
    name = str(dtype)
    for prefix, kind in _KINDS:
        if name.startswith(prefix):
            return kind
    return {"Categorical": "text", "Enum": "text", "String": "text"}.get(
        name.split("(")[0], name.split("(")[0].lower()
    )


def fingerprint(
    *, recipe: str, version: int, target: str, task: str, time: Sequence[str], group: str | None,
    dropped: Iterable[str], seed: int, content: str,
) -> str:  # fmt: skip
    """What was built from what: equal digests mean equal features."""
    return digest(
        {
            "format": 1, "recipe": recipe, "version": version, "target": target, "task": task, "time": list(time),
            "group": group, "dropped": sorted(set(dropped)), "seed": seed, "content": content,
        }
    )  # fmt: skip


def _of_text(column: pl.Series) -> Words:
    encoded = column.fill_null("").to_arrow().dictionary_encode()
    known = np.fromiter(
        (text_word(value) for value in encoded.dictionary.to_pylist()), np.uint64, len(encoded.dictionary)
    )
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return known[codes] if len(known) else np.zeros(len(column), np.uint64)


def _of_whole(column: pl.Series) -> Words:
    if column.dtype == pl.Boolean:
        column = column.cast(pl.UInt8)
    elif column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    elif isinstance(column.dtype, pl.Datetime):
        column = column.dt.cast_time_unit("us")
    physical = column.to_physical().fill_null(0)
    if physical.dtype == pl.UInt64:
        words: Words = physical.to_numpy().astype(np.uint64)
        return words
    signed: Words = physical.cast(pl.Int64).to_numpy().astype(np.int64).view(np.uint64)
    return signed
