"""What a search says in the end: the verdict, the summary, reasons, and what makes sense now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loom.core.commands import command
from loom.science.search.order import Found, Order

from ._page import page

_KEPT = (
    *("experiment_id", "best", "leaderboard", "candidates", "suspects", "budget", "split", "checks", "final"),
    *("failures", "sandbox", "workers", "proposer", "metric", "direction", "resumed", "usage"),
)


def concluded(
    order: Order, found: Found, written: Mapping[str, str | None], folder: str | None = None
) -> dict[str, Any]:
    """The summary with its verdict and all that stands beside it; `folder` holds the data where no object does."""
    figures = found.figures
    summary = {name: figures[name] for name in _KEPT}
    summary |= {"dataset_ref": order.named, "target": order.problem.target, **written}
    return {
        **summary,
        "verdict": "BEST" if figures["best"] else "EMPTY",
        "reasons": list(_reasons(figures)),
        "next": list(_next(order, figures, folder)),
        "card": page(order, figures),
    }


def _reasons(figures: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if figures["best"] is None:
        tried = figures["candidates"]
        what = f"none of {tried:,} candidates came to a score" if tried else "nothing was tried"
        yield _reason("no_candidate", "error", what, tried)
    for each in figures["suspects"]:
        yield _reason(
            "suspect", "warning", f"candidate {each['node']} ({each['family']}): {each['why']}", each["node"]
        )
    for why, count in figures["failures"].items():
        means = figures["meanings"].get(why) or why
        said = f"{count:,} candidate{'s' if count > 1 else ''} failed: {means}"
        yield _reason(why, "info", said, count)
    for why, nodes in figures["oddities"].items():
        said = f"candidate {', '.join(map(str, nodes[:5]))}: {figures['meanings'].get(why) or why}"
        yield _reason(why, "info", said, len(nodes))
    final = figures["final"]
    if figures["best"] and final.get("how") != "refit":
        what = f"the predictions are the mean of what the folds predict: {final.get('why')}"
        yield _reason("not_refitted", "warning", what, None)
    if figures["sandbox"] == "none":
        yield _reason("unsandboxed", "warning", "candidates ran without a sandbox", None)


def _reason(code: str, severity: str, what: str, value: Any) -> dict[str, Any]:
    return {"code": code, "severity": severity, "what": what, "value": value, "threshold": None}


def _next(order: Order, figures: Mapping[str, Any], folder: str | None) -> Iterator[str]:
    best, problem = figures["best"], order.problem
    if best is None:
        # a search goes on only with what it was asked for
        yield command(
            "run",
            "resume",
            dataset=None if folder else order.named,
            data=folder,
            mlops="local" if folder else None,
            target=problem.target,
            time=problem.time,
            group=problem.group,
            metric=order.metric.name,
            proposer=order.proposer if order.proposer != "builtin" else None,
            seed=str(order.seed) if order.seed else None,
            experiment_id=figures["experiment_id"],
            budget="5m",
        )
    elif best["pathspec"]:
        if folder:
            yield command("ingest", source=folder)
        else:
            yield command("validate", dataset=order.named, target=problem.target, solution=best["pathspec"])
        yield f"loom show {best['pathspec']}"
