"""Batches kept in order: in memory while they are small, in files beside each other when they are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

MEMORY_BYTES = 1024**3


class Spool:
    """A table in batches that was written once and can be read any number of times."""

    def __init__(self, folder: Path, memory: int = MEMORY_BYTES) -> None:
        self.rows = 0
        self._folder = folder
        self._left = memory
        self._batches: list[pa.RecordBatch | Path] = []

    def append(self, batch: pa.RecordBatch) -> None:
        """Keep one more batch; from the first one that does not fit on, all go to files."""
        self.rows += batch.num_rows
        self._left -= batch.nbytes
        if self._left >= 0:
            self._batches.append(batch)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{len(self._batches):07d}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
            writer.write_batch(batch)
        self._batches.append(path)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The batches in order; those in files are mapped, not loaded."""
        for kept in self._batches:
            batch = _mapped(kept) if isinstance(kept, Path) else kept
            yield batch if columns is None else batch.select(list(columns))

    def column(self, name: str, type_: pa.DataType) -> pa.ChunkedArray:
        """One whole column."""
        return pa.chunked_array([batch.column(name) for batch in self.batches([name])], type=type_)


def _mapped(path: Path) -> pa.RecordBatch:
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).get_batch(0)
