"""Write down exactly what would be deployed: every part by its digest, and one digest of it all."""

from __future__ import annotations

from typing import Any, ClassVar

from loom.core.index import RunFacts
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._manifest import content_of, digest_of_plan, files_of, manifest_of
from ._target import target_of
from ._validation import model_of


class DeployManifest(Tool):
    """Makes the whole bundle in memory, and keeps nothing of it."""

    name = "deploy_manifest"
    description = (
        "Write the manifest of a deployment: model, features, data, lineage, scores with their intervals, verdict, "
        "versions, every file and the target, each by its digest; the same parts give the same digest."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "evidence": {"type": "object", "description": "What deploy_evidence answered."},
            "target": {
                "type": ["string", "null"],
                "minLength": 1,
                "description": "Folder to deploy to; mlflow:FOLDER for a model folder of MLflow.",
            },
            "goal": {
                "type": ["string", "null"],
                "description": "What the model is for, in a person's words.",
            },
        },
        "required": ["evidence"],
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 300.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The manifest, its digest, and what the page shows."""
        evidence = args["evidence"]
        target = target_of(args.get("target"), evidence["data"][-1]["name"], ctx)
        facts: RunFacts = ctx.services["runs"].run(evidence["validation"])
        served = model_of(evidence["model"]["ref"], ctx)
        content = content_of(evidence, facts, served, target, (args.get("goal") or "").strip())
        files = files_of(content, facts.summary, served, target)
        manifest = manifest_of(content, files, target)
        digest = digest_of_plan(manifest)
        size = sum(map(len, files.values()))
        return ToolResult.ok(
            f"{len(files)} files, {size:,} bytes; {digest}",
            {"manifest": manifest, "digest": digest, "gates": evidence["gates"]},
        )
