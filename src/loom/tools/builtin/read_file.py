"""Read a text file, or some of its lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.tools.context import ToolContext
from loom.tools.files import MAX_READ, open_file
from loom.tools.results import ToolResult
from loom.tools.schema import takes, text, whole
from loom.tools.threads import Stop, in_thread
from loom.tools.tool import Effect, Tool

_LOOKED_AT = 8 * 1024
_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines that were asked for."""

    content: bytes
    first: int
    last: int
    total: int | None
    truncated: bool


class ReadFile(Tool):
    """Reads text from the workspace or from what was attached, a megabyte at most."""

    name = "read_file"
    description = (
        "Read a text file from the workspace or from an attached file or folder. Long files are cut at 1 MiB; "
        "give start_line and end_line to read a part."
    )
    parameters = takes(
        {
            "path": text("Path in the workspace, or an attached alias, or a path below one."),
            "start_line": whole("First line to read, from 1.", minimum=1),
            "end_line": whole("Last line to read.", minimum=1),
        },
        required=("path",),
    )
    effects: frozenset[Effect] = frozenset({"reads"})
    max_output_bytes = MAX_READ

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The text, with what of the file it is."""
        path = ctx.resolve_read(args["path"])
        shown = ctx.logical(path, args["path"])
        first, last = args.get("start_line", 1), args.get("end_line")
        if last is not None and last < first:
            return ToolResult.fail(f"end_line {last} is before start_line {first}", kind="contract")
        try:
            found = await in_thread(lambda stop: _read(path, first, last, stop))
        except IsADirectoryError:
            return ToolResult.fail(f"{shown} is a folder; use search_files to see what is in it")
        if found is None:
            return ToolResult.fail(f"{shown} is not text")
        if found.total is not None and first > max(found.total, 1):
            return ToolResult.fail(f"{shown} has {found.total} lines; start_line is {first}")
        data = {
            "path": shown,
            "start_line": found.first,
            "end_line": found.last,
            "total_lines": found.total,
            "bytes": len(found.content),
            "truncated": found.truncated,
        }
        return ToolResult.ok(found.content.decode("utf-8", "replace"), data=data, truncated=found.truncated)


def _read(path: Path, first: int, last: int | None, stop: Stop) -> _Lines | None:
    """The lines from first to last that fit into the limit; None for a file that is not text."""
    kept = bytearray()
    line, taken, open_line = 1, first - 1, False
    with open_file(path) as file:
        while piece := file.readline(_BLOCK):
            stop.check()
            if line == 1 and b"\0" in piece[:_LOOKED_AT]:
                return None
            if line >= first:
                room = MAX_READ - len(kept)
                kept += piece[:room]
                taken = line
                if len(piece) > room:
                    return _Lines(bytes(kept), first, taken, None, truncated=True)
            open_line = not piece.endswith(b"\n")
            line += not open_line
            if last is not None and line > last:
                return _Lines(bytes(kept), first, taken, None, truncated=False)
    return _Lines(bytes(kept), first, taken, line if open_line else line - 1, truncated=False)
