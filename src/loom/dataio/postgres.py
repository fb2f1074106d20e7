"""Tables of a PostgreSQL server, streamed as COPY text and typed by what the server declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.dataio.addresses import Address, secrets_of
from loom.dataio.databases import TableShape, choose_table, optional_library, quoted
from loom.dataio.dates import DateFormat
from loom.dataio.delimited import Delimited, no_rows
from loom.dataio.records import Dialect
from loom.dataio.refusals import check_names
from loom.dataio.scan import scan
from loom.dataio.table import Levels, Table
from loom.dataio.typing import TEXT, Decision
from loom.kernel.errors import LoomError

_ISO = r"\d{4}-\d{1,2}-\d{1,2}"
_DAY = Decision("date", DateFormat("%Y-%m-%d", _ISO))
_MOMENT = Decision("date", DateFormat("%Y-%m-%d", _ISO, " ", seconds=True))
_ZONED = Decision("date", DateFormat("%Y-%m-%d", _ISO, " ", seconds=True, zone=True))
_TYPES: Mapping[str, Decision] = {
    "boolean": Decision("boolean"),
    "smallint": Decision("integer"),
    "integer": Decision("integer"),
    "bigint": Decision("integer"),
    "real": Decision("float"),
    "double precision": Decision("float"),
    "date": _DAY,
    "timestamp without time zone": _MOMENT,
    "timestamp with time zone": _ZONED,
}
# how a column is written where the server's own way leaves out what its type needs
_WRITTEN = {
    "boolean": "({})::text",
    "timestamp with time zone": "({} AT TIME ZONE 'UTC')::text || '+00:00'",
}
_REFUSED = {"bytea": "bytes", "ARRAY": "arrays"}


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    declared: str
    precision: int | None
    scale: int | None
    enum: str | None


def read_postgres(address: Address, scratch: Path) -> Table:
    """One table, in one read-only transaction."""
    psycopg = optional_library("psycopg", "postgresql", address.shown)
    path = scratch / "copy.csv"
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        with closing(_connect(psycopg, address)) as connection:
            table = choose_table(address, _tables(connection))
            columns = _columns(connection, table)
            shown = f"{address.shown}::{table}"
            names = check_names([column.name for column in columns], shown)
            levels = _levels(connection, columns)
            _refuse_compound(columns, shown)
            with path.open("wb") as file, connection.cursor().copy(_copy(table, columns)) as rows:
                for piece in rows:
                    file.write(piece)
    except psycopg.Error as error:
        raise _refused(address, error) from None
    if not path.stat().st_size:
        raise no_rows(shown)
    file_read = Delimited(path, shown, None, Dialect(b",", b"\n"), names, 0, quoted_is_missing=False)
    fixed = {column.name: decision for column in columns if (decision := _decision(column)) is not None}
    (read,) = scan([file_read], scratch, fixed)
    read.levels.update(levels)
    return read


def shapes_of_postgres(address: Address) -> list[TableShape]:
    """Every table and view that the user may see."""
    psycopg = optional_library("psycopg", "postgresql", address.shown)
    try:
        with closing(_connect(psycopg, address)) as connection:
            return [
                TableShape(
                    table,
                    tuple(
                        (column.name, column.enum or column.declared)
                        for column in _columns(connection, table)
                    ),
                    connection.execute(f"SELECT count(*) FROM {_name(table)}").fetchone()[0],
                )
                for table in _tables(connection)
            ]
    except psycopg.Error as error:
        raise _refused(address, error) from None


def _connect(psycopg: Any, address: Address) -> Any:
    connection = psycopg.connect(address.text, connect_timeout=10)
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.execute(
        "SET LOCAL datestyle = ISO; SET LOCAL client_encoding = 'UTF8'; SET LOCAL extra_float_digits = 1"
    )
    return connection


def _tables(connection: Any) -> list[str]:
    rows = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
    ).fetchall()
    return [name if schema == "public" else f"{schema}.{name}" for schema, name in rows]


def _name(table: str) -> str:
    schema, dot, name = table.partition(".")
    return f"{quoted(schema)}.{quoted(name)}" if dot else f'"public".{quoted(table)}'


def _columns(connection: Any, table: str) -> list[_Column]:
    schema, dot, name = table.partition(".")
    rows = connection.execute(
        "SELECT c.column_name, c.data_type, c.numeric_precision, c.numeric_scale, "
        "(SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
        " WHERE t.typtype = 'e' AND t.typname = c.udt_name AND n.nspname = c.udt_schema) "
        "FROM information_schema.columns c WHERE c.table_schema = %s AND c.table_name = %s "
        "ORDER BY c.ordinal_position",
        (schema if dot else "public", name if dot else table),
    ).fetchall()
    return [_Column(*row) for row in rows]


def _levels(connection: Any, columns: Sequence[_Column]) -> dict[str, Levels]:
    found = {}
    for column in columns:
        if column.enum is not None:
            rows = connection.execute(
                "SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid "
                "WHERE t.typname = %s ORDER BY e.enumsortorder",
                (column.enum,),
            ).fetchall()
            found[column.name] = Levels(tuple(label for (label,) in rows), ordered=True)
    return found


def _decision(column: _Column) -> Decision | None:
    """The type the server declares; None where its text has to tell."""
    if column.declared == "numeric":
        if column.precision is None or column.precision > 38:
            return None
        return Decision("decimal", decimal=(column.precision, column.scale or 0))
    return _TYPES.get(column.declared, TEXT)


def _copy(table: str, columns: Sequence[_Column]) -> str:
    cells = ", ".join(_WRITTEN.get(column.declared, "{}").format(quoted(column.name)) for column in columns)
    return f"COPY (SELECT {cells} FROM {_name(table)}) TO STDOUT (FORMAT csv)"


def _refuse_compound(columns: Sequence[_Column], shown: str) -> None:
    for column in columns:
        if column.declared in _REFUSED:
            raise LoomError(
                f"{shown}: column `{column.name}` cannot be kept",
                f"from row 1 on its cells are {_REFUSED[column.declared]}",
                "leave it out in a view",
            )


def _refused(address: Address, error: Exception) -> LoomError:
    # the driver's message may repeat the address with its password
    why = " ".join(str(error).split()) or type(error).__name__
    for secret in secrets_of(address.text):
        why = why.replace(secret, "…")
    why = why[:300]
    return LoomError(f"{address.shown} cannot be read", why, f"psql {address.shown}")
