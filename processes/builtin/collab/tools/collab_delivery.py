"""Leave a bundle where it is, or hand over exactly what somebody was shown and agreed to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loom.core.commands import command
from loom.tools.card import Block, column, number, table
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._destination import Destination, destination_of, is_web
from ._sending import send

_SHORT = 16


class CollabDelivery(Tool):
    """Without `send` it reads; with it, it hands over, and a bundle that nobody took is an error."""

    name = "collab_delivery"
    description = (
        "Without send, say where the bundle lies. With send, and only where somebody agreed to its digest, put it "
        "into a folder or post it to a webhook, with its digest as the key by which a repetition is known."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "bundle": {"type": "object", "description": "What collab_bundle answered."},
            "send": {"type": ["boolean", "null"], "description": "Whether to hand it over."},
            "to": {"type": ["string", "null"], "description": "Address of a webhook, or a folder."},
            "out": {"type": ["string", "null"], "description": "As it was asked for."},
        },
        "required": ["bundle"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads", "writes", "network", "external"})
    timeout_seconds = 300.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """Nothing leaves unless it is to be sent, and a folder is reached without a network."""
        if not args.get("send"):
            return frozenset({"reads"})
        return self.effects if is_web(args.get("to") or "") else self.effects - {"network"}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """Where the bundle is now."""
        data = await asyncio.to_thread(_delivered, args, ctx)
        where = f"sent to {data['to']}" if data["sent"] else f"it is in {data['folder']}, and was not sent"
        return ToolResult.ok(f"{data['name']}: {where}", data)


def _delivered(args: Mapping[str, Any], ctx: ToolContext) -> dict[str, Any]:
    bundle = dict(args["bundle"])
    page, is_sent = bundle.pop("page"), bool(args.get("send"))
    cwd = Path(ctx.services.get("cwd") or Path.cwd())
    place = destination_of(args["to"], cwd) if args.get("to") else None
    how: dict[str, Any] = {}
    if is_sent:
        how = send(bundle, place, str(ctx.services.get("staged") or ""), ctx.permissions)
    told = {**bundle, "sent": is_sent, "to": place.shown if place else None, **how}
    asked = {"out": args.get("out"), "to": args.get("to")}
    return {
        "verdict": "SENT" if is_sent else "BUILT",
        **told,
        "reasons": [] if is_sent or place is None else [_how_to_send(told)],
        "next": [] if is_sent else _next(told, place, asked),
        "card": _page(page, told),
    }


def _confirmation(told: Mapping[str, Any]) -> str:
    return f"--send --confirm {told['digest'].removeprefix('sha256:')[:_SHORT]}"


def _how_to_send(told: Mapping[str, Any]) -> Block:
    what = f"not sent; to send exactly this to {told['to']}, repeat the call with `{_confirmation(told)}`"
    return {"code": "not_sent", "severity": "info", "what": what, "value": None, "threshold": None}


def _next(told: Mapping[str, Any], place: Destination | None, asked: Mapping[str, Any]) -> list[str]:
    """The call that sends it, unless it would show an address that opens a door."""
    if place is None or place.is_secret or not told["about"]:
        return []
    return [f"{command('collab', **told['about'], **asked)} {_confirmation(told)}"]


def _page(page: Block, told: Mapping[str, Any]) -> Block:
    """Where the bundle is, what was taken out and what is in it, and then what it shows itself."""
    where = (
        number("sent to", told["to"]) if told["sent"] else number("sent", "no", note="it is on this machine")
    )
    columns = [
        column("path", "file", "code"),
        column("bytes", "bytes", "number"),
        column("sha256", "SHA-256", "code"),
    ]
    files = table("Files in the bundle", columns, told["files"], note=f"archive {told['digest']}")
    *shown, taken, method = page["sections"]
    return {"numbers": [where, *page["numbers"]], "sections": [taken, files, *shown, method]}
