"""Count rows and empty cells of a table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from loom.tools.registry import Tool, ToolContext, ToolResult

SAMPLE = Path(__file__).parent.parent / "sample.csv"


class Completeness(Tool):
    """Reads a CSV file and says how complete each column is."""

    @property
    def name(self) -> str:
        return "{{tool}}_profile"  # unique among all tools, hence the package's name in front

    @property
    def description(self) -> str:
        return "Read a CSV file with a header line and count rows and, per column, empty cells."

    @property
    def parameters(self) -> dict[str, Any]:
        # a JSON Schema; `loom process check` compares the arguments in process.yaml with it
        return {
            "type": "object",
            "properties": {
                "table": {
                    "type": ["string", "null"],
                    "description": "Path of the CSV file; the bundled sample when left out.",
                },
            },
        }

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        raw = args.get("table")
        try:
            # attached files need not lie in the workspace, so reads go through the read resolver
            path = (
                self._resolve_read_path(raw, ctx.workspace, ctx.read_roots, ctx.read_path_map)
                if raw
                else SAMPLE
            )
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows, empty = _count(csv.DictReader(file))
        except (OSError, ValueError, csv.Error) as error:
            return ToolResult.fail(f"{raw or 'the sample'} cannot be read: {error}")
        if not empty:
            return ToolResult.fail(f"{raw or 'the sample'} has no header line")
        missing = {column: count / rows if rows else 0.0 for column, count in empty.items()}
        return ToolResult.ok(f"{rows} rows, {len(missing)} columns", data={"rows": rows, "missing": missing})


def _count(reader: csv.DictReader[str]) -> tuple[int, dict[str, int]]:
    """Rows, and empty cells per column; a row that is too short counts as empty at its end."""
    empty = dict.fromkeys(reader.fieldnames or (), 0)
    rows = 0
    for row in reader:
        rows += 1
        for column in empty:
            empty[column] += not (row[column] or "").strip()
    return rows, empty
