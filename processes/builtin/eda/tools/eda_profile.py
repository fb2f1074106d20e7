"""Profile a data object: what its columns are, how they lie, what repeats, and what goes together."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._parameters import PARAMETERS


class EdaProfile(Tool):
    """One look at every column of the open rows."""

    name = "eda_profile"
    description = (
        "Profile a data object: type, role, missing share, distinct values and shape of every column, the "
        "target and its balance, repeated rows, the strongest relations, and what looks odd. No cell is shown."
    )
    parameters: ClassVar[dict[str, Any]] = PARAMETERS
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 600.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The profile in the words of the verb's summary, and what the data object is."""
        # every step of a run loads every tool; only this one pays for what it computes with
        lines, data = importlib.import_module("._profiling", __package__).profiled(args, ctx)
        return ToolResult.ok("\n".join(lines), data)
