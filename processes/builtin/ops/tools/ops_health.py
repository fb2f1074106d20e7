"""How the runs of this home fare."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._finding import finding
from ._health_page import health_page
from ._nothing import nothing
from ._runs import FAILURE_SHARE, SLOWER, Row, by_flow, counted, failures, flows_of, group_of, told

_FAILURES = 10
_NAMED = 5


class OpsHealth(Tool):
    """Counts runs; where nothing at all is asked for, all of them."""

    name = "ops_health"
    description = (
        "Count the runs of a flow or an experiment by how they ended, each once and an interrupted one as failed; "
        "how long they took, how it goes lately, and which of them failed."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "flow": {
                "type": ["string", "null"],
                "description": "A flow such as EdaFlow, or a verb such as eda.",
            },
            "experiment": {"type": ["string", "null"], "description": "Only runs of this experiment."},
            "instead": {
                "type": ["array", "null"],
                "description": "What else was asked for: with any of it, runs are counted only where named.",
            },
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 120.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The health of the runs, and what in it is worth a word."""
        flow, experiment = args.get("flow"), args.get("experiment")
        if flow is None and experiment is None and any(args.get("instead") or ()):
            return ToolResult.ok("not asked for", {"health": None})
        every = list({run.name: run for run in ctx.services["runs"].runs()}.values())
        flows = flows_of(every)
        runs = [
            run
            for run in every
            if experiment in (None, run.experiment_id)
            and (flow is None or flow.casefold() in (group_of(run, flows).casefold(), run.verb.casefold()))
        ]
        if not runs:
            return nothing(flow, experiment, every)
        rows, last = by_flow(runs, flows), failures(runs, flows)
        health = {
            "flow": flow,
            "experiment": experiment,
            **counted(runs),
            "latest": told(runs[0]),
            "flows": rows,
            "failures": last[:_FAILURES],
        }
        reasons = list(_reasons(rows))
        data = {
            "verdict": "WARN" if reasons else "OK",
            "health": health,
            "reasons": reasons,
            "next": list(_next(rows, last)),
            "page": health_page(health, runs),
        }
        return ToolResult.ok(f"{len(runs):,} runs: {health['ok']:,} ok, {health['failed']:,} failed", data)


def _reasons(rows: Sequence[Row]) -> Iterator[Row]:
    for row in rows:
        if row["lately_share"] >= FAILURE_SHARE:
            failed, _, ended = row["lately"].partition(" of ")
            several = f"{failed} of the latest {ended} runs" if ended != "1" else "the only run"
            what = f"{several} of {row['flow']} failed"
            yield finding("failures", "warning", what, row["lately_share"], FAILURE_SHARE)
        if row["slower"]:
            what = f"{row['flow']} takes {row['slower']:.1f} times as long as before"
            yield finding("slower", "warning", what, row["slower"], SLOWER)


def _next(rows: Sequence[Row], last: Sequence[Row]) -> Iterator[str]:
    """For each flow in trouble, its last failure: to go on with it where it was cut short, else to look at it."""
    for row in rows[:_NAMED]:
        if row["lately_share"] >= FAILURE_SHARE:
            mine = next(each for each in last if each["flow"] == row["flow"])
            name = shlex.quote(mine["run"])
            yield f"loom resume {name}" if mine["status"] == "interrupted" else f"loom show {name}"
            yield f"loom logs {name}"
