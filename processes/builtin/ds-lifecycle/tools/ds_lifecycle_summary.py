"""Say what the whole way came to: the stages, the champion, the leaks that were left out, and where the report is."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.core.commands import command
from loom.tools.card import facts
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult
from loom.tools.stages import PARAMETERS, Chain, chain_of
from loom.tools.stages_page import page

_LIST = {"type": ["array", "null"]}
_INGESTED = {
    "type": "object",
    "description": "What was brought in: pathspecs, verdicts and summaries.",
    "properties": {"pathspec": _LIST, "verdict": _LIST, "summary": _LIST},
    "additionalProperties": False,
}
_OF_REPORT = ("sections", "runs", "missing_sections", "path")


class DsLifecycleSummary(Tool):
    """Judges nothing itself: every verdict is that of a stage."""

    name = "ds_lifecycle_summary"
    description = (
        "Name the stages of a lifecycle with their runs and verdicts, the champion with its score on sealed rows, "
        "the leaks that were left out, and the report."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {**PARAMETERS, "ingested": _INGESTED},
        "required": ["stages"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 60.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The summary, with the reasons of the judge, what to do next, and the page."""
        brought = args.get("ingested") or {}
        columns = [brought.get(name) or [] for name in ("pathspec", "verdict", "summary")]
        before = [
            {"verb": "ingest", "pathspec": run, "verdict": verdict, "summary": summary}
            for run, verdict, summary in zip(*columns, strict=True)
        ]
        chain = chain_of([*before, *args["stages"]], ctx.services["runs"])
        report = {name: chain.found("report", name) for name in _OF_REPORT}
        where = {"report": report["path"] or _shown(chain)}
        data = {
            **chain.summary(),
            **report,
            "reasons": chain.reasons(),
            "next": [*chain.following(), *_reporting(chain)],
            "card": page(chain, more=[facts("The report", where)], told=where),
        }
        return ToolResult.ok(f"{len(chain.stages)} stages", data)


def _shown(chain: Chain) -> str | None:
    stage = chain.get("report")
    return stage.pathspec if stage else None


def _reporting(chain: Chain) -> list[str]:
    """How to have the report as a file, where nobody asked for one."""
    experiment = chain.found("optimize", "experiment_id")
    if chain.found("report", "path") or not experiment:
        return []
    return [command("report", experiment=experiment, out="report.html")]
