"""Write the report: the same figures for people, for editors and for machines, each with where it was read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._document import document_of
from ._empty import empty
from ._files import place_of, places_of, ready, written
from ._markdown import Markdown
from ._material import Material
from ._page import page_of, placed
from ._plain import json_of
from ._supported import refuse_unsupported


class ReportDocument(Tool):
    """Writes nothing that a run does not say: every number is looked up again before a file is touched."""

    name = "report_document"
    description = (
        "Write a report on runs that were gathered: verdict and reasons first, then what was measured, method and "
        "lineage. A number that no run says makes it an error."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "material": {"type": "object", "description": "What report_lineage answered."},
            "out": {
                "type": ["string", "null"],
                "description": "File that gets the report, .html, .md or .json; a folder gets all three.",
            },
        },
        "required": ["material"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads", "writes"})
    timeout_seconds = 300.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """Without a file of the caller's, nothing changes."""
        return self.effects if args.get("out") else self.effects - {"writes"}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The report, where it was written, and the page of the run."""
        told, out = args["material"], args.get("out")
        places = places_of(out, Path(ctx.services.get("cwd") or Path.cwd())) if out else {}
        ready(places)
        material = Material.of(told, ctx.services["numbers"])
        if not material.runs:
            return empty(told, material)
        document = document_of(material, told["asked"])
        text = Markdown()
        markdown = text.write(document)
        refuse_unsupported(markdown, text.citations, ctx)
        summary = {
            "sections": [section.key for section in document.sections],
            "runs": list(dict.fromkeys(each.pathspec for each in text.citations)),
            "missing_sections": [each.section for each in document.missing],
        }
        following = [
            each.command for each in document.missing if each.command and "COLUMN" not in each.command
        ]
        card = page_of(document, material)
        if places:
            answer = {
                "verb": "report",
                "status": "ok",
                "VERDICT": "OK",
                "summary": summary,
                "next": following,
            }
            page = ctx.services["page"](answer, (), card) if "html" in places else ""
            written(places, {"html": page, "md": markdown, "json": json_of(document, summary)})
        where = place_of(places)
        missing = [
            {"section": each.section, "why": each.why, "command": each.command} for each in document.missing
        ]
        data = {
            "verdict": "OK",
            **summary,
            "missing": missing,
            "numbers": len(text.citations),
            "path": str(where) if where else None,
            "reasons": [],
            "next": list(dict.fromkeys(following)),
            "card": placed(card, where),
        }
        told_where = f", written to {where}" if where else ""
        return ToolResult.ok(
            f"{len(text.citations):,} figures of {len(summary['runs']):,} runs{told_where}", data
        )
