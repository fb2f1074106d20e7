"""Look up what speaks for and against deploying a model: its validation, the model itself, and the data behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._evidence import evidence_of
from ._inspection import inspect


class DeployEvidence(Tool):
    """Reads references and digests. What is not as it was validated is said, never worked around."""

    name = "deploy_evidence"
    description = (
        "Look up a finished validation by reference and hold it against the conditions of a deployment: verdict, "
        "leaks, sealed rows, the digests of model and data, whether the model can answer by itself, and the floor."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "validate": {
                "type": ["string", "null"],
                "minLength": 1,
                "description": "The validation, such as ValidateFlow/12.",
            },
            "solution": {
                "type": ["string", "null"],
                "minLength": 1,
                "description": "The solution whose newest validation counts, such as EvalCandidate/42.",
            },
            "floor": {
                "type": ["string", "null"],
                "description": "The score the model must have reached on the sealed rows, such as auc>=0.8.",
            },
            "target": {"type": ["string", "null"], "description": "Where it is to be deployed."},
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 120.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """Every condition with what was seen."""
        data = evidence_of(inspect(args, ctx), args)
        return ToolResult.ok(_line(data), data)


def _line(data: Mapping[str, Any]) -> str:
    met = sum(gate["is_met"] is True for gate in data["gates"])
    return f"{data['validation'] or 'no validation'}: {met} of {len(data['gates'])} conditions are met"
