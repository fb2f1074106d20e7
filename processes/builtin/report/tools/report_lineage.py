"""Find the runs that a report is about, and those that they rest on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from loom.core.index import RunFacts, RunIndex
from loom.kernel.errors import LoomError
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._facts import told

_OWN = "report"
_MOST = 500


class ReportLineage(Tool):
    """Follows what runs used, back to the data they came from."""

    name = "report_lineage"
    description = "Find runs by name or experiment, and every run that they rest on; finished or not, with their summaries."
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "experiment": {"type": ["string", "null"], "description": "Experiment whose runs are meant."},
            "runs": {
                "type": ["array", "null"],
                "items": {"type": "string"},
                "description": "Runs that are meant, by pathspec.",
            },
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 120.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The runs with what they found, the oldest first, and the names of those that are not there."""
        experiment, named = args.get("experiment"), args.get("runs") or []
        if bool(experiment) == bool(named):
            which = "neither" if not experiment else "both"
            fix = (
                f"loom report --experiment {experiment}"
                if experiment
                else "loom report --runs ValidateFlow/1"
            )
            raise LoomError(
                f"{which} of --experiment and --runs was given", "a report is about one of them", fix
            )
        index: RunIndex = ctx.services["runs"]
        start = index.runs(experiment=experiment) if experiment else []
        found, gone = _followed(index, start, named)
        runs = sorted(found.values(), key=lambda run: (run.started, run.name))
        data = {
            "asked": {"experiment": experiment, "runs": list(named)},
            "runs": [told(run) for run in runs],
            "gone": gone,
        }
        finished = sum(run.status == "ok" for run in runs)
        return ToolResult.ok(f"{len(runs):,} runs, {finished:,} of them finished", data)


def _followed(
    index: RunIndex, start: Iterable[RunFacts], named: Iterable[str]
) -> tuple[dict[str, RunFacts], list[str]]:
    """The runs, those they rest on, and the names of runs that are not there; other reports are left out."""
    found = {run.name: run for run in start if run.verb != _OWN}
    gone: list[str] = []
    pending = [*named, *(name for run in found.values() for name in run.reads)]
    seen: set[str] = set()
    while pending and len(found) < _MOST:
        name = pending.pop(0)
        if name in seen or name in found:
            continue
        seen.add(name)
        try:
            run = index.run(name)
        except LoomError:
            gone.append(name)
            continue
        if run.verb != _OWN and run.name not in found:
            found[run.name] = run
            pending += run.reads
    return found, gone
