"""A typed table that was read once: its columns, its rows in a spool, and what a person should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from loom.dataio.spool import Spool


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of a categorical column in their order, also those that no row has."""

    values: tuple[str, ...]
    ordered: bool = False


@dataclass(slots=True)
class Table:
    """Columns with one type each, and their rows in order."""

    shown: str
    schema: pa.Schema
    spool: Spool
    levels: dict[str, Levels] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in order."""
        return tuple(self.schema.names)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.spool.rows

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows in order, a batch at a time."""
        return self.spool.batches(columns)

    def column(self, name: str) -> pa.ChunkedArray:
        """One whole column."""
        return self.spool.column(name, self.schema.field(name).type)
