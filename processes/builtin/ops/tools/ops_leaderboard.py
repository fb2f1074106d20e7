"""Where an experiment stands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from loom.science.charts import leaderboard
from loom.tools.card import Block, charts, column, number, table, tag
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._board import Standing, standings
from ._finding import finding

_MOST = 1_000
_COLUMNS = (
    column("rank", "rank", "number"),
    column("pathspec", "score from", "code"),
    column("family", "family"),
    column("metric", "metric", "code"),
    column("seal", "sealed score", "score"),
    column("interval", "interval"),
    column("search", "search score", "score"),
    column("marks", "marks", "tags"),
)


class OpsLeaderboard(Tool):
    """Reads the summaries of the runs of an experiment, and ranks the candidates they tell of."""

    name = "ops_leaderboard"
    description = (
        "Rank the candidates of an experiment by the score that was sealed away from the search, each with the "
        "pathspec of the run that its score comes from."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "experiment": {"type": ["string", "null"], "description": "The experiment; nothing when null."}
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads"})
    timeout_seconds = 120.0

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The rows of the leaderboard, the best first."""
        experiment: str = args.get("experiment") or ""
        runs = ctx.services["runs"].runs(experiment=experiment) if experiment else []
        if not runs:  # whether the experiment is known at all, the health of its runs tells
            return ToolResult.ok("no experiment to rank", {"leaderboard": []})
        found = standings(runs)
        rows = [row for standing in found for row in standing.rows][:_MOST]
        suspects = [row for row in rows if row["rank"] == 1 and row["suspect"]]
        return ToolResult.ok(
            f"{len(rows)} candidates; {rows[0]['pathspec']} leads" if rows else "no candidate has a score",
            {
                "verdict": "WARN" if suspects else "OK",
                "leaderboard": rows,
                "reasons": list(_reasons(experiment, found, suspects)),
                "next": [f"loom show {shlex.quote(row['pathspec'])}" for row in (suspects or rows)[:1]],
                "page": _page(experiment, found, rows) if rows else {},
            },
        )


def _reasons(
    experiment: str, found: Sequence[Standing], suspects: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    for row in suspects:
        what = f"the leader {row['pathspec']} is suspect: its own score and its sealed score disagree"
        yield finding("suspect", "warning", what)
    if not found:
        yield finding("no_scores", "info", f"no run of {experiment} has a score")
    if len(found) > 1:
        named = ", ".join(standing.metric or "one without a name" for standing in found)
        what = f"the candidates were scored by different metrics, which are ranked apart: {named}"
        yield finding("several_metrics", "info", what)


def _page(
    experiment: str, found: Sequence[Standing], rows: Sequence[dict[str, Any]]
) -> dict[str, list[Block]]:
    leader = rows[0]
    best = leader["search"] if leader["seal"] is None else leader["seal"]
    which = "best sealed score" if leader["seal"] is not None else "best search score"
    numbers = [
        number(which, round(best, 4), note=f"{leader['metric'] or 'score'}, {leader['pathspec']}"),
        number("candidates", len(rows)),
    ]
    shown = [
        {
            **row,
            "interval": row["ci"] and f"{row['ci'][0]:.4g} to {row['ci'][1]:.4g}",
            "marks": [tag("suspect", "wary")] if row["suspect"] else [],
        }
        for row in rows
    ]
    note = "A sealed score comes from rows that the search never saw; a search score is what led the search."
    drawn = [chart for standing in found if (chart := _chart(experiment, standing)) is not None]
    sections = [table("Leaderboard", _COLUMNS, shown, note=note)]
    return {"numbers": numbers, "sections": [*sections, *([charts("Scores", drawn)] if drawn else [])]}


def _chart(experiment: str, standing: Standing) -> dict[str, Any] | None:
    """Sealed scores and search scores are never in one picture: the second flatter."""
    sealed = [row for row in standing.rows if row["seal"] is not None] or standing.rows
    metric, higher = standing.metric or "score", standing.higher_is_better
    drawn = leaderboard(sealed, experiment, metric=metric, higher_is_better=higher)
    return None if drawn is None else drawn.as_json()
