"""Search for the best solution within a budget: candidates are tried where they can do no harm, and scored here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loom.science.search.order import Found
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._asked import MODELS, PARAMETERS, order_of
from ._concluded import concluded


class OptimizeSearch(Tool):
    """Leaves the champion and its predictions in the workspace; every candidate becomes a run of its own."""

    name = "optimize_search"
    description = (
        "Grow a tree of candidate scripts until the budget is spent: each is run apart, without labels and without a "
        "network, and scored by the host. Names the champion, its sealed score, and what failed or cheated."
    )
    parameters: ClassVar[dict[str, Any]] = PARAMETERS
    effects: frozenset[Effect] = frozenset({"reads", "writes", "process", "spend"})
    timeout_seconds = 86_400.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """Only a model of somebody else's costs money and is reached over a network."""
        return (self.effects | {"network"}) if self.model_of(args) else self.effects - {"spend"}

    def model_of(self, args: Mapping[str, Any]) -> tuple[str, str] | None:
        """Who proposes, where that is a model."""
        proposer = args.get("proposer")
        return ("proposer", args.get("model_provider") or proposer) if proposer in MODELS else None

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The summary of the search."""
        return await asyncio.to_thread(_searched, args, ctx)


def _searched(args: Mapping[str, Any], ctx: ToolContext) -> ToolResult:
    order = order_of(args, ctx)

    def tell(body: Mapping[str, Any]) -> None:
        ctx.services["tell"](ctx.subtask_id, body)

    allowed = bool(args.get("allow_unsandboxed"))
    found: Found = ctx.services["search"](order, tell, allow_unsandboxed=allowed)
    written = {
        "solution_path": _left(found.solution and found.solution.encode(), "solution.py", ctx),
        "submission_path": _left(found.submission, "submission.csv", ctx),
    }
    data = concluded(order, found, written, args.get("data"))
    best = data["best"]
    said = (
        f"{best['family']}, {order.metric.name} {best['search']:.4g}"
        if best
        else "no candidate ran to a score"
    )
    changed = [Path(path).name for path in written.values() if path]
    return ToolResult.ok(said, data, files_changed=changed)


def _left(content: bytes | None, name: str, ctx: ToolContext) -> str | None:
    """Leave a file in the workspace; where it lies."""
    if not content:
        return None
    place = ctx.resolve(name)
    place.write_bytes(content)
    return str(place)
