"""Look at a source of data: its tables, columns, types and counts, and never a row."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loom.dataio.addresses import may_reach_out
from loom.dataio.connections import Connections
from loom.dataio.databases import TableShape
from loom.dataio.sources import describe_source
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

_SHOWN = 40


class ConnectSource(Tool):
    """Opens a source read-only, and remembers it where that is asked for."""

    name = "connect_source"
    description = (
        "Open a source of data read-only and list its tables with columns, types and row counts. No cell is "
        "shown. With `save` the address is remembered under a name; a password in it is not."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "source": {
                "type": "string",
                "minLength": 1,
                "description": "File, folder, http(s) file, sqlite:///, postgresql:// or duckdb:// address, "
                "or a saved connection, with `::table` for one of its tables.",
            },
            "save": {"type": ["string", "null"], "description": "Name to remember the source under."},
        },
        "required": ["source"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads", "writes", "network"})
    timeout_seconds = 300.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """A file is only read; saving writes; databases and the web are reached over the network."""
        asked = {"network": may_reach_out(args["source"]), "writes": args.get("save") is not None}
        return self.effects - {effect for effect, wanted in asked.items() if not wanted}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The tables of the source, and the name it was saved under."""
        connections = Connections(Path(ctx.services["home"]))
        address = connections.resolve(args["source"], ctx.services.get("cwd") or ctx.workspace)
        with tempfile.TemporaryDirectory(prefix="loom-connect-", dir=ctx.scratch_dir) as folder:
            shapes = describe_source(address, Path(folder))
        saved = connections.save(args["save"], address) if args.get("save") is not None else None
        data = {
            "verdict": "OK",
            "source": address.shown,
            "kind": address.kind,
            "tables": [_plain(shape) for shape in shapes],
            "saved_as": saved and saved.name,
            "variables": list(saved.variables) if saved else [],
        }
        lines = [f"{address.shown}: {len(shapes)} {'table' if len(shapes) == 1 else 'tables'}"]
        lines += [_line(shape) for shape in shapes]
        if saved is not None:
            lines.append(f"saved as {saved.name}: loom ingest --source {saved.name}{_suffix(shapes)}")
            unset = [name for name in saved.variables if name not in os.environ]
            lines += [f"before that: export {name}=..." for name in unset]
        return ToolResult.ok("\n".join(lines), data)


def _plain(shape: TableShape) -> dict[str, Any]:
    columns = [{"name": name, "dtype": dtype} for name, dtype in shape.columns]
    return {"name": shape.name, "columns": columns, "rows": shape.rows}


def _line(shape: TableShape) -> str:
    columns = ", ".join(f"{name} {dtype}" for name, dtype in shape.columns[:_SHOWN])
    more = f", and {len(shape.columns) - _SHOWN} more" if len(shape.columns) > _SHOWN else ""
    return f"  {shape.name}: {shape.rows:,} rows, {len(shape.columns)} columns: {columns}{more}"


def _suffix(shapes: list[TableShape]) -> str:
    return f"::{shapes[0].name}" if len(shapes) > 1 else ""
