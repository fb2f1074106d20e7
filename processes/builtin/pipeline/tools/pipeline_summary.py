"""List the stages of a pipeline with what they came to: the answer of the run, and its page."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult
from loom.tools.stages import PARAMETERS, chain_of
from loom.tools.stages_page import page


class PipelineSummary(Tool):
    """Judges nothing itself: every verdict is that of a stage."""

    name = "pipeline_summary"
    description = (
        "Name the stages of a pipeline with their runs and verdicts, the first that is not acceptable, the "
        "champion with its score on sealed rows, and the leaks that were left out."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": PARAMETERS,
        "required": ["stages"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 60.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The summary, with the reasons of the judge, what to do next, and the page."""
        chain = chain_of(args["stages"], ctx.services["runs"])
        summary = chain.summary()
        beside = {"reasons": chain.reasons(), "next": list(chain.following()), "card": page(chain)}
        failed = summary["failed_stage"]
        said = (
            f"{len(chain.stages)} stages, {failed} not acceptable"
            if failed
            else f"{len(chain.stages)} stages"
        )
        return ToolResult.ok(said, {**summary, **beside})
