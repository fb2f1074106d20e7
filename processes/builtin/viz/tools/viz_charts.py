"""Draw the standard plots of a data object, or those that the summary of a run tells of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loom.core.commands import command
from loom.kernel.errors import LoomError
from loom.tools.card import Block, card, charts, facts, number
from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._dataset import drawn_of_dataset
from ._drawn import ALL, CHOICES, TITLES, Drawn
from ._files import ready, written
from ._run import drawn_of_run


class VizCharts(Tool):
    """Aggregates, draws, and says in words what is to be seen."""

    name = "viz_charts"
    description = (
        "Draw the standard plots of a data object (the target, distributions, correlations, missing values) or "
        "of a run (leaderboard, what eda found, drift). Images hold aggregates only."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "dataset": {"type": ["string", "null"], "description": "Data object to draw; this or `run`."},
            "run": {"type": ["string", "null"], "description": "Run to draw, such as OptimizeFlow/3."},
            "target": {
                "type": ["string", "null"],
                "description": "Column to compare by; as ingested when null.",
            },
            "kind": {"enum": [ALL, *CHOICES, None], "description": "Which plots; all when null."},
            "out": {"type": ["string", "null"], "description": "Folder that gets the images too."},
        },
        "additionalProperties": False,
    }
    effects: frozenset[Effect] = frozenset({"reads", "writes"})
    timeout_seconds = 300.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """Without a folder of the caller's, nothing changes but what is the run's own."""
        return self.effects if args.get("out") else self.effects - {"writes"}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """The images, what each shows, and the page of the run."""
        kind = args.get("kind") or ALL
        folders = _folders(args, ctx)
        drawn = _drawn(args, kind, ctx)
        for folder in folders:
            ready(folder)
        images = written(drawn.every, folders)
        data = {
            "verdict": "OK",
            "images": images,
            "of": drawn.of,
            "kind": kind,
            "folder": str(folders[0]),
            "reasons": [],
            "next": list(drawn.next),
            "card": _page(drawn, len(images)),
        }
        lines = [f"{len(images)} images of {drawn.of} in {folders[0]}"]
        return ToolResult.ok("\n".join([*lines, *(f"  {image['title']}" for image in images)]), data)


def _folders(args: Mapping[str, Any], ctx: ToolContext) -> list[Path]:
    """Where the images go: the caller's folder first, and the run's own in any case."""
    own = Path(ctx.workspace or ctx.scratch_dir or Path.cwd()) / "images"
    if not args.get("out"):
        return [own]
    asked = Path(ctx.services.get("cwd") or Path.cwd()) / Path(args["out"]).expanduser()
    ready(asked)
    return [asked, own]


def _drawn(args: Mapping[str, Any], kind: str, ctx: ToolContext) -> Drawn:
    dataset, run, target = args.get("dataset"), args.get("run"), args.get("target")
    if dataset and run:
        raise LoomError(
            "both --dataset and --run were given",
            "one call draws one thing",
            command("viz", dataset=dataset, target=target),
        )
    if dataset:
        return drawn_of_dataset(dataset, target, kind, ctx)
    if run:
        return drawn_of_run(run, target, kind, ctx)
    raise LoomError(
        "there is nothing to draw",
        "neither --dataset nor --run was given",
        "loom viz --dataset IngestDataset/1",
    )


def _page(drawn: Drawn, images: int) -> Block:
    """Every plot, the target first, and how all was drawn."""
    sections = [
        charts(title, [chart.as_json() for chart in drawn.charts[kind]])
        for kind, title in TITLES.items()
        if drawn.charts.get(kind)
    ]
    return card(
        numbers=[*drawn.numbers, number("images", images)],
        sections=[*sections, *([facts("How it was drawn", drawn.told)] if drawn.told else [])],
    )
