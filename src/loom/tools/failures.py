"""Turns what a tool raised into a failed result that a model may read."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from loom.kernel.errors import LoomError
from loom.kernel.redact import redact
from loom.sandbox.policy import WeakSandboxError
from loom.tools.context import NotPermittedError
from loom.tools.paths import PathRefusedError
from loom.tools.results import ToolResult

if TYPE_CHECKING:
    from loom.core.messages import ErrorKind
    from loom.tools.context import ToolContext
    from loom.tools.tool import Tool

MAX_FAULT = 16 * 1024


def failure_of(error: BaseException, tool: Tool, ctx: ToolContext) -> ToolResult:
    """A failed result for an exception: its kind and place, never its text, which may quote somebody's data."""
    name = type(tool).__name__
    if isinstance(error, PathRefusedError | NotPermittedError):
        return ToolResult.fail(str(error), kind="safety")
    if isinstance(error, LoomError):
        kind: ErrorKind = "safety" if isinstance(error, WeakSandboxError) else "tool"
        # whoever shows it to a person has the three lines apart
        told = {"what": error.what, "why": error.why, "fix": error.fix}
        return ToolResult.fail(f"{error.what}: {error.why}; {error.fix}", {"error": told}, kind=kind)
    fault = redact("".join(traceback.format_exception(error)))[-MAX_FAULT:]
    what = f"{type(error).__name__} in {name}{_place(error, tool)}"
    if isinstance(error, TimeoutError):
        return ToolResult.fail(f"something took too long: {what}", kind="timeout", fault=fault)
    if isinstance(error, OSError):
        said = (error.strerror or "input or output failed").lower()
        where = f"{ctx.logical(Path(error.filename))}: " if isinstance(error.filename, str) else ""
        return ToolResult.fail(f"{where}{said}", kind="io", retryable=not where, fault=fault)
    return ToolResult.fail(f"unexpected {what}", fault=fault)


def place_of(error: BaseException, folder: Path | None = None) -> tuple[str, int] | None:
    """The file and line that raised, the last one below a folder if that is asked for."""
    frames = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno or 0))
    for filename, line in reversed(frames):
        if folder is None or Path(filename).is_relative_to(folder):
            return filename, line
    return None


def _place(error: BaseException, tool: Tool) -> str:
    source = getattr(sys.modules.get(type(tool).__module__), "__file__", None)
    found = (place_of(error, Path(source).parent) if source else None) or place_of(error)
    return f", {Path(found[0]).name} line {found[1]}" if found else ""
