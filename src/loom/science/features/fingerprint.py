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
import pyarrow as pa

from loom.core.row_hashes import cell_hashes, mix, salt_of
from loom.science.columns import spelled
from loom.science.twins import Words

_KINDS: tuple[tuple[str, str], ...] = (("Int", "whole"), ("UInt", "whole"), ("Float", "real"))


def spread(words: Words) -> Words:
    """Every bit of the input in every bit of the output."""
    return mix(words.copy())


def cell_words(column: pl.Series) -> Words:
    """One word per cell; equal values have equal words whether they are stored in 32 bits or 64."""
    cells, salt = _stored(column), salt_of(column.name)
    if (
        pa.types.is_large_string(cells.type)
        or pa.types.is_string_view(cells.type)
        or pa.types.is_string(cells.type)
    ):
        return _of_text(cells, salt)
    return cell_hashes(cells, salt)


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


def _stored(column: pl.Series) -> pa.Array:
    """The column in the one type of its kind, so that how wide it is stored leaves no trace."""
    column = spelled(column).alias("cells")
    dtype = column.dtype
    if dtype == pl.Null:
        column = column.cast(pl.Boolean)
    elif dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    elif isinstance(dtype, pl.Datetime | pl.Duration):
        column = column.dt.cast_time_unit("us")
    return column.to_physical().to_arrow()


def _of_text(cells: pa.Array, salt: np.uint64) -> Words:
    """Each level is hashed once."""
    encoded = cells.dictionary_encode()
    missing = len(encoded.dictionary)
    levels = pa.concat_arrays([encoded.dictionary.cast(pa.string()), pa.nulls(1, pa.string())])
    codes = encoded.indices.fill_null(missing).to_numpy(zero_copy_only=False)
    words: Words = cell_hashes(levels, salt)[codes]
    return words
