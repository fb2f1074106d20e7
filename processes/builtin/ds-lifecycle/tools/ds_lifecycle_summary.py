"""Say what the whole way came to: the stages, the champion, the leaks that were left out, and where the report is."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.core.commands import command
from loom.tools.card import Block, column, table
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
        data = {
            **chain.summary(),
            **report,
            "reasons": chain.reasons(),
            "next": [*chain.following(), *_reporting(chain)],
            "card": page(chain, more=_where(chain)),
        }
        return ToolResult.ok(f"{len(chain.stages)} stages", data)


def _where(chain: Chain) -> list[Block]:
    """Where the report is: a file if somebody wanted one, and its run in any case."""
    stage, path = chain.get("report"), chain.found("report", "path")
    named = stage.pathspec if stage else None
    rows = [
        {"as": what, "where": each}
        for what, each in (("file", path), ("page", named and f"loom show {named} --open"))
        if each
    ]
    return [table("The report", [column("as", "as"), column("where", "where", "code")], rows)] if rows else []


def _reporting(chain: Chain) -> list[str]:
    """How to have the report as a file, where nobody asked for one."""
    experiment = chain.found("optimize", "experiment_id")
    if chain.found("report", "path") or not experiment:
        return []
    return [command("report", experiment=experiment, out="report.html")]
