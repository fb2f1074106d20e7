"""What one pass over a table tells: missing cells, distinct values, the digest of the content, a hash per row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from loom.core.row_hashes import Hashes, cell_hashes, fixed_values, mix, salt_of, text_parts
from loom.dataio.ordered import in_order
from loom.dataio.table import Table

EXACT_ROWS = 100_000
_SLOTS = 2**18
_FULL = 0.98 * _SLOTS
# what is judged by the beginning of a table is judged by as many rows, however they come in batches
_HEAD_ROWS = 10_000
_SAMPLED = np.uint64(2**64 // 64)


class Distinct:
    """Counts different hashes: exactly in a small table, else by how many slots they fill (within one percent)."""

    def __init__(self, rows: int) -> None:
        self.approx = rows > EXACT_ROWS
        self._all: list[Hashes] = []
        self._slots = np.zeros(_SLOTS if self.approx else 0, bool)
        # what would fill all slots is counted from a 64th of the hashes
        self._sampled = np.zeros(_SLOTS if rows > 3 * _SLOTS else 0, bool)

    def add(self, hashes: Hashes) -> None:
        """Take in some hashes."""
        if not self.approx:
            self._all.append(hashes)
            return
        self._slots[hashes & np.uint64(_SLOTS - 1)] = True
        if len(self._sampled):
            self._sampled[hashes[hashes < _SAMPLED] & np.uint64(_SLOTS - 1)] = True

    def count(self) -> int:
        """How many different ones there were."""
        if not self.approx:
            return len(np.unique(np.concatenate(self._all))) if self._all else 0
        filled = int(self._slots.sum())
        if filled < _FULL or not len(self._sampled):
            return _estimate(filled)
        return 64 * _estimate(int(self._sampled.sum()))


def _estimate(filled: int) -> int:
    empty = max(_SLOTS - filled, 1)
    return round(_SLOTS * float(np.log(_SLOTS / empty)))


class Unequal:
    """Tells one value from several, and a column that repeats itself from one that may not: the rest costs too much."""

    approx = True

    def __init__(self, rows: int, *, closely: bool) -> None:
        self._one: np.uint64 | None = None
        self._several = False
        self._closely = Distinct(rows) if closely else None
        self._head = np.zeros(0, np.uint64)

    def add(self, hashes: Hashes) -> None:
        """Take in some hashes."""
        if self._one is None:
            self._one = hashes[0]
        if not self._several:
            self._several = bool((hashes != self._one).any())
        if self._closely is None:
            return
        self._closely.add(hashes)
        missing = _HEAD_ROWS - len(self._head)
        if missing > 0:
            self._head = np.concatenate([self._head, hashes[:missing]])
            if len(self._head) == _HEAD_ROWS and len(np.unique(self._head)) < 0.9 * _HEAD_ROWS:
                self._closely = None

    def count(self) -> int:
        """How many different ones, where they hardly repeat; else 0, 1, or 2 for several."""
        return (self._one is not None) + self._several if self._closely is None else self._closely.count()


def _counter(type_: pa.DataType, rows: int) -> Distinct | Unequal:
    if pa.types.is_string(type_) or rows <= EXACT_ROWS // 10:
        return Distinct(rows)
    return Unequal(rows, closely=pa.types.is_integer(type_))


@dataclass(slots=True)
class ColumnFacts:
    """What is known of one column."""

    name: str
    type: pa.DataType
    rows: int = 0
    missing: int = 0
    distinct: int = 0
    approx: bool = False
    infinite: int = 0
    first_infinite: int = 0
    least: int | None = None
    most: int | None = None
    rising: bool = True
    spaced: int = 0
    looked_at: int = 0
    length: int = 0

    @property
    def with_space(self) -> float:
        """The share of the texts at the beginning that hold a space."""
        return self.spaced / self.looked_at if self.looked_at else 0.0

    @property
    def mean_length(self) -> float:
        """How many bytes a text has."""
        return self.length / (self.rows - self.missing) if self.rows > self.missing else 0.0


@dataclass(slots=True)
class Facts:
    """What is known of a table. `sums` are row hashes before their last step, so that columns can be left out."""

    columns: dict[str, ColumnFacts]
    digest: str
    sums: Hashes = field(repr=False)

    def row_hashes(self) -> Hashes:
        """One hash per row, of all its cells."""
        return mix(self.sums.copy())


def measure(table: Table) -> Facts:
    """Read a table once, with all cores."""
    columns = {item.name: ColumnFacts(item.name, item.type) for item in table.schema}
    distinct = {item.name: _counter(item.type, table.rows) for item in table.schema}
    salts = {name: salt_of(name) for name in columns}
    content = ContentDigest(table.schema)
    sums = np.empty(table.rows, np.uint64)

    def work(batch: pa.RecordBatch) -> tuple[Hashes, list[Hashes]]:
        hashes = [cell_hashes(batch.column(name), salt) for name, salt in salts.items()]
        total = np.zeros(batch.num_rows, np.uint64)
        for one in hashes:
            total += one
        return total, hashes

    start = 0
    for batch, result in in_order(work, table.batches()):
        total, hashes = result()
        sums[start : start + batch.num_rows] = total
        content.add(batch)
        for name, one in zip(columns, hashes, strict=True):
            column = batch.column(name)
            known = one[column.is_valid().to_numpy(zero_copy_only=False)] if column.null_count else one
            if len(known):
                distinct[name].add(known)
            _look(columns[name], column, start)
        start += batch.num_rows
    for name, facts in columns.items():
        facts.distinct, facts.approx = distinct[name].count(), distinct[name].approx
    return Facts(columns, content.hexdigest(), sums)


def sums_of(table: Table, names: Iterable[str]) -> Hashes:
    """The part of every row's hash that comes from some of its columns."""
    sums = np.zeros(table.rows, np.uint64)
    for name in names:
        start, salt = 0, salt_of(name)
        for batch in table.batches([name]):
            sums[start : start + batch.num_rows] += cell_hashes(batch.column(0), salt)
            start += batch.num_rows
    return sums


def row_keys(table: Table, facts: Facts, without: Iterable[str]) -> Hashes:
    """One hash per row of all its columns but some: rows that agree in the others have the same key."""
    return mix(facts.sums - sums_of(table, without))


def _look(facts: ColumnFacts, column: pa.Array, start: int) -> None:
    if pa.types.is_floating(column.type) and len(column):
        values = fixed_values(column)
        with np.errstate(invalid="ignore"):  # both infinities in one column
            whole = values.sum()
        if not np.isfinite(whole):  # quick, and wrong only where a sum overflows
            infinite = pc.is_inf(column).fill_null(False)
            count = infinite.true_count
            if count and not facts.infinite:
                facts.first_infinite = start + int(np.argmax(infinite.to_numpy(zero_copy_only=False)))
            facts.infinite += count
    elif pa.types.is_integer(column.type) and column.null_count < len(column):
        low, high = (value.as_py() for value in pc.min_max(column).values())
        facts.rising = facts.rising and (facts.most is None or low > facts.most) and _rises(column)
        facts.least = low if facts.least is None else min(facts.least, low)
        facts.most = high if facts.most is None else max(facts.most, high)
    elif pa.types.is_string(column.type):
        facts.length += pc.sum(pc.binary_length(column)).as_py() or 0
        if start < _HEAD_ROWS:
            head = column.slice(0, _HEAD_ROWS - start)
            facts.spaced += pc.match_substring(head, " ").true_count
            facts.looked_at += len(head) - head.null_count
    facts.rows += len(column)
    facts.missing += column.null_count


def _rises(column: pa.Array) -> bool:
    if column.null_count:
        return False
    values = fixed_values(column)
    return bool(np.greater(values[1:], values[:-1]).all())


class ContentDigest:
    """A SHA-256 over a table's columns as streams: batches and row groups leave no trace in it."""

    def __init__(self, schema: pa.Schema) -> None:
        self._rows = 0
        self._schema = schema
        self._values = [hashlib.sha256() for _ in schema]
        self._lengths = [hashlib.sha256() for _ in schema]
        self._missing = [hashlib.sha256() for _ in schema]

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        for index, column in enumerate(batch.columns):
            missing = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
            if missing is not None:
                self._missing[index].update(_raw((np.flatnonzero(missing) + self._rows).astype("<u8")))
            if pa.types.is_string(column.type):
                lengths, content = text_parts(column)
                self._lengths[index].update(_raw(lengths.astype("<u4")))
                self._values[index].update(content.data)
                continue
            values = fixed_values(column)
            if missing is not None:
                values = values.copy()
                values[missing] = 0
            self._values[index].update(_raw(values))
        self._rows += batch.num_rows

    def hexdigest(self) -> str:
        """The digest so far, `sha256:` and 64 hexadecimal digits."""
        columns = [
            [item.name, str(item.type), *(part.hexdigest() for part in parts)]
            for item, *parts in zip(self._schema, self._values, self._lengths, self._missing, strict=True)
        ]
        whole = json.dumps(["loom content 1", self._rows, columns], separators=(",", ":"))
        return "sha256:" + hashlib.sha256(whole.encode()).hexdigest()


def _raw(values: NDArray[Any]) -> memoryview:
    """The bytes of an array in one line, as a digest takes them."""
    return np.ascontiguousarray(values).view(np.uint8).reshape(-1).data
