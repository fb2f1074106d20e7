"""Make a data object from another one: new columns for its rows, kept whole or not at all.

What is made has the rows of its parent, in their order and with their keys, and no holdout: the sealed rows stay
where they were carved, and the lineage leads there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from loom.dataio.blobs import BlobStore
from loom.dataio.columnar import BATCH_ROWS, collect
from loom.dataio.facts import ColumnFacts, Facts, measure
from loom.dataio.files import FileRef
from loom.dataio.frames import ROW_KEY, FrameRef, PartWriter, levels_of, load
from loom.dataio.objects import FORMAT, PARTS, DataObject
from loom.dataio.ordered import steady_memory
from loom.dataio.roles import role_of
from loom.dataio.sources import dtype_name
from loom.dataio.table import Table
from loom.kernel.errors import LoomError

_AS_IT_IS = "sample_submission"
_UNSEALED = "none: what is sealed stays where the data was brought in"


@dataclass(frozen=True, slots=True)
class Making:
    """What is made of a data object: new columns for `train` and, where there is one, `test`; and what it is called by.

    `kept` are columns of the parent that stay as they are stored, behind the new ones. `files` are bytes with what
    in Loom reads them. `lineage` is plain data about how it was made.
    """

    parent: DataObject
    source: str
    """The pathspec of the parent."""

    frames: Mapping[str, pl.DataFrame]
    kept: tuple[str, ...]
    target: str | None
    files: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)


def derive(making: Making, store: BlobStore, scratch: Path | None = None) -> tuple[str, DataObject]:
    """Keep what was made: the key of its record, which exists only when everything it refers to does, and the object."""
    try:
        with tempfile.TemporaryDirectory(prefix="loom-derive-", dir=scratch) as folder, steady_memory():
            found = _kept(making, store, Path(folder))
            return store.put(found.record()), found
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        where = scratch or tempfile.gettempdir()
        raise LoomError(
            f"what was made of {making.source} cannot be kept", f"{where}: {why}", f"df -h {where}"
        ) from None


def root_of(schema: Mapping[str, Any], pathspec: str) -> str:
    """The data object that was brought in, from which this one was made: its holdout is the one that counts."""
    return str((schema.get("lineage") or {}).get("root") or pathspec)


def _kept(making: Making, store: BlobStore, folder: Path) -> DataObject:
    """Every part in the store, and the object that refers to them."""
    if taken := set(making.files) & {*PARTS, "schema", "data_object"}:
        raise ValueError(f"a file cannot be called {min(taken)}")
    tables: dict[str, Table] = {}
    parts: dict[str, FrameRef] = {}
    for name, frame in making.frames.items():
        table = tables[name] = _table(making, name, frame, folder / name)
        path = folder / f"{name}.parquet"
        _write(table, making.parent.parts[name], path)
        levels = tuple(each for each in table.names if each in table.levels)
        parts[name] = FrameRef(store, store.put(path), table.rows, table.names, levels)
    if _AS_IT_IS in making.parent.parts:
        parts[_AS_IT_IS] = _carried(making.parent.parts[_AS_IT_IS], store)
    files = {name: FileRef.put(content, reader, store) for name, (content, reader) in making.files.items()}
    facts = measure(tables["train"])
    return DataObject(_schema(making, tables["train"], facts, parts), parts, files)


def _table(making: Making, name: str, frame: pl.DataFrame, spool: Path) -> Table:
    """The new columns and the kept ones, in the types that data objects keep."""
    ref = making.parent.parts[name]
    if frame.height != ref.rows:
        raise ValueError(f"{name}: {frame.height} rows were made of {ref.rows}")
    kept = [column for column in making.kept if column in ref.columns]
    new = [column for column in frame.columns if column not in kept]
    whole = frame[new].hstack(load(ref, kept))
    arrow = whole.to_arrow(compat_level=pl.CompatLevel.oldest())
    table = collect(arrow.to_batches(BATCH_ROWS), arrow.schema, f"{making.source}, {name}", spool)
    known = levels_of(ref) if ref.categories else {}
    table.levels.update({column: known[column] for column in kept if column in ref.categories})
    return table


def _write(table: Table, ref: FrameRef, path: Path) -> None:
    """The part as Parquet, each row with the key it had: rows that were equal still are."""
    keys = load(ref, [], keys=True).get_column(ROW_KEY).to_numpy()
    with PartWriter(path, table.schema, table.levels, keys=True) as part:
        start = 0
        for batch in table.batches():
            part.add(batch, keys[start : start + batch.num_rows])
            start += batch.num_rows


def _carried(ref: FrameRef, store: BlobStore) -> FrameRef:
    """A part that stays as it is, in the store of what was made: no reference leads to another flow's blobs."""
    source = ref.store.open(ref.key)
    if isinstance(source, Path):
        key = store.put(source)
    else:
        with source:
            key = store.put(source.read())
    return FrameRef(store, key, ref.rows, ref.columns, ref.categories)


def _schema(making: Making, train: Table, facts: Facts, parts: Mapping[str, FrameRef]) -> dict[str, Any]:
    """What is known of the object, under the names that an ingest uses, and where it comes from."""
    before = making.parent.schema
    return {
        "format": FORMAT,
        "name": before["name"],
        "columns": list(_columns(making, train, facts)),
        "target": making.target,
        "time": before.get("time"),
        "group": before.get("group"),
        "counts": {"rows": train.rows, "columns": len(train.names)}
        | {name: part.rows for name, part in parts.items()},
        "digest": facts.digest,
        "holdout": {"rows": 0, "share": 0, "kind": "none", "how": _UNSEALED, "digest": None, "left_out": []},
        "provenance": before["provenance"],
        "warnings": [],
        "lineage": {
            **making.lineage,
            "source": making.source,
            "root": root_of(before, making.source),
            "source_digest": before["digest"],
            "holdout": {key: before["holdout"].get(key) for key in ("rows", "how", "digest")},
        },
    }


def _columns(making: Making, train: Table, facts: Facts) -> Iterable[dict[str, Any]]:
    before = {column["name"]: column for column in making.parent.schema["columns"]}
    for name in train.names:
        found = facts.columns[name]
        role = before[name]["role"] if name in making.kept else _role(found)
        yield {"name": name, "dtype": dtype_name(train, name), "role": role, "missing": found.missing}


def _role(found: ColumnFacts) -> str:
    """What was computed from columns is never the name of a row, however many values it has."""
    role = role_of(found)
    return "numeric" if role == "id" else role
