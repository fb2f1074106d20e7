"""Join both looks at a data object into one answer: verdict, summary, reasons, what to do next, and the page."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._findings import reasons_of
from ._following import following
from ._page import page

_KEYS = (
    *(
        "n_rows",
        "n_cols",
        "target",
        "time_col",
        "time_declared",
        "group_col",
        "possible_groups",
        "duplicates",
    ),
    *("leakage_flags", "leakage_suspects", "leakage_blocking", "columns", "top_correlations"),
    *("leakage_excluded", "leakage_checks", "leakage_task", "leakage_rows", "leakage_scores"),
)
"""The summary in the order in which it is read."""


class EdaSummary(Tool):
    """Concludes; it reads no data."""

    name = "eda_summary"
    description = (
        "Join a profile and the findings of the leak tests: FLAGGED exactly when a column is flagged, with a "
        "reason for everything odd, the commands that make sense next, and the card."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "profile": {"type": "object", "description": "What eda_profile answered."},
            "leakage": {"type": "object", "description": "What eda_leakage answered."},
        },
        "required": ["profile", "leakage"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset()

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The summary of the verb, and what stands beside it."""
        profile, leakage = args["profile"], args["leakage"]
        verdict = "FLAGGED" if leakage["leakage_flags"] else "OK"
        reasons = reasons_of(profile, leakage)
        summary = {
            "dataset_ref": profile["about"]["dataset_ref"],
            **{key: (leakage if key.startswith("leakage") else profile)[key] for key in _KEYS},
        }
        beside = {
            "verdict": verdict,
            "reasons": reasons,
            "next": following(profile, leakage, ctx.services.get("pathspec")),
            "card": page(profile, leakage, reasons),
        }
        flagged = len(leakage["leakage_flags"])
        return ToolResult.ok(f"{verdict}: {flagged:,} columns flagged", summary | beside)
