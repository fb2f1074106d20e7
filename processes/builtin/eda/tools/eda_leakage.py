"""Ask of each column of a data object how well it alone predicts the target on rows it has not seen, and why."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._parameters import PARAMETERS


class EdaLeakage(Tool):
    """Every leak test on the open rows."""

    name = "eda_leakage"
    description = (
        "Test the columns of a data object for leaks: columns that give the target away are flagged, those that "
        "are suspiciously good are named, and rows are looked at as rows. Needs a target; says so without one."
    )
    parameters: ClassVar[dict[str, Any]] = PARAMETERS
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 600.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The findings under the keys of the verb's summary."""
        # every step of a run loads every tool; only this one pays for what it computes with
        lines, data = importlib.import_module("._leaking", __package__).tested(args, ctx)
        return ToolResult.ok("\n".join(lines), data)
