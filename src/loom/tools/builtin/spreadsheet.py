"""Create, read, extend and sum up tables in CSV or TSV files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom.tools.context import ToolContext
from loom.tools.files import MAX_WRITE, read_bytes, write_bytes
from loom.tools.results import ToolResult
from loom.tools.schema import many, takes, text, whole
from loom.tools.table import (
    MAX_COLUMNS,
    Table,
    TableError,
    check_columns,
    delimiter_of,
    lay_out,
    read_table,
    summarise,
    write_rows,
)
from loom.tools.threads import in_thread
from loom.tools.tool import Effect, Tool

MAX_SHOWN = 1_000
_CELL = {"type": ["string", "number", "boolean", "null"]}
_ROW = {"anyOf": [{"type": "array", "items": _CELL}, {"type": "object", "additionalProperties": _CELL}]}


class Spreadsheet(Tool):
    """Keeps a table in a file: every row has a cell per column, and a header line names them."""

    name = "spreadsheet"
    description = (
        "Work with a table in a .csv or .tsv file. `create` writes columns and rows, in the place of what was there; `append` adds rows to a table "
        "that exists, as lists in its order or as objects by column name; `read` shows rows from `offset` on; "
        "`summary` gives per column the empty cells, distinct values, and for numbers min, max, sum and mean."
    )
    parameters = takes(
        {
            "operation": text("What to do.", enum=["create", "append", "read", "summary"]),
            "path": text("Path of the table; for reading, attached files too."),
            "columns": many(text("A name."), "Column names; for create.", minItems=1, maxItems=MAX_COLUMNS),
            "rows": many(_ROW, "Rows; for create and append.", maxItems=100_000),
            "offset": whole("Rows to skip; for read.", minimum=0),
            "limit": whole("Rows to show; for read. 100 when left out.", minimum=1, maximum=MAX_SHOWN),
        },
        required=("operation", "path"),
    )
    is_mutating = True
    mutation_target_arg_keys = ("path",)
    effects: frozenset[Effect] = frozenset({"reads", "writes"})

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """Only create and append write."""
        return self.effects if args.get("operation") in ("create", "append") else frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The table, or what became of it."""
        work = {"create": _create, "append": _append, "read": _read, "summary": _summary}[args["operation"]]
        try:
            return await in_thread(lambda _: work(args, ctx))
        except TableError as error:
            return ToolResult.fail(f"{args['path']}: {error}")


def _create(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
    path = ctx.resolve(args["path"])
    delimiter = delimiter_of(path)
    if "columns" not in args:
        raise TableError("create needs columns")
    columns = check_columns(args["columns"])
    rows = lay_out(columns, args.get("rows", []))
    changed = write_bytes(path, write_rows([columns, *rows], delimiter))
    return _written(ctx.relative(path), Table(columns, rows), len(rows), changed)


def _append(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
    path = ctx.resolve(args["path"])
    delimiter = delimiter_of(path)
    content, table = _load(path)
    rows = lay_out(table.columns, args.get("rows", []))
    name = ctx.relative(path)
    if not rows:
        return ToolResult.ok(f"{name} is as it was: no rows were given", data=_facts(name, table, 0))
    ended = content if content.endswith(b"\n") else content + b"\n"
    write_bytes(path, ended + write_rows(rows, delimiter))
    return _written(name, Table(table.columns, [*table.rows, *rows]), len(rows), changed=True)


def _read(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
    path = ctx.resolve_read(args["path"])
    _, table = _load(path)
    start = args.get("offset", 0)
    rows = table.rows[start : start + args.get("limit", 100)]
    shown = write_rows([table.columns, *rows], delimiter_of(path)).decode("utf-8", "replace")
    data = {**_facts(ctx.logical(path, args["path"]), table, 0), "offset": start, "rows": rows}
    return ToolResult.ok(shown, data=data, truncated=start + len(rows) < len(table.rows))


def _summary(args: dict[str, Any], ctx: ToolContext) -> ToolResult:
    path = ctx.resolve_read(args["path"])
    _, table = _load(path)
    found = summarise(table)
    lines = [f"{len(table.rows):,} rows, {len(table.columns)} columns"]
    for column in found:
        said = f"{column['name']}: {column['type']}, {column['empty']} empty, {column['distinct']} distinct"
        if column["type"] == "number":
            said += f", min {column['min']:g}, max {column['max']:g}, mean {column['mean']:g}, sum {column['sum']:g}"
        lines.append(said)
    data = {**_facts(ctx.logical(path, args["path"]), table, 0), "summary": found}
    return ToolResult.ok("\n".join(lines), data=data)


def _load(path: Path) -> tuple[bytes, Table]:
    delimiter = delimiter_of(path)
    content, more = read_bytes(path, MAX_WRITE)
    if more:
        raise TableError(f"it is larger than {MAX_WRITE:,} bytes")
    return content, read_table(content, delimiter)


def _facts(name: str, table: Table, added: int) -> dict[str, Any]:
    return {"path": name, "columns": list(table.columns), "n_rows": len(table.rows), "added": added}


def _written(name: str, table: Table, added: int, changed: bool) -> ToolResult:
    said = f"{name} has {len(table.rows):,} rows, {added:,} of them new"
    return ToolResult.ok(said, data=_facts(name, table, added), files_changed=[name] if changed else [])
