"""Put runs into a bundle that can be shared: what is on the list, and a count of everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._cleaning import clean, refuse_if_dirty
from ._gathering import gather
from ._packing import pack
from ._page import card_of
from ._placing import placed, ready


class CollabBundle(Tool):
    """Reads summaries and no data; writes into one folder, all of the bundle or nothing."""

    name = "collab_bundle"
    description = (
        "Collect a run or the runs of an experiment, with all that they rest on, take out everything that is not "
        "known to be harmless, and write the rest as a folder and an archive with digests. Nothing is sent."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "run": {"type": ["string", "null"], "description": "Run to share; this or `experiment`."},
            "experiment": {"type": ["string", "null"], "description": "Experiment to share."},
            "out": {
                "type": ["string", "null"],
                "description": "Folder for the bundle; the run's own when null.",
            },
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads", "writes"})
    timeout_seconds = 300.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """Where the bundle lies, what is in it, and what was taken out."""
        data = await asyncio.to_thread(_built, args, ctx)
        return ToolResult.ok(f"{data['name']}: {len(data['files'])} files in {data['folder']}", data)


def _built(args: Mapping[str, Any], ctx: ToolContext) -> dict[str, Any]:
    cwd = Path(ctx.services.get("cwd") or Path.cwd())
    own = Path(ctx.workspace or ctx.scratch_dir or cwd) / "bundle"
    folder = cwd / Path(args["out"]).expanduser() if args.get("out") else own
    subject = gather(ctx.services["runs"], args.get("run"), args.get("experiment"))
    left = clean(subject)
    packed = pack(left, ctx.services["page"])
    refuse_if_dirty(packed.files, (Path.home(), Path(ctx.services["home"]), cwd), left.head)
    ready(folder)
    whole, archive = placed(packed, folder)
    return {
        "name": packed.name,
        "about": dict(left.about),
        "verdict_of": left.head,
        "runs": [record["run"] for record in left.runs],
        "files": packed.listed(),
        "redactions": dict(left.redactions),
        "digest": f"sha256:{packed.sha256}",
        "folder": str(whole.resolve()),
        "archive": str(archive.resolve()),
        "bytes": len(packed.archive),
        "page": card_of(left),
    }
