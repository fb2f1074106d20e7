"""One answer from the three looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from loom.tools.card import card
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

_ORDER = ("OK", "WARN", "EMPTY", "DRIFT")  # the worst last
_LOOKS = ("drift", "health", "leaderboard")
_SEVERITY = {"error": 0, "warning": 1}
_LOOK: dict[str, Any] = {
    "type": "object",
    "description": "What the look found; no verdict where it was not asked.",
}


class OpsSummary(Tool):
    """Concludes with the worst of the looks that were taken, and lays out the page of the run."""

    name = "ops_summary"
    description = (
        "Join health, leaderboard and drift: the worst of them is the verdict, EMPTY where none was taken."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": dict.fromkeys(_LOOKS, _LOOK),
        "required": list(_LOOKS),
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset()
    timeout_seconds = 60.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """Verdict, reasons, next commands, summary and page."""
        looks: dict[str, Mapping[str, Any]] = {name: args[name] for name in _LOOKS}
        taken = [look for look in looks.values() if look.get("verdict")]
        verdict = max((look["verdict"] for look in taken), key=_ORDER.index, default="EMPTY")
        reasons = [reason for look in taken for reason in look.get("reasons") or ()]
        following = [command for look in taken for command in look.get("next") or ()]
        pages = [look.get("page") or {} for look in taken]
        data = {
            "verdict": verdict,
            "health": looks["health"].get("health"),
            "leaderboard": looks["leaderboard"].get("leaderboard") or [],
            "drift": looks["drift"].get("drift"),
            "reasons": sorted(reasons, key=lambda reason: _SEVERITY.get(str(reason["severity"]), 2)),
            "next": list(dict.fromkeys(following)),
            "card": card(
                numbers=[number for page in pages for number in page.get("numbers") or ()],
                sections=[section for page in pages for section in page.get("sections") or ()],
            ),
        }
        return ToolResult.ok(f"VERDICT: {verdict}", data)
