"""Search the web through whatever provider the run was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.tools.context import ToolContext
from loom.tools.results import ToolResult
from loom.tools.schema import takes, text, whole
from loom.tools.tool import Effect, Tool

SERVICE = "web_search"
_KEPT = ("title", "url", "snippet", "published_at")


class WebSearch(Tool):
    """Asks the search provider of the run; without one it fails and says so."""

    name = "web_search"
    description = (
        "Search the web and get titles, addresses and snippets. Fetch a result before relying on it. Fails when no "
        "search provider is configured."
    )
    parameters = takes(
        {
            "query": text("What to search for.", minLength=1, maxLength=1_000),
            "max_results": whole("Results to show; 10 when left out.", minimum=1, maximum=50),
        },
        required=("query",),
    )
    effects: frozenset[Effect] = frozenset({"network", "spend"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The results of the provider, or that there is none."""
        provider = ctx.services.get(SERVICE)
        if provider is None:
            why = (
                "no web search provider is configured, so nothing was searched; fetch known addresses instead"
            )
            return ToolResult.fail(why, {"results": [], "provider": None}, retryable=False)
        found = await provider(args["query"], args.get("max_results", 10))
        results = [
            {key: str(each[key]) for key in _KEPT if each.get(key)}
            for each in found
            if isinstance(each, Mapping)
        ]
        lines = [
            f"{number}. {each.get('title', '')}\n   {each.get('url', '')}\n   {each.get('snippet', '')}"
            for number, each in enumerate(results, 1)
        ]
        return ToolResult.ok("\n".join(lines) or "nothing found", data={"results": results})
