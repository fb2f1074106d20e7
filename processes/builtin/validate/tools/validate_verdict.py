"""Hold every measurement against its rule, and conclude: verdict, reasons, what to do next, the page."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.science.judgement import judge
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._following import following
from ._page import page
from ._reasons import reasons_of
from ._summary import summary_of


class ValidateVerdict(Tool):
    """Sees figures and no data: the same figures give the same verdict."""

    name = "validate_verdict"
    description = (
        "Judge the measurements of a model: PASS only when no rule speaks against it and all of them could be "
        "applied, with a reason, its value and its threshold for everything that does."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "measurements": {"type": "object", "description": "What validate_model answered."},
            "metric": {
                "type": ["string", "null"],
                "description": "As it was asked for; the measurements know it.",
            },
            "fairness": {
                "enum": ["review", "strict", None],
                "description": "Whether a breach of fairness is to be reviewed or fails the model.",
            },
            "accept_suspect": {
                "type": ["array", "null"],
                "items": {"type": "string"},
                "description": "Suspects that somebody vouches for.",
            },
        },
        "required": ["measurements"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset()

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The verdict and all it rests on."""
        measured = args["measurements"]
        strict, accepted = args.get("fairness") == "strict", args.get("accept_suspect") or []
        found = judge(measured, accepted=accepted, strict=strict)
        reference = ctx.services.get("pathspec")
        asked = {"strict": strict, "accepted": list(accepted)}
        commands = following(found.verdict, found.reasons, measured, asked, ctx.services["runs"], reference)
        beside = {
            "verdict": found.verdict,
            "reasons": reasons_of(found, measured, accepted),
            "next": commands,
            "card": page(found, measured, asked),
        }
        summary = summary_of(measured, accepted, reference)
        said = sum(reason.severity != "info" for reason in found.reasons)
        against = "nothing speaks against it" if not said else f"{said:,} reasons speak against it"
        return ToolResult.ok(f"{found.verdict}: {against}", summary | beside)
