"""Parts of a data object: Parquet in a blob store, and the small references that stand for them.

A reference pickles to a few hundred bytes. Unpickled in a notebook it is a pandas DataFrame; Loom itself reads
the columns it needs from it, as Arrow data, with `load`.
"""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from loom.core.row_hashes import Hashes
from loom.dataio.blobs import BlobStore
from loom.dataio.table import Levels
from loom.kernel.errors import LoomError

ROW_KEY = "__loom_row_key__"
_GROUP_BYTES = 64 * 1024**2
_DICTIONARY_BYTES = 128 * 1024
_METADATA = "loom"

_as_references: ContextVar[bool] = ContextVar("loom_frames_as_references", default=False)


@dataclass(frozen=True, slots=True)
class FrameRef:
    """One part of a data object: its key in a store, its size and its columns; never a row."""

    store: BlobStore
    key: str
    rows: int
    columns: tuple[str, ...]
    categories: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.store, self.key, self.rows, self.columns, self.categories)

    def __copy__(self) -> FrameRef:
        return self

    def __deepcopy__(self, memo: Mapping[int, Any]) -> FrameRef:
        return self

    def to_pandas(self, columns: Sequence[str] | None = None) -> Any:
        """The part as a pandas DataFrame, in types that keep every value."""
        return to_pandas(load(self, columns), levels_of(self) if self.categories else {})

    def record(self) -> dict[str, Any]:
        """The reference as plain data, without its store."""
        return {
            "key": self.key,
            "rows": self.rows,
            "columns": list(self.columns),
            "categories": list(self.categories),
        }


def from_record(record: Mapping[str, Any], store: BlobStore) -> FrameRef:
    """The reference that plain data describes."""
    return FrameRef(
        store, record["key"], record["rows"], tuple(record["columns"]), tuple(record.get("categories", ()))
    )


@contextmanager
def references() -> Iterator[None]:
    """Within it, unpickling gives references and reads no data."""
    token = _as_references.set(True)
    try:
        yield
    finally:
        _as_references.reset(token)


def wants_references() -> bool:
    """Whether what is being unpickled is to stay a reference."""
    return _as_references.get()


def load(ref: FrameRef, columns: Sequence[str] | None = None, *, keys: bool = False) -> pl.DataFrame:
    """The part, or the columns asked for in that order; with `keys`, the row keys as a last column."""
    wanted = list(ref.columns if columns is None else columns)
    unknown = [name for name in wanted if name not in ref.columns]
    if unknown:
        raise LoomError(
            f"the data has no column `{unknown[0]}`",
            f"its columns are {', '.join(ref.columns[:20])}",
            "name one of them",
        )
    source = ref.store.open(ref.key)
    names = [*wanted, ROW_KEY] if keys else wanted
    # a column called `*` or `^a$` would be taken for a pattern of names; then all are read
    chosen = None if any(name.startswith(("*", "^")) for name in names) else names
    if isinstance(source, Path):
        frame = pl.read_parquet(source, columns=chosen)
    else:
        with source:
            frame = pl.read_parquet(io.BytesIO(source.read()), columns=chosen)
    frame = frame[list(names)]
    categorical = [name for name in wanted if name in ref.categories]
    if categorical:
        levels = levels_of(ref)
        frame = frame.with_columns(frame[name].cast(pl.Enum(levels[name].values)) for name in categorical)
    return frame


def to_pandas(frame: pl.DataFrame, levels: Mapping[str, Levels]) -> Any:
    """A pandas DataFrame; whole numbers and truth values with missing cells get the types that can hold them."""
    pandas = importlib.import_module("pandas")  # only a notebook needs it
    columns = {}
    for series in frame:
        if series.name in levels:
            codes = series.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
            known = levels[series.name]
            columns[series.name] = pandas.Categorical.from_codes(
                codes, list(known.values), ordered=known.ordered
            )
            continue
        array = series.to_arrow(compat_level=pl.CompatLevel.oldest())
        if series.null_count() and (series.dtype.is_integer() or series.dtype == pl.Boolean):
            mapper = {array.type: getattr(pandas, f"{series.dtype}Dtype")()}.get
            columns[series.name] = array.to_pandas(types_mapper=mapper)
        elif pa.types.is_large_string(array.type):
            columns[series.name] = array.cast(pa.string() if array.nbytes < 2**31 else array.type).to_pandas()
        else:
            columns[series.name] = array.to_pandas(date_as_object=False)
    return pandas.DataFrame(columns, columns=frame.columns)


class PartWriter:
    """Writes one part as Parquet (zstd), a row group at a time, beside whatever the caller does meanwhile."""

    def __init__(self, path: Path, schema: pa.Schema, levels: Mapping[str, Levels], *, keys: bool) -> None:
        self.path, self.rows = path, 0
        self._schema = _stored(schema, levels, keys=keys)
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=schema.names,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
        )
        self._waiting: list[pa.RecordBatch] = []
        self._size = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="loom-parquet")
        self._busy: Future[None] | None = None

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._flush()
            if self._busy is not None:
                self._busy.result()
        finally:
            self._pool.shutdown()
            self._writer.close()

    def add(self, batch: pa.RecordBatch, keys: Hashes | None = None) -> None:
        """Add rows, with their keys where the part has them."""
        if not batch.num_rows:
            return
        arrays = list(batch.columns) if keys is None else [*batch.columns, pa.array(keys)]
        self._waiting.append(pa.record_batch(arrays, schema=self._schema))
        self.rows += batch.num_rows
        self._size += batch.nbytes
        if self._size >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        group = pa.Table.from_batches(self._waiting)
        self._waiting, self._size = [], 0
        if self._busy is not None:
            self._busy.result()
        self._busy = self._pool.submit(self._writer.write_table, group, row_group_size=group.num_rows)


def _stored(schema: pa.Schema, levels: Mapping[str, Levels], *, keys: bool) -> pa.Schema:
    fields = list(schema)
    if keys:
        fields.append(pa.field(ROW_KEY, pa.uint64()))
    known = {
        name: [list(found.values), found.ordered] for name, found in levels.items() if name in schema.names
    }
    return pa.schema(
        fields, metadata={_METADATA: json.dumps({"format": 1, "levels": known}, separators=(",", ":"))}
    )


def levels_of(ref: FrameRef) -> dict[str, Levels]:
    """The levels of its categorical columns, in their order."""
    source = ref.store.open(ref.key)
    metadata = pl.read_parquet_metadata(source if isinstance(source, Path) else io.BytesIO(source.read()))
    stored = json.loads(metadata[_METADATA])["levels"]
    return {name: Levels(tuple(values), ordered) for name, (values, ordered) in stored.items()}


def _restore(
    store: BlobStore, key: str, rows: int, columns: tuple[str, ...], categories: tuple[str, ...]
) -> Any:
    ref = FrameRef(store, key, rows, columns, categories)
    return ref if wants_references() else ref.to_pandas()
