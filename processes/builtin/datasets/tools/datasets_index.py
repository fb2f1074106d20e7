"""List the data objects that can be worked on."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

_DEFAULT = 20


class DatasetsIndex(Tool):
    """Reads the catalogue, and opens none of what it lists."""

    name = "datasets_index"
    description = "List data objects, the newest first: pathspec, name, rows, columns and when they came in."
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "limit": {
                "type": ["integer", "null"],
                "minimum": 1,
                "description": "At most this many; 20 when null.",
            },
            "name": {"type": ["string", "null"], "description": "Only those whose name contains this."},
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The newest entries of the catalogue."""
        limit = args.get("limit")
        found = ctx.services["catalogue"].objects(_DEFAULT if limit is None else limit, args.get("name"))
        entries = [
            {
                "pathspec": entry.pathspec,
                "name": entry.name,
                "rows": entry.rows,
                "cols": entry.cols,
                "created": entry.created.isoformat(timespec="seconds"),
            }
            for entry in found
        ]
        lines = [f"{each['pathspec']}  {each['name']}  {each['rows']:,} x {each['cols']}" for each in entries]
        return ToolResult.ok("\n".join(lines) or "no data objects", {"verdict": "OK", "datasets": entries})
