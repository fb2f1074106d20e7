"""The answer where there is nothing to report on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.tools.card import card, column, table
from loom.tools.registry import ToolResult

from ._material import Material


def empty(told: Mapping[str, Any], material: Material) -> ToolResult:
    """EMPTY, with what was looked for and what became of it."""
    asked = told["asked"]
    if asked.get("experiment"):
        sought = f"experiment {asked['experiment']}"
    else:
        sought = f"any of {', '.join(asked['runs'])}"
    what = f"no run of {sought} is there"
    if material.left:
        what = f"no run of {sought} has finished well"
    reason = {"code": "nothing_there", "severity": "warning", "what": what, "value": None, "threshold": None}
    rows = [{"run": run.name, "end": run.facts["status"]} for run in material.left]
    rows += [{"run": name, "end": "not to be found"} for name in material.gone]
    listed = table("What was looked for", [column("run", "run", "code"), column("end", "how it ended")], rows)
    data = {
        "verdict": "EMPTY",
        "sections": [],
        "runs": [],
        "missing_sections": ["verdict", "data", "leaks", "features", "validation"],
        "path": None,
        "reasons": [reason],
        "next": ["loom runs"],
        "card": card(sections=[listed] if rows else []),
    }
    return ToolResult.ok(what, data)
