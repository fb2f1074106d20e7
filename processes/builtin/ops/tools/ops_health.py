"""How the runs of this home fare."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from loom.core.index import RunFacts
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._health_page import health_page
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
            return _nothing(flow, experiment, every)
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
            yield _reason("failures", "warning", what, row["lately_share"], FAILURE_SHARE)
        if row["slower"]:
            what = f"{row['flow']} takes {row['slower']:.1f} times as long as before"
            yield _reason("slower", "warning", what, row["slower"], SLOWER)


def _next(rows: Sequence[Row], last: Sequence[Row]) -> Iterator[str]:
    """For each flow in trouble, its last failure: to go on with it where it was cut short, else to look at it."""
    for row in rows[:_NAMED]:
        if row["lately_share"] >= FAILURE_SHARE:
            mine = next(each for each in last if each["flow"] == row["flow"])
            name = shlex.quote(mine["run"])
            yield f"loom resume {name}" if mine["status"] == "interrupted" else f"loom show {name}"
            yield f"loom logs {name}"


def _nothing(flow: str | None, experiment: str | None, every: Sequence[RunFacts]) -> ToolResult:
    """Nothing to look at; a name that was mistyped is told from one that has not run."""
    flows = list(dict.fromkeys(group_of(run, flows_of(every)) for run in every))
    verbs = {run.verb.casefold() for run in every}
    experiments = list(dict.fromkeys(run.experiment_id for run in every if run.experiment_id))
    near: list[str] = []
    option = "--flow"
    if not every:
        what = "nothing has run in this home yet"
    elif experiment is not None and experiment not in experiments:
        what, near, option = f"{experiment[:80]} has no runs", _near(experiment, experiments), "--experiment"
    elif flow is not None and flow.casefold() not in verbs | {name.casefold() for name in flows}:
        what, near = f"{flow[:80]} has never run", _near(flow, flows)
    else:
        what = f"no run of {flow} belongs to {experiment}"
    if near:
        what += f"; there are {', '.join(near)}" if len(near) > 1 else f"; there is {near[0]}"
    following = [f"loom ops {option} {shlex.quote(near[0])}"] if near else []
    following += ["loom runs"] if every else ["loom verbs"]
    reasons = [_reason("nothing_there", "error", what)]
    return ToolResult.ok(what, {"verdict": "EMPTY", "health": None, "reasons": reasons, "next": following})


def _near(word: str, names: Sequence[str]) -> list[str]:
    """The names that may have been meant; the latest ones where none is near."""
    folded = {name.casefold(): name for name in reversed(names)}
    close = difflib.get_close_matches(word.casefold(), folded, n=3, cutoff=0.6)
    return [folded[name] for name in close] or list(names[:_NAMED])


def _reason(
    code: str, severity: str, what: str, value: float | None = None, threshold: float | None = None
) -> Row:
    return {"code": code, "severity": severity, "what": what, "value": value, "threshold": threshold}
