"""Write a text file in the workspace."""

from __future__ import annotations

from typing import Any

from loom.tools.context import ToolContext
from loom.tools.files import append_bytes, write_bytes
from loom.tools.results import ToolResult
from loom.tools.schema import takes, text
from loom.tools.tool import Effect, Tool

MAX_CONTENT = 4 * 1024 * 1024


class WriteFile(Tool):
    """Creates, replaces or extends one file; a reader never sees half of it."""

    name = "write_file"
    description = (
        "Write a text file in the workspace. Folders are made as needed. mode `replace` (the default) takes the "
        "place of what is there, `append` adds to its end, `create` refuses when the file exists."
    )
    parameters = takes(
        {
            "path": text("Path in the workspace."),
            "content": text("The text to write.", maxLength=MAX_CONTENT),
            "mode": text("How to treat a file that exists.", enum=["replace", "append", "create"]),
        },
        required=("path", "content"),
    )
    is_mutating = True
    mutation_target_arg_keys = ("path",)
    effects: frozenset[Effect] = frozenset({"writes"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The file as it is now, and whether that is a change."""
        path = ctx.resolve(args["path"])
        shown = ctx.relative(path)
        content = args["content"].encode("utf-8", "surrogatepass")
        mode = args.get("mode", "replace")
        if mode == "create" and path.exists():
            return ToolResult.fail(f"{shown} exists; choose another name, or mode `replace`")
        try:
            changed = append_bytes(path, content) if mode == "append" else write_bytes(path, content)
        except IsADirectoryError:
            return ToolResult.fail(f"{shown} is a folder")
        done = f"wrote {len(content):,} bytes to {shown}" if changed else f"{shown} already held this"
        data = {"path": shown, "bytes": path.stat().st_size, "changed": changed}
        return ToolResult.ok(done, data=data, files_changed=[shown] if changed else [])
