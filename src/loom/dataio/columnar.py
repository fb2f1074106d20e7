"""Tables that know their types: Parquet and Arrow files, and whatever else hands over Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loom.dataio.delimited import broken, no_rows
from loom.dataio.refusals import check_names
from loom.dataio.spool import Spool
from loom.dataio.table import Levels, Table
from loom.kernel.errors import LoomError

BATCH_ROWS = 65_536
_MAX_LEVELS = 10_000


def read_parquet(path: Path, shown: str, scratch: Path) -> Table:
    """A Parquet file, a batch at a time."""
    try:
        with pq.ParquetFile(path) as file:
            check_names(file.schema_arrow.names, shown)
            return collect(file.iter_batches(BATCH_ROWS), file.schema_arrow, shown, scratch)
    except (OSError, pa.ArrowException) as error:
        raise broken(shown, error) from None


def read_arrow(path: Path, shown: str, scratch: Path) -> Table:
    """An Arrow or Feather file, or an Arrow stream, mapped rather than loaded."""
    try:
        with pa.memory_map(str(path)) as source, _arrow_reader(source) as reader:
            check_names(reader.schema.names, shown)
            if isinstance(reader, pa.ipc.RecordBatchStreamReader):
                return collect(reader, reader.schema, shown, scratch)
            batches = (reader.get_batch(index) for index in range(reader.num_record_batches))
            return collect(batches, reader.schema, shown, scratch)
    except (OSError, pa.ArrowException) as error:
        raise broken(shown, error) from None


@contextmanager
def _arrow_reader(
    source: pa.MemoryMappedFile,
) -> Iterator[pa.RecordBatchFileReader | pa.RecordBatchStreamReader]:
    magic = source.read(6)
    source.seek(0)
    with pa.ipc.open_file(source) if magic == b"ARROW1" else pa.ipc.open_stream(source) as reader:
        yield reader


def collect(batches: Iterable[pa.RecordBatch], schema: pa.Schema, shown: str, scratch: Path) -> Table:
    """Arrow batches into a table with the types that data objects keep; NaN becomes missing."""
    types = [_kept_type(item, shown) for item in schema]
    kept = pa.schema([(item.name, type_) for item, type_ in zip(schema, types, strict=True)])
    levels: dict[str, Levels] = {}
    spool = Spool(scratch)
    nans: dict[str, int] = {}
    for batch in batches:
        arrays = []
        for name, array, type_ in zip(schema.names, batch.columns, types, strict=True):
            if pa.types.is_dictionary(array.type) and pa.types.is_string(type_):
                _gather_levels(levels, name, array)
            array, count = _without_nan(_cast(array, type_, name, shown, spool.rows))
            if count:
                nans[name] = nans.get(name, 0) + count
            arrays.append(array)
        if batch.num_rows:
            spool.append(pa.record_batch(arrays, schema=kept))
    if not spool.rows:
        raise no_rows(shown)
    said = [f"column `{name}`: {count:,} NaN read as missing" for name, count in nans.items()]
    for name in [name for name, found in levels.items() if len(found.values) > _MAX_LEVELS]:
        said.append(f"column `{name}` has {len(levels.pop(name).values):,} levels; kept as text")
    return Table(shown, kept, spool, levels, said)


def _kept_type(item: pa.Field, shown: str) -> pa.DataType:
    """The type that a data object keeps for one; what is no single value per cell is refused."""
    type_ = item.type
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_null(type_):
        return pa.string()
    if pa.types.is_float16(type_):
        return pa.float32()
    if pa.types.is_date(type_):
        return pa.date32()
    if pa.types.is_time(type_):
        return pa.time64("ns" if type_ == pa.time64("ns") else "us")
    if pa.types.is_timestamp(type_):
        return pa.timestamp("ms" if type_.unit == "s" else type_.unit, type_.tz)
    if pa.types.is_duration(type_):
        return pa.duration("ms" if type_.unit == "s" else type_.unit)
    if pa.types.is_decimal(type_) and type_.precision <= 38:
        return pa.decimal128(type_.precision, type_.scale)
    if pa.types.is_boolean(type_) or pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return type_
    raise LoomError(
        f"{shown}: column `{item.name}` cannot be kept",
        f"from row 1 on its cells are of type {str(type_)[:60]}, which is not one number, date or text each",
        "take it apart into plain columns, or leave it out",
    )


def _cast(array: pa.Array, type_: pa.DataType, name: str, shown: str, row: int) -> pa.Array:
    if array.type == type_:
        return array
    try:
        return (array.dictionary_decode() if pa.types.is_dictionary(array.type) else array).cast(type_)
    except pa.ArrowInvalid:
        raise LoomError(
            f"{shown}: column `{name}` cannot be kept",
            f"between rows {row + 1:,} and {row + len(array):,} a cell does not fit the type {type_}",
            "write the table again with the type it needs",
        ) from None


def _without_nan(array: pa.Array) -> tuple[pa.Array, int]:
    """There is one way to be missing."""
    if not pa.types.is_floating(array.type):
        return array, 0
    nan = pc.fill_null(pc.is_nan(array), False)
    count = nan.true_count
    return (pc.if_else(nan, pa.scalar(None, array.type), array), count) if count else (array, 0)


def _gather_levels(levels: dict[str, Levels], name: str, array: pa.DictionaryArray) -> None:
    """Add the levels of one batch behind those already known."""
    seen = levels.get(name, Levels((), array.type.ordered))
    found = [level for level in array.dictionary.to_pylist() if level is not None]
    if tuple(found) != seen.values:
        known = set(seen.values)
        new = (level for level in dict.fromkeys(found) if level not in known)
        seen = Levels((*seen.values, *new), array.type.ordered)
    levels[name] = seen
