"""Settle on the one data object that every later stage works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from loom.kernel.errors import LoomError
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

_COMMAND = "loom --process ds-lifecycle --input"


class DsLifecycleDataset(Tool):
    """Takes what was ingested or what was named; neither or both is an error."""

    name = "ds_lifecycle_dataset"
    description = (
        "Name the one data object to work on: the one that was just brought in, or one that was there."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "given": {"type": ["string", "null"], "description": "Data object that was named."},
            "ingested": {
                "type": ["array", "null"],
                "items": {"type": "object"},
                "description": "Summaries of what was brought in.",
            },
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset()
    timeout_seconds = 30.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The pathspec of the data object."""
        named = _only(args.get("given"), args.get("ingested") or [])
        return ToolResult.ok(named, {"dataset_ref": named})


def _only(given: str | None, ingested: list[Mapping[str, Any]]) -> str:
    refs = [str(each["dataset_ref"]) for each in ingested]
    if given and refs:
        why = f"a source was brought in as {', '.join(refs)}, and {given} was named"
        raise LoomError("there are two things to work on", why, f"{_COMMAND} dataset={given}")
    if len(refs) > 1:
        why = f"the sources are {len(refs)} data objects now: {', '.join(refs)}"
        raise LoomError("there is more than one thing to work on", why, f"{_COMMAND} dataset={refs[0]}")
    if not given and not refs:
        why = "it takes a source to bring in, or a data object that is there"
        raise LoomError("nobody said which data to work on", why, f"{_COMMAND} source=data.csv")
    return given or refs[0]
