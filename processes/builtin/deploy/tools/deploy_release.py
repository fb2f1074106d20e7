"""Put a model in place, or say what that would be: what is applied is what somebody was shown, or nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loom.kernel.errors import LoomError
from loom.science.serving.bundle import digest_of
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._manifest import digest_of_plan, made_again
from ._outcome import Answer, blocked, deployed, staged
from ._placing import current_of, place
from ._target import Target


def _text(description: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description}


class DeployRelease(Tool):
    """Changes nothing without `apply`; with it, only the target, and only in one step."""

    name = "deploy_release"
    description = (
        "Without apply, say what would be deployed and how to agree to it. With apply, and only where somebody "
        "agreed to this digest, make the bundle the current version of the target; the version before stays."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "manifest": {"type": "object", "description": "What deploy_manifest wrote down."},
            "digest": {"type": "string", "minLength": 1, "description": "The digest of the manifest."},
            "gates": {"type": ["array", "null"], "description": "The conditions, for the page."},
            "validate": _text("As it was asked for."),
            "solution": _text("As it was asked for."),
            "target": _text("As it was asked for."),
            "floor": _text("As it was asked for."),
            "apply": {"type": ["boolean", "null"], "description": "Whether to carry the plan out."},
        },
        "required": ["manifest", "digest"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads", "writes", "external"})
    timeout_seconds = 600.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """A plan only reads."""
        return self.effects if args.get("apply") else frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """What came of it."""
        data = await asyncio.to_thread(_released, args, ctx)
        return ToolResult.ok(f"{data['verdict']}: {data['target']}", data)


def _released(args: Mapping[str, Any], ctx: ToolContext) -> Answer:
    manifest, digest = args["manifest"], args["digest"]
    target = Target(Path(manifest["target"]["path"]), manifest["target"]["form"])
    if digest_of_plan(manifest) != digest:
        raise LoomError(
            "the manifest is not the one of that digest", "it was changed on the way", "loom doctor"
        )
    now = current_of(target.folder)
    if not args.get("apply"):
        return staged(args, manifest, digest, now)
    agreed = str(ctx.services.get("staged") or "")
    if agreed != digest:
        what = (
            "what would be deployed is no longer what was shown"
            if agreed
            else "nobody was shown what would be deployed"
        )
        return blocked(args, manifest, digest, "plan_changed" if agreed else "not_staged", what, agreed)
    files = made_again(manifest, target, ctx)
    if digest_of(files) != manifest["bundle"]["digest"]:
        return blocked(args, manifest, digest, "plan_changed", "its files came out differently", agreed)
    record = {
        "plan": digest,
        "run": ctx.services.get("pathspec"),
        "validation": manifest["validation"]["ref"],
    }
    placed = place(target.folder, manifest["bundle"]["digest"], files, record)
    return deployed(args, manifest, digest, placed)
