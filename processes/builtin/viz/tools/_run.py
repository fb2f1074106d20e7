"""The plots of a run: what its summary tells, drawn without a look at any data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from loom.core.commands import command
from loom.core.index import RunFacts
from loom.kernel.errors import LoomError
from loom.science.charts import (
    Chart,
    drift_effects,
    leaderboard,
    leak_scores,
    missing,
    relations,
    target_shares,
)
from loom.tools.card import number
from loom.tools.registry import ToolContext

from ._board import board_of
from ._drawn import ALL, Drawn

_DATA_FLOWS = ("IngestDataset", "FeaturesFlow")
_NEEDED = {
    "leaderboard": "candidates with scores",
    "correlation": "relations between columns",
    "missing": "columns with gaps",
    "target": "a target with classes",
}


def drawn_of_run(pathspec: str, target: str | None, kind: str, ctx: ToolContext) -> Drawn:
    """The plots of a kind, or of all that the summary tells of; LoomError where it tells of nothing to draw."""
    facts: RunFacts = ctx.services["runs"].run(pathspec)
    name = facts.pathspec or facts.name
    data = facts.summary.get("dataset_ref")
    if facts.flow in _DATA_FLOWS and kind != "leaderboard":
        raise LoomError(
            f"{name} is a data object",
            "its summary holds no plots; its rows are drawn as such",
            command("viz", dataset=name, target=target, kind=None if kind == ALL else kind),
        )
    if target is not None:
        raise LoomError(
            f"--target does not go with --run {name}",
            "a run is drawn as it was made",
            command("viz", run=name, kind=None if kind == ALL else kind),
        )
    if kind == "distributions":
        again = command("viz", dataset=data if isinstance(data, str) else "IngestDataset/1", kind=kind)
        raise LoomError(
            f"{name} holds no distributions",
            "a summary tells quantiles, not how values lie between them",
            again,
        )
    charts = {each: tuple(found) for each, found in _charts(facts, name).items() if kind in (ALL, each)}
    if kind == "target":
        charts["leaks"] = tuple(_charts(facts, name)["leaks"])
    if not any(charts.values()):
        needs = _NEEDED.get(kind, "columns, candidates or drift")
        ended = "" if facts.status == "ok" else f", and it ended {facts.status}"
        raise LoomError(
            f"{name} has nothing to draw",
            f"its summary tells of no {needs}{ended}",
            f"loom show {shlex.quote(name)}",
        )
    return Drawn(
        of=name,
        charts=charts,
        next=_next(facts, name, data),
        numbers=(number("run", name), number("verb", facts.verb), number("verdict", facts.verdict or "none")),
        told={"drawn from": f"the summary of {name}; no data was read"},
    )


def _charts(facts: RunFacts, name: str) -> dict[str, Sequence[Chart]]:
    summary = facts.summary
    board = board_of(facts)
    drift = summary.get("drift")
    found: dict[str, list[Chart | None]] = {
        "target": [target_shares(summary["target"], name)]
        if isinstance(summary.get("target"), Mapping)
        else [],
        "leaks": [leak_scores(summary, name)] if _tells(summary, "leakage_flags") else [],
        "correlation": [relations(summary, name)] if _tells(summary, "top_correlations") else [],
        "missing": [missing(summary, name)] if _tells(summary, "columns") else [],
        "leaderboard": [
            leaderboard(board.rows, name, metric=board.metric, higher_is_better=board.higher_is_better)
        ],
        "drift": [drift_effects(drift, name)] if isinstance(drift, Mapping) else [],
    }
    return {kind: [chart for chart in charts if chart is not None] for kind, charts in found.items()}


def _tells(summary: Mapping[str, Any], key: str) -> bool:
    rows = summary.get(key)
    return isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows)


def _next(facts: RunFacts, name: str, data: object) -> tuple[str, ...]:
    said = [f"loom show {shlex.quote(name)}"]
    if isinstance(data, str):
        said.append(command("viz", dataset=data))
    if facts.flow == "EdaFlow" and isinstance(data, str):
        said.append(command("features", **{"dataset": data, "from": name}))
    return tuple(said)
