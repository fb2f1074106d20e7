"""Bring a table in as a data object: types kept, bad input refused, a holdout sealed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loom.dataio.addresses import may_reach_out
from loom.dataio.connections import Connections
from loom.dataio.ingest import Request, ingest
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult


class IngestDataset(Tool):
    """Reads a source once and keeps it whole or not at all; what refers to it is registered by the run."""

    name = "ingest_dataset"
    description = (
        "Bring a table in as a versioned data object: types survive, malformed input is refused with its row "
        "and column, and a holdout is sealed before anybody has seen the rest."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "source": {
                "type": "string",
                "minLength": 1,
                "description": "File, folder, address of a database, or a saved connection (`name::table`).",
            },
            "name": {
                "type": ["string", "null"],
                "description": "Name of the data object; taken from the source when null.",
            },
            "target": {"type": ["string", "null"], "description": "Column to predict."},
            "time": {
                "type": ["array", "null"],
                "items": {"type": "string", "minLength": 1},
                "description": "Column of the time, or those of its parts from the largest to the smallest.",
            },
            "group": {
                "type": ["string", "null"],
                "description": "Column of the entity whose rows stay together.",
            },
            "holdout": {
                "type": ["number", "null"],
                "minimum": 0,
                "exclusiveMaximum": 1,
                "description": "Share of the rows that is sealed; 0.2 when null.",
            },
        },
        "required": ["source"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads", "writes", "network"})
    timeout_seconds = 3600.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """A file is read without any network."""
        return self.effects if may_reach_out(args["source"]) else self.effects - {"network"}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The summary of the data object, and the key of its record."""
        connections = Connections(Path(ctx.services["home"]))
        share = args.get("holdout")
        request = Request(
            source=connections.resolve(args["source"], ctx.services.get("cwd") or ctx.workspace),
            name=args.get("name"),
            target=args.get("target"),
            time=tuple(args.get("time") or ()),
            group=args.get("group"),
            **({} if share is None else {"share": share}),
        )
        record, found = ingest(request, ctx.services["blobs"], ctx.scratch_dir)
        schema, counts = found.schema, found.schema["counts"]
        data = {
            "verdict": "OK",
            "data_object": record,
            "dataset_ref": ctx.services.get("pathspec"),
            "name": schema["name"],
            "n_rows": counts["rows"],
            "n_cols": counts["columns"],
            "target": schema["target"],
            "time": schema["time"],
            "group": schema["group"],
            "holdout": {key: schema["holdout"][key] for key in ("rows", "how", "digest")},
            "digest": schema["digest"],
            "warnings": schema["warnings"],
        }
        lines = [
            f"{schema['name']}: {counts['rows']:,} rows, {counts['columns']} columns",
            f"sealed: {schema['holdout']['how']}",
            *(f"note: {line}" for line in schema["warnings"]),
        ]
        return ToolResult.ok("\n".join(lines), data)
