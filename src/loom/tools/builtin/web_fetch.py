"""Fetch a page or a file from the web."""

from __future__ import annotations

from typing import Any

from loom.tools.context import ToolContext
from loom.tools.page import parse_page
from loom.tools.results import ToolResult
from loom.tools.schema import number, takes, text, whole
from loom.tools.threads import Stop, in_thread
from loom.tools.tool import Effect, Tool
from loom.tools.web import MAX_BYTES, MAX_URL, Answer, FetchError, Request, fetch

MAX_LINKS = 100
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = (
    "application/json",
    "application/xml",
    "application/javascript",
    "application/yaml",
    "application/x-yaml",
)


class WebFetch(Tool):
    """Fetches one address and gives back what a reader would see of it."""

    name = "web_fetch"
    description = (
        "Fetch an http or https address. Pages come back as readable text with title, date and links; JSON, CSV and "
        "other text as they are. Addresses inside a private network are refused. A snippet of a search is a lead; "
        "what was fetched is a source."
    )
    parameters = takes(
        {
            "url": text("The address, beginning with http:// or https://.", minLength=8, maxLength=MAX_URL),
            "max_bytes": whole(
                "Bytes to read at most; a megabyte when left out.", minimum=1, maximum=4 * MAX_BYTES
            ),
            "timeout_seconds": number("Seconds it may take.", exclusiveMinimum=0, maximum=50),
        },
        required=("url",),
    )
    effects: frozenset[Effect] = frozenset({"network"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The text, with where it came from and when it was published."""
        request = Request(
            args["url"],
            max_bytes=args.get("max_bytes", MAX_BYTES),
            seconds=args.get("timeout_seconds", 30.0),
        )
        try:
            return await in_thread(lambda stop: _fetched(request, ctx, stop))
        except FetchError as error:
            return ToolResult.fail(str(error), kind=error.kind)


def _fetched(request: Request, ctx: ToolContext, stop: Stop) -> ToolResult:
    answer = fetch(request, ctx.permissions, stop)
    data: dict[str, Any] = {
        "url": answer.url,
        "status": answer.status,
        "content_type": answer.content_type,
        "bytes": len(answer.body),
        "redirects": list(answer.redirects),
        "title": "",
        "published_at": None,
        "links": [],
        "truncated": answer.truncated,
    }
    said = _read(answer, data, stop)
    if said is None:
        return ToolResult.fail(f"{answer.content_type or 'the answer'} is not text", data)
    if answer.status >= 400:
        retryable = answer.status in (408, 425, 429) or answer.status >= 500
        why = f"{answer.url} answered {answer.status}"
        return ToolResult.fail(why, data, output=said[:4000], kind="io", retryable=retryable)
    return ToolResult.ok(said, data=data, truncated=answer.truncated)


def _read(answer: Answer, data: dict[str, Any], stop: Stop) -> str | None:
    """What a reader sees of the answer; None when it is not text."""
    kind = answer.content_type
    if kind in _HTML or (not kind and answer.body.lstrip()[:1] == b"<"):
        page = parse_page(answer.text, answer.url, stop)
        data |= {"title": page.title, "published_at": page.published_at, "links": page.links(MAX_LINKS)}
        return page.text
    textual = not kind or kind.startswith("text/") or kind in _TEXT or kind.endswith(("+json", "+xml"))
    return answer.text if textual and b"\0" not in answer.body[:8192] else None
