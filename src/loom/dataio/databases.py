"""Tables of databases in files, SQLite and DuckDB, opened read-only."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from loom.dataio.addresses import Address
from loom.dataio.columnar import BATCH_ROWS, collect
from loom.dataio.jsonl import with_dates
from loom.dataio.refusals import check_names
from loom.dataio.table import Table
from loom.kernel.errors import LoomError

# what is counted in each column of a SQLite table, whose cells have types of their own
_LOOKS = (
    "typeof({0}) = 'integer'",
    "typeof({0}) = 'real'",
    "typeof({0}) = 'text'",
    "typeof({0}) = 'blob'",
    "typeof({0}) = 'integer' AND {0} NOT BETWEEN -9007199254740992 AND 9007199254740992",
    "{0} NOT IN (0, 1)",
)


@dataclass(frozen=True, slots=True)
class _Cells:
    """How many cells of a column are of each kind, in the order of `_LOOKS`."""

    whole: int
    real: int
    text: int
    blob: int
    large: int
    no_truth: int


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table of a source as `connect` shows it: names, types and counts, never a cell."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: int


def optional_library(name: str, extra: str, source: str) -> Any:
    """A library that only some sources need; a LoomError that names the extra where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise LoomError(
            f"{source} cannot be read",
            f"the library `{name}` is not installed",
            f"pip install 'loom[{extra}]'",
        ) from None


def choose_table(address: Address, tables: Sequence[str]) -> str:
    """The table that was asked for, or the only one there is."""
    if address.table is not None:
        if address.table in tables:
            return address.table
        listed = ", ".join(sorted(tables)[:20]) or "none"
        raise LoomError(
            f"{address.shown} has no table `{address.table}`", f"its tables are: {listed}", "name one of them"
        )
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise LoomError(f"{address.shown} has no tables", "it is empty", "check the address")
    raise LoomError(
        f"{address.shown} has {len(tables)} tables",
        f"none was named of {', '.join(sorted(tables)[:20])}",
        f"add the name: {address.shown}::{sorted(tables)[0]}",
    )


def quoted(name: str) -> str:
    """A name of a table or column as SQL writes it; `schema.table` has two."""
    return '"' + name.replace('"', '""') + '"'


def read_sqlite(address: Address, scratch: Path) -> Table:
    """One table of a SQLite file; columns whose cells differ in type are read as their text would be."""
    try:
        with closing(_open_sqlite(address)) as connection:
            table = choose_table(address, _sqlite_tables(connection))
            return _read_sqlite(connection, table, f"{address.shown}::{table}", scratch)
    except sqlite3.Error as error:
        raise _refused(address, error) from None


def shapes_of_sqlite(address: Address) -> list[TableShape]:
    """Every table of a SQLite file."""
    try:
        with closing(_open_sqlite(address)) as connection:
            return [
                TableShape(
                    name,
                    tuple(
                        (column, declared.lower() or "any")
                        for column, declared in _sqlite_columns(connection, name)
                    ),
                    connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0],
                )
                for name in _sqlite_tables(connection)
            ]
    except sqlite3.Error as error:
        raise _refused(address, error) from None


def read_duckdb(address: Address, scratch: Path) -> Table:
    """One table of a DuckDB file."""
    duckdb = optional_library("duckdb", "duckdb", address.shown)
    try:
        with closing(_open_duckdb(duckdb, address)) as connection:
            table = choose_table(address, _duckdb_tables(connection))
            reader = connection.sql(f"SELECT * FROM {_duckdb_name(table)}").to_arrow_reader(BATCH_ROWS)
            check_names(reader.schema.names, address.shown)
            return collect(reader, reader.schema, f"{address.shown}::{table}", scratch)
    except duckdb.Error as error:
        raise _refused(address, error) from None


def shapes_of_duckdb(address: Address) -> list[TableShape]:
    """Every table of a DuckDB file."""
    duckdb = optional_library("duckdb", "duckdb", address.shown)
    try:
        with closing(_open_duckdb(duckdb, address)) as connection:
            found = []
            for table in _duckdb_tables(connection):
                relation = connection.sql(f"SELECT * FROM {_duckdb_name(table)}")
                types = tuple(
                    (name, str(type_).lower())
                    for name, type_ in zip(relation.columns, relation.types, strict=True)
                )
                found.append(TableShape(table, types, relation.shape[0]))
            return found
    except duckdb.Error as error:
        raise _refused(address, error) from None


def _open_sqlite(address: Address) -> sqlite3.Connection:
    path = _existing(address)
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
    connection.text_factory = bytes  # text that is not UTF-8 is refused with its row, not by the driver
    return connection


def _sqlite_tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "ORDER BY name"
    )
    return [name.decode() for (name,) in rows]


def _sqlite_columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    rows = connection.execute(f"PRAGMA table_info({quoted(table)})")
    return [(row[1].decode(), row[2].decode()) for row in rows]


def _read_sqlite(connection: sqlite3.Connection, table: str, shown: str, scratch: Path) -> Table:
    columns = _sqlite_columns(connection, table)
    names = check_names([name for name, _ in columns], shown)
    looked_for = ", ".join(f"sum({look.format(quoted(name))})" for name in names for look in _LOOKS)
    found = iter(connection.execute(f"SELECT {looked_for} FROM {quoted(table)}").fetchone())
    types: dict[str, pa.DataType] = {}
    said = []
    for name, declared in columns:
        cells = _Cells(*(next(found) or 0 for _ in _LOOKS))
        if cells.blob:
            raise LoomError(
                f"{shown}: column `{name}` cannot be kept",
                f"{cells.blob:,} of its cells are bytes",
                "leave it out in a view",
            )
        types[name] = _sqlite_type(declared, cells)
        if cells.text and (cells.whole or cells.real):
            said.append(f"column `{name}` holds text and numbers ({cells.text:,} of them text); kept as text")
        elif cells.real and cells.large:
            said.append(f"column `{name}`: {cells.large:,} whole numbers beyond 2^53 may be rounded")
    schema = pa.schema(list(types.items()))
    rows = connection.execute(f"SELECT {', '.join(map(quoted, names))} FROM {quoted(table)}")
    table_read = collect(_sqlite_batches(rows, schema, shown), schema, shown, scratch / "rows")
    table_read.warnings.extend(said)
    return with_dates(table_read, scratch / "dates")


def _sqlite_type(declared: str, cells: _Cells) -> pa.DataType:
    if cells.text or not (cells.whole or cells.real):
        return pa.string()
    if cells.real:
        return pa.float64()
    if declared.upper().startswith("BOOL") and not cells.no_truth:
        return pa.bool_()
    decimals = declared.upper().startswith(("REAL", "DOUB", "FLOA")) and not cells.large
    return pa.float64() if decimals else pa.int64()


def _sqlite_batches(rows: sqlite3.Cursor, schema: pa.Schema, shown: str) -> Iterator[pa.RecordBatch]:
    start = 0
    while batch := rows.fetchmany(BATCH_ROWS):
        arrays = [
            _sqlite_array(cells, item, shown, start)
            for item, cells in zip(schema, zip(*batch, strict=True), strict=True)
        ]
        yield pa.record_batch(arrays, schema=schema)
        start += len(batch)


def _sqlite_array(cells: Sequence[Any], item: pa.Field, shown: str, start: int) -> pa.Array:
    if pa.types.is_boolean(item.type):
        return pa.array([None if cell is None else bool(cell) for cell in cells], item.type)
    if pa.types.is_floating(item.type):
        return pa.array([None if cell is None else float(cell) for cell in cells], item.type)
    if not pa.types.is_string(item.type):
        return pa.array(cells, item.type)
    cells = [cell if cell is None or isinstance(cell, bytes) else str(cell).encode() for cell in cells]
    array = pa.array(cells, pa.binary())
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        for row, cell in enumerate(cells, start + 1):
            try:
                (cell or b"").decode("utf-8")
            except UnicodeDecodeError:
                raise LoomError(
                    f"{shown}: row {row:,}, column `{item.name}` cannot be read",
                    "its text is not UTF-8",
                    "correct that row, or leave the column out in a view",
                ) from None
        raise


def _open_duckdb(duckdb: Any, address: Address) -> Any:
    # a view in a file that somebody sent must not read other files, nor fetch any
    return duckdb.connect(str(_existing(address)), read_only=True, config={"enable_external_access": "false"})


def _duckdb_tables(connection: Any) -> list[str]:
    rows = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_catalog = current_database() ORDER BY ALL"
    ).fetchall()
    return [name if schema == "main" else f"{schema}.{name}" for schema, name in rows]


def _duckdb_name(table: str) -> str:
    schema, dot, name = table.partition(".")
    return f"{quoted(schema)}.{quoted(name)}" if dot else f'"main".{quoted(table)}'


def _existing(address: Address) -> Path:
    if address.path is None or not address.path.is_file():
        raise LoomError(
            f"{address.shown} does not exist", f"there is no file {address.path}", f"ls -l {address.path}"
        )
    return address.path


def _refused(address: Address, error: Exception) -> LoomError:
    why = str(error).partition("\n")[0][:200]
    return LoomError(f"{address.shown} cannot be read", why, f"ls -l {address.path}")
